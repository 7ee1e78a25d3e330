"""A shop's log as the world: policies learn from the rounds in which they would have shown what was shown."""

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
    "replications": Param(50, low=2, summary="streams drawn from the log, side by side"),
    "arms": Param(10, low=2, high=max(open_bandit.CAMPAIGNS.values()), summary="items, those logged most often"),
}
CLICKS = Chart(
    "clicks",
    title="Clicks so far",
    x="accepted round",
    y="clicks in 1,000 rounds",
    reading=(
        "Clicks in 1,000 of the rounds until then, by the half of the log that is not learnt from; mean over "
        "replications. What is learnt of the shop, and not of the sample, makes it rise."
    ),
)


def _load(params: Mapping[str, Scalar], rng: Generator, *, campaign: str) -> Replay:
    from harness.topics.bandits.engine.replay import read

    return read(params, rng, campaign)


def _verify() -> None:
    open_bandit.card_file()


def judge(world: Replay, actions: Any) -> Judgement:
    """Judge the clicks of the accepted rounds."""
    from harness.topics.bandits.engine import replay as engine

    return engine.judge(world, actions)


replay = topic.task(
    "replay",
    title="Clicks of policies that are replayed against a shop's log",
    datasets=[
        Dataset(
            f"replay-{campaign}",
            partial(_load, campaign=campaign),
            f"Open Bandit Dataset's sample, campaign {campaign}: random's log, drawn from with replacement.",
            {**PARAMS, "arms": dataclasses.replace(PARAMS["arms"], high=items)},
            needs=(REPLAY, *open_bandit.MODULES),
            verify=_verify,
        )
        for campaign, items in open_bandit.CAMPAIGNS.items()
    ],
    phases=["compile", "play"],
    metrics=[
        Metric(
            "clicks",
            direction="higher",
            unit="click",
            summary="Clicks in 1,000 accepted rounds, expected by the half of the log that is not learnt from.",
        ),
        Metric("lift", direction="higher", unit="x", summary="Those clicks divided by those of the logged policy."),
        Metric(
            "clicks_learnt",
            direction="higher",
            unit="click",
            summary="The same by the half that is learnt from: what exceeds clicks is luck, learnt by heart.",
        ),
    ],
    judge=judge,
    params=PARAMS,
    work=STEPS,
    reference="thompson-beta",
    baseline="random",
    charts=[CLICKS, REGRET],
    quick=Profile(1, {"horizon": 500, "replications": 10}, datasets=("replay-all",)),
    full=Profile(10, sweeps=True),
)
