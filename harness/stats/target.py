"""What it costs to reach a quality."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.paired import CONFIDENCE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reached:
    """Costs to a target over units.

    Attributes
    ----------
    median
        Infinite when half of the units or more never reach it.
    low, high
        Interval of the median, of 95 % or more; `high` is infinite where the units set no bound. NaN with fewer than 6.
    share
        Of the units that reach it.
    blocks
        How many units there are.
    """

    median: float
    low: float
    high: float
    share: float
    blocks: int


def cost_to_target(costs: npt.ArrayLike, quality: npt.ArrayLike, target: float, *, higher_is_better: bool) -> Floats:
    """Return for every unit the first cost at which a quality is reached.

    Between the last point that falls short and the first that does not, the logarithm of the cost is taken to be linear
    in the quality. A unit whose first point reaches the target gets the cost of that point: an upper bound.

    Parameters
    ----------
    costs, quality
        Points in the order of their budgets, shape (units, points). A point counts when its quality is finite and its
        cost is finite and positive.
    target
        Reached by a quality equal to it.

    Returns
    -------
    ndarray of float
        Shape (units,); infinite where no point reaches it.
    """
    sign = 1.0 if higher_is_better else -1.0
    rows = zip(np.asarray(costs, dtype=float), sign * np.asarray(quality, dtype=float), strict=True)
    return np.array([_first(cost, level, sign * target) for cost, level in rows], dtype=float)


def summarise(costs: npt.ArrayLike) -> Reached:
    """Summarise the costs of units by their median, with the interval between two order statistics.

    The interval holds whatever the distribution is, also where some units never reach the target (David & Nagaraja
    2003, "Order statistics", section 7.1).

    Parameters
    ----------
    costs
        As `cost_to_target` returns them, shape (units,).
    """
    from scipy.stats import binom

    ordered = np.sort(np.asarray(costs, dtype=float))
    count = len(ordered)
    if not count:
        return Reached(math.nan, math.nan, math.nan, math.nan, 0)
    # So many units may lie outside on either side: the most of which fair coins show fewer heads in 2.5 % of throws.
    outside = int(np.searchsorted(binom.cdf(np.arange(count), count, 0.5), 0.5 - CONFIDENCE / 2, side="right"))
    low, high = (ordered[outside - 1], ordered[-outside]) if outside else (math.nan, math.nan)
    return Reached(float(np.median(ordered)), float(low), float(high), float(np.isfinite(ordered).mean()), count)


def _first(cost: Floats, level: Floats, target: float) -> float:
    """Return the cost at which one unit's quality, larger being better, first reaches a target."""
    known = np.isfinite(level) & np.isfinite(cost) & (cost > 0)
    logs, level = np.log(cost[known]), level[known]
    reaching = np.flatnonzero(level >= target)
    if not len(reaching):
        return math.inf
    after = int(reaching[0])
    if after == 0:
        return math.exp(logs[0])
    before = after - 1
    way = (target - level[before]) / (level[after] - level[before])
    return math.exp(logs[before] + way * (logs[after] - logs[before]))
