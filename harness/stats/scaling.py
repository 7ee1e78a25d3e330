"""How a cost grows with a size, with and without a fixed part, and the size at which two strategies cost the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from harness.stats.paired import CONFIDENCE, Interval, mean

Floats = npt.NDArray[np.float64]

#: Exponents that are tried. A cost that is fitted best by one of the ends does not follow the law.
_EXPONENTS = np.arange(-4.1, 8, 0.25)


class Exponents(NamedTuple):
    """The exponent of a cost beside its fixed part.

    Attributes
    ----------
    values
        One value per block: their mean is the exponent, and Student's t over them gives its interval; shape (blocks,).
    weights
        By how much the exponent changes with the logarithm of the cost at each size; shape (sizes,).
    """

    values: Floats
    weights: Floats


def exponents(sizes: Sequence[float], costs: Floats) -> Exponents | None:
    """Estimate p of the law cost = fixed + scale * size**p, whose fixed part is whatever does not grow.

    The slope of log cost on log size is below p if part of the cost is fixed: a start-up, a buffer, an interpreter.
    Here the mean costs of the blocks are fitted by least squares, relative to the cost of each size. With three sizes
    the fit is exact, and p depends on differences of costs alone: (c3 - c2) / (c2 - c1). The values of blocks come from
    the derivative of p with respect to their costs (delta method). A constant that is added to all costs changes
    nothing. In simulations with five blocks or more, noise of 20 % and up to 30 % of the cost of the smallest size
    fixed, the 95 % interval covers 93 to 97 %.

    Parameters
    ----------
    sizes
        Positive, three different ones or more, shape (sizes,).
    costs
        Positive, none missing, shape (blocks, sizes).

    Returns
    -------
    Exponents or None
        ``None`` if no exponent fits, for example because the cost hardly grows between the first two sizes.
    """
    from scipy.optimize import minimize_scalar

    x = np.log(np.asarray(sizes, dtype=float) / max(sizes))
    typical = costs.mean(axis=0)
    wanted = np.ones(len(x))

    def law(exponent: float) -> Floats:
        return np.asarray(np.column_stack([wanted, np.exp(exponent * x)]) / typical[:, None])

    def misfit(exponent: float) -> float:
        terms = law(exponent)
        return float(np.sum((wanted - terms @ np.linalg.lstsq(terms, wanted)[0]) ** 2))

    nearest = int(np.argmin([misfit(exponent) for exponent in _EXPONENTS]))
    if nearest in (0, len(_EXPONENTS) - 1):
        return None
    around = (_EXPONENTS[nearest - 1], _EXPONENTS[nearest + 1])
    exponent = float(minimize_scalar(misfit, bounds=around, method="bounded", options={"xatol": 1e-10}).x)
    terms = law(exponent)
    scale = np.linalg.lstsq(terms, wanted)[0][1]
    weights = np.linalg.pinv(np.column_stack([terms, scale * x * terms[:, 1]]))[2]
    return Exponents(exponent + (costs / typical - 1) @ weights, weights)


def slope(sizes: Sequence[float], costs: Floats) -> Interval:
    """Estimate how steeply a cost grows, a fixed part of it included: the slope of log cost on log size.

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
