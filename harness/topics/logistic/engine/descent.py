"""Penalised logistic regression along a path of penalties, compiled: proximal Newton with coordinate descent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import float64, int64, njit

from harness.topics._shared.compiled import find_cache

find_cache()

Floats = npt.NDArray[np.float64]

LEAST_WEIGHT = 1e-9  # a Newton weight p (1 - p) is not taken to be smaller, so that steps stay finite
NEWTON_STEPS = 100
SWEEPS = 10_000


@njit(cache=True)
def _objective(eta: Floats, y: Floats, w: Floats, l1: float, l2: float) -> float:
    """Return the objective at given log odds and coefficients."""
    loss = 0.0
    for i in range(len(eta)):
        loss += max(eta[i], 0.0) + np.log1p(np.exp(-abs(eta[i]))) - y[i] * eta[i]
    value: float = loss / len(eta) + l1 * np.sum(np.abs(w)) + l2 / 2 * np.sum(w * w)
    return value


@njit(cache=True)
def _quadratic(
    X: Floats,
    residual: Floats,
    weight: Floats,
    curvature: Floats,
    l1: float,
    l2: float,
    tolerance: float,
    start: Floats,
) -> tuple[Floats, float]:
    """Minimise the quadratic expansion by coordinate descent; return coefficients and the step of the intercept.

    Sweeps go over the coefficients that are not 0 until they are still, then over all, and so on.
    """
    d, n = X.shape
    w, shift, total, every = start.copy(), 0.0, np.sum(weight), True
    for _ in range(SWEEPS):
        largest = 0.0
        for j in range(d):
            if curvature[j] == 0 or not (every or w[j] != 0):
                continue
            pull = np.dot(X[j], residual) / n + curvature[j] * w[j]
            value = np.sign(pull) * max(abs(pull) - l1, 0.0) / (curvature[j] + l2)
            change = value - w[j]
            if change != 0:
                for i in range(n):
                    residual[i] -= weight[i] * X[j, i] * change
                w[j] = value
                largest = max(largest, curvature[j] * change * change)
        change = np.sum(residual) / total
        residual -= weight * change
        shift += change
        largest = max(largest, total / n * change * change)
        if largest <= tolerance:
            if every:
                break
            every = True
        else:
            every = False
    return w, shift


@njit(cache=True)
def _minimise(X: Floats, y: Floats, l1: float, l2: float, tolerance: float, w: Floats, b: float, eta: Floats) -> float:
    """Change coefficients `w` and log odds `eta` to those of the minimum; return the intercept."""
    d, n = X.shape
    value = _objective(eta, y, w, l1, l2)
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-eta))
        weight = np.maximum(p * (1 - p), LEAST_WEIGHT)
        curvature = np.zeros(d)
        for j in range(d):
            for i in range(n):
                curvature[j] += weight[i] * X[j, i] * X[j, i]
            curvature[j] /= n
        new, shift = _quadratic(X, y - p, weight, curvature, l1, l2, tolerance, w)
        step, size, start = new - w, 1.0, w.copy()
        direction = step @ X + shift
        while True:
            w[:] = start + size * step
            after = _objective(eta + size * direction, y, w, l1, l2)
            if after <= value + 1e-15 or size < 1e-6:
                break
            size /= 2
        eta += size * direction
        b += size * shift
        gain, value = value - after, after
        if gain <= tolerance:
            break
    return b


# The types are said so that it is compiled, or read from numba's cache, when it is imported: before any clock starts.
@njit((float64[:, ::1], float64[::1], float64[::1], float64, float64, int64), cache=True)
def path(
    X: Floats, y: Floats, penalties: Floats, l1_ratio: float, tolerance: float, most: int
) -> tuple[Floats, Floats]:
    """Minimise mean log loss + penalty (l1_ratio |w|_1 + (1 - l1_ratio) / 2 |w|_2^2) for each penalty.

    The minimum at one penalty is the start at the next. As in glmnet (Friedman, Hastie & Tibshirani 2010,
    "Regularization paths for generalized linear models via coordinate descent", section 3), the loss is replaced by its
    quadratic expansion, which cyclic coordinate descent minimises; here a step is halved until the objective does not
    grow. The intercept is not penalised.

    Parameters
    ----------
    X
        Columns, shape (d, n).
    y
        0 or 1, shape (n,).
    penalties
        Falling, shape (k,).
    tolerance
        A minimum is reached when no coefficient of a sweep changes the quadratic expansion by more than this, in nat.
    most
        The path ends before the first penalty with more than this many coefficients that are not 0.

    Returns
    -------
    coefficients, intercepts
        Shapes (m, d) and (m,), for the first m penalties.
    """
    d, n = X.shape
    coefficients, intercepts = np.zeros((len(penalties), d)), np.zeros(len(penalties))
    w, rate = np.zeros(d), np.mean(y)
    b = np.log(rate / (1 - rate))
    eta = np.full(n, b)
    for step in range(len(penalties)):
        l1, l2 = penalties[step] * l1_ratio, penalties[step] * (1 - l1_ratio)
        b = _minimise(X, y, l1, l2, tolerance, w, b, eta)
        if np.sum(w != 0) > most:
            return coefficients[:step], intercepts[:step]
        coefficients[step], intercepts[step] = w, b
    return coefficients, intercepts
