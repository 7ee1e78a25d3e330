"""Paired comparison: the same blocks, two sides, one effect with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An effect, its confidence interval, and the number of blocks behind it.

    With fewer than two blocks there is no interval: `low` and `high` are NaN.
    """

    estimate: float
    low: float
    high: float
    blocks: int

    @property
    def known(self) -> bool:
        """Whether there were blocks enough for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def plain(self) -> dict[str, float | int | None]:
        """Return the figures for programs; an unknown bound is ``None``."""
        low, high = (self.low, self.high) if self.known else (None, None)
        return {"estimate": self.estimate, "low": low, "high": high, "blocks": self.blocks}

    def excludes(self, value: float) -> bool:
        """Return whether the interval is known and does not contain a value."""
        return self.known and not self.low <= value <= self.high


def paired_difference(of: Sequence[float], to: Sequence[float]) -> Interval:
    """Estimate the mean of ``of - to`` with Student's t interval over blocks."""
    return _mean(np.subtract(of, to))


def paired_ratio(of: Sequence[float], to: Sequence[float]) -> Interval:
    """Estimate the geometric mean of ``of / to``: the t interval of the log-ratios, carried back.

    Raises
    ------
    ValueError
        When a value is not positive.
    """
    if min(*of, *to) <= 0:
        raise ValueError("a ratio needs positive values")
    return _through(math.exp, _mean(np.log(of) - np.log(to)))


def _mean(differences: np.ndarray) -> Interval:
    count = len(differences)
    mean = float(np.mean(differences))
    if count < 2:
        return Interval(mean, math.nan, math.nan, count)
    quantile = float(stdtrit(count - 1, 0.5 + CONFIDENCE / 2))
    half = quantile * float(np.std(differences, ddof=1)) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count)


def _through(function: Callable[[float], float], interval: Interval) -> Interval:
    return Interval(function(interval.estimate), function(interval.low), function(interval.high), interval.blocks)
