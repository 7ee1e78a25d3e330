"""The kind ``text``: strings, with or without a target."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from harness.data import columns
from harness.data.card import Card, ColumnsFile, Rows
from harness.data.readers.reader import Reader, overlap_of, rows_param, split_rows
from harness.data.readers.table import TargetKind, check_classes, target
from harness.data.tabular import Index, read_only
from harness.declare import Dataset
from harness.declare.values import Generator
from harness.errors import UsageError
from harness.records import Scalar

LINES = (".txt", ".txt.gz")


class TextFile(ColumnsFile, frozen=True, kw_only=True):
    """A file of texts: a column of a table, or the lines of a file ``.txt`` or ``.txt.gz``.

    Attributes
    ----------
    rows
        Number of texts.
    text
        Column of the strings; none in a file of lines.
    target, target_kind
        Optional column of the target, as in a table.
    encoding
        How a file of lines is encoded; columns are always in UTF-8.
    """

    rows: Rows
    text: str | None = None
    target: str | None = None
    target_kind: TargetKind = "binary"
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts with their targets. Arrays are read-only.

    Attributes
    ----------
    strings
        The texts.
    y
        As in `harness.Table`, shape (n,); ``None`` where the file has no target.
    """

    strings: tuple[str, ...]
    y: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        read_only(self.y)

    def __len__(self) -> int:
        return len(self.strings)

    def take(self, rows: Index) -> Texts:
        """Take the given texts, in the given order."""
        return Texts(tuple(self.strings[row] for row in rows), None if self.y is None else self.y[rows])


@dataclass(frozen=True, eq=False)
class TextSplit:
    """Training and test texts, and the names of the classes where the target has several.

    Attributes
    ----------
    rows
        Number of all texts of the file, with those that are neither; 0 for texts made in code.
    """

    train: Texts
    test: Texts
    classes: tuple[str, ...] = ()
    rows: int = 0

    def overlap(self, tested: float) -> float:
        """Return the tested texts for each other text of the file, where so many of the test texts are used."""
        return tested / (self.rows - tested) if self.rows else 0.0


def read(card: Card) -> tuple[Texts, tuple[str, ...]]:
    """Read all texts in the order of the file, and the names of their classes.

    Raises
    ------
    UsageError
        When the file cannot be read, has another number of texts, or a column is missing or not what it must be.
    """
    file = _file(card)
    if file.path.endswith(LINES):
        return Texts(_lines(file)), ()
    if file.text is None:
        raise UsageError(f"the card of data set {card.name} must name the column of the strings: text = ...")
    opened = columns.open_columns(file)
    opened.check(file.rows, [name for name in (file.text, file.target) if name is not None])
    strings = columns.strings(opened.column(file.text), opened.where("text", file.text))
    if file.target is None:
        return Texts(strings), ()
    y, classes = target(opened, file.target, file.target_kind)
    return Texts(strings, y), classes


def _lines(file: TextFile) -> tuple[str, ...]:
    path, encoding = Path(file.path), file.encoding.upper()
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        # Windows writes a byte-order mark before UTF-8.
        with opened(path, "rt", encoding="utf-8-sig" if file.encoding == "utf-8" else file.encoding) as stream:
            text = stream.read()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not {encoding} at byte {error.start}; save it as UTF-8, or say encoding = ... in the card"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be read as lines of text: {error}") from None
    lines = tuple(text.removesuffix("\n").split("\n"))
    if len(lines) != file.rows:
        raise UsageError(f"{path} has {len(lines)} lines, but its card says rows = {file.rows}; correct the card")
    return lines


def _load(card: Card, params: Mapping[str, Scalar], rng: Generator) -> TextSplit:
    texts, classes = read(card)
    train, test = split_rows(len(texts), int(params["rows"]), rng)
    return TextSplit(texts.take(train), texts.take(test), classes, len(texts))


def _check(card: Card, params: Mapping[str, Scalar], rng: Generator) -> None:
    file = _file(card)
    if file.target is not None:
        check_classes(card, _targets(file, file.target), params, rng)


@lru_cache(maxsize=4)
def _targets(file: TextFile, name: str) -> npt.NDArray[Any]:
    """Read the target of a file, which is pinned by its checksum, once for all blocks of a plan."""
    return target(columns.open_columns(file), name, file.target_kind)[0]


def _file(card: Card) -> TextFile:
    assert isinstance(card.file, TextFile)
    return card.file


def _dataset(card: Card) -> Dataset:
    file = _file(card)
    return Dataset(
        card.name,
        load=partial(_load, card),
        params=rows_param(file.rows),
        overlap=partial(overlap_of, file.rows),
        check=partial(_check, card),
        target=file.target_kind if file.target else "",
    )


READER = Reader(TextFile, (*columns.FORMATS, *LINES), read, _dataset, columns.MODULES)
