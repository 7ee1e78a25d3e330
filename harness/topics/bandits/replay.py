"""The task replay: policies are played against a shop's log, and learn from rounds that show what they choose."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import Chart, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar
from harness.topics._shared import open_bandit
from harness.topics.bandits import topic
from harness.topics.bandits.stationary import REGRET, STEPS

if TYPE_CHECKING:
    from harness.topics.bandits.engine.replay import Replay

REPLAY = "harness.topics.bandits.engine.replay"
PARAMS = {
    "horizon": Param(2_000, low=10, summary="accepted rounds"),
    "replications": Param(50, low=2, summary="independent streams drawn from the log"),
    "arms": Param(10, low=2, high=max(open_bandit.CAMPAIGNS.values()), summary="items, the most often logged ones"),
}
CLICKS = Chart(
    "clicks",
    title="Clicks so far",
    x="accepted round",
    y="clicks in 1,000 rounds",
    reading=(
        "Expected clicks per 1,000 rounds up to a round, by the half of the log that policies do not learn from; mean "
        "over replications. It rises if a policy learns about the shop and not only about the sample."
    ),
)


def _load(params: Mapping[str, Scalar], rng: Generator, *, campaign: str) -> Replay:
    from harness.topics.bandits.engine.replay import read

    return read(params, rng, campaign)


def judge(world: Replay, actions: Any) -> Judgement:
    """Judge the clicks of the accepted rounds."""
    from harness.topics.bandits.engine import replay as engine

    return engine.judge(world, actions)


replay = topic.task(
    "replay",
    title="Clicks of policies replayed against a shop's log",
    datasets=[
        Dataset(
            f"replay-{campaign}",
            partial(_load, campaign=campaign),
            f"Sample of the Open Bandit Dataset, campaign {campaign}: the log of the random policy, resampled.",
            {**PARAMS, "arms": dataclasses.replace(PARAMS["arms"], high=items)},
            needs=(REPLAY, *open_bandit.MODULES),
            verify=open_bandit.verify_sample,
        )
        for campaign, items in open_bandit.CAMPAIGNS.items()
    ],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=[
        Metric(
            "clicks",
            direction="higher",
            unit="click",
            summary="Expected clicks per 1,000 accepted rounds, by the half of the log that is not learned from.",
        ),
        Metric("lift", direction="higher", unit="x", summary="Clicks divided by the clicks of the logged policy."),
        Metric(
            "clicks_learnt",
            direction="higher",
            unit="click",
            summary="The same by the half that policies learn from; if it exceeds clicks, the policy learned noise.",
        ),
    ],
    judge=judge,
    params=PARAMS,
    work=STEPS,
    reference="thompson-beta",
    baseline="random",
    charts=[CLICKS, REGRET],
    quick=Profile(
        3,
        {"horizon": 500, "replications": 10},
        datasets=("replay-all",),
        strategies=("random", "thompson-beta"),
    ),
    full=Profile(10, sweeps=True),
)
