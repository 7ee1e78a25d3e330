"""Confidence intervals of a policy's value, selected by name.

Among them: bounds for the mean of bounded terms, valid at every sample size, and the percentile bootstrap of an
estimate, with rounds drawn with replacement or counted with Poisson numbers.
"""

from __future__ import annotations

from math import isfinite, log, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from numba import njit

from harness import UsageError
from harness.errors import did_you_mean
from harness.topics.ope.engine.betting import betting, outcomes_of
from harness.topics.ope.engine.estimators import ESTIMATORS, ValueEstimate
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.obp import obp_interval
from harness.topics.ope.engine.weights import (
    importance_weights,
    largest_marginal_weight,
    largest_weight,
    marginal_weights,
)


def hoeffding(terms: Floats, low: float, high: float, level: float = 0.95) -> tuple[float, float]:
    """Return Hoeffding's two-sided interval (1963, "Probability inequalities for sums of bounded random variables").

    Parameters
    ----------
    terms
        Independent terms, shape (n,), whose mean is to be bounded.
    low, high
        Smallest and largest possible value of a term.
    level
        Confidence, between 0 and 1.
    """
    half = (high - low) * sqrt(log(2 / (1 - level)) / (2 * len(terms)))
    return float(terms.mean()) - half, float(terms.mean()) + half


def empirical_bernstein(terms: Floats, low: float, high: float, level: float = 0.95) -> tuple[float, float]:
    """Return the two-sided interval from the bound of Maurer & Pontil (2009, theorem 4, arXiv 0907.3740) on each side.

    Parameters
    ----------
    terms, low, high, level
        As for `hoeffding`.

    Raises
    ------
    UsageError
        Fewer than two terms.
    """
    count = len(terms)
    if count < 2:
        raise UsageError("an empirical Bernstein bound needs at least 2 rounds")
    # Half of the error on each side, and theorem 4 itself takes log(2 / delta).
    confidence = log(4 / (1 - level))
    spread = sqrt(2 * float(np.var(terms, ddof=1)) * confidence / count)
    half = spread + (high - low) * 7 * confidence / (3 * (count - 1))
    return float(terms.mean()) - half, float(terms.mean()) + half


def bootstrap(
    estimate: ValueEstimate, level: float = 0.95, seed: int = 0, draws: int = 1000, *, poisson: bool = False
) -> tuple[float, float]:
    """Return the percentile interval (Efron 1979); Poisson counts are the streaming variant (Hanley & MacGibbon 2006).

    Every draw computes the whole estimator: a self-normalised one is divided by the sum of the drawn weights. Draws in
    which this sum is 0 have no value and are left out.

    Parameters
    ----------
    estimate
        The estimate of n rounds.
    level
        Confidence, between 0 and 1.
    seed
        Seed of the draws.
    draws
        Number of draws.
    poisson
        Whether to count each round a Poisson(1) number of times instead of drawing n rounds.

    Raises
    ------
    UsageError
        Fewer than two draws.
    """
    if draws < 2:
        raise UsageError(f"a bootstrap needs at least 2 draws, not {draws}")
    if estimate.scale is None:
        columns = (estimate.base + estimate.extra).reshape(-1, 1)
    else:
        columns = np.column_stack([estimate.base, estimate.extra, estimate.scale])
    draw = _poisson if poisson else _ordinary
    means = draw(columns, draws, np.random.default_rng(seed))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = means[:, 0] if estimate.scale is None else means[:, 0] + means[:, 1] / means[:, 2]
    values = values[np.isfinite(values)]
    if len(values) < 2:
        raise UsageError("the bootstrap has no value: almost all of its draws contain no round with a weight above 0")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@njit(cache=True)
def _ordinary(columns: Floats, draws: int, rng: np.random.Generator) -> Floats:
    count, width = columns.shape
    means = np.zeros((draws, width))
    for draw in range(draws):
        for _ in range(count):
            row = int(rng.random() * count)
            for column in range(width):
                means[draw, column] += columns[row, column]
        means[draw] /= count
    return means


@njit(cache=True, error_model="numpy")
def _poisson(columns: Floats, draws: int, rng: np.random.Generator) -> Floats:
    count, width = columns.shape
    means = np.zeros((draws, width))
    for draw in range(draws):
        total = 0
        for row in range(count):
            # By inversion of the distribution of a Poisson(1) count.
            left = rng.random()
            chance, times = np.exp(-1.0), 0
            while left >= chance and times < 20:
                left -= chance
                times += 1
                chance /= times
            total += times
            for column in range(width):
                means[draw, column] += times * columns[row, column]
        means[draw] /= total
    return means


KINDS: Final = ("normal", "bootstrap", "poisson", "hoeffding", "bernstein", "betting", "obp")
BOUNDED: Final = ("ips", "mips", "dr")


