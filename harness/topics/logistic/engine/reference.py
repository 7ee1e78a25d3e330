"""The formulas of docs/logistic.md for one data set, written to be read and not to be fast.

Throughout, X has shape (rows, p), y holds outcomes 0 and 1 of shape (rows,), and beta has shape (p,). A column of ones
in X makes an intercept. The strategies use `likelihoods`, which has the same formulas for many data sets at once.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.special import expit, xlogy

Floats = npt.NDArray[np.float64]
Separation = Literal["none", "quasi-complete", "complete"]


def probabilities(beta: Floats, X: Floats) -> Floats:
    """Return p = 1 / (1 + exp(-X beta)), shape (rows,)."""
    found: Floats = expit(X @ beta)
    return found


def log_likelihood(beta: Floats, X: Floats, y: Floats) -> float:
    """Return the sum of y eta - log(1 + exp(eta)) with eta = X beta: the Bernoulli log-likelihood."""
    eta = X @ beta
    return float((y * eta - np.logaddexp(0, eta)).sum())


def bernoulli_log_likelihood(p: Floats, y: Floats) -> float:
    """Return the sum of y log p + (1 - y) log(1 - p), from which `log_likelihood` is derived."""
    return float((xlogy(y, p) + xlogy(1 - y, 1 - p)).sum())


def score(beta: Floats, X: Floats, y: Floats) -> Floats:
    """Return X'(y - p), the gradient of the log-likelihood; shape (p,)."""
    return X.T @ (y - probabilities(beta, X))


def hessian(beta: Floats, X: Floats) -> Floats:
    """Return -X'WX with W = diag(p (1 - p)), the second derivatives of the log-likelihood; shape (p, p).

    For every v, v'X'WXv is the sum of p (1 - p) (x'v)^2, which is not negative: the log-likelihood is concave. It is
    strictly concave where X has full column rank. The outcomes do not enter, so minus this matrix is both the observed
    and the expected (Fisher) information.
    """
    p = probabilities(beta, X)
    return -X.T @ ((p * (1 - p))[:, None] * X)


def covariance(beta: Floats, X: Floats) -> Floats:
    """Return the inverse of the information X'WX, the covariance of the estimate in large samples; shape (p, p)."""
    return np.asarray(np.linalg.inv(-hessian(beta, X)), dtype=np.float64)


def odds_ratios(beta: Floats) -> Floats:
    """Return exp(beta): what one unit more of each column multiplies the odds p / (1 - p) by, all else equal."""
    ratios: Floats = np.exp(beta)
    return ratios


def l1_violation(beta: Floats, X: Floats, y: Floats, penalty: Floats) -> Floats:
    """Return how far each coefficient is from the optimality conditions of the L1 penalty; shape (p,).

    The objective is -log_likelihood + sum of penalty_j |beta_j|. Its subdifferential contains 0 if and only if the
    score equals penalty_j sign(beta_j) where beta_j is not 0, and lies in [-penalty_j, penalty_j] where it is. All
    violations are 0 at the optimum and only there, because the objective is convex.

    Parameters
    ----------
    penalty
        Weight of each coefficient, 0 for those that are not penalised; shape (p,).
    """
    slopes = score(beta, X, y)
    violation: Floats = np.where(
        beta == 0, np.maximum(np.abs(slopes) - penalty, 0), np.abs(slopes - penalty * np.sign(beta))
    )
    return violation


def l1_largest(X: Floats, y: Floats, beta_null: Floats) -> float:
    """Return the smallest penalty at which all penalised coefficients are 0: the largest |score| there.

    Parameters
    ----------
    beta_null
        The fit of the unpenalised coefficients alone, with 0 for all others; its own score is 0.
    """
    return float(np.abs(score(beta_null, X, y)).max())


def log_posterior(beta: Floats, X: Floats, y: Floats, variance: Floats) -> float:
    """Return the log-likelihood plus the log density of independent normal priors N(0, variance_j).

    Up to a constant it is log_likelihood - sum of beta_j^2 / (2 variance_j): the maximum is the fit with an L2 penalty
    of weight 1 / variance_j. scikit-learn's C is this variance. An infinite variance leaves a coefficient unpenalised;
    its flat prior is left out.
    """
    proper = np.isfinite(variance)
    b, v = beta[proper], variance[proper]
    return log_likelihood(beta, X, y) - float((b**2 / (2 * v) + np.log(2 * np.pi * v) / 2).sum())


def log_posterior_gradient(beta: Floats, X: Floats, y: Floats, variance: Floats) -> Floats:
    """Return score - beta / variance, which is 0 at the maximum a posteriori; shape (p,)."""
    gradient: Floats = score(beta, X, y) - beta / variance
    return gradient


def firth_objective(beta: Floats, X: Floats, y: Floats) -> float:
    """Return the log-likelihood plus half of log det X'WX, Jeffreys' prior (Firth 1993, Biometrika 80)."""
    return log_likelihood(beta, X, y) + float(np.linalg.slogdet(-hessian(beta, X))[1]) / 2


def leverages(beta: Floats, X: Floats) -> Floats:
    """Return the diagonal of W^(1/2) X (X'WX)^-1 X' W^(1/2), shape (rows,); it sums to p."""
    p = probabilities(beta, X)
    found: Floats = p * (1 - p) * np.einsum("ij,jk,ik->i", X, covariance(beta, X), X)
    return found


def firth_score(beta: Floats, X: Floats, y: Floats) -> Floats:
    """Return X'(y - p + h (1/2 - p)) with the leverages h: the gradient of `firth_objective`; shape (p,)."""
    p = probabilities(beta, X)
    return X.T @ (y - p + leverages(beta, X) * (0.5 - p))


def separation(X: Floats, y: Floats) -> Separation:
    """Say whether a combination of the columns separates the outcomes of one data set.

    Where events have log odds of 0 or more and other rows 0 or less, and not all are 0, the likelihood grows for ever
    along that combination. It is complete where all log odds can be away from 0 (Albert & Anderson 1984). Both are
    found by linear programs (Konis 2007, "Linear programming algorithms for detecting separated data in binary
    logistic regression models").

    Parameters
    ----------
    X
        Design with a column of ones, shape (rows, p).
    y
        Outcomes 0 and 1, shape (rows,).
    """
    signed = np.where(y[:, None] == 1, X, -X)
    bounds = [(-1.0, 1.0)] * X.shape[1]
    furthest = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(X)), bounds=bounds)
    if -furthest.fun <= 1e-8 * np.abs(signed).sum():
        return "none"
    # The largest margin that all rows can have at the same time.
    margin = np.column_stack([-signed, np.ones(len(X))])
    widest = linprog([*np.zeros(X.shape[1]), -1.0], A_ub=margin, b_ub=np.zeros(len(X)), bounds=[*bounds, (0.0, 1.0)])
    return "complete" if -widest.fun > 1e-8 * np.abs(signed).max() else "quasi-complete"
