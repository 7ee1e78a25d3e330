"""Importance weights of a log, ways to shorten large ones, and the weights of action embeddings.

Those of embeddings (MIPS) are target over logging probability of all actions with the features of the logged one.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from harness import UsageError
from harness.topics.ope.engine.log import Floats, Ints, Log


def chosen(matrix: Floats, log: Log) -> Floats:
    """Return the entry of the logged action of every round: (n, actions) to (n,)."""
    values: Floats = matrix[np.arange(len(log.actions)), log.actions]
    return values


def importance_weights(log: Log) -> Floats:
    """Return target over logging probability of the logged actions, shape (n,)."""
    return chosen(log.target, log) / log.propensities


def effective_sample_size(weights: Floats) -> float:
    """Return the effective sample size (sum w)^2 / sum w^2 (Kish 1965)."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def largest_weight(log: Log) -> float:
    """Return the largest possible weight of any action in the contexts of the log.

    It can exceed the largest weight in the log, because actions that were not chosen count as well.

    Raises
    ------
    UsageError
        The probabilities of the logging policy are not known, or the weights are unbounded, because it never takes an
        action that the target takes.
    """
    if log.logging is None:
        raise UsageError(
            "the largest weight is not known: state largest_weight, or give the logging probability of every action"
        )
    largest = float(_largest(np.ascontiguousarray(log.target), np.ascontiguousarray(log.logging)))
    if not np.isfinite(largest):
        raise UsageError(
            "the weights are unbounded: the target policy takes actions that the logging policy never takes"
        )
    return largest


_Matrix = types.Array(types.float64, 2, "C", readonly=True)


# Compiled, because it reads n x actions numbers; with a signature it is loaded before a trial begins.
@njit(types.float64(_Matrix, _Matrix), cache=True)
def _largest(target: Floats, logging: Floats) -> float:
    """Return the largest ratio where the target is above 0; infinity if the logging probability is 0 there."""
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
    # Unlike the formula above, this form is right at infinity; if the division overflows, the weight is indeed 0.
    with np.errstate(over="ignore"):
        shrunk: Floats = weights / (1 + np.square(weights) / lam)
    return shrunk


def bend_weights(weights: Floats, lam: float) -> Floats:
    """Return w / (1 - lam + lam w), the sub-Gaussian correction (Metelli et al. 2021, s = -1); w at lam = 0."""
    if lam == 1:
        return np.where(weights > 0, 1.0, 0.0)
    bent: Floats = weights / (1 - lam + lam * weights)
    return bent


def marginal_weights(log: Log) -> Floats:
    """Return p(e | x, target) / p(e | x, logging) for the embedding e of each logged action, shape (n,).

    An embedding is one row of ``log.embeddings``; actions with equal rows are one category (Saito & Joachims 2022,
    with embeddings that are a function of the action).

    Raises
    ------
    UsageError
        The log has no embeddings, or the probabilities of the logging policy are not known.
    """
    logging = _logging(log)
    codes = categories(log)
    members = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[members], np.arange(codes.max() + 2))
    target, logging = np.ascontiguousarray(log.target), np.ascontiguousarray(logging)
    return _ratios(target, logging, codes[log.actions], members, starts)


def largest_marginal_weight(log: Log) -> float:
    """Return the largest possible ratio of any embedding in the contexts of the log.

    Raises
    ------
    UsageError
        As for `marginal_weights`, or the logging policy never shows an embedding that the target shows.
    """
    logging, codes = _logging(log), categories(log)
    member = (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float64)
    target, seen = log.target @ member, logging @ member
    used = target > 0
    if (seen[used] <= 0).any():
        raise UsageError("the weights are unbounded: the logging policy never shows embeddings that the target shows")
    return float((target[used] / seen[used]).max())


def categories(log: Log) -> Ints:
    """Return the category of every action, shape (actions,): equal rows of the embeddings are one category.

    Raises
    ------
    UsageError
        The log has no embeddings.
    """
    if log.embeddings is None:
        raise UsageError("mips needs action embeddings: this log has none")
    _, codes = np.unique(log.embeddings, axis=0, return_inverse=True)
    return codes.reshape(-1).astype(np.int64)


def _logging(log: Log) -> Floats:
    if log.logging is None:
        raise UsageError(
            "mips needs the logging policy's probability of every action: this log has only the chosen one's"
        )
    return log.logging


@njit(cache=True)
def _ratios(target: Floats, logging: Floats, shown: Ints, members: Ints, starts: Ints) -> Floats:
    """Return the ratios of the categories shown; those of category c are members[starts[c]:starts[c + 1]]."""
    ratios = np.empty(len(shown))
    for i in range(len(shown)):
        wanted, seen = 0.0, 0.0
        for action in members[starts[shown[i]] : starts[shown[i] + 1]]:
            wanted += target[i, action]
            seen += logging[i, action]
        ratios[i] = wanted / seen
    return ratios
