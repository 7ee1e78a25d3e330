"""The kind ``table``: rows with features and a binary, multiclass or real target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.data import columns
from harness.data.card import Card, ColumnsFile, Rows
from harness.data.columns import Columns
from harness.data.readers.reader import Reader, overlap_of, rows_param, split_rows
from harness.data.tabular import Floats, Split, Table
from harness.declare import Dataset
from harness.declare.values import Generator
from harness.errors import UsageError, did_you_mean
from harness.records import Scalar

TargetKind: TypeAlias = Literal["binary", "multiclass", "real"]


class TableFile(ColumnsFile, frozen=True, kw_only=True):
    """A file of rows.

    Attributes
    ----------
    rows
        Number of rows, without a header.
    target
        Column of the target.
    target_kind
        ``binary``: booleans, or numbers that are 0 or 1. ``multiclass``: strings or integers. ``real``: finite numbers.
    time
        Optional column of integers, dates or timestamps. Not a feature.
    categorical
        Features whose values are names even where they look like numbers. Strings always are.
    positives
        Rows whose target is 1, for pages.
    """

    rows: Rows
    target: str
    target_kind: TargetKind = "binary"
    time: str | None = None
    categorical: tuple[str, ...] = ()
    positives: int | None = None


def table_file(card: Card) -> TableFile:
    """Return the file of a table's card."""
    assert isinstance(card.file, TableFile)
    return card.file


def inspect(card: Card) -> None:
    """Read every column once, one at a time so that little memory is touched.

    Raises
    ------
    UsageError
        When the file cannot be read, has another number of rows, or lacks a column, or when a column is not what a
        feature, a target or a time must be.
    """
    file, opened = table_file(card), _open(card)
    for name in _features(card, opened):
        _feature(opened, name, file)
    target(opened, file.target, file.target_kind)
    _times(opened, file)


def load(card: Card, params: Mapping[str, Scalar], rng: Generator) -> Split:
    """Read training and test rows, one column at a time so that little memory is touched.

    Raises
    ------
    UsageError
        As `inspect`, or when a binary target has one class only in the training or the test rows.
    """
    file, opened = table_file(card), _open(card)
    features = _features(card, opened)
    parts = split_rows(file.rows, int(params["rows"]), rng)
    X: list[Floats] = [np.empty((len(part), len(features)), dtype=np.float32) for part in parts]
    categorical: list[str] = []
    for position, name in enumerate(features):
        values, is_category = _feature(opened, name, file)
        for matrix, part in zip(X, parts, strict=True):
            matrix[:, position] = values[part]
        if is_category:
            categorical.append(name)
    y, classes = target(opened, file.target, file.target_kind)
    time = _times(opened, file)
    train, test = (
        Table(matrix, y[part], None if time is None else time[part]) for matrix, part in zip(X, parts, strict=True)
    )
    return Split(train, test, features, classes, tuple(categorical))


def check(card: Card, params: Mapping[str, Scalar], rng: Generator) -> None:
    """Refuse a draw of rows in which a binary target has one class only; reads no column but the target."""
    check_classes(card, _targets(table_file(card)), params, rng)


@lru_cache(maxsize=4)
def _targets(file: TableFile) -> npt.NDArray[Any]:
    """Read the target of a file, which is pinned by its checksum, once for all blocks of a plan."""
    return target(columns.open_columns(file), file.target, file.target_kind)[0]


def check_classes(card: Card, y: npt.NDArray[Any], params: Mapping[str, Scalar], rng: Generator) -> None:
    """Refuse a draw of training and test rows that lacks a class of a binary target.

    Raises
    ------
    UsageError
        When it does.
    """
    if y.dtype != np.int8:
        return
    names = ("training", "test")
    for name, part in zip(names, split_rows(len(y), int(params["rows"]), rng), strict=True):
        found = np.unique(y[part])
        if len(found) < 2:
            raise UsageError(
                f"data set {card.name}: all {len(part)} {name} rows of a block are of class {found[0]} (rows="
                f"{params['rows']}, {np.count_nonzero(y)} of {len(y)} rows of the file are of class 1); "
                + ("ask for more with --set rows" if name == "training" else "the file needs more rows of the other")
            )


def target(opened: Columns, name: str, kind: TargetKind) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Return the target and the names of its classes, which only a target of several classes has."""
    column, where = opened.column(name), opened.where("target", name)
    if kind == "binary":
        return columns.labels(column, where), ()
    if kind == "real":
        return columns.reals(column, where), ()
    return columns.classes(column, where)


def _open(card: Card) -> Columns:
    file = table_file(card)
    opened = columns.open_columns(file)
    opened.check(file.rows, (file.target, *filter(None, [file.time]), *card.features))
    return opened


def _features(card: Card, opened: Columns) -> tuple[str, ...]:
    file = table_file(card)
    features = tuple(card.features) or tuple(name for name in opened.names if name not in (file.target, file.time))
    if not features or file.target in features:
        raise UsageError(f"{opened.path}: the features must be columns other than the target, and at least one")
    for name in file.categorical:
        if name not in features:
            raise UsageError(f"{opened.path} has no feature {name!r}{did_you_mean(name, features)}")
    return features


def _feature(opened: Columns, name: str, file: TableFile) -> tuple[Floats, bool]:
    """Return the values of a feature, and whether they are numbers of categories."""
    column = opened.column(name)
    is_category = name in file.categorical or columns.is_names(column)
    return columns.feature(column, opened.where("column", name), categorical=is_category), is_category


def _times(opened: Columns, file: TableFile) -> npt.NDArray[np.int64] | None:
    return None if file.time is None else columns.times(opened.column(file.time), opened.where("time", file.time))


def _dataset(card: Card) -> Dataset:
    file = table_file(card)
    return Dataset(
        card.name,
        load=partial(load, card),
        params=rows_param(file.rows),
        overlap=partial(overlap_of, file.rows),
        provides=("time",) if file.time else (),
        check=partial(check, card),
        target=file.target_kind,
    )


READER = Reader(TableFile, columns.FORMATS, inspect, _dataset, columns.MODULES)
