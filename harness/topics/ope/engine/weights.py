"""Importance weights of a log and the ways to shorten large ones."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from harness import UsageError
from harness.topics.ope.engine.log import Floats, Log


def chosen(matrix: Floats, log: Log) -> Floats:
    """Return the entry of the logged action of every round: (n, actions) to (n,)."""
    values: Floats = matrix[np.arange(len(log.actions)), log.actions]
    return values


def importance_weights(log: Log) -> Floats:
    """Return target over logging probability of the logged actions, shape (n,)."""
    return chosen(log.target, log) / log.propensities


def effective_sample_size(weights: Floats) -> float:
    """Return how many rounds drawn from the target would tell as much: (sum w)^2 / sum w^2 (Kish 1965)."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def largest_weight(log: Log) -> float:
    """Return the largest weight that any action could have had in the contexts of the log.

    Not the sample's maximum: actions that were not logged count as well.

    Raises
    ------
    UsageError
        The logging policy is not known, or it never takes an action that the target takes (the weight is unbounded).
    """
    if log.logging is None:
        raise UsageError(
            "the largest weight is not known: state largest_weight, or give the logging policy of every action"
        )
    largest = float(_largest(np.ascontiguousarray(log.target), np.ascontiguousarray(log.logging)))
    if not np.isfinite(largest):
        raise UsageError(
            "the weights are unbounded: the target policy takes actions that the logging policy never takes"
        )
    return largest


_Matrix = types.Array(types.float64, 2, "C", readonly=True)


# Compiled, as it reads n x actions; with a signature, so that it is loaded before a trial begins.
@njit(types.float64(_Matrix, _Matrix), cache=True)
def _largest(target: Floats, logging: Floats) -> float:
    """Return the largest ratio where the target is above 0, infinity where the other is not."""
    largest = 0.0
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            if target[i, j] > 0:
                if not logging[i, j] > 0:
                    return np.inf
                largest = max(largest, target[i, j] / logging[i, j])
    return largest


def clip_weights(weights: Floats, clip: float) -> Floats:
    """Return min(w, clip) (Ionides 2008; Bottou et al. 2013)."""
    return np.minimum(weights, clip)


def switch_weights(weights: Floats, tau: float) -> Floats:
    """Return w where w <= tau, else 0 (Wang, Agarwal & Dudik 2017, arXiv 1612.01205)."""
    return np.where(weights <= tau, weights, 0.0)


def shrink_weights(weights: Floats, lam: float) -> Floats:
    """Return lam w / (w^2 + lam), optimistic shrinkage (Su et al. 2020, arXiv 1907.09623).

    0 at lam = 0, also where w is 0, and w at lam = infinity.
    """
    if lam == 0:
        return np.zeros_like(weights)
    # This form, unlike the one above, holds at infinity; where the division overflows, the weight is 0 indeed.
    with np.errstate(over="ignore"):
        shrunk: Floats = weights / (1 + np.square(weights) / lam)
    return shrunk


def bend_weights(weights: Floats, lam: float) -> Floats:
    """Return w / (1 - lam + lam w), the sub-Gaussian correction (Metelli et al. 2021, s = -1); w at lam = 0."""
    if lam == 1:
        return np.where(weights > 0, 1.0, 0.0)
    bent: Floats = weights / (1 - lam + lam * weights)
    return bent
