"""Short texts with a class as numbers: what classifiers are trained and judged on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Generator, Param, Scalar, TextSplit

LENGTH = 16
#: Words that come less often in the training texts are unknown words.
LEAST = 2
PADDING, UNKNOWN = 0, 1
#: The number of the most frequent word.
FIRST = 2
PARAMS = {
    "rows": Param(10_000, low=10, summary="training texts"),
    "test_rows": Param(4_000, low=10, summary="test texts at most"),
    "vocabulary": Param(4_000, low=1, high=1_000_000, summary="words at most, the most frequent of the training texts"),
}

Ids = npt.NDArray[np.int32]
Labels = npt.NDArray[np.int64]
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, eq=False)
class Sentences:
    """What strategies see: texts as numbers of words, and the classes of the training texts.

    Attributes
    ----------
    train, test
        Numbers of words, shape (n, `LENGTH`): from 2 on by falling frequency in the training texts, 1 for any other
        word, then 0 as padding. Each row begins with a word.
    labels
        Classes of the training texts from 0 on, shape (n,).
    size
        Numbers of words that there are, with 0 and 1.
    classes
        Number of classes.
    """

    train: Ids
    labels: Labels
    test: Ids
    size: int
    classes: int


@dataclass(frozen=True, eq=False)
class Described:
    """Texts with classes, and how many words are to be distinguished. Scenarios change the texts.

    Attributes
    ----------
    overlap
        Test texts, before any scenario, for each other text of the file.
    """

    texts: TextSplit
    vocabulary: int
    overlap: float = 0.0

    @cached_property
    def classes(self) -> int:
        """Number of classes."""
        return max(len(self.texts.classes), 2)

    @cached_property
    def labels(self) -> Labels:
        """Classes of the training texts."""
        return _labels(self.texts.train.y)

    @cached_property
    def test_labels(self) -> Labels:
        """Classes of the test texts."""
        return _labels(self.texts.test.y)


def _labels(y: npt.NDArray[Any] | None) -> Labels:
    assert y is not None, "the task takes only texts with a target"
    return y.astype(np.int64)


def prepare(data: Any, params: Mapping[str, Scalar], _rng: Generator) -> Described:
    """Take the texts of a card as they are, and the first of the test texts."""
    assert isinstance(data, TextSplit)
    test = data.test.take(np.arange(min(len(data.test), int(params["test_rows"]))))
    return Described(replace(data, test=test), int(params["vocabulary"]), data.overlap(len(test)))


def visible(data: Described) -> Sentences:
    """Return what strategies see; the words are those of the training texts alone, after any scenario."""
    train = [words(text) for text in data.texts.train.strings]
    numbers = vocabulary(train, data.vocabulary)
    test = [words(text) for text in data.texts.test.strings]
    return Sentences(
        encode(train, numbers), data.labels, encode(test, numbers), len(numbers) + FIRST, classes=data.classes
    )


def words(text: str) -> list[str]:
    """Split a text into words: runs of letters, digits and underscores, in lower case."""
    return _WORD.findall(text.lower())


def vocabulary(texts: Iterable[list[str]], most: int) -> dict[str, int]:
    """Return the numbers of the most frequent words, by falling frequency and then by the alphabet.

    Words that come less than `LEAST` times have none.
    """
    counts = Counter(word for text in texts for word in text)
    frequent = sorted((-count, word) for word, count in counts.items() if count >= LEAST)[:most]
    return {word: number for number, (_, word) in enumerate(frequent, start=FIRST)}


def encode(texts: list[list[str]], numbers: Mapping[str, int]) -> Ids:
    """Return the numbers of the first `LENGTH` words of each text; a text without words becomes one unknown word."""
    ids = np.full((len(texts), LENGTH), PADDING, np.int32)
    for row, text in enumerate(texts):
        known = [numbers.get(word, UNKNOWN) for word in text[:LENGTH]] or [UNKNOWN]
        ids[row, : len(known)] = known
    return ids
