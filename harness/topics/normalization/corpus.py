"""Texts as numbers: the characters that language models are trained and judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Generator, Param, Scalar, TextSplit

PARAMS = {
    "rows": Param(20_000, low=10, summary="texts, such as verses, to learn from"),
    "context": Param(32, low=2, high=4_096, summary="characters that a model sees at once"),
    "windows": Param(128, low=1, high=100_000, summary="pieces of test text"),
}

Ids = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Characters as numbers from 1 on; 0 stands for a character that is not in the training text.

    Attributes
    ----------
    train
        Shape (characters,).
    test
        Pieces of text that was held out, shape (windows, context). The characters after the first one of each are what
        is to be predicted, each from those before it.
    targets
        The next character of each, shape (windows, context). Only the judge sees them; all but the last of a row are in
        `test`, as in every evaluation of a language model on a given text.
    size
        Number of different characters, with 0.
    """

    train: Ids
    test: Ids
    targets: Ids
    size: int


def prepare(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Corpus:
    """Make a corpus of texts: joined by line ends, test texts apart from training texts."""
    assert isinstance(data, TextSplit)
    train, test = ("\n".join(part.strings) for part in (data.train, data.test))
    alphabet = sorted(set(train))[:255]
    ids = {character: number for number, character in enumerate(alphabet, start=1)}
    held = encode(test, ids)
    context, windows = int(params["context"]), int(params["windows"])
    starts = rng.integers(0, max(len(held) - context, 1), windows)
    pieces = held[starts[:, None] + np.arange(context + 1)]
    return Corpus(encode(train, ids), pieces[:, :-1], pieces[:, 1:], len(alphabet) + 1)


def encode(text: str, ids: Mapping[str, int]) -> Ids:
    """Return the number of each character; 0 where it has none."""
    return np.fromiter((ids.get(character, 0) for character in text), np.uint8, len(text))


def visible(data: Corpus) -> Corpus:
    """Return what strategies see."""
    return replace(data, targets=np.zeros((0, 0), np.uint8))
