"""Texts as numbers: the characters that language models are trained and judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Generator, MissingDataError, Param, Scalar, Stress, TextSplit, UsageError
from harness.data.cards import builtin_card, verify
from harness.data.readers.text import TextFile

PARAMS = {
    "rows": Param(20_000, low=10, summary="texts, such as verses, to learn from"),
    "context": Param(32, low=2, high=4_096, summary="characters that a model sees at once"),
    "windows": Param(128, low=1, high=100_000, summary="pieces of test text"),
}
#: Most characters of an alphabet, so that their numbers and 0 fit into a byte.
MOST = 255
#: Text of another kind, and how many of its lines are read: the beginning of the letter A.
DICTIONARY, LINES = "gcide", 20_000

Ids = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Characters as numbers from 1 on; 0 stands for a character that is not in the alphabet.

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
    alphabet
        The characters of the training text in sorted order, at most 255; the first has the number 1.
    overlap
        Characters of the test pieces for each other character of the file.
    """

    train: Ids
    test: Ids
    targets: Ids
    alphabet: str
    overlap: float = 0.0

    @property
    def size(self) -> int:
        """Number of different numbers: those of the alphabet, and 0."""
        return len(self.alphabet) + 1


def prepare(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Corpus:
    """Make a corpus of texts, which are joined by line ends.

    A test text that is also a training text, word by word, is left out. The alphabet is that of the training text; of
    more than 255 characters, it has the most frequent ones.

    Raises
    ------
    UsageError
        When the training or the test text is shorter than the context.
    """
    assert isinstance(data, TextSplit)
    learned = set(data.train.strings)
    train = "\n".join(data.train.strings)
    test = "\n".join(text for text in data.test.strings if text not in learned)
    context, windows = int(params["context"]), int(params["windows"])
    for name, text in (("training", train), ("test", test)):
        if len(text) <= context:
            raise UsageError(
                f"the {name} text has {len(text)} characters, but context={context} needs at least {context + 1}; "
                "ask for more rows or a smaller context"
            )
    alphabet = alphabet_of(train)
    pieces = _pieces(encode(test, alphabet), context, windows, rng)
    tested = min(1.0, windows * context / len(test)) * len(data.test)
    return Corpus(encode(train, alphabet), *pieces, alphabet, data.overlap(tested))


def alphabet_of(text: str) -> str:
    """Return the characters of a text in sorted order; of more than 255, the most frequent."""
    codes, counts = np.unique(_codes(text), return_counts=True)
    kept = np.sort(codes[np.argsort(-counts, kind="stable")[:MOST]])
    return "".join(map(chr, kept.tolist()))


def encode(text: str, alphabet: str) -> Ids:
    """Return the number of each character: its place in the sorted alphabet from 1 on, or 0 where it has none."""
    numbers = np.zeros(0x110000, np.uint8)
    numbers[_codes(alphabet)] = np.arange(1, len(alphabet) + 1)
    return numbers[_codes(text)]


def _codes(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _pieces(text: Ids, context: int, windows: int, rng: Generator) -> tuple[Ids, Ids]:
    """Draw pieces of a text, and the next character of each of theirs."""
    starts = rng.integers(0, len(text) - context, windows)
    pieces = text[starts[:, None] + np.arange(context + 1)]
    return pieces[:, :-1], pieces[:, 1:]


def visible(data: Corpus) -> Corpus:
    """Return what strategies see."""
    return replace(data, targets=np.zeros((0, 0), np.uint8))


def from_dictionary(data: Corpus, level: float, rng: Generator) -> Corpus | None:
    """Put pieces of the dictionary in place of a share of the test text, in percent.

    Returns
    -------
    Corpus or None
        ``None`` where the file of the dictionary was not fetched.
    """
    try:
        text = _dictionary()
    except MissingDataError:
        return None
    windows, context = data.test.shape
    count = round(windows * level / 100)
    test, targets = data.test.copy(), data.targets.copy()
    test[:count], targets[:count] = _pieces(encode(text, data.alphabet), context, count, rng)
    return replace(data, test=test, targets=targets)


@cache
def _dictionary() -> str:
    """Read the beginning of the dictionary; all of it would take a second in every trial.

    Raises
    ------
    MissingDataError
        When its file was not fetched.
    UsageError
        When it is not the one that the card describes; the message says how to fetch it again.
    """
    import gzip

    card = builtin_card(DICTIONARY)
    verify(card)
    file = card.file
    assert isinstance(file, TextFile)
    with gzip.open(file.path, "rt", encoding=file.encoding) as stream:
        return "".join(islice(stream, LINES))


STRESS = (
    Stress(
        DICTIONARY,
        from_dictionary,
        (50, 100),
        "test text from the dictionary gcide, %",
        "Pieces of the Collaborative International Dictionary of English in place of pieces of the test text, where it "
        "was fetched.",
    ),
)
