"""Tabular data with a binary label: the values that data sets give and scenarios change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.declare.names import wrong
from harness.declare.values import Generator

Floats: TypeAlias = npt.NDArray[np.float32]
Index: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with their labels. Its arrays become read-only.

    Attributes
    ----------
    X
        Features, float32, C-contiguous, shape (n, d); missing values are NaN.
    y
        Labels, int8, 0 or 1, shape (n,).
    time
        When each row happened, int64, shape (n,); ``None`` where the data have no time.

    Raises
    ------
    ValueError
        When the types or shapes are others.
    """

    X: Floats
    y: npt.NDArray[np.int8]
    time: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.X.dtype != np.float32 or self.X.ndim != 2 or not self.X.flags.c_contiguous:
            raise ValueError("a table's X must be a C-contiguous float32 matrix")
        if self.y.dtype != np.int8 or (self.time is not None and self.time.dtype != np.int64):
            raise ValueError("a table's y must be int8 and its time int64")
        for column in (self.y, self.time):
            if column is not None and column.shape != self.X.shape[:1]:
                raise ValueError(f"a table of {len(self.X)} rows has a column of shape {column.shape}")
        for array in (self.X, self.y, self.time):
            if array is not None:
                array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: Index) -> Table:
        """Copy the given rows, in the given order."""
        return Table(self.X[rows], self.y[rows], None if self.time is None else self.time[rows])


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test rows with the names of their features, one for each column of ``X``."""

    train: Table
    test: Table
    features: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Visible:
    """What strategies may see of a split: all but the labels and times of the test rows."""

    train: Table
    test: Floats
    features: tuple[str, ...]


def visible(split: Split) -> Visible:
    """Withhold the labels and times of the test rows; arrays are shared, not copied."""
    return Visible(split.train, split.test.X, split.features)


def holdout(share: float) -> Callable[[Split, Generator], Split]:
    """Make the function that holds a share of the training rows out, to tune on: `Tuning(8, holdout(0.25))`.

    The rows are spread evenly over the sorted targets, and drawn by chance among equal ones, so that a rare class is in
    both parts. Rows keep their order. Nothing of the test rows is read, not even that they are later than the others.

    Raises
    ------
    DeclarationError
        Unless 0 < share < 1.
    """
    if not 0 < share < 1:
        raise wrong(f"holdout({share:g}): the share of rows held out must lie between 0 and 1, both excluded")

    def split(data: Split, rng: Generator) -> Split:
        train = data.train
        count = max(1, round(share * len(train)))
        order = np.lexsort((rng.random(len(train)), train.y))
        held = np.zeros(len(train), dtype=bool)
        held[order[((np.arange(count) + 0.5) * len(train) / count).astype(np.intp)]] = True
        return Split(train.take(np.flatnonzero(~held)), train.take(np.flatnonzero(held)), data.features)

    return split
