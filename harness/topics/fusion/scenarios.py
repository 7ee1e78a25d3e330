"""Scenarios of labelled examples with several classes. None of them changes the data that it is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness import Generator, Scenario
from harness.declare.names import wrong
from harness.topics.fusion.examples import Divided


def label_noise(share: float) -> Scenario:
    """Replace each training label, with probability `share`, by another class; the test examples stay as they are.

    All other classes are equally likely: symmetric noise (Lukasik et al. 2020, arXiv 2003.02819). The share is that of
    wrong labels; authors who draw the new label from all K classes have only share (K - 1) / K wrong labels.

    Raises
    ------
    DeclarationError
        Unless 0 < share < 1.
    """
    if not 0 < share < 1:
        raise wrong(f"label_noise({share:g}): the share of wrong labels must lie between 0 and 1, both excluded")

    def apply(data: Divided, rng: Generator) -> Divided:
        labels = data.train.labels
        replaced = rng.random(len(labels)) < share
        moved = (labels + rng.integers(1, data.classes, len(labels))) % data.classes
        return replace(data, train=replace(data.train, labels=np.where(replaced, moved, labels)))

    return Scenario(f"label_noise({share:g})", apply, f"{100 * share:g} % of the training labels are wrong.")


def long_tail(factor: float) -> Scenario:
    """Drop examples so that class sizes fall exponentially, the last being `factor` times smaller than the first.

    Cui et al. 2019 (arXiv 1901.05555, section 5.1): of the class with rank r by size, from 0 to K - 1, at most n
    factor^(-r / (K - 1)) examples remain, where n is the size of the largest. The sizes are those of the training
    examples; of each class the same share is dropped from training and test, by chance, so that P(x | y) is unchanged
    and both have the same classes as often. (Cui et al. leave the test set balanced; then a loss is judged under a
    change of the classes' rates.) One training example of each class remains. Order is kept.

    Raises
    ------
    DeclarationError
        Unless factor > 1.
    """
    if not factor > 1:
        raise wrong(f"long_tail({factor:g}): the first class must be more than once as large as the last")

    def apply(data: Divided, rng: Generator) -> Divided:
        counts = np.bincount(data.train.labels, minlength=data.classes)
        ranks = np.argsort(np.argsort(-counts, kind="stable"))
        most = counts.max() * factor ** (-ranks / max(1, data.classes - 1))
        shares = np.minimum(1, most / np.maximum(counts, 1))
        train, test = (_thinned(part.labels, shares, rng) for part in (data.train, data.test))
        shifted = {name: values[test] for name, values in data.shifted.items()}
        return replace(data, train=data.train.take(train), test=data.test.take(test), shifted=shifted)

    summary = f"Class sizes fall exponentially, to 1/{factor:g} of the largest."
    return Scenario(f"long_tail({factor:g})", apply, summary)


def _thinned(labels: npt.NDArray[np.int64], shares: npt.NDArray[np.float64], rng: Generator) -> npt.NDArray[np.intp]:
    """Choose a share of the examples of each class, and at least one; return their places."""
    chosen = []
    for label, share in enumerate(shares):
        members = np.flatnonzero(labels == label)
        chosen.append(rng.permutation(members)[: max(1, round(share * len(members)))])
    return np.sort(np.concatenate(chosen))
