"""The kind ``interactions``: which user had to do with which item, how much, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.data import columns
from harness.data.card import Card, File, Rows
from harness.data.readers.reader import Reader
from harness.data.tabular import read_only
from harness.declare import Dataset
from harness.declare.values import Generator
from harness.records import Scalar


class InteractionsFile(File, frozen=True, kw_only=True):
    """A file of interactions.

    Attributes
    ----------
    rows
        Number of interactions.
    user, item
        Columns of the user and the item: strings or integers of any size.
    weight
        Optional column of finite numbers, such as a rating or a count.
    time
        Optional column of integers, dates or timestamps.
    columns
        Names of the columns of a CSV file without a header.
    """

    rows: Rows
    user: str
    item: str
    weight: str | None = None
    time: str | None = None
    columns: tuple[str, ...] = ()


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
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64] | None
    time: npt.NDArray[np.int64] | None
    user_names: tuple[str | int, ...]
    item_names: tuple[str | int, ...]

    def __post_init__(self) -> None:
        read_only(self.users, self.items, self.weights, self.time)

    def __len__(self) -> int:
        return len(self.users)


def read(card: Card) -> Interactions:
    """Read interactions in the order of the file.

    Raises
    ------
    UsageError
        When the file cannot be read, has another number of rows, or a column is missing or not what it must be.
    """
    assert isinstance(card.file, InteractionsFile)
    file = card.file
    opened = columns.open_columns(Path(file.path), file.columns)
    opened.check(file.rows, [name for name in (file.user, file.item, file.weight, file.time) if name is not None])
    users, user_names = columns.identities(opened.column(file.user), opened.where("user", file.user))
    items, item_names = columns.identities(opened.column(file.item), opened.where("item", file.item))
    return Interactions(
        users,
        items,
        None if file.weight is None else columns.reals(opened.column(file.weight), opened.where("weight", file.weight)),
        None if file.time is None else columns.times(opened.column(file.time), opened.where("time", file.time)),
        user_names,
        item_names,
    )


def _load(card: Card, _params: Mapping[str, Scalar], _rng: Generator) -> Interactions:
    return read(card)


def _dataset(card: Card) -> Dataset:
    assert isinstance(card.file, InteractionsFile)
    named = {"time": card.file.time, "weight": card.file.weight}
    return Dataset(
        card.name, load=partial(_load, card), provides=tuple(name for name, column in named.items() if column)
    )


READER = Reader(InteractionsFile, columns.FORMATS, read, _dataset, columns.MODULES)
