"""Logistic regressions on one number each, many at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Floats = npt.NDArray[np.float64]

CLIP = 1e-12  # naive Bayes returns probabilities of exactly 0 and 1, whose log odds are infinite
STEPS = 50
HALVINGS = 30
TOLERANCE = 1e-7  # of the last step; the convergence is quadratic, so the error is far smaller


class Lines(NamedTuple):
    """Fitted lines; each array has the shape of the problems, () for a single one.

    Attributes
    ----------
    intercept, slope
        Of the log odds.
    slope_error
        Standard error of the slope, from the information matrix.
    finite
        Whether the estimate is finite. It is not where the number separates the classes.
    """

    intercept: Floats
    slope: Floats
    slope_error: Floats
    finite: npt.NDArray[np.bool_]


def log_odds(probabilities: npt.ArrayLike) -> Floats:
    """Return log(p / (1 - p)), with p cut to at least 1e-12 and at most 1 - 1e-12."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), CLIP, 1 - CLIP)
    odds: Floats = np.log(p) - np.log1p(-p)
    return odds


def fit_lines(x: Floats, y: npt.ArrayLike) -> Lines:
    """Maximise the likelihood of log odds a + b x, by Newton steps that are halved until the likelihood rises.

    Parameters
    ----------
    x
        Shape (..., n): the last axis holds the rows of one problem.
    y
        Labels or targets from 0 to 1, of the same shape.
    """
    y = np.asarray(y, dtype=np.float64)
    centre, scale = x.mean(axis=-1, keepdims=True), x.std(axis=-1, keepdims=True)
    z = (x - centre) / np.where(scale > 0, scale, 1.0)
    line = np.zeros((*x.shape[:-1], 2))
    height = _likelihood(line, z, y)
    for _ in range(STEPS):
        gradient, information = _derivatives(line, z, y)
        step = np.asarray(np.linalg.solve(information, gradient[..., None])[..., 0], dtype=np.float64)
        line, height = _uphill(line, height, step, z, y)
        if np.abs(step).max() < TOLERANCE:
            break
    _, information = _derivatives(line, z, y)
    error = np.sqrt(np.linalg.inv(information)[..., 1, 1])
    unit, shift = np.where(scale > 0, scale, 1.0)[..., 0], centre[..., 0]
    slope = line[..., 1] / unit
    return Lines(line[..., 0] - slope * shift, slope, error / unit, np.abs(step).max(axis=-1) < TOLERANCE)


def fit_intercepts(offset: Floats, y: npt.ArrayLike) -> Floats:
    """Maximise the likelihood of log odds a + offset, by Newton's method.

    At the maximum the expected number of events equals the observed one. The likelihood of one number is concave, and
    the steps stay bounded because each is cut to 2.

    Parameters
    ----------
    offset, y
        Shape (..., n).

    Returns
    -------
    numpy.ndarray
        a, shape (...).
    """
    observed = np.asarray(y, dtype=np.float64).sum(axis=-1)
    shift = np.zeros(offset.shape[:-1])
    for _ in range(STEPS):
        p = expit(shift[..., None] + offset)
        step = np.clip((observed - p.sum(axis=-1)) / np.maximum((p * (1 - p)).sum(axis=-1), CLIP), -2, 2)
        shift = shift + step
        if np.abs(step).max() < TOLERANCE:
            break
    return shift


def _derivatives(line: Floats, z: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the gradient of the log-likelihood, shape (..., 2), and its information matrix, shape (..., 2, 2)."""
    p = expit(line[..., :1] + line[..., 1:] * z)
    rest, weight = y - p, p * (1 - p)
    gradient = np.stack([rest.sum(axis=-1), (rest * z).sum(axis=-1)], axis=-1)
    cross = (weight * z).sum(axis=-1)
    # The ridge keeps the matrix invertible where z is constant or the classes are separated.
    first, second = weight.sum(axis=-1) + CLIP, (weight * z**2).sum(axis=-1) + CLIP
    return gradient, np.stack([np.stack([first, cross], axis=-1), np.stack([cross, second], axis=-1)], axis=-2)


def _uphill(line: Floats, height: Floats, step: Floats, z: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Take a step, halved for each problem until its likelihood, `height` before it, does not fall."""
    size = np.ones((*line.shape[:-1], 1))
    for _ in range(HALVINGS):
        after = _likelihood(line + size * step, z, y)
        worse = after < height - 1e-12 * np.abs(height)
        if not worse.any():
            break
        size = np.where(worse[..., None], size / 2, size)
    return line + size * step, after


def _likelihood(line: Floats, z: Floats, y: Floats) -> Floats:
    eta = line[..., :1] + line[..., 1:] * z
    total: Floats = (y * eta - np.logaddexp(0, eta)).sum(axis=-1)
    return total
