"""Change points of a figure over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_LEAST = 2  # points on each side of a change
_ALPHA = 0.01


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
        Two-sided p of Welch's t test of these two stretches.
    """

    index: int
    before: float
    after: float
    p: float


def change_points(values: npt.ArrayLike) -> list[Change]:
    """Find where the level of a series changes.

    PELT (Killick, Fearnhead & Eckley 2012) proposes segments of two points or more, at a penalty of 3 log n times the
    variance of the noise, estimated from first differences, which a few steps hardly touch. A change is kept when
    Welch's t test of the segments beside it rejects at 1 %, shared among the proposed changes.

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
    from scipy import stats

    found = []
    for start, index, end in zip(bounds, bounds[1:], bounds[2:], strict=False):
        before, after = series[start:index], series[index:end]
        exact = np.ptp(before) == 0 and np.ptp(after) == 0
        p = 0.0 if exact else float(stats.ttest_ind(before, after, equal_var=False).pvalue)
        found.append(Change(index, float(before.mean()), float(after.mean()), p))
    return found
