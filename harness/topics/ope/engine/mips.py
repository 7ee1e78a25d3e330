"""Weights of action embeddings: target over logging probability of all actions with the features of the logged one."""

from __future__ import annotations

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.ope.engine.log import Floats, Ints, Log


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
