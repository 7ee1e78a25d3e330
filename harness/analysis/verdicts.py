"""Strategies against a reference: every effect with its interval, and whether it is better, worse or tied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scipy.special import stdtrit

from harness.analysis.aggregates import CellAggregate, effect, measurable
from harness.records import is_cost, is_time
from harness.stats.paired import CONFIDENCE, Interval, holm, p_value

Word: TypeAlias = Literal["reference", "better", "worse", "tied", "unknown"]

ALPHA = 1 - CONFIDENCE


@dataclass(frozen=True)
class Compared:
    """One strategy against the reference on one measure.

    Attributes
    ----------
    effect
        A ratio for a cost, a difference for a metric; ``None`` where they have no block in common, and for memory
        that is too small to be compared.
    p
        Two-sided p of "no difference", after Holm over the strategies compared; NaN where there is no interval.
    word
        ``tied`` also if the effect is smaller than the machine's noise floor; ``unknown`` without an interval.
    """

    effect: Interval | None
    p: float
    word: Word


def compare(
    cells: Sequence[CellAggregate],
    labels: Sequence[str],
    reference: str,
    name: str,
    *,
    better: Literal["higher", "lower"],
    noise_sd: float | None = None,
) -> dict[str, Compared]:
    """Compare strategies with a reference on one measure; they are one family for Holm's adjustment.

    Parameters
    ----------
    cells
        Cells of one machine; with several, effects are averaged block by block.
    noise_sd
        Standard deviation of the log-ratio of the times of two equal trials on that machine; it is used for times only.
    """
    none = 1.0 if is_cost(name) else 0.0
    found = {
        label: effect(cells, label, reference, name) if measurable(cells, [label, reference], name) else None
        for label in labels
        if label != reference
    }
    tested = {label: p_value(interval, none) for label, interval in found.items() if interval and interval.known}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    compared = {
        label: Compared(interval, p := adjusted.get(label, math.nan), _word(interval, p, name, better, noise_sd))
        for label, interval in found.items()
    }
    return {label: Compared(None, math.nan, "reference") if label == reference else compared[label] for label in labels}


def noise_floor(sd: float, blocks: int) -> float:
    """Return the log-ratio that noise alone reaches: half of the 95 % interval of two equal trials over `blocks`."""
    return float(stdtrit(blocks - 1, 0.5 + CONFIDENCE / 2)) * sd / math.sqrt(blocks) if blocks > 1 else math.inf


def _word(interval: Interval | None, p: float, name: str, better: str, noise_sd: float | None) -> Word:
    if interval is None or not interval.known:
        return "unknown"
    none = 1.0 if is_cost(name) else 0.0
    below_noise = (
        is_time(name)
        and noise_sd is not None
        and abs(math.log(interval.estimate)) < noise_floor(noise_sd, interval.blocks)
    )
    if below_noise or not p < ALPHA or not interval.excludes(none):
        return "tied"
    return "better" if (interval.estimate > none) == (better == "higher") else "worse"
