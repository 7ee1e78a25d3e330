"""The task interval: confidence intervals of the value of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import CLEAN, Judgement, Metric, Param, Profile
from harness.topics.ope import topic
from harness.topics.ope.worlds import (
    HEAVY,
    LINEAR,
    NONLINEAR,
    REPLICATIONS,
    ROUNDS,
    SYNTHETIC,
    noisy_rewards,
    view,
    wrong_propensities,
)

if TYPE_CHECKING:
    from harness.topics.ope.engine.worlds import Replications


def _judge(data: Replications, output: Any) -> Judgement:
    from harness.topics.ope.engine import judge

    return judge.interval(data, output)


task = topic.task(
    "interval",
    title="Confidence intervals of the value of a policy, with a nominal coverage of 0.95",
    datasets=[NONLINEAR, LINEAR],
    scenarios=[CLEAN, HEAVY, wrong_propensities(0.3), noisy_rewards(1.0)],
    phases=["fit", "estimate"],
    metrics=[
        Metric(
            "coverage_error",
            direction="lower",
            unit="1",
            margin=0.02,
            summary="How far the coverage falls short of the nominal 0.95; 0 if it does not.",
        ),
        Metric("width", direction="lower", unit="reward", margin=0.005, summary="Mean interval width over logs."),
        Metric(
            "interval_score",
            direction="lower",
            unit="reward",
            margin=0.005,
            summary="Width plus 40 times the distance of the true value from the interval; mean over logs.",
        ),
    ],
    judge=_judge,
    view=view,
    params={**SYNTHETIC, "replications": Param(200, low=2, summary=REPLICATIONS["replications"].summary)},
    work=ROUNDS,
    sweep={"rounds": [300, 10_000]},
    reference="normal-ips",
    quick=Profile(1, {"rounds": 500, "replications": 10}, datasets=("nonlinear-rewards",), scenarios=("clean",)),
    full=Profile(blocks=10, sweeps=True),
)
