"""The kind ``interactions``: which user had to do with which item, how much, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.data import columns
from harness.data.card import Card, ColumnsFile, Rows, Size
from harness.data.columns import Columns
from harness.data.readers.reader import Reader
from harness.data.tabular import read_only
from harness.declare import Dataset
from harness.declare.values import Generator
from harness.errors import UsageError
from harness.records import Scalar


class ItemsFile(ColumnsFile, frozen=True, kw_only=True):
    """A file with a row for each item, in the table ``[file.items]`` of a card.

    Attributes
    ----------
    rows
        Number of rows. Items without interactions are allowed.
    item
        Column of the item, of the same type as that of the interactions.
    features
        Columns that describe the item, each with what separates its values, such as ``{genres = "|"}``; empty for a
        column with one value. A missing value, or an empty one, gives no feature.
    """

    rows: Size
    item: str
    features: dict[str, str]


class InteractionsFile(ColumnsFile, frozen=True, kw_only=True):
    """A file of interactions.

    Attributes
    ----------
    rows
        Number of interactions.
    user, item
        Columns of the user and the item: strings or integers of any size.
    weight
        Optional column of finite numbers, such as a rating or a count.
    weight_kind
        ``real``, or ``count``: whole numbers from 0.
    time
        Optional column of integers, dates or timestamps.
    repeats
        Whether a user may have to do with an item several times; if not, a pair that comes twice is refused.
    items
        Optional file with what is known of the items.
    """

    rows: Rows
    user: str
    item: str
    weight: str | None = None
    weight_kind: Literal["real", "count"] = "real"
    time: str | None = None
    repeats: bool = False
    items: ItemsFile | None = None


#: Only an empty cell is a missing one: there are users called null, and artists called NA.
_MISSING = ("",)


@dataclass(frozen=True, eq=False)
class Interactions:
    """Interactions of users with items. Arrays are read-only.

    Attributes
    ----------
    users, items
        Numbers from 0, int32, shape (n,).
    weights
        float64, shape (n,); ``None`` where the file has none.
    time
        int64, shape (n,); ``None`` where the file has none.
    user_names, item_names
        What the file calls each user and each item, by number; in sorted order.
    item_features
        What is known of each item, by number: names such as ``genre=Drama``; ``None`` where the card has no such file.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64] | None
    time: npt.NDArray[np.int64] | None
    user_names: tuple[str | int, ...]
    item_names: tuple[str | int, ...]
    item_features: tuple[tuple[str, ...], ...] | None = None

    def __post_init__(self) -> None:
        read_only(self.users, self.items, self.weights, self.time)

    def __len__(self) -> int:
        return len(self.users)


def read(card: Card) -> Interactions:
    """Read interactions in the order of the file.

    Raises
    ------
    UsageError
        When a file cannot be read, has another number of rows, or a column is missing or not what it must be; when a
        pair comes twice, or the file of items lacks one.
    """
    assert isinstance(card.file, InteractionsFile)
    file = card.file
    opened = columns.open_columns(file, _MISSING)
    opened.check(file.rows, [name for name in (file.user, file.item, file.weight, file.time) if name is not None])
    users, user_names = columns.identities(opened.column(file.user), opened.where("user", file.user))
    items, item_names = columns.identities(opened.column(file.item), opened.where("item", file.item))
    made = Interactions(
        users,
        items,
        None if file.weight is None else _weights(opened, file.weight, file.weight_kind),
        None if file.time is None else columns.times(opened.column(file.time), opened.where("time", file.time)),
        user_names,
        item_names,
        None if file.items is None else _item_features(file.items, item_names, opened.where("item", file.item)),
    )
    if not file.repeats:
        _check_pairs(made, opened.path)
    return made


def _weights(opened: Columns, name: str, kind: str) -> npt.NDArray[np.float64]:
    convert = columns.counts if kind == "count" else columns.reals
    return convert(opened.column(name), opened.where("weight", name))


def _check_pairs(made: Interactions, path: Path) -> None:
    """Refuse a user and an item that come together twice."""
    pairs = made.users.astype(np.int64) * len(made.item_names) + made.items
    # Equal pairs lie together in a stable order, so that each is beside its first row.
    order = np.argsort(pairs, kind="stable")
    twice = np.flatnonzero(np.diff(pairs[order]) == 0)
    if len(twice):
        first, second = order[twice[0]], order[twice[0] + 1]
        raise UsageError(
            f"{path} has user {made.user_names[made.users[first]]!r} with item {made.item_names[made.items[first]]!r} "
            f"in rows {first + 1} and {second + 1} ({len(twice)} such rows); leave them out of the file, or say "
            "repeats = true in the card"
        )


def _item_features(file: ItemsFile, item_names: tuple[str | int, ...], where: str) -> tuple[tuple[str, ...], ...]:
    """Read the features of the items, by their number."""
    opened = columns.open_columns(file, _MISSING)
    opened.check(file.rows, (file.item, *file.features))
    rows, known = columns.identities(opened.column(file.item), opened.where("item", file.item))
    if len(known) < len(rows):
        twice = known[int(np.argmax(np.bincount(rows) > 1))]
        raise UsageError(f"{opened.where('item', file.item)} has {twice!r} twice; a file of items has a row for each")
    row_of = dict(zip((known[row] for row in rows), range(len(rows)), strict=True))
    unknown = [name for name in item_names if name not in row_of]
    if unknown:
        raise UsageError(
            f"{opened.where('item', file.item)} lacks {len(unknown)} items of {where}, such as {unknown[0]!r}"
        )
    values = {name: opened.column(name).to_pylist() for name in file.features}
    return tuple(
        tuple(
            dict.fromkeys(
                f"{name}={value}"
                for name, separator in file.features.items()
                for value in _values(values[name][row_of[item]], separator)
            )
        )
        for item in item_names
    )


def _values(value: object, separator: str) -> list[str]:
    """Return the values in a cell, without those that are empty."""
    text = "" if value is None else str(value)
    return [part for part in (text.split(separator) if separator else [text]) if part]


def _load(card: Card, _params: Mapping[str, Scalar], _rng: Generator) -> Interactions:
    return read(card)


def _dataset(card: Card) -> Dataset:
    assert isinstance(card.file, InteractionsFile)
    named = {"time": card.file.time, "weight": card.file.weight, "items": card.file.items}
    return Dataset(
        card.name, load=partial(_load, card), provides=tuple(name for name, column in named.items() if column)
    )


READER = Reader(InteractionsFile, columns.FORMATS, read, _dataset, columns.MODULES)
