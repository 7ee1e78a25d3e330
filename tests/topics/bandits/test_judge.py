"""Judge of bandits against closed forms, and what it refuses."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.errors import InvalidOutputError
from harness.topics.bandits import stationary
from harness.topics.bandits.engine.judge import bernoulli_kl, judge, lai_robbins, marks, regret
from harness.topics.bandits.engine.world import World

HORIZON, REPLICATIONS, ARMS = 200, 8, 4
PARAMS: Any = {"horizon": HORIZON, "replications": REPLICATIONS, "arms": ARMS, "spread": 0.3}


def world(**changes: Any) -> World:
    means = np.tile([0.2, 0.9, 0.5, 0.9], (1, REPLICATIONS, 1)).astype(float)
    return replace(World(means, np.zeros(HORIZON, dtype=np.int64), REPLICATIONS, np.uint64(1)), **changes)


def always(arm: int) -> np.ndarray:
    return np.full((HORIZON, REPLICATIONS), arm)


@pytest.mark.parametrize(("arm", "gap"), [(0, 0.7), (1, 0.0), (2, 0.4), (3, 0.0)])
def test_one_arm_all_the_time(arm: int, gap: float) -> None:
    judged = judge(world(), always(arm))
    assert judged.metrics == pytest.approx(
        {"regret": HORIZON * gap, "regret_q90": HORIZON * gap, "best_arm": float(gap == 0)}
    )
    curve = judged.curves["regret"]
    assert curve.y == pytest.approx([gap * step for step in curve.x])


def test_equally_good_arms_lose_nothing() -> None:
    chosen = np.random.default_rng(0).choice([1, 3], size=(HORIZON, REPLICATIONS))
    assert not regret(world(), chosen).any()


def test_quantile_and_examples_are_over_replications() -> None:
    chosen = always(1)
    chosen[:, 0] = 0
    judged = judge(world(), chosen)
    losses = np.zeros(REPLICATIONS)
    losses[0] = HORIZON * 0.7
    np.testing.assert_allclose(judged.examples["regret"].values, losses, atol=1e-9)
    assert judged.metrics["regret"] == pytest.approx(losses.mean())
    assert judged.metrics["regret_q90"] == pytest.approx(np.quantile(losses, 0.9))


def test_regret_follows_the_stage_and_the_row() -> None:
    rng = np.random.default_rng(0)
    made = world(means=rng.random((3, 5, ARMS)), stage=rng.integers(3, size=HORIZON))
    chosen = rng.integers(ARMS, size=(HORIZON, REPLICATIONS))
    lost = regret(made, chosen)
    for step, replication in [(0, 0), (17, 5), (199, 7)]:
        means = made.means[made.stage[step], replication % 5]
        assert lost[step, replication] == pytest.approx(means.max() - means[chosen[step, replication]])


def test_regret_follows_the_context() -> None:
    rng = np.random.default_rng(0)
    made = world(means=rng.random((1, 30, ARMS)), features=rng.normal(size=(30, 2)))
    chosen = rng.integers(ARMS, size=(HORIZON, REPLICATIONS))
    lost = regret(made, chosen)
    for step in (0, 3, 150):
        means = made.means[0, made.rows(step)]
        np.testing.assert_allclose(lost[step], means.max(axis=1) - means[np.arange(REPLICATIONS), chosen[step]])


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((HORIZON, 3), dtype=int), "shape"),
        (np.zeros(HORIZON, dtype=int), "shape"),
        (np.zeros((REPLICATIONS, HORIZON), dtype=int), "shape"),
        (np.zeros((HORIZON, REPLICATIONS)), "integers"),
        (np.zeros((HORIZON, REPLICATIONS), dtype=bool), "integers"),
        (np.full((HORIZON, REPLICATIONS), ARMS), "0 to 3"),
        (np.full((HORIZON, REPLICATIONS), -1), "0 to 3"),
        (None, "shape"),
        ([[0], [0, 1]], "lengths"),
        ("arms", "shape"),
    ],
)
def test_what_is_no_choice_of_arms_is_refused(actions: Any, message: str) -> None:
    with pytest.raises(InvalidOutputError, match=message):
        regret(world(), actions)


def test_marks_end_at_the_horizon() -> None:
    assert marks(10_000)[[0, -1]].tolist() == [1, 10_000]
    assert len(marks(10_000)) == 100
    assert marks(7).tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_limit_of_two_bernoulli_arms_has_a_closed_form() -> None:
    means = np.array([[[0.5, 0.25]]])
    # KL(1/4, 1/2) = log 2 + log(1/4) / 4 + 3/4 log(3/4)
    apart = math.log(2) + math.log(0.25) / 4 + 0.75 * math.log(0.75)
    assert lai_robbins(world(means=means)) == pytest.approx([0.25 / apart])


def test_limit_of_gaussian_arms_has_a_closed_form() -> None:
    # gap / (gap^2 / (2 sigma^2)) = 2 sigma^2 / gap
    assert lai_robbins(world(sigma=0.5)) == pytest.approx(np.full(REPLICATIONS, 0.5 / 0.7 + 0.5 / 0.4))


def test_limit_of_certain_arms() -> None:
    assert lai_robbins(world(means=np.array([[[1.0, 0.5]]]))) == pytest.approx([0])
    assert lai_robbins(world(means=np.array([[[0.5, 0.5]]]))) == pytest.approx([0])
    assert lai_robbins(world(means=np.array([[[0.5, 0.0]]]))) == pytest.approx([0.5 / math.log(2)])


def test_the_limit_needs_constant_means() -> None:
    with pytest.raises(ValueError, match="constant means"):
        lai_robbins(world(means=np.zeros((2, 1, 2))))


def test_divergence_is_that_of_scipy() -> None:
    from scipy.special import rel_entr

    p, q = np.random.default_rng(0).uniform(0.01, 0.99, (2, 50))
    np.testing.assert_allclose(bernoulli_kl(p, q), rel_entr(p, q) + rel_entr(1 - p, 1 - q))


@pytest.mark.parametrize("made", [stationary.bernoulli, stationary.gaussian])
def test_the_limit_is_drawn_where_all_replications_share_it(made: Any) -> None:
    data = made(PARAMS, np.random.default_rng(0))
    chosen = np.zeros((HORIZON, REPLICATIONS), dtype=int)
    judged = stationary.judge(data, chosen)
    (figure,) = stationary.task.charts
    regrets, limit = judged.curves[figure.curve], judged.curves[figure.limit]
    assert limit.x == regrets.x
    assert limit.x[-1] == HORIZON
    assert (limit.y[0], limit.y[-1]) == pytest.approx((0, lai_robbins(data)[0] * math.log(HORIZON)))
    assert stationary.judge(data, always(1)).curves[figure.limit] == limit


def test_no_limit_is_drawn_for_random_means() -> None:
    judged = stationary.judge(stationary.uniform(PARAMS, np.random.default_rng(0)), always(0))
    assert set(judged.curves) == {"regret"}


def test_worlds_have_the_means_that_are_declared() -> None:
    data = stationary.bernoulli(PARAMS, np.random.default_rng(0))
    np.testing.assert_allclose(np.sort(data.means[0], axis=1), np.tile([0.3, 0.4, 0.5, 0.6], (REPLICATIONS, 1)))
    assert len({tuple(row) for row in data.means[0]}) > 1
    assert (data.horizon, data.arms, data.replications, data.sigma) == (HORIZON, ARMS, REPLICATIONS, 0)
    assert stationary.gaussian(PARAMS, np.random.default_rng(0)).sigma == 0.5


def test_scenarios_tell_late() -> None:
    data = stationary.bernoulli(PARAMS, np.random.default_rng(0))
    scenarios = {scenario.name: scenario for scenario in stationary.task.scenarios}
    assert set(scenarios) == {"clean", "delay(100)", "delay(1000)", "batch(100)"}
    late, batched = (scenarios[name].apply(data, np.random.default_rng(1)) for name in ("delay(1000)", "batch(100)"))
    assert (late.seen(1_500), batched.seen(1_550), data.seen(9)) == (500, 1_500, 9)
    assert data.delay == 0


def test_the_band_holds_the_middle_of_the_replications() -> None:
    """In half of the replications the gap is 0.7, in the other half 0.4: nine tenths and a tenth are these."""
    arms = np.where(np.arange(REPLICATIONS) % 2, 0, 2)
    curve = judge(world(), np.tile(arms, (HORIZON, 1))).curves["regret"]
    steps = np.array(curve.x)
    assert curve.low == pytest.approx(0.4 * steps)
    assert curve.high == pytest.approx(0.7 * steps)
    assert curve.y == pytest.approx(0.55 * steps)
