"""Arms whose means move, so that what was learnt must be forgotten in time."""

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
CHANGES = {"changes": Param(4, low=0, high=1_000, summary="abrupt changes, at equal distances")}
# The task sweeps the number of changes, which smooth worlds do not have.
NO_CHANGES = {"changes": Param(0, low=0, high=0, summary="no abrupt changes")}
PERIODS = {"periods": Param(1.0, low=0.0, high=1_000, summary="swings of a mean over the horizon")}
DELAY = Metric(
    "adaptation_delay",
    direction="lower",
    unit="step",
    summary="Steps from a change until half of the replications are on the new best arm, or until the next change.",
)
ADAPTATION = Chart(
    "adaptation",
    title="Adaptation to a change",
    x="steps since the change",
    y="share on the best arm",
    reading="The share of replications on the arm that is best at the time, mean over changes. It falls at 0.",
)


def _made(name: str) -> Callable[[Mapping[str, Scalar], Generator], World]:
    """Name a maker of worlds without importing its module."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> World:
        from harness.topics.bandits.engine import drift

        made: World = getattr(drift, name)(params, rng)
        return made

    return load


def _dataset(name: str, summary: str, **params: Param) -> Dataset:
    return Dataset(name, _made(name.replace("-", "_")), summary, {**PARAMS, **params}, needs=(DRIFT,))


def changes_of(world: World) -> int:
    """Return the number of changes that constants of the theory are made for: at least 1."""
    return max(len(world.changes), 1)


def judge(world: World, actions: Any) -> Judgement:
    """Judge dynamic regret, and how fast the best arm was found again."""
    from harness.topics.bandits.engine import adaptation
    from harness.topics.bandits.engine import judge as judges

    judged = judges.judge(world, actions)
    hits = judges.regret(world, actions) == 0
    return replace(
        judged,
        metrics={**judged.metrics, DELAY.name: adaptation.delay(world, hits)},
        curves={**judged.curves, ADAPTATION.curve: adaptation.curve(world, hits)},
    )


drifting = topic.task(
    "drifting",
    title="Regret of policies on arms whose means move",
    datasets=[
        _dataset("abrupt", "Means drawn anew at known steps, uniform in (0, 1).", **CHANGES),
        _dataset("sinusoidal", "Means swing; each arm in turn is the best one.", **NO_CHANGES, **PERIODS),
        _dataset("random-walk", "Means walk at random.", **NO_CHANGES),
        _dataset(
            "rotting",
            "Arms rot with time, chosen or not (restless: Seznec et al. 2020), the better at the start the sooner.",
            **NO_CHANGES,
        ),
    ],
    phases=["compile", "play"],
    metrics=[*METRICS, DELAY],
    judge=judge,
    params={**PARAMS, **CHANGES},
    work=STEPS,
    sweep={"changes": [1, 4, 9, 19]},
    reference="sliding-thompson",
    baseline="random",
    charts=[REGRET, ADAPTATION],
    quick=Profile(blocks=1, params={"horizon": 2_000, "replications": 20}, datasets=("abrupt",)),
    full=Profile(blocks=10, sweeps=True),
)
