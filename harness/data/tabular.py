"""Tabular data with a target: the values that data sets give and scenarios change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.declare.names import wrong
from harness.declare.values import Generator

Floats: TypeAlias = npt.NDArray[np.float32]
Index: TypeAlias = npt.NDArray[np.intp]

#: Kind of target to the type of its values: 0 or 1, numbers of classes from 0, real numbers.
TARGETS = {"binary": np.dtype(np.int8), "multiclass": np.dtype(np.int32), "real": np.dtype(np.float64)}


def read_only(*arrays: npt.NDArray[Any] | None) -> None:
    """Make arrays read-only, those that are there."""
    for array in arrays:
        if array is not None:
            array.flags.writeable = False


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with their labels. Its arrays become read-only.

    Attributes
    ----------
    X
        Features, float32, C-contiguous, shape (n, d); missing values are NaN.
    y
        Targets, shape (n,): int8, 0 or 1, if they are binary; int32, the number of a class from 0, if there are several
        classes; float64 if they are real numbers.
    time
        When each row happened, int64, shape (n,); ``None`` where the data have no time.

    Raises
    ------
    ValueError
        When the types or shapes are others.
    """

    X: Floats
    y: npt.NDArray[Any]
    time: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.X.dtype != np.float32 or self.X.ndim != 2 or not self.X.flags.c_contiguous:
            raise ValueError("a table's X must be a C-contiguous float32 matrix")
        if self.y.dtype not in TARGETS.values() or (self.time is not None and self.time.dtype != np.int64):
            raise ValueError("a table's y must be int8, int32 or float64, and its time int64")
        for column in (self.y, self.time):
            if column is not None and column.shape != self.X.shape[:1]:
                raise ValueError(f"a table of {len(self.X)} rows has a column of shape {column.shape}")
        read_only(self.X, self.y, self.time)

    def __len__(self) -> int:
        return len(self.X)

    @property
    def target(self) -> str:
        """Kind of the target: binary, multiclass or real."""
        return next(kind for kind, dtype in TARGETS.items() if dtype == self.y.dtype)

    def take(self, rows: Index) -> Table:
        """Copy the given rows, in the given order."""
        return Table(self.X[rows], self.y[rows], None if self.time is None else self.time[rows])


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test rows.

    Attributes
    ----------
    features
        Names of the columns of ``X``.
    classes
        Names of the classes by their numbers, where the target has several classes that have names.
    categorical
        Which of `features` are categories: their values in ``X`` are numbers from 0 that stand for names.
    """

    train: Table
    test: Table
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Visible:
    """What strategies may see of a split: all but the targets and times of the test rows."""

    train: Table
    test: Floats
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()


def visible(split: Split) -> Visible:
    """Withhold the targets and times of the test rows; arrays are shared, not copied."""
    return Visible(split.train, split.test.X, split.features, split.classes, split.categorical)


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
        return replace(data, train=train.take(np.flatnonzero(~held)), test=train.take(np.flatnonzero(held)))

    return split
