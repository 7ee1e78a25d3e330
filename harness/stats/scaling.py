"""How a cost grows with a size, and the size at which two strategies change places."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from harness.stats.paired import CONFIDENCE, Interval, mean

Floats = npt.NDArray[np.float64]


def slope(sizes: Sequence[float], costs: Floats) -> Interval:
    """Estimate the exponent of a cost in a size: the slope of log cost on log size.

    The line is fitted in every block, and Student's t is taken over the blocks' slopes, so that what the measurements
    of a block share does not count as evidence.

    Parameters
    ----------
    sizes
        Positive and not all equal, shape (sizes,).
    costs
        Positive, NaN where missing, shape (blocks, sizes). A block counts with two sizes or more.

    Returns
    -------
    Interval
        All NaN, over 0 blocks, when no block has two sizes.
    """
    slopes = _lines(sizes, costs)[:, 1]
    return mean(slopes) if len(slopes) else Interval(math.nan, math.nan, math.nan, 0)


def crossover(sizes: Sequence[float], of: Floats, to: Floats) -> Interval | None:
    """Estimate the size at which two strategies cost the same, where their lines of log cost on log size meet.

    The interval is Fieller's (1954, "Some problems in interval estimation") for the ratio of the mean difference in
    level to the mean difference in slope, both taken block by block. Where the difference in slope is not told from
    none, the meeting point can lie anywhere: there is no interval.

    Parameters
    ----------
    sizes, of, to
        As in `slope`; both strategies in the same blocks.

    Returns
    -------
    Interval or None
        In units of the size. ``None`` without a block in which both have two sizes, or when the lines are parallel.
        The point may lie outside of the sizes measured; then it is an extrapolation.
    """
    with np.errstate(invalid="ignore"):
        apart = np.asarray(of) / np.asarray(to)
    lines = _lines(sizes, apart)
    if not len(lines):
        return None
    # Levels at the middle of the sizes, where they depend least on the slopes.
    middle = float(np.mean(np.log(sizes)))
    level, steep = lines[:, 0] + lines[:, 1] * middle, lines[:, 1]
    if math.isclose(float(steep.mean()), 0.0, abs_tol=1e-12):
        return None
    estimate = -float(level.mean()) / float(steep.mean())
    low, high = _fieller(-level, steep)
    with np.errstate(over="ignore"):
        estimate, low, high = (float(np.exp(value + middle)) for value in (estimate, low, high))
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
    """Return Fieller's interval of the ratio of two means of paired values; NaN where it is not bounded."""
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
    root = math.sqrt(max(0.0, b**2 - a * c))  # never negative but by rounding, where `a` is positive
    return (b - root) / a, (b + root) / a
