"""Chooses constants of clipping, switching and shrinkage from the log, by SLOPE or by a bound on the MSE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log as ln
from math import sqrt
from statistics import NormalDist
from types import MappingProxyType
from typing import Final

import numpy as np
from numba import njit, types

from harness import UsageError
from harness.errors import did_you_mean
from harness.topics.ope.engine.check import check_model
from harness.topics.ope.engine.estimators import Parts, parts_of, plain
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.weights import bend_weights, clip_weights, shrink_weights, switch_weights

POINTS = 30
METHODS: Final = ("slope", "bound")
# Codes of the ways to shorten a weight, for compiled code.
CLIP, BEND, SWITCH, SHRINK = range(4)


@dataclass(frozen=True)
class _Tuned:
    option: str
    shorten: Callable[[Floats, float], Floats]
    kind: int
    modelled: bool


@dataclass(frozen=True, eq=False)
class _Reach:
    """What bounds the bias of an estimator.

    Attributes
    ----------
    weights, shares
        Possible weights of a round and their probabilities, shape (n, actions). If the logging policy is not known, the
        weights of the logged actions, shape (n, 1).
    residual
        Largest possible absolute value of a residual.
    """

    weights: Floats
    shares: Floats
    residual: float


TUNED: Final[Mapping[str, _Tuned]] = MappingProxyType(
    {
        "clipped_ips": _Tuned("clip", clip_weights, CLIP, modelled=False),
        "sub_gaussian_ips": _Tuned("lam", bend_weights, BEND, modelled=False),
        "switch_dr": _Tuned("tau", switch_weights, SWITCH, modelled=True),
        "dr_os": _Tuned("lam", shrink_weights, SHRINK, modelled=True),
    }
)


def tune(
    log: Log, model: Floats | None, estimator: str, by: str = "slope", grid: Floats | None = None, level: float = 0.95
) -> dict[str, float]:
    """Return the chosen option of an estimator, such as ``{"clip": 3.2}``; it depends on the log alone.

    Parameters
    ----------
    log, model
        The log; estimated rewards of shape (n, actions) for switch_dr and dr_os.
    estimator
        clipped_ips, sub_gaussian_ips, switch_dr or dr_os.
    by
        ``slope`` (Su, Srinath & Krishnamurthy 2020, arXiv 2002.07729) or ``bound`` (similar to Wang et al. 2017 and Su
        et al. 2020).
    grid
        Values to choose from, in order of increasing bias; ``None`` for those of ``candidates``.
    level
        Confidence of the widths and of the bound.

    Raises
    ------
    UsageError
        An unknown estimator or method, an empty grid, or a missing model.
    """
    if estimator not in TUNED:
        raise UsageError(f"{estimator} has nothing to tune{did_you_mean(estimator, TUNED)}")
    if by not in METHODS:
        raise UsageError(f"unknown tuning {by!r}{did_you_mean(by, METHODS)}")
    tuned = TUNED[estimator]
    parts = parts_of(log, check_model(log, model, estimator) if tuned.modelled else None)
    points = candidates(parts.weights, estimator) if grid is None else np.asarray(grid, dtype=np.float64)
    if len(points) == 0:
        raise UsageError("the grid of candidates is empty")
    if by == "slope":
        best = _slope(parts, tuned, points, level)
    else:
        reach = _reach(log, parts, tuned)
        bounds = [_mse_bound(parts, tuned, float(point), reach, level) for point in points]
        best = int(np.argmin(bounds))
    return {tuned.option: float(points[best])}


def candidates(weights: Floats, estimator: str) -> Floats:
    """Return the values to try for an estimator, in order of increasing bias.

    Thresholds (clipping, switching): infinity, then 30 values from the largest weight to the 5 % quantile of the
    weights above 0, evenly spaced in logarithms. Shrinkage: infinity, then 30 values from 100 times the square of the
    95 % quantile to a hundredth of the square of the 5 % quantile (similar to Su et al. 2020). Switching and shrinkage
    end with 0, where the estimate is that of the model alone. Sub-Gaussian correction: 0, then 30 values from 0.0001
    to 1.

    Parameters
    ----------
    weights
        Importance weights of the log, shape (n,).
    estimator
        As for ``tune``.
    """
    if estimator == "sub_gaussian_ips":
        return np.concatenate([[0.0], np.geomspace(1e-4, 1.0, POINTS)])
    used = weights[weights > 0]
    few, many = np.quantile(used, [0.05, 0.95]) if len(used) else (1.0, 1.0)
    if estimator == "dr_os":
        return np.concatenate([[np.inf], np.geomspace(100 * many**2, 0.01 * few**2, POINTS), [0.0]])
    thresholds = np.geomspace(used.max() if len(used) else 1.0, few, POINTS)
    return np.concatenate([[np.inf], thresholds, [0.0] if estimator == "switch_dr" else []])


def _slope(parts: Parts, tuned: _Tuned, points: Floats, level: float) -> int:
    """Return the last point whose estimate agrees with all earlier ones within their interval widths."""
    quantile = NormalDist().inv_cdf((1 + level) / 2)
    values: list[float] = []
    widths: list[float] = []
    for point in points:
        estimate = plain(parts.base, tuned.shorten(parts.weights, float(point)), parts.residuals)
        value, width = estimate.value, quantile * estimate.standard_error
        allowed = width + (sqrt(6) - 1) * np.array(widths)
        if (np.abs(value - np.array(values)) > allowed).any():
            break
        values.append(value)
        widths.append(width)
    return max(len(values) - 1, 0)


def _mse_bound(parts: Parts, tuned: _Tuned, point: float, reach: _Reach, level: float) -> float:
    """Return the variance of the estimate plus the square of a bound on its bias.

    The bias is the mean of (w - shortened w) residual. One bound is this mean in the log plus Bernstein's deviation,
    another the largest residual times the mean of |w - shortened w|; the smaller one is used.
    """
    shortened = tuned.shorten(parts.weights, point)
    count = len(shortened)
    lost = (parts.weights - shortened) * parts.residuals
    largest, mean = (float(gap) for gap in _gaps(reach.weights, reach.shares, tuned.kind, point))
    confidence = ln(2 / (1 - level))
    spread = sqrt(2 * float(lost.var()) * confidence / count)
    deviation = spread + reach.residual * largest * confidence / (3 * count)
    bias = min(abs(float(lost.mean())) + deviation, reach.residual * mean)
    terms = parts.base + shortened * parts.residuals
    return float(terms.var()) / count + bias * bias


def _reach(log: Log, parts: Parts, tuned: _Tuned) -> _Reach:
    low, high = log.reward_range
    residual = high - low if tuned.modelled else max(abs(low), abs(high))
    if log.logging is None:
        return _Reach(parts.weights[:, np.newaxis], np.ones((len(parts.weights), 1)), residual)
    weights = np.divide(log.target, log.logging, out=np.zeros(log.target.shape), where=log.logging > 0)
    return _Reach(weights, np.ascontiguousarray(log.logging), residual)


_Matrix = types.Array(types.float64, 2, "C", readonly=True)


# Compiled, because it reads n x actions numbers for every point; with a signature it is loaded before a trial begins.
@njit(types.float64[::1](_Matrix, _Matrix, types.int64, types.float64), cache=True, error_model="numpy")
def _gaps(weights: Floats, shares: Floats, kind: int, point: float) -> Floats:
    """Return the maximum and the mean over rounds of the sum of shares |w - shortened w|."""
    largest, total = 0.0, 0.0
    for i in range(weights.shape[0]):
        gap = 0.0
        for j in range(weights.shape[1]):
            weight = weights[i, j]
            if kind == CLIP:
                short = min(weight, point)
            elif kind == SWITCH:
                short = weight if weight <= point else 0.0
            elif weight == 0 or (kind == SHRINK and point == 0):
                short = 0.0
            elif kind == SHRINK:
                short = weight / (1 + weight * weight / point)
            else:
                short = weight / (1 - point + point * weight)
            gap += shares[i, j] * abs(weight - short)
        largest = max(largest, gap)
        total += gap
    return np.array([largest, total / weights.shape[0]])
