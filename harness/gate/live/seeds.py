"""A metric over the pairs of a live gate, each of which has its own seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from harness.gate.decision import Pair
from harness.gate.quality import PairedSeed, QualityOutcome, judge_quality
from harness.gate.sequential import Outcome, spending


def quality_outcome(
    name: str,
    better: Literal["lower", "higher"],
    margin: float,
    pairs: Sequence[Pair],
    cap: int,
    *,
    alpha: float,
    pass_alpha: float,
    ended: bool = False,
) -> Outcome:
    """Judge a metric at the looks that the pairs reach; the first that decides is final.

    Predictions that are identical so far are a pass at once, whatever the number of pairs.
    """
    seeds = [_seed(name, pair) for pair in pairs]
    if seeds and all(seed.identical for seed in seeds):
        return Outcome("pass", 0.0, 0.0, 0.0, 1.0, 1.0, len(seeds), reason="identical predictions")
    found, p_worse = Outcome("undecided", 0.0, -float("inf"), float("inf"), 1.0, 1.0, len(seeds)), 1.0
    last = len(seeds) if ended else cap
    for look, part in spending(len(seeds), cap, ended=ended):
        judged = judge_quality(
            seeds[:look], better, margin, alpha=part * alpha, pass_alpha=part * pass_alpha, last=look == last
        )
        if judged.verdict in ("regressed", "undecided"):
            p_worse = min(p_worse, judged.p / part)
        found = _outcome(judged, better, p_worse)
        if found.state != "undecided":
            break
    return found


def _seed(name: str, pair: Pair) -> PairedSeed:
    if pair.identical:
        return PairedSeed(0.0, 0.0, identical=True)
    base, candidate = (pair.metrics[side][name] for side in ("base", "candidate"))
    return PairedSeed(base, candidate, difference=pair.examples.get(name))


def _outcome(judged: QualityOutcome, better: str, p_worse: float) -> Outcome:
    """Turn what was judged so that more is worse."""
    estimate, low, high = judged.estimate, judged.low, judged.high
    if better == "higher":
        estimate, low, high = -judged.estimate, -judged.high, -judged.low
    return Outcome(judged.verdict, estimate, low, high, p_worse, 1.0, judged.seeds, judged.needs, judged.reason)
