"""Odds ratios with Wald and profile-likelihood intervals, for many data sets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from harness.topics.logistic.engine.likelihoods import Flags, Floats, Likelihood, maximise
from harness.topics.logistic.engine.replications import Samples

LEVEL = 0.95
Z = float(norm.ppf((1 + LEVEL) / 2))
EXPOSURE = 1  # column of the design; the intercept is column 0

_DIVERGES = 1e-3  # last step of a coefficient, in standard deviations of its column, above which it is infinite
_PROFILE_STEPS = 60
_PROFILE_TOLERANCE = 1e-10  # of a fit with a given odds ratio; an error of this size in the deviance
_NARROW = 1e-6  # accuracy of an end, as a root of the deviance or in standard deviations of the exposure


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients of many data sets.

    Attributes
    ----------
    likelihood
        What was maximised.
    coefficients
        The intercept first, shape (data sets, p). Without a maximum, those at which the likelihood is within about
        1e-9 of its supremum.
    objective
        Log-likelihood there, with the penalty; shape (data sets,).
    estimable
        Where both outcomes and two values of the exposure occur; otherwise the data say nothing of the odds ratio.
        Shape (data sets,).
    separated
        Where the likelihood has no maximum, because a combination of the columns separates the outcomes (Albert &
        Anderson 1984, "On the existence of maximum likelihood estimates in logistic regression models"). A penalised
        likelihood always has one. Shape (data sets,).
    diverges
        1 or -1 where the exposure's coefficient grows for ever in that direction, otherwise 0; shape (data sets,).
    """

    likelihood: Likelihood
    coefficients: Floats
    objective: Floats
    estimable: Flags
    separated: Flags
    diverges: Floats

    @property
    def estimates(self) -> Floats:
        """Log odds ratios of the exposure: infinite where they grow for ever, NaN where they are not estimable."""
        known = np.where(self.diverges == 0, self.coefficients[:, EXPOSURE], np.copysign(np.inf, self.diverges))
        return np.where(self.estimable, known, np.nan)


def design(samples: Samples, *, covariates: bool = True) -> tuple[Floats, Floats]:
    """Return a column of ones, the exposure and the covariates, shape (data sets, rows, p), and outcomes as float64."""
    features = samples.features if covariates else samples.features[:, :, :1]
    return np.concatenate([np.ones((*features.shape[:2], 1)), features], axis=2), samples.outcomes.astype(np.float64)


def fit(likelihood: Likelihood, start: Floats | None = None) -> Fit:
    """Maximise the likelihood of each data set, from coefficients of shape (data sets, p); by default from 0."""
    X, y = likelihood.X, likelihood.y
    beta = np.zeros((len(X), X.shape[2])) if start is None else start.copy()
    found = maximise(likelihood, beta, np.arange(X.shape[2]))
    separated = ~found.converged & (not likelihood.firth)
    spread = X[:, :, EXPOSURE].std(axis=1)
    last = found.last[:, EXPOSURE]
    estimable = (y.min(axis=1) < y.max(axis=1)) & (spread > 0)
    diverges = np.where(estimable & separated & (np.abs(last) * spread > _DIVERGES), np.sign(last), 0.0)
    return Fit(likelihood, beta, found.objective, estimable, separated, diverges)


def wald(fitted: Fit) -> Floats:
    """Return estimates plus and minus 1.96 standard errors, shape (data sets, 2).

    The errors come from the inverse of the information, also for a penalised fit. NaN where there is no maximum: the
    curvature at infinity says nothing.
    """
    information = fitted.likelihood.at(fitted.coefficients).information
    known = fitted.estimable & ~fitted.separated
    information[~known] = np.eye(information.shape[1])
    error = np.sqrt(np.linalg.inv(information)[:, EXPOSURE, EXPOSURE])
    ends: Floats = fitted.coefficients[:, EXPOSURE, None] + Z * error[:, None] * np.array([-1.0, 1.0])
    ends[~known] = np.nan
    return ends


def profile(fitted: Fit) -> Floats:
    """Return the range of log odds ratios that a likelihood-ratio test at 5 % does not reject, shape (data sets, 2).

    For each value of the exposure's coefficient the others maximise the likelihood, which has its penalty in full if it
    is penalised, as in Heinze & Schemper 2002. An end is infinite where the likelihood grows for ever on that side.
    """
    return np.stack([_profile_end(fitted, side) for side in (-1.0, 1.0)], axis=1)


def _profile_end(fitted: Fit, side: float) -> Floats:
    """Search the value at which the root of the deviance is 1.96: by Newton's steps, or by halves where these leave.

    The derivative of the profile is that of the likelihood in the exposure's coefficient (envelope theorem). The
    penalised profile of nearly separated data may jump over 1.96; the end is then where it jumps.
    """
    ends = np.where(fitted.diverges == side, side * np.inf, np.nan)
    todo = np.flatnonzero(fitted.estimable & (fitted.diverges != side))
    likelihood, top = fitted.likelihood.of(todo), fitted.objective[todo]
    unit = likelihood.X[:, :, EXPOSURE].std(axis=1) ** -1
    stride = 3 * unit  # longest step
    estimate = fitted.estimates[todo]
    inside, outside = estimate, np.full(len(todo), side * np.inf)
    beta = np.where(fitted.separated[todo, None], 0.0, fitted.coefficients[todo])
    beta[:, EXPOSURE] = np.where(np.isfinite(estimate), estimate + side * unit / 2, 0.0)
    others = np.delete(np.arange(beta.shape[1]), EXPOSURE)
    for _ in range(_PROFILE_STEPS):
        found = maximise(likelihood, beta, others, _PROFILE_TOLERANCE)
        at = beta[:, EXPOSURE].copy()
        root = np.sqrt(2 * np.maximum(top - found.objective, 1e-12))
        inside, outside = np.where(root < Z, at, inside), np.where(root < Z, outside, at)
        slope = np.maximum(-side * found.score[:, EXPOSURE] / root, np.maximum(np.abs(Z - root) / stride, 1e-12))
        ahead = at + side * (Z - root) / slope
        lost = (side * ahead <= side * inside) | (side * ahead >= side * outside)
        done = (np.abs(root - Z) < _NARROW) | (np.abs(outside - inside) < _NARROW * unit)
        ends[todo] = np.where(done, at, side * np.inf)
        beta[:, EXPOSURE] = np.where(lost, _between(inside, outside, side * stride), ahead)
        stride = np.where(np.isinf(outside), 1.5 * stride, stride)
        left = ~done
        todo, top, unit, stride, beta = todo[left], top[left], unit[left], stride[left], beta[left]
        inside, outside, likelihood = inside[left], outside[left], likelihood.of(left)
        if not todo.size:
            break
    return ends


def _between(inside: Floats, outside: Floats, stride: Floats) -> Floats:
    """Return the midpoint of two bounds, or a stride from the finite one."""
    low = np.where(np.isfinite(inside), inside, outside - 2 * stride)
    high = np.where(np.isfinite(outside), outside, inside + 2 * stride)
    midpoint: Floats = (low + high) / 2
    return midpoint
