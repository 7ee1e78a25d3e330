"""A new policy is to replace an old one, and nobody knows yet whether it is better."""

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
JUDGE = "harness.topics.bandits.engine.rollout_judge"

METRICS = (
    Metric("reward_lost", direction="lower", unit="reward", summary="Lost to the better policy by the horizon; mean."),
    Metric(
        "false_promotions",
        direction="lower",
        unit="1",
        summary="Share of the policies that are no better and get all traffic; 0 where all are better.",
        limit=0.05,
    ),
    Metric(
        "missed",
        direction="lower",
        unit="1",
        summary="Share of the better policies that never get all traffic; 0 where none is better.",
    ),
    Metric(
        "time_to_full",
        direction="lower",
        unit="step",
        summary="Steps before a better policy has all traffic, the horizon if never; mean, 0 where none is better.",
    ),
)
TRAFFIC = Chart(
    "traffic",
    title="Traffic of the new policy",
    x="step",
    y="share",
    reading="Share of the visitors who get the new policy, mean over deployments. Of a worse one it should be low.",
)
LOST = Chart(
    "lost",
    title="Reward lost",
    x="step",
    y="reward",
    reading="What was lost until a step to the policy that is better in truth, mean over deployments.",
)
PARAMS = {
    "horizon": Param(100, low=10, high=10_000, summary="steps between which traffic can be changed"),
    "replications": Param(1_000, low=2, high=100_000, summary="deployments, side by side"),
}
WORLD = {
    **PARAMS,
    "visitors": Param(200, low=1, high=100_000, summary="visitors a step"),
    "rate": Param(0.1, low=0.001, high=0.25, summary="share of visitors who pay under the old policy"),
    "lift": Param(0.2, low=0.0, high=0.9, summary="size of an effect, as a share of the rate"),
    "logged": Param(250, low=1, high=100_000, summary="steps of the log from before"),
    "explored": Param(
        0.05, low=0.001, high=0.999, summary="share of the log in which the new policy's choice was made"
    ),
}
LEVEL = {"level": Param(0.05, low=0.0001, high=0.5, summary="declared share of false promotions, at most")}


def trend(growth: float) -> Scenario:
    """Let the rate of both policies grow by so many times its start until the horizon; the effect stays."""

    def grow(launch: Launch, _rng: Generator) -> Launch:
        return replace(launch, rate=launch.rate * (1 + growth * np.arange(launch.horizon) / launch.horizon))

    return Scenario(f"trend({growth:g})", grow, f"Under both policies the rate grows by {100 * growth:g} % meanwhile.")


def _launches(signs: tuple[int, ...]) -> Callable[[Mapping[str, Scalar], Generator], Launch]:
    """Name deployments whose effects have the given signs, in turn."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> Launch:
        from harness.topics.bandits.engine.chance import key_of
        from harness.topics.bandits.engine.rollout import Launch

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
    """Return what strategies may see: visitors, but not the truth."""
    from harness.topics.bandits.engine.rollout import Traffic

    return Traffic(launch)


def judge(launch: Launch, shares: Any) -> Judgement:
    """Judge who was promoted, when, and what was lost."""
    from harness.topics.bandits.engine import rollout_judge

    return rollout_judge.judge(launch, shares)


deployment = topic.task(
    "deployment",
    title="Giving traffic to a new policy that may be worse",
    datasets=[
        # One idea in three improves, one in three does nothing, one in three hurts: Kohavi et al. 2009, "Online
        # experimentation at Microsoft".
        _dataset("launch-mixed", "A third of the new policies is worse, a third equal, a third better.", -1, 0, 1),
        _dataset("launch-equal", "No new policy differs, the hardest case for the level.", 0),
        _dataset("launch-worse", "All new policies are worse.", -1),
        _dataset("launch-better", "All new policies are better.", 1),
    ],
    scenarios=[CLEAN, trend(1.0)],
    phases=["compile", "play"],
    metrics=METRICS,
    judge=judge,
    view=view,
    params={**PARAMS, **LEVEL},
    work={"play": Work("step", of=("horizon", "replications"))},
    reference="canary-betting",
    baseline="never",
    charts=[TRAFFIC, LOST],
    quick=Profile(1, {"replications": 200}, datasets=("launch-mixed",), scenarios=("clean",)),
    full=Profile(10, sweeps=True),
)
