"""Change points of a figure over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

Floats = npt.NDArray[np.float64]

_LEAST = 2  # points on each side of a change
_ALPHA = 0.01
_LONG = 20  # points, from which on permutations reach a p of 1 % with any split
_PERMUTATIONS = 999


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
        That the best split of these two stretches is as good as this without a change.
    """

    index: int
    before: float
    after: float
    p: float


def change_points(values: npt.ArrayLike) -> list[Change]:
    """Find where the level of a series changes.

    PELT (Killick, Fearnhead & Eckley 2012) proposes segments of two points or more, at a penalty of 2 log n times the
    variance of the noise (BIC: a change costs a place and a level), estimated from first differences, which a few steps
    hardly touch. From the weakest on, a proposal is dropped unless it is significant at 1 % given that its place was
    chosen to fit: long stretches by permutations of the largest CUSUM, short ones, of which permutations are too few,
    by Student's t, Bonferroni over the places. Not Welch's: the variance of two points that happen to lie close is no
    evidence. White noise is flagged in 1 to 2 % of series of 6 to 100 points.

    Parameters
    ----------
    values
        One a run, in the order of time; costs as logarithms. Shape (n,).
    """
    series = np.asarray(values, dtype=float)
    if len(series) < 2 * _LEAST or not np.isfinite(series).all() or np.ptp(series) == 0:
        return []
    import ruptures

    penalty = 2 * np.log(len(series)) * _noise(series) ** 2
    bounds = [0, *ruptures.Pelt(model="l2", min_size=_LEAST, jump=1).fit(series).predict(pen=penalty)]
    while len(bounds) > 2:
        changes = [_tested(series, *place) for place in zip(bounds, bounds[1:], bounds[2:], strict=False)]
        weakest = max(changes, key=lambda change: change.p)
        if weakest.p < _ALPHA:
            return changes
        bounds.remove(weakest.index)
    return []


def _noise(series: Floats) -> float:
    """Return the standard deviation of the noise; a step spoils one difference, the median does not see it."""
    steps = np.abs(np.diff(series))
    robust = 1.4826 * float(np.median(steps)) / np.sqrt(2)
    return float(robust or np.std(np.diff(series)) / np.sqrt(2))


def _tested(series: Floats, start: int, index: int, end: int) -> Change:
    before, after = series[start:index], series[index:end]
    p = _permuted(series[start:end]) if end - start >= _LONG else _student(before, after)
    return Change(index, float(before.mean()), float(after.mean()), p)


def _student(before: Floats, after: Floats) -> float:
    places = len(before) + len(after) - 2 * _LEAST + 1
    df = len(before) + len(after) - 2
    spread = float(np.sum((before - before.mean()) ** 2) + np.sum((after - after.mean()) ** 2)) / df
    apart = abs(float(after.mean() - before.mean()))
    if spread == 0:
        return 0.0 if apart else 1.0
    error = np.sqrt(spread * (1 / len(before) + 1 / len(after)))
    return min(1.0, places * 2 * float(stdtr(df, -apart / error)))


def _permuted(stretch: Floats) -> float:
    """Return the share of permutations whose largest CUSUM over all places reaches the one observed."""
    shuffled = np.random.default_rng(0).permuted(np.tile(stretch, (_PERMUTATIONS, 1)), axis=1)
    largest = _cusum(np.vstack([stretch, shuffled]) - stretch.mean())
    return float(np.mean(largest >= largest[0] * (1 - 1e-9)))


def _cusum(centred: Floats) -> Floats:
    count = centred.shape[1]
    places = np.arange(_LEAST, count - _LEAST + 1)
    sums = np.cumsum(centred, axis=1)[:, _LEAST - 1 : count - _LEAST]
    return np.asarray((np.abs(sums) / np.sqrt(places * (count - places) / count)).max(axis=1))
