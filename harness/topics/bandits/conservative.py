"""The task conservative: a policy learns, but at every step it must have earned almost as much as the default arm.

Arm 0 is the default, the choice that runs today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import Chart, Curve, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar
from harness.topics.bandits import topic
from harness.topics.bandits.stationary import METRICS, REGRET, STEPS
from harness.topics.bandits.stationary import PARAMS as SIZES

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.bandits.engine.conservative import Guarded

ENGINE = "harness.topics.bandits.engine.conservative"
INDEX = "harness.topics.bandits.engine.kernels.index"
PLAY = "harness.topics.bandits.engine.play"
DELTA = 0.05
# Sums of floats that are mathematically equal differ by at most this much of a reward.
_ROUNDING = 1e-6

VIOLATIONS = Metric(
    "violations",
    direction="lower",
    unit="1",
    summary="Share of the replications whose expected reward was below the required one at some step.",
    limit=DELTA,
)
SHORTFALL = Metric(
    "shortfall",
    direction="lower",
    unit="reward",
    summary="Largest amount by which the expected reward was below the required one at any step; mean.",
)
MARGIN = Chart(
    "margin",
    title="Worst margin",
    x="step",
    y="reward",
    reading=(
        "Expected reward up to a step minus the required one, in the worst replication at that step. Below 0 the "
        "guarantee is broken."
    ),
)
PARAMS = {
    **SIZES,
    "share": Param(0.1, low=0.001, high=0.999, summary="share of the default's reward that may be lost (alpha)"),
    "default": Param(0.5, low=0.01, high=0.99, summary="mean of the default arm"),
}


def _guarded(draw: Callable[[int, int, Generator], Any]) -> Callable[[Mapping[str, Scalar], Generator], Guarded]:
    """Return a loader of worlds; `draw` returns the means of the other arms, shape (replications, arms - 1)."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> Guarded:
        from harness.topics.bandits.engine.conservative import Guarded
        from harness.topics.bandits.engine.world import key_of

        replications, others = int(params["replications"]), int(params["arms"]) - 1
        default = np.full((replications, 1), float(params["default"]))
        means = np.concatenate([default, draw(replications, others, rng)], axis=1)
        stage = np.zeros(int(params["horizon"]), dtype=np.int64)
        return Guarded(means[None], stage, replications, key_of(rng), share=float(params["share"]))

    return load


def _ladder(replications: int, others: int, rng: Generator) -> Any:
    """Return evenly spaced means in a random order, shape (replications, others); a single arm has the highest one."""
    return rng.permuted(np.tile(np.linspace(0.6, 0.1, others), (replications, 1)), axis=1)


def judge(world: Guarded, actions: Any) -> Judgement:
    """Judge the regret, and whether the guarantee was met at every step."""
    from harness.topics.bandits.engine import judge as judges
    from harness.topics.bandits.engine.conservative import margins

    judged = judges.judge(world, actions)
    left = margins(world, actions)
    worst = left.min(axis=0)
    at = judges.marks(world.horizon)
    return replace(
        judged,
        metrics={
            **judged.metrics,
            VIOLATIONS.name: float((worst < -_ROUNDING).mean()),
            SHORTFALL.name: float(np.maximum(-worst, 0).mean()),
        },
        curves={**judged.curves, MARGIN.curve: Curve(at.astype(float).tolist(), left.min(axis=1)[at - 1].tolist())},
    )


conservative = topic.task(
    "conservative",
    title="Regret of policies that must always earn almost as much as the default arm",
    datasets=[
        Dataset(
            "default-second",
            _guarded(_ladder),
            "Arms pay 1 or 0. The default has mean 0.5, the other means are evenly spaced from 0.6 to 0.1.",
            PARAMS,
            needs=(ENGINE,),
        ),
        Dataset(
            "default-uniform",
            _guarded(lambda replications, others, rng: rng.random((replications, others))),
            "Arms pay 1 or 0. The default has mean 0.5, the other means are drawn uniformly from 0 to 1.",
            PARAMS,
            needs=(ENGINE,),
        ),
        Dataset(
            "default-best",
            _guarded(lambda replications, others, rng: rng.uniform(0.1, 0.4, (replications, others))),
            "Arms pay 1 or 0. The default has mean 0.5, all other means are lower.",
            PARAMS,
            needs=(ENGINE,),
        ),
    ],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=[*METRICS, VIOLATIONS, SHORTFALL],
    judge=judge,
    params=PARAMS,
    work=STEPS,
    sweep={"share": [0.05, 0.2, 0.4], "horizon": [40_000]},
    reference="conservative-ucb",
    baseline="always-default",
    charts=[REGRET, MARGIN],
    quick=Profile(
        3,
        {"horizon": 1_000, "replications": 50},
        datasets=("default-second",),
        strategies=("always-default", "conservative-ucb", "unguarded-ucb"),
    ),
    full=Profile(10, sweeps=True),
)


def _played(problem: Problem, phase: PhaseClock, **options: Any) -> Any:
    from harness.topics.bandits.engine.conservative import conservative_ucb
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, lambda world: conservative_ucb(world, **options))


@conservative.strategy("conservative-ucb", needs=(ENGINE, PLAY), sweep={"delta": [0.5, 0.01]})
def known_default(problem: Problem, phase: PhaseClock, delta: float = DELTA) -> Any:
    """Play the largest upper bound if lower bounds certify the guarantee, else the default; its mean is known.

    Wu et al. 2016 (arXiv 1602.04282), algorithm 1. For rewards in [0, 1] bounds are valid with probability 1 - delta.
    """
    return _played(problem, phase, share=problem.data.share, delta=delta, mean=float(problem.params["default"]))


@conservative.strategy("conservative-ucb-estimated", needs=(ENGINE, PLAY), sweep={"delta": [0.5, 0.01]})
def estimated_default(problem: Problem, phase: PhaseClock, delta: float = DELTA) -> Any:
    """Play like conservative-ucb, with an estimate of the default's mean (Wu et al. 2016, section 3.5)."""
    return _played(problem, phase, share=problem.data.share, delta=delta, mean=None)


@conservative.strategy("unguarded-ucb", needs=(ENGINE, PLAY), note="Ignores the guarantee.")
def unguarded(problem: Problem, phase: PhaseClock, delta: float = DELTA) -> Any:
    """Play the largest of the upper bounds of conservative-ucb without any guarantee."""
    return _played(problem, phase, share=1.0, delta=delta, mean=float(problem.params["default"]))


@conservative.strategy("ucb1", needs=(INDEX, PLAY), sweep={"xi": [0.5]}, note="Ignores the guarantee.")
def ucb1(problem: Problem, phase: PhaseClock, xi: float = 2.0) -> Any:
    """Choose the largest mean + sqrt(xi log(step) / n); see the task stationary."""
    from harness.topics.bandits.engine.kernels import index
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, lambda world: index.ucb1(world, xi))


@conservative.strategy("always-default")
def always_default(problem: Problem, phase: PhaseClock) -> Any:
    """Play the default arm at every step."""
    for _ in phase("play"):
        actions = np.zeros((problem.data.horizon, problem.data.replications), dtype=np.int16)
    return actions
