"""Language models without training: counts of characters and of pairs of them."""

from __future__ import annotations

import numpy as np

from harness.topics.normalization.corpus import Corpus, Ids
from harness.topics.normalization.learned import Floats, losses_of

#: What is added to each count, so that no probability is 0 (Laplace's rule of succession).
ADDED = 1


def unigram(data: Corpus) -> Floats:
    """Return the log-probability of each character whatever comes before it, shape (size,)."""
    counts = np.bincount(data.train, minlength=data.size) + ADDED
    return np.asarray(np.log(counts / counts.sum()), np.float32)


def bigram(data: Corpus) -> Floats:
    """Return the log-probability of each character (column) after each one (row), shape (size, size)."""
    pairs = data.train[:-1].astype(np.intp) * data.size + data.train[1:]
    counts = np.bincount(pairs, minlength=data.size**2).reshape(data.size, -1) + ADDED
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True)), np.float32)


def after(table: Floats, test: Ids) -> Floats:
    """Return the log-probabilities of the next characters of test text, shape (windows, context, size).

    Parameters
    ----------
    table
        Of `unigram` or of `bigram`.
    """
    if table.ndim == 1:
        return np.broadcast_to(table, (*test.shape, len(table)))
    scored: Floats = table[test]
    return scored


def unigram_loss(data: Corpus) -> float:
    """Return the loss on the test text of `unigram`, in nats a character.

    It is computed as that of any other output, so that `unigram` itself is neither above nor below it by rounding.
    """
    return float(losses_of(data, after(unigram(data), data.test)).mean())
