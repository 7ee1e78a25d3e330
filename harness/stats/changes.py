"""Change points of a figure over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

_LEAST = 2  # points on each side of a change
_ALPHA = 0.005


@dataclass(frozen=True)
class Change:
    """A change of level.

    Attributes
    ----------
    index
        First point of the new level.
    before, after
        Mean of the points from the change before to this one, and from this one to the next.
    p
        Two-sided p of Student's t test of these two stretches.
    """

    index: int
    before: float
    after: float
    p: float


def change_points(values: npt.ArrayLike) -> list[Change]:
    """Find where the level of a series changes.

    PELT (Killick, Fearnhead & Eckley 2012) proposes segments of two points or more, at a penalty of 3 log n times the
    variance of the noise, estimated from first differences, which a few steps hardly touch. A change is kept when
    Student's t test of the segments beside it rejects at 0.5 %, shared among the proposed changes: strict, because the
    change was sought out before it was tested. In simulations 0.4 to 4.3 % of the series of white noise of length 4 to
    30 are given one. The noise is taken to be alike on both sides, because two points do not say how large it is.

    Parameters
    ----------
    values
        One a run, in the order of time; costs as logarithms. Shape (n,).
    """
    series = np.asarray(values, dtype=float)
    if len(series) < 2 * _LEAST or not np.isfinite(series).all() or np.ptp(series) == 0:
        return []
    import ruptures

    penalty = 3 * np.log(len(series)) * _noise(series) ** 2
    ends = ruptures.Pelt(model="l2", min_size=_LEAST, jump=1).fit(series).predict(pen=penalty)
    proposed = [0, *ends]
    while len(proposed) > 2:
        changes = _tested(series, proposed)
        weakest = max(changes, key=lambda change: change.p)
        if weakest.p < _ALPHA / len(changes):
            return changes
        proposed.remove(weakest.index)
    return []


def _noise(series: npt.NDArray[np.float64]) -> float:
    """Return the standard deviation of the noise; a step spoils one difference, the median does not see it."""
    steps = np.abs(np.diff(series))
    robust = 1.4826 * float(np.median(steps)) / np.sqrt(2)
    return float(robust or np.std(np.diff(series)) / np.sqrt(2))


def _tested(series: npt.NDArray[np.float64], bounds: Sequence[int]) -> list[Change]:
    found = []
    for start, index, end in zip(bounds, bounds[1:], bounds[2:], strict=False):
        before, after = series[start:index], series[index:end]
        found.append(Change(index, float(before.mean()), float(after.mean()), _student(before, after)))
    return found


def _student(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Return p of the t test with pooled variance; 0 where neither side varies, if they differ."""
    apart = abs(float(other.mean() - one.mean()))
    df = len(one) + len(other) - 2
    # Of a constant side exactly none, whatever rounding did to its mean.
    squares = sum(float(np.var(side)) * len(side) for side in (one, other) if np.ptp(side) > 0)
    if squares == 0:
        return 1.0 if one[0] == other[0] else 0.0
    return float(2 * stdtr(df, -apart / np.sqrt(squares / df * (1 / len(one) + 1 / len(other)))))
