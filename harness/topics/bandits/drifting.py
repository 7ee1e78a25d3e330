"""The task drifting: the means of arms change over time, so a policy must forget what it learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import Chart, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar
from harness.topics.bandits import topic
from harness.topics.bandits.stationary import METRICS, PARAMS, REGRET, STEPS

if TYPE_CHECKING:
    from harness.topics.bandits.engine.world import World

DRIFT = "harness.topics.bandits.engine.drift"
CHANGES = {"changes": Param(4, low=0, high=1_000, summary="abrupt changes, evenly spaced")}
# The task sweeps the number of changes, which smooth worlds do not have.
NO_CHANGES = {"changes": Param(0, low=0, high=0, summary="no abrupt changes")}
PERIODS = {"periods": Param(1.0, low=0.0, high=1_000, summary="periods of a mean over the horizon")}
DELAY = Metric(
    "adaptation_delay",
    direction="lower",
    unit="step",
    summary="Steps from a change until half of the replications choose the new best arm, or until the next change.",
)
ADAPTATION = Chart(
    "adaptation",
    title="Adaptation to a change",
    x="steps since the change",
    y="share on the best arm",
    reading="Share of replications that choose the arm which is best at that step, mean over changes. It falls at 0.",
)


def _made(name: str) -> Callable[[Mapping[str, Scalar], Generator], World]:
    """Return a loader that calls a function of the engine, which is imported only then."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> World:
        from harness.topics.bandits.engine import drift

        made: World = getattr(drift, name)(params, rng)
        return made

    return load


def _dataset(name: str, summary: str, **params: Param) -> Dataset:
    return Dataset(name, _made(name.replace("-", "_")), summary, {**PARAMS, **params}, needs=(DRIFT,))


def changes_of(world: World) -> int:
    """Return the number of changes that the constants of the theory are computed for: at least 1."""
    return max(len(world.changes), 1)


def judge(world: World, actions: Any) -> Judgement:
    """Judge the dynamic regret, and how fast the policy returned to the best arm."""
    from harness.topics.bandits.engine import drift
    from harness.topics.bandits.engine import judge as judges

    judged = judges.judge(world, actions)
    hits = judges.regret(world, actions) == 0
    return replace(
        judged,
        metrics={**judged.metrics, DELAY.name: drift.delay(world, hits)},
        curves={**judged.curves, ADAPTATION.curve: drift.curve(world, hits)},
    )


drifting = topic.task(
    "drifting",
    title="Regret on arms whose means change over time",
    datasets=[
        _dataset("abrupt", "New means are drawn at every change, uniform in (0, 1).", **CHANGES),
        _dataset("sinusoidal", "Means follow sine waves; each arm in turn is the best one.", **NO_CHANGES, **PERIODS),
        _dataset("random-walk", "Means follow random walks.", **NO_CHANGES),
        _dataset(
            "rotting",
            "Means fall with time, chosen or not (restless: Seznec et al. 2020); the best at the start fall first.",
            **NO_CHANGES,
        ),
    ],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=[*METRICS, DELAY],
    judge=judge,
    params={**PARAMS, **CHANGES},
    work=STEPS,
    sweep={"changes": [1, 4, 9, 19]},
    reference="sliding-thompson",
    baseline="random",
    charts=[REGRET, ADAPTATION],
    quick=Profile(
        3,
        {"horizon": 2_000, "replications": 20},
        datasets=("abrupt",),
        strategies=("random", "thompson-beta", "sliding-ucb", "sliding-thompson"),
    ),
    full=Profile(blocks=10, sweeps=True),
)
