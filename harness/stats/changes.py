"""Change points in a series of one figure over runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

Floats = npt.NDArray[np.float64]

_LEAST = 2  # smallest number of points on each side of a change
_ALPHA = 0.01
_LONG = 20  # with so many points or more, permutations can reach a p of 1 % for every split
_PERMUTATIONS = 999


@dataclass(frozen=True)
class Change:
    """A change of level.

    Attributes
    ----------
    index
        Index of the first point of the new level.
    before, after
        Mean of the points between the previous change and this one, and between this one and the next.
    p
        Probability that without a change the best split of these points would be as good as this one.
    """

    index: int
    before: float
    after: float
    p: float


def change_points(values: npt.ArrayLike) -> list[Change]:
    """Find where the level of a series changes.

    PELT (Killick, Fearnhead & Eckley 2012, "Optimal detection of changepoints with a linear computational cost")
    proposes segments of two points or more. Its penalty is 2 log n times the variance of the noise (BIC: a change adds
    two parameters, its place and a level); the variance comes from first differences, on which a few steps have little
    influence. Then proposals are removed, the weakest first, until all are significant at 1 %. The test accounts for
    the choice of the place. Long segments use permutations of the largest CUSUM. Short ones have too few
    permutations and use Student's t with Bonferroni's correction over the places; Welch's test would trust the
    variance of two points that happen to be close. In 1 to 2 % of series of 6 to 100 points of white noise, a change is
    reported.

    Parameters
    ----------
    values
        One value per run in the order of time, costs as logarithms; shape (n,).

    Returns
    -------
    list of Change
        In the order of time; empty for fewer than four points, and for values that are not finite or all equal.
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
    """Return the standard deviation of the noise, by the median of differences, which a few steps do not change."""
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
    """Return the share of permutations whose largest CUSUM over all places is at least the observed one."""
    shuffled = np.random.default_rng(0).permuted(np.tile(stretch, (_PERMUTATIONS, 1)), axis=1)
    largest = _cusum(np.vstack([stretch, shuffled]) - stretch.mean())
    return float(np.mean(largest >= largest[0] * (1 - 1e-9)))


def _cusum(centred: Floats) -> Floats:
    count = centred.shape[1]
    places = np.arange(_LEAST, count - _LEAST + 1)
    sums = np.cumsum(centred, axis=1)[:, _LEAST - 1 : count - _LEAST]
    return np.asarray((np.abs(sums) / np.sqrt(places * (count - places) / count)).max(axis=1))
