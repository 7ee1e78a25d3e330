"""The task stationary: arms with constant means, and rewards that are revealed at once, late or in batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from harness import CLEAN, Chart, Curve, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar, Scenario, Work
from harness.topics.bandits import topic

if TYPE_CHECKING:
    from harness.topics.bandits.engine.world import World

WORLDS = "harness.topics.bandits.engine.world"
# Rewards in [0, 1] are sub-Gaussian with this standard deviation (Hoeffding's lemma), so bounds that are made for them
# are valid for Gaussian rewards as well.
SIGMA = 0.5
BEST = 0.6  # mean of the best arm

METRICS = (
    Metric("regret", direction="lower", unit="reward", summary="Mean cumulative regret at the horizon."),
    Metric(
        "regret_q90",
        direction="lower",
        unit="reward",
        summary="90 % quantile over replications of the regret at the horizon.",
    ),
    Metric("best_arm", direction="higher", unit="1", summary="Share of steps at which the best arm was chosen."),
)
STEPS = {"play": Work("step", of=("horizon", "replications"))}
REGRET = Chart(
    "regret",
    title="Regret",
    x="step",
    y="regret",
    reading=(
        "Cumulative regret up to a step: mean over replications, and a band from their 10 % to their 90 % quantile. "
        "Where the line is flat, the policy chooses the best arm."
    ),
)
BOUNDED = msgspec.structs.replace(
    REGRET,
    limit="lai_robbins",
    limit_title="Lai-Robbins limit",
    reading=(
        f"{REGRET.reading} The Lai-Robbins limit, drawn if it is the same for all replications, is asymptotic: in the "
        "long run the regret of a policy that is good on all instances grows at least as fast, but at a given step it "
        "may be smaller."
    ),
)
PARAMS = {
    "horizon": Param(10_000, low=10, summary="steps"),
    "replications": Param(200, low=2, summary="independent repetitions"),
    "arms": Param(10, low=2, high=1_000, summary="arms to choose from"),
}
SPREAD = {"spread": Param(0.5, low=0.001, high=BEST, summary="mean of the best arm minus that of the worst")}


def delay(steps: int) -> Scenario:
    """Reveal rewards a number of steps after the choice (Chapelle & Li 2011, section 3)."""
    return Scenario(
        f"delay({steps})",
        lambda world, _rng: replace(world, delay=steps),
        f"Rewards are revealed {steps:,} steps late.",
    )


def batch(steps: int) -> Scenario:
    """Reveal rewards in batches of so many steps (Perchet et al. 2016, "Batched bandits")."""
    return Scenario(
        f"batch({steps})",
        lambda world, _rng: replace(world, batch=steps),
        f"Rewards are revealed every {steps:,} steps.",
    )


def _ladder(params: Mapping[str, Scalar], rng: Generator) -> Any:
    """Return evenly spaced means, in another random order in every replication; shape (replications, arms)."""
    means = np.linspace(BEST, BEST - float(params["spread"]), int(params["arms"]))
    return rng.permuted(np.tile(means, (int(params["replications"]), 1)), axis=1)


def _world(means: Any, params: Mapping[str, Scalar], rng: Generator, sigma: float = 0.0) -> World:
    from harness.topics.bandits.engine.world import World, key_of

    stage = np.zeros(int(params["horizon"]), dtype=np.int64)
    return World(means[None], stage, int(params["replications"]), key_of(rng), sigma)


def bernoulli(params: Mapping[str, Scalar], rng: Generator) -> World:
    """Make arms that pay 1 or 0."""
    return _world(_ladder(params, rng), params, rng)


def gaussian(params: Mapping[str, Scalar], rng: Generator) -> World:
    """Make arms that pay their means plus Gaussian noise."""
    return _world(_ladder(params, rng), params, rng, SIGMA)


def uniform(params: Mapping[str, Scalar], rng: Generator) -> World:
    """Make arms that pay 1 or 0, with other random means in each replication."""
    return _world(rng.random((int(params["replications"]), int(params["arms"]))), params, rng)


def judge(world: World, actions: Any) -> Judgement:
    """Judge the regret; add the limit of Lai and Robbins if it is the same for all replications."""
    from harness.topics.bandits.engine import judge as judges

    judged = judges.judge(world, actions)
    limits = judges.lai_robbins(world)
    if not 0 < limits.max() <= limits.min() * (1 + 1e-9):
        return judged
    steps = judged.curves["regret"].x
    limit = Curve(steps, (limits[0] * np.log(steps)).tolist())
    return replace(judged, curves={**judged.curves, BOUNDED.limit: limit})


BERNOULLI = Dataset(
    "bernoulli", bernoulli, "Arms pay 1 or 0; their means are evenly spaced.", {**PARAMS, **SPREAD}, needs=(WORLDS,)
)

task = topic.task(
    "stationary",
    title="Regret on arms with constant means",
    datasets=[
        BERNOULLI,
        Dataset("gaussian", gaussian, "The same means, with Gaussian noise.", {**PARAMS, **SPREAD}, needs=(WORLDS,)),
        Dataset("bernoulli-uniform", uniform, "Arms pay 1 or 0; their means are random.", PARAMS, needs=(WORLDS,)),
    ],
    scenarios=[CLEAN, delay(100), delay(1_000), batch(100)],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=METRICS,
    judge=judge,
    params=PARAMS,
    work=STEPS,
    sweep={"arms": [2, 100]},
    reference="thompson-beta",
    baseline="random",
    charts=[BOUNDED],
    quick=Profile(
        4,
        {"horizon": 5_000, "replications": 20},
        datasets=("bernoulli",),
        scenarios=("clean",),
        strategies=("random", "epsilon-greedy", "ucb1", "thompson-beta"),
    ),
    full=Profile(10, sweeps=True),
)
