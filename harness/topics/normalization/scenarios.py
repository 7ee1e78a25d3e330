"""Scenarios of texts with several classes. None of them changes the texts that it is given."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness import Generator, Scenario
from harness.declare.names import wrong
from harness.topics._shared.labels import moved, tail, thinned
from harness.topics.normalization.sentences import Described, words


def label_noise(share: float) -> Scenario:
    """Move each training label to another class with probability `share`; the test texts stay as they are.

    The other classes are equally likely: symmetric noise in the words of van Rooyen et al. 2015 (arXiv 1505.07634).

    Raises
    ------
    DeclarationError
        Unless 0 < share < 1.
    """
    if not 0 < share < 1:
        raise wrong(f"label_noise({share:g}): the share of moved labels must lie between 0 and 1, both excluded")

    def apply(data: Described, rng: Generator) -> Described:
        changed = moved(data.labels, data.classes, share, rng)
        train = replace(data.texts.train, y=changed.astype(np.int32))
        return replace(data, texts=replace(data.texts, train=train))

    return Scenario(f"label_noise({share:g})", apply, f"{100 * share:g} % of the training labels are of another class.")


def long_tail(ratio: float) -> Scenario:
    """Thin the classes to a long tail: the largest is `ratio` times as frequent as the smallest, or more.

    Of K classes, the one of rank k = 0 ... K - 1 by its number of training texts has at most n ratio^(-k / (K - 1)),
    where n is the number of the largest (the exponential profile of Cui et al. 2019, arXiv 1901.05555, section 5.1).
    The test texts of each class are thinned by the same share, so that both sets have the same classes; at least one
    text of each class remains where there was one. Texts keep their order.

    Raises
    ------
    DeclarationError
        Unless ratio > 1.
    """
    if not (ratio > 1 and math.isfinite(ratio)):
        raise wrong(f"long_tail({ratio:g}): the ratio of the largest class to the smallest must be above 1 and finite")

    def apply(data: Described, rng: Generator) -> Described:
        shares = tail(np.bincount(data.labels, minlength=data.classes), ratio)
        train, test = (thinned(labels, shares, rng) for labels in (data.labels, data.test_labels))
        texts = data.texts
        return replace(data, texts=replace(texts, train=texts.train.take(train), test=texts.test.take(test)))

    summary = f"The classes of training and test texts are thinned to a long tail of {ratio:g} to 1."
    return Scenario(f"long_tail({ratio:g})", apply, summary)


def covariate_shift(strength: float) -> Scenario:
    """Make the test texts longer; the training texts stay as they are.

    Half of the test texts remain, drawn one after the other without replacement with probability proportional to
    exp(strength z), where z is the number of words in standard deviations of the training texts. The draw looks at
    texts alone, so P(class | text) is unchanged: covariate shift (Shimodaira 2000) as sample-selection bias (Zadrozny
    2004). A negative strength makes them shorter.

    Raises
    ------
    DeclarationError
        When strength is 0 or not finite.
    """
    if not math.isfinite(strength) or strength == 0:
        raise wrong(f"covariate_shift({strength:g}): the strength must be a finite number, and not 0")

    def apply(data: Described, rng: Generator) -> Described:
        train, test = (lengths(part) for part in (data.texts.train.strings, data.texts.test.strings))
        score = test / max(float(train.std()), np.finfo(float).tiny)
        # The largest sums of log weight and Gumbel noise are a weighted draw without replacement: Efraimidis &
        # Spirakis 2006, in logarithms.
        keys = strength * score + rng.gumbel(size=len(score))
        chosen = np.sort(np.argsort(-keys, kind="stable")[: max(1, len(score) // 2)])
        return replace(data, texts=replace(data.texts, test=data.texts.test.take(chosen)))

    change = "longer" if strength > 0 else "shorter"
    return Scenario(f"covariate_shift({strength:g})", apply, f"The test texts are {change} than those of training.")


def lengths(strings: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Count the words of each text."""
    return np.fromiter((len(words(text)) for text in strings), np.float64, len(strings))
