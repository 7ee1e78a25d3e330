"""The cost of reaching a quality."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.paired import CONFIDENCE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reached:
    """Summary over blocks of the cost of reaching a target.

    Attributes
    ----------
    median
        Median cost; infinite if half of the blocks or more never reach the target.
    low, high
        Ends of an interval of the median with a confidence of at least 95 %. `high` is infinite if too few blocks reach
        the target; both are NaN with fewer than 6 blocks.
    share
        Share of the blocks that reach the target.
    blocks
        Number of blocks.
    """

    median: float
    low: float
    high: float
    share: float
    blocks: int


def cost_to_target(costs: npt.ArrayLike, quality: npt.ArrayLike, target: float, *, higher_is_better: bool) -> Floats:
    """Return for every block the first cost at which a quality is reached.

    Between the last point below the target and the first one that reaches it, the logarithm of the cost is interpolated
    linearly in the quality. If the first point of a block reaches the target, its cost is returned, an upper bound.

    Parameters
    ----------
    costs, quality
        Points in the order of their budgets, shape (blocks, points). Points are ignored if the quality is not finite,
        or if the cost is not finite and positive.
    target
        The quality to reach; an equal quality reaches it.
    higher_is_better
        Direction of the quality.

    Returns
    -------
    ndarray of float
        Shape (blocks,); infinite where no point reaches the target.
    """
    sign = 1.0 if higher_is_better else -1.0
    rows = zip(np.asarray(costs, dtype=float), sign * np.asarray(quality, dtype=float), strict=True)
    return np.array([_first(cost, level, sign * target) for cost, level in rows], dtype=float)


def summarise(costs: npt.ArrayLike) -> Reached:
    """Summarise the costs of blocks by their median, with an interval between two order statistics.

    The interval is valid for every distribution, also if some blocks never reach the target (David & Nagaraja 2003,
    "Order statistics", section 7.1).

    Parameters
    ----------
    costs
        The values of `cost_to_target`, shape (blocks,).
    """
    from scipy.stats import binom

    ordered = np.sort(np.asarray(costs, dtype=float))
    count = len(ordered)
    if not count:
        return Reached(math.nan, math.nan, math.nan, math.nan, 0)
    # Number of order statistics to leave out on either side: binomial tails of 2.5 % at most.
    outside = int(np.searchsorted(binom.cdf(np.arange(count), count, 0.5), 0.5 - CONFIDENCE / 2, side="right"))
    low, high = (ordered[outside - 1], ordered[-outside]) if outside else (math.nan, math.nan)
    return Reached(float(np.median(ordered)), float(low), float(high), float(np.isfinite(ordered).mean()), count)


def _first(cost: Floats, level: Floats, target: float) -> float:
    """Return the cost at which the quality of one block first reaches a target; larger is better."""
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