def interval(
    log: Log,
    kind: str,
    *,
    estimator: str = "ips",
    model: Floats | None = None,
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
    largest_weight: float | None = None,
    **options: float,
) -> tuple[float, float]:
    """Return a confidence interval of the target policy's value.

    Parameters
    ----------
    log
        The log.
    kind
        Approximate: ``normal`` (delta method), ``bootstrap`` and ``poisson`` (percentiles), ``obp`` (that of obp).
        Guaranteed at any n, for ips, mips and dr: ``hoeffding``, ``bernstein``, ``betting``.
    estimator
        A name of ``estimators.ESTIMATORS``.
    model
        Estimated reward of every action, shape (n, actions), for estimators that use one. A guaranteed interval
        needs a model from other data than the log.
    level
        Confidence, between 0 and 1.
    seed, draws
        Seed and number of draws of the bootstraps.
    largest_weight
        Largest possible weight, for hoeffding and bernstein; ``None`` for the largest weight of any action in the
        contexts of the log.
    **options
        Options of the estimator: clip, tau, lam.

    Raises
    ------
    UsageError
        An unknown kind or estimator; a bound that cannot be formed, because the weights are unbounded or the logging
        policy is not known; fewer rounds than the kind needs.
    """
    _check(kind, estimator, level)
    if kind == "betting":
        low, high = log.reward_range
        ends = betting(outcomes_of(log, estimator, model), level)
        return low + (high - low) * ends[0], low + (high - low) * ends[1]
    if kind == "obp":
        return obp_interval(log, estimator, model, level=level, seed=seed, draws=draws, **options)
    estimate = ESTIMATORS[estimator](log, model, **options)
    if kind in ("hoeffding", "bernstein"):
        return _bounded(log, kind, estimator, estimate, model, level, largest_weight)
    if kind == "normal":
        return normal(estimate, level)
    return bootstrap(estimate, level, seed, draws, poisson=kind == "poisson")


def normal(estimate: ValueEstimate, level: float = 0.95) -> tuple[float, float]:
    """Return value - z and value + z standard errors, with those of ratios by the delta method.

    Raises
    ------
    UsageError
        Fewer than two rounds.
    """
    if len(estimate.terms) < 2:
        raise UsageError("a normal interval needs at least 2 rounds")
    half = NormalDist().inv_cdf((1 + level) / 2) * estimate.standard_error
    return estimate.value - half, estimate.value + half


def terms_range(
    log: Log, estimator: str, model: Floats | None = None, largest: float | None = None
) -> tuple[float, float]:
    """Return the smallest and largest possible term of ips, mips or dr, from the reward range and the largest weight.

    Raises
    ------
    UsageError
        The weights are unbounded, their bound is not known, the log contains a larger weight than was stated, or the
        model leaves the reward range.
    """
    low, high = log.reward_range
    weights = marginal_weights(log) if estimator == "mips" else importance_weights(log)
    if largest is None:
        largest = largest_marginal_weight(log) if estimator == "mips" else largest_weight(log)
    # By rounding a weight may be slightly above the largest.
    if not (isfinite(largest) and weights.max() <= largest * (1 + 1e-9)):
        raise UsageError(f"largest_weight is {largest:g}, but the log contains a weight of {weights.max():g}")
    if estimator != "dr":
        return min(0.0, largest * low), max(0.0, largest * high)
    if model is not None and (np.min(model) < low or np.max(model) > high):
        raise UsageError("a bound needs a reward model within the declared reward range: clip it")
    return low - largest * (high - low), high + largest * (high - low)


def _check(kind: str, estimator: str, level: float) -> None:
    if kind not in KINDS:
        raise UsageError(f"unknown interval {kind!r}{did_you_mean(kind, KINDS)}")
    if estimator not in ESTIMATORS:
        raise UsageError(f"unknown estimator {estimator!r}{did_you_mean(estimator, ESTIMATORS)}")
    if not 0 < level < 1:
        raise UsageError(f"level must lie between 0 and 1, not {level:g}")
    if kind in ("hoeffding", "bernstein", "betting") and estimator not in BOUNDED:
        raise UsageError(f"a {kind} interval exists for {', '.join(BOUNDED)}, not for {estimator}")


def _bounded(
    log: Log,
    kind: str,
    estimator: str,
    estimate: ValueEstimate,
    model: Floats | None,
    level: float,
    largest: float | None,
) -> tuple[float, float]:
    bound = hoeffding if kind == "hoeffding" else empirical_bernstein
    ends = bound(estimate.terms, *terms_range(log, estimator, model, largest), level)
    low, high = np.clip(ends, *log.reward_range)
    return float(low), float(high)
