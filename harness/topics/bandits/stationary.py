"""Arms whose means stand still, with feedback at once, late or in batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.declare import CLEAN, Dataset, Figure, Judgement, Metric, Param, Profile, Scenario
from harness.declare.values import Generator
from harness.topics.bandits import topic
from harness.trial import Curve, Scalar

if TYPE_CHECKING:
    from harness.topics.bandits.engine.world import World

WORLDS = "harness.topics.bandits.engine.world"
# Rewards in [0, 1] deviate at most like Gaussian ones of this standard deviation (Hoeffding's lemma), so that bounds
# made for the former hold for the latter.
SIGMA = 0.5
BEST = 0.6  # mean of the best arm
_FROM = 10  # the first step at which regret is compared with a limit for many

METRICS = (
    Metric("regret", direction="lower", unit="reward", summary="Lost to the best arm by the horizon; mean."),
    Metric("regret_q90", direction="lower", unit="reward", summary="The least that the worst tenth lost."),
    Metric("best_arm", direction="higher", unit="1", summary="Share of steps at which the best arm was chosen."),
)
REGRET = Figure(
    "regret",
    title="Regret",
    x="step",
    y="regret",
    reading="What was lost to the best arm until a step, mean over replications. A flat line has found the best arm.",
)
LIMIT = Figure(
    "limit",
    title="Regret as a multiple of the Lai-Robbins limit",
    x="step",
    y="multiple",
    log_x=True,
    reading=(
        "Regret divided by the least that a policy good on all instances can have at many steps. A policy that attains "
        "the limit tends to 1; at few steps it may lie below."
    ),
)
PARAMS = {
    "horizon": Param(10_000, low=10, summary="steps"),
    "replications": Param(200, low=2, summary="independent repetitions, side by side"),
    "arms": Param(10, low=2, high=1_000, summary="arms to choose from"),
}
SPREAD = {"spread": Param(0.5, low=0.001, high=BEST, summary="mean of the best arm minus that of the worst")}


def delay(steps: int) -> Scenario:
    """Make rewards known so many steps after the choice (Chapelle & Li 2011, section 4)."""
    return Scenario(
        f"delay({steps})", lambda world, _rng: replace(world, delay=steps), f"Rewards are seen {steps:,} steps late."
    )


def batch(steps: int) -> Scenario:
    """Make rewards known in batches: none before so many steps are done (Perchet et al. 2016, "Batched bandits")."""
    return Scenario(
        f"batch({steps})", lambda world, _rng: replace(world, batch=steps), f"Rewards are seen every {steps:,} steps."
    )


def _ladder(params: Mapping[str, Scalar], rng: Generator) -> Any:
    """Make evenly spaced means, in an order of its own in every replication; shape (replications, arms)."""
    means = np.linspace(BEST, BEST - float(params["spread"]), int(params["arms"]))
    return rng.permuted(np.tile(means, (int(params["replications"]), 1)), axis=1)


def _world(means: Any, params: Mapping[str, Scalar], rng: Generator, sigma: float = 0.0) -> World:
    from harness.topics.bandits.engine.chance import key_of
    from harness.topics.bandits.engine.world import World

    stage = np.zeros(int(params["horizon"]), dtype=np.int64)
    return World(means[None], stage, int(params["replications"]), key_of(rng), sigma)


def bernoulli(params: Mapping[str, Scalar], rng: Generator) -> World:
    """Make arms that pay 1 or 0."""
    return _world(_ladder(params, rng), params, rng)


def gaussian(params: Mapping[str, Scalar], rng: Generator) -> World:
    """Make arms that pay around their means."""
    return _world(_ladder(params, rng), params, rng, SIGMA)


def uniform(params: Mapping[str, Scalar], rng: Generator) -> World:
    """Make arms that pay 1 or 0, with means drawn anew for each replication."""
    return _world(rng.random((int(params["replications"]), int(params["arms"]))), params, rng)


def judge(world: World, actions: Any) -> Judgement:
    """Judge regret, and its distance to the limit of Lai and Robbins where all replications have the same one."""
    from harness.topics.bandits.engine import judge as judges

    judged = judges.judge(world, actions)
    limits = judges.lai_robbins(world)
    curve = judged.curves["regret"]
    late = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if x >= _FROM]
    if late and 0 < limits.max() <= limits.min() * (1 + 1e-9):
        x, y = np.array(late).T
        multiple = Curve(x.tolist(), (y / (limits[0] * np.log(x))).tolist())
        return replace(judged, curves={**judged.curves, "limit": multiple})
    return judged


BERNOULLI = Dataset(
    "bernoulli", bernoulli, "Arms pay 1 or 0; their means are evenly spaced.", {**PARAMS, **SPREAD}, needs=(WORLDS,)
)

task = topic.task(
    "stationary",
    title="Regret of policies on arms whose means stand still",
    datasets=[
        BERNOULLI,
        Dataset("gaussian", gaussian, "The same means, with Gaussian noise.", {**PARAMS, **SPREAD}, needs=(WORLDS,)),
        Dataset("bernoulli-uniform", uniform, "Arms pay 1 or 0; their means are random.", PARAMS, needs=(WORLDS,)),
    ],
    scenarios=[CLEAN, delay(100), delay(1_000), batch(100)],
    phases=["compile", "play"],
    metrics=METRICS,
    judge=judge,
    params=PARAMS,
    sweep={"arms": [2, 100]},
    reference="thompson-beta",
    baseline="random",
    figures=[REGRET, LIMIT],
    quick=Profile(2, {"horizon": 1_000, "replications": 50}, datasets=("bernoulli",), scenarios=("clean",)),
    full=Profile(10, sweeps=True),
)
