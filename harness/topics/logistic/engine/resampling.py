"""Bootstrap intervals of the odds ratio: the rows of each data set are drawn anew, with replacement."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from harness.topics.logistic.engine.inference import LEVEL, Fit, Z, fit
from harness.topics.logistic.engine.likelihoods import Floats, Likelihood

TAILS = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])


def percentile(fitted: Fit, rng: np.random.Generator, draws: int) -> Floats:
    """Return the 2.5 and 97.5 % quantiles of the estimates from resamples, shape (data sets, 2).

    Efron & Tibshirani 1993, "An introduction to the bootstrap", chapter 13. A separated resample has the estimate
    plus or minus infinity. Resamples with one outcome or one value of the exposure have none and are left out. NaN
    where the data themselves have no maximum.
    """
    ends = np.full((len(fitted.objective), 2), np.nan)
    for at in _finite(fitted):
        ends[at] = quantiles(_resampled(fitted, at, rng, draws), TAILS)
    return ends


def bca(fitted: Fit, rng: np.random.Generator, draws: int) -> Floats:
    """Return bias-corrected and accelerated quantiles of the estimates from resamples, shape (data sets, 2).

    The bias correction is the share of resamples below the estimate; the acceleration is from leaving out each row in
    turn (Efron & Tibshirani 1993, section 14.3). Otherwise as `percentile`.
    """
    ends = np.full((len(fitted.objective), 2), np.nan)
    for at in _finite(fitted):
        estimates = _resampled(fitted, at, rng, draws)
        shift = ndtri(np.clip((estimates < fitted.estimates[at]).mean(), 0.5 / draws, 1 - 0.5 / draws))
        normal = shift + np.array([-Z, Z])
        ends[at] = quantiles(estimates, ndtr(shift + normal / (1 - _acceleration(fitted, at) * normal)))
    return ends


def quantiles(values: Floats, shares: Floats) -> Floats:
    """Return order statistics, which may be infinite: the smallest value that is not below each share of all."""
    found: Floats = np.quantile(values, shares, method="inverted_cdf")
    return found


def _finite(fitted: Fit) -> npt.NDArray[np.intp]:
    return np.flatnonzero(fitted.estimable & ~fitted.separated)


def _resampled(fitted: Fit, at: int, rng: np.random.Generator, draws: int) -> Floats:
    rows = fitted.likelihood.y.shape[1]
    estimates = _estimates(fitted, at, rng.integers(rows, size=(draws, rows)))
    return estimates[~np.isnan(estimates)]


def _acceleration(fitted: Fit, at: int) -> float:
    """Estimate the skewness of the estimate from leaving out each row; those that separate the rest are left out."""
    rows = fitted.likelihood.y.shape[1]
    others = np.array([np.delete(np.arange(rows), row) for row in range(rows)])
    estimates = _estimates(fitted, at, others)
    apart = estimates[np.isfinite(estimates)]
    apart = apart.mean() - apart
    spread = (apart**2).sum()
    return float((apart**3).sum() / (6 * spread**1.5)) if spread else 0.0


def _estimates(fitted: Fit, at: int, rows: npt.NDArray[np.intp]) -> Floats:
    """Fit rows of one data set, shape (fits, rows), from the coefficients of all its rows."""
    likelihood = fitted.likelihood
    start = np.broadcast_to(fitted.coefficients[at], (len(rows), likelihood.X.shape[2]))
    return fit(Likelihood(likelihood.X[at][rows], likelihood.y[at][rows], likelihood.firth), start).estimates
