"""Conservative bandits: the kernel against the algorithm in plain Python, budgets and regret against what is known."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

from harness.declare import Problem
from harness.errors import InvalidOutputError
from harness.topics.bandits import conservative
from harness.topics.bandits.engine.conservative import Guarded, conservative_ucb, margins

TASK = conservative.conservative
DATASETS: Any = {dataset.name: dataset for dataset in TASK.datasets if not isinstance(dataset, str)}
DEFAULTS: Any = {name: param.default for name, param in TASK.params.items()}
SMALL: Any = {"horizon": 500, "replications": 6, "arms": 5}
SAFE = ("conservative-ucb", "conservative-ucb-estimated", "always-default")


def guarded(name: str = "default-second", **changes: Any) -> Guarded:
    made: Guarded = DATASETS[name].load(DEFAULTS | SMALL | changes, np.random.default_rng(1))
    return made


def run(name: str, world: Guarded, default: float = 0.5, **options: Any) -> Any:
    problem = Problem(world, DEFAULTS | {"default": default}, 0)
    return TASK.strategies[name].run(problem, unmeasured, **options)


def played(world: Guarded, delta: float, mean: float | None, *, safe: bool) -> np.ndarray:
    """Follow algorithm 1 of Wu et al. 2016 with sums over all arms."""
    arms, actions = world.arms, np.empty((world.horizon, world.replications), dtype=int)
    pulls, sums = np.zeros((arms, world.replications)), np.zeros((arms, world.replications))
    for step in range(world.horizon):
        for replication in range(world.replications):
            n, total = pulls[:, replication], sums[:, replication]
            count = arms - (mean is not None)
            width = [math.sqrt(2 * 0.25 * math.log(count * k**3 / delta) / k) if k else math.inf for k in n]
            upper = [s / k + w if k else math.inf for s, k, w in zip(total, n, width, strict=True)]
            lower = [max(s / k - w, 0.0) if k else 0.0 for s, k, w in zip(total, n, width, strict=True)]
            if mean is not None:
                upper[0] = lower[0] = mean
            best = int(np.argmax(upper))
            after = n + (np.arange(arms) == best)
            owed = (1 - world.share) * (step + 1)
            # The least over all means of the default within its bounds: the sum is linear in it.
            default = [min(upper[0], 1.0), lower[0]]
            others = sum(after[i] * lower[i] for i in range(1, arms))
            left = min(others + after[0] * m - owed * m for m in default)
            actions[step, replication] = best if left >= 0 or not safe else 0
        arm = actions[step]
        np.add.at(pulls, (arm, np.arange(world.replications)), 1)
        np.add.at(sums, (arm, np.arange(world.replications)), world.rewards(step, arm))
    return actions


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("mean", [0.5, None])
@pytest.mark.parametrize("name", DATASETS)
def test_kernel_follows_the_algorithm(name: str, mean: float | None, safe: bool) -> None:
    world = guarded(name, share=0.3)
    share = 0.3 if safe else 1.0
    assert (conservative_ucb(world, share, 0.05, mean) == played(world, 0.05, mean, safe=safe)).all()


def test_margins_of_one_arm() -> None:
    world = guarded(arms=3)
    expected = np.arange(1, 501)[:, None] * (world.means[0, :, 1] - 0.9 * 0.5)
    assert margins(world, np.ones((500, 6), dtype=np.int16)) == pytest.approx(expected)


def test_the_default_never_breaks_its_own_guarantee() -> None:
    world = guarded(share=0.001)
    judged = TASK.judge(world, run("always-default", world))
    assert judged.metrics["violations"] == 0
    assert judged.metrics["regret"] == pytest.approx(500 * 0.1)
    assert judged.curves["margin"].y[-1] == pytest.approx(500 * 0.5 * 0.001)


def test_a_violation_counts_even_if_it_is_made_good() -> None:
    """Bad at the first step, best ever after, in two of six replications."""
    world = guarded()
    actions = np.zeros((500, 6), dtype=int)
    best, bad = world.means[0].argmax(axis=1), world.means[0].argmin(axis=1)
    actions[:, :2] = best[:2]
    actions[0, :2] = bad[:2]
    judged = TASK.judge(world, actions)
    assert judged.metrics["violations"] == pytest.approx(2 / 6)
    assert judged.metrics["shortfall"] == pytest.approx((0.45 - 0.1) * 2 / 6)
    assert judged.curves["margin"].y[0] == pytest.approx(0.1 - 0.45)


def test_rounding_is_no_violation() -> None:
    """Arms that pay exactly what is allowed."""
    world = guarded()
    exact = replace(world, means=np.full_like(world.means, 0.45))
    exact.means[:, :, 0] = 0.5
    assert TASK.judge(exact, np.ones((500, 6), dtype=int)).metrics["violations"] == 0


@pytest.mark.parametrize(
    ("actions", "reason"),
    [(np.zeros((5, 6), dtype=int), "shape"), (np.full((500, 6), 5), "0 to 4"), (np.zeros((500, 6)), "integers")],
)
def test_judge_refuses_what_are_no_arms(actions: Any, reason: str) -> None:
    with pytest.raises(InvalidOutputError, match=reason):
        TASK.judge(guarded(), actions)


@pytest.mark.parametrize("name", DATASETS)
def test_arm_0_is_the_default(name: str) -> None:
    world = guarded(name, default=0.3)
    assert (world.means[0, :, 0] == 0.3).all()
    assert world.means.shape == (1, 6, 5)


def test_two_arms_are_enough() -> None:
    world = guarded(arms=2)
    for name in TASK.strategies:
        assert math.isfinite(TASK.judge(world, run(name, world)).metrics["regret"])


@pytest.mark.parametrize("strategy", list(TASK.strategies))
@pytest.mark.parametrize("name", DATASETS)
def test_budgets_are_kept_by_those_who_say_so(name: str, strategy: str) -> None:
    world = guarded(name, horizon=5_000, replications=100, arms=10)
    judged = TASK.judge(world, run(strategy, world))
    assert set(judged.metrics) == {metric.name for metric in TASK.metrics}
    if strategy in SAFE:
        assert judged.metrics["violations"] <= 0.05
    elif name != "default-uniform":
        assert judged.metrics["violations"] > 0.9


def test_estimating_the_default_costs_regret() -> None:
    world = guarded(horizon=10_000, replications=50, arms=10)
    regret = {name: TASK.judge(world, run(name, world)).metrics["regret"] for name in TASK.strategies}
    assert regret["unguarded-ucb"] < regret["conservative-ucb"] < regret["conservative-ucb-estimated"]
    assert regret["conservative-ucb-estimated"] < regret["always-default"]


def test_a_smaller_share_costs_more() -> None:
    regret = []
    for share in (0.05, 0.2, 0.9):
        world = guarded(horizon=10_000, replications=30, arms=10, share=share)
        regret.append(TASK.judge(world, run("conservative-ucb", world)).metrics["regret"])
    assert regret[0] > regret[1] > regret[2]
