"""The task deployment: a new policy may replace an old one, and nobody knows yet whether it is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import CLEAN, Chart, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar, Scenario, Work
from harness.topics.bandits import topic

if TYPE_CHECKING:
    from harness.topics.bandits.engine.rollout import Launch, Traffic

ROLLOUT = "harness.topics.bandits.engine.rollout"
JUDGE = "harness.topics.bandits.engine.rollout"

METRICS = (
    Metric(
        "reward_lost", direction="lower", unit="reward", summary="Mean reward lost to the better policy by the horizon."
    ),
    Metric(
        "false_promotions",
        direction="lower",
        unit="1",
        summary="Share of the policies that are not better and still get all traffic; 0 if all are better.",
        limit=0.05,
        rate=True,
    ),
    Metric(
        "missed",
        direction="lower",
        unit="1",
        summary="Share of the better policies that do not get all traffic by the horizon; 0 if none is better.",
        rate=True,
    ),
    Metric(
        "time_to_full",
        direction="lower",
        unit="step",
        summary="Mean steps until a better policy has all traffic, at most the horizon; 0 if none is better.",
    ),
)
TRAFFIC = Chart(
    "traffic",
    title="Traffic of the new policy",
    x="step",
    y="share",
    reading="Share of visitors who get the new policy, mean over deployments. For a worse policy it should be low.",
)
LOST = Chart(
    "lost",
    title="Reward lost",
    x="step",
    y="reward",
    reading="Reward lost up to a step compared with always using the better policy, mean over deployments.",
)
PARAMS = {
    "horizon": Param(100, low=10, high=10_000, summary="steps; the share of traffic can change between steps"),
    "replications": Param(1_000, low=2, high=100_000, summary="independent deployments"),
}
WORLD = {
    **PARAMS,
    "visitors": Param(200, low=1, high=100_000, summary="visitors per step"),
    "rate": Param(0.1, low=0.001, high=0.25, summary="share of visitors who pay under the old policy"),
    "lift": Param(0.2, low=0.0, high=0.9, summary="size of an effect, as a share of the rate"),
    "logged": Param(250, low=1, high=100_000, summary="steps of the log that was recorded before"),
    "explored": Param(
        0.05, low=0.001, high=0.999, summary="share of the log in which the choice of the new policy was made"
    ),
}
LEVEL = {"level": Param(0.05, low=0.0001, high=0.5, summary="declared upper limit of the share of false promotions")}


def trend(growth: float) -> Scenario:
    """Let the rates of both policies grow until the horizon by `growth` times the first rate, with the same effect."""

    def grow(launch: Launch, _rng: Generator) -> Launch:
        return replace(launch, rate=launch.rate * (1 + growth * np.arange(launch.horizon) / launch.horizon))

    return Scenario(
        f"trend({growth:g})", grow, f"By the horizon the rate has grown by {100 * growth:g} % under both policies."
    )


def _launches(signs: tuple[int, ...]) -> Callable[[Mapping[str, Scalar], Generator], Launch]:
    """Return a loader of deployments whose effects have the given signs, in turn."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> Launch:
        from harness.topics.bandits.engine.rollout import Launch
        from harness.topics.bandits.engine.world import key_of

        rate, replications = float(params["rate"]), int(params["replications"])
        effect = rate * float(params["lift"]) * np.resize(np.array(signs, dtype=np.float64), replications)
        return Launch(
            np.full(int(params["horizon"]), rate),
            effect,
            int(params["visitors"]),
            key_of(rng),
            int(params["logged"]),
            float(params["explored"]),
        )

    return load


def _dataset(name: str, summary: str, *signs: int) -> Dataset:
    return Dataset(name, _launches(signs), summary, WORLD, needs=(ROLLOUT, JUDGE))


def view(launch: Launch) -> Traffic:
    """Return what strategies may see: the visitors without the true rates."""
    from harness.topics.bandits.engine.rollout import Traffic

    return Traffic(launch)


def judge(launch: Launch, shares: Any) -> Judgement:
    """Judge which policies were promoted, when, and how much reward was lost."""
    from harness.topics.bandits.engine import rollout

    return rollout.judge(launch, shares)


deployment = topic.task(
    "deployment",
    title="Shifting traffic to a new policy that may be worse",
    datasets=[
        # One idea in three improves, one in three does nothing, one in three hurts: Kohavi et al. 2009, "Online
        # experimentation at Microsoft".
        _dataset(
            "launch-mixed", "A third of the new policies are worse, a third are equal, a third are better.", -1, 0, 1
        ),
        _dataset("launch-equal", "All new policies equal the old one, the hardest case for the level.", 0),
        _dataset("launch-worse", "All new policies are worse.", -1),
        _dataset("launch-better", "All new policies are better.", 1),
    ],
    scenarios=[CLEAN, trend(1.0)],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=METRICS,
    judge=judge,
    view=view,
    params={**PARAMS, **LEVEL},
    work={"play": Work("step", of=("horizon", "replications"))},
    reference="canary-betting",
    baseline="never",
    charts=[TRAFFIC, LOST],
    quick=Profile(
        6,
        {"replications": 200},
        datasets=("launch-mixed",),
        scenarios=("clean",),
        strategies=("never", "fixed-ab", "canary-betting"),
    ),
    full=Profile(10, sweeps=True),
)
