"""How a cost grows with a size, and the size at which two strategies cost the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from harness.stats.paired import CONFIDENCE, Interval, mean

Floats = npt.NDArray[np.float64]


def slope(sizes: Sequence[float], costs: Floats) -> Interval:
    """Estimate the exponent of a cost as a function of size: the slope of log cost on log size.

    A line is fitted in every block, and the interval is Student's t over the slopes of the blocks, because the
    measurements of a block are not independent.

    Parameters
    ----------
    sizes
        Positive and not all equal, shape (sizes,).
    costs
        Positive, NaN where missing, shape (blocks, sizes). Blocks with fewer than two sizes are ignored.

    Returns
    -------
    Interval
        All NaN, over 0 blocks, when no block has two sizes.
    """
    slopes = _lines(sizes, costs)[:, 1]
    return mean(slopes) if len(slopes) else Interval(math.nan, math.nan, math.nan, 0)


def crossover(sizes: Sequence[float], of: Floats, to: Floats) -> Interval | None:
    """Estimate the size at which two strategies cost the same: where their lines of log cost on log size cross.

    The interval is Fieller's (1954, "Some problems in interval estimation") for the ratio of the mean difference in
    level to the mean difference in slope, both taken block by block. If the difference in slope is not significant,
    the crossing can be anywhere, and the ends of the interval are NaN.

    Parameters
    ----------
    sizes
        As for `slope`.
    of, to
        Costs of the two strategies in the same blocks, as for `slope`.

    Returns
    -------
    Interval or None
        In the unit of the size. ``None`` if both have two sizes in no block, or if the lines are parallel. The estimate
        may lie outside of the measured sizes; then it is an extrapolation.
    """
    with np.errstate(invalid="ignore"):
        apart = np.asarray(of) / np.asarray(to)
    lines = _lines(sizes, apart)
    if not len(lines):
        return None
    # Levels at the centre of the sizes, where they depend least on the slopes.
    centre = float(np.mean(np.log(sizes)))
    level, steep = lines[:, 0] + lines[:, 1] * centre, lines[:, 1]
    if math.isclose(float(steep.mean()), 0.0, abs_tol=1e-12):
        return None
    estimate = -float(level.mean()) / float(steep.mean())
    low, high = _fieller(-level, steep)
    with np.errstate(over="ignore"):
        estimate, low, high = (float(np.exp(value + centre)) for value in (estimate, low, high))
    return Interval(estimate, low, high, len(lines)) if math.isfinite(estimate) else None


def _lines(sizes: Sequence[float], costs: Floats) -> Floats:
    """Fit log cost on log size in every block that has two sizes or more: shape (blocks, 2), level and slope."""
    x = np.log(np.asarray(sizes, dtype=float))
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(np.asarray(costs, dtype=float))
    known = np.isfinite(y)
    count = known.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        across = np.where(known, x - (known * x).sum(axis=1, keepdims=True) / count, 0.0)
        y = np.where(known, y, 0.0)
        level = y.sum(axis=1) / count[:, 0]
        steep = (across * y).sum(axis=1) / (across**2).sum(axis=1)
        level -= steep * (known * x).sum(axis=1) / count[:, 0]
    lines = np.column_stack([level, steep])
    return np.asarray(lines[(across**2).sum(axis=1) > 0])


def _fieller(top: Floats, bottom: Floats) -> tuple[float, float]:
    """Return Fieller's interval of the ratio of two means of paired values; NaN if it is not bounded."""
    count = len(top)
    if count < 2:
        return math.nan, math.nan
    quantile = float(stdtrit(count - 1, 0.5 + CONFIDENCE / 2))
    covariance = np.cov(top, bottom) * quantile**2 / count
    a = float(bottom.mean()) ** 2 - covariance[1, 1]
    b = float(top.mean() * bottom.mean()) - covariance[0, 1]
    c = float(top.mean()) ** 2 - covariance[0, 0]
    if a <= 0:
        return math.nan, math.nan
    root = math.sqrt(max(0.0, b**2 - a * c))  # negative only by rounding, as `a` is positive
    return (b - root) / a, (b + root) / a
