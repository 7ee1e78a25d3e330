"""Scenarios of labelled examples with several classes. None of them changes the data that it is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness import Generator, Scenario
from harness.declare.names import wrong
from harness.topics._shared.labels import moved, tail, thinned
from harness.topics.fusion.examples import Divided, split_at_random


def label_noise(share: float) -> Scenario:
    """Replace each training label, with probability `share`, by another class; the test examples stay as they are.

    All other classes are equally likely: symmetric noise (Lukasik et al. 2020, arXiv 2003.02819).

    Raises
    ------
    DeclarationError
        Unless 0 < share < 1.
    """
    if not 0 < share < 1:
        raise wrong(f"label_noise({share:g}): the share of wrong labels must lie between 0 and 1, both excluded")

    def apply(data: Divided, rng: Generator) -> Divided:
        return replace(data, train=replace(data.train, labels=moved(data.train.labels, data.classes, share, rng)))

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
        shares = tail(np.bincount(data.train.labels, minlength=data.classes), factor)
        train, test = (thinned(part.labels, shares, rng) for part in (data.train, data.test))
        shifted = {name: values[test] for name, values in data.shifted.items()}
        return replace(data, train=data.train.take(train), test=data.test.take(test), shifted=shifted)

    summary = f"Class sizes fall exponentially, to 1/{factor:g} of the largest."
    return Scenario(f"long_tail({factor:g})", apply, summary)


RANDOM_SPLIT = Scenario(
    "random_split", split_at_random, "Examples are divided at random, so that groups cross from training to test."
)
