"""The task selection: choose among candidate policies by their estimated values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import CLEAN, Judgement, Metric, Profile
from harness.topics.ope import topic
from harness.topics.ope.worlds import CANDIDATES, HEAVY, POLICIES, ROUNDS, SYNTHETIC, noisy_rewards, view

if TYPE_CHECKING:
    from harness.topics.ope.engine.worlds import Replications


def _judge(data: Replications, output: Any) -> Judgement:
    from harness.topics.ope.engine import judge

    return judge.selection(data, output)


selection = topic.task(
    "selection",
    title="Choosing among policies by their estimated values",
    datasets=[POLICIES],
    scenarios=[CLEAN, HEAVY, noisy_rewards(1.0)],
    phases=["fit", "estimate"],
    metrics=[
        Metric(
            "rank_correlation",
            direction="higher",
            unit="1",
            margin=0.01,
            summary="Spearman's rank correlation of estimates and true values; mean over logs.",
        ),
        Metric(
            "regret",
            direction="lower",
            unit="reward",
            margin=0.001,
            summary="Value of the best policy minus that of the policy with the highest estimate; mean over logs.",
        ),
    ],
    judge=_judge,
    view=view,
    params={**SYNTHETIC, **CANDIDATES},
    work=ROUNDS,
    sweep={"rounds": [300, 10_000]},
    reference="ips",
    quick=Profile(1, {"rounds": 500, "replications": 10, "candidates": 5}, scenarios=("clean",)),
    full=Profile(blocks=6, sweeps=True),
)
