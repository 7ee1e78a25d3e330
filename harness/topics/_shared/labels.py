"""What scenarios do to the labels of several classes: label noise, and classes thinned to a long tail."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness import Generator

Labels = npt.NDArray[np.integer]


def moved(labels: Labels, classes: int, share: float, rng: Generator) -> npt.NDArray[np.int64]:
    """Replace each label with probability `share` by another class; all others are equally likely.

    The noise depends on nothing but chance: NCAR in the taxonomy of Frénay & Verleysen 2014 ("Classification in the
    presence of label noise: a survey"). The share is that of wrong labels; authors who draw the new label from all K
    classes have share (K - 1) / K of wrong ones.
    """
    replaced = rng.random(len(labels)) < share
    # Any step but a whole turn around the circle of classes ends at another class.
    steps = rng.integers(1, classes, len(labels))
    return np.where(replaced, (labels + steps) % classes, labels).astype(np.int64)


def tail(counts: npt.NDArray[np.integer], ratio: float) -> npt.NDArray[np.float64]:
    """Return the share of each class that remains so that sizes fall exponentially, shape (classes,).

    Of K classes, that of rank r by size, from 0 to K - 1, keeps at most n ratio^(-r / (K - 1)) examples, where n is the
    size of the largest (Cui et al. 2019, arXiv 1901.05555, section 5.1).

    Parameters
    ----------
    counts
        Number of examples of each class.
    """
    ranks = np.empty(len(counts))
    ranks[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    most = counts.max() * ratio ** (-ranks / max(1, len(counts) - 1))
    shares: npt.NDArray[np.float64] = np.minimum(1.0, most / np.maximum(counts, 1))
    return shares


def thinned(labels: Labels, shares: npt.NDArray[np.float64], rng: Generator) -> npt.NDArray[np.intp]:
    """Draw a share of the examples of each class, rounded, but at least one; return their places in order."""
    kept = [
        rng.permutation(rows)[: max(1, round(share * len(rows)))]
        for label, share in enumerate(shares)
        for rows in [np.flatnonzero(labels == label)]
    ]
    return np.sort(np.concatenate(kept))
