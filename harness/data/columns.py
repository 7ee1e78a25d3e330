"""Reads a parquet or CSV file into a split, one column at a time so that little memory is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from harness.data.tabular import Floats, Index, Split, Table
from harness.errors import UsageError, did_you_mean

Column: TypeAlias = Any  # pyarrow.ChunkedArray, which has no type stubs
Number = TypeVar("Number", bound=np.generic)

FORMATS = (".parquet", ".csv")
MODULES = ("pyarrow.csv", "pyarrow.parquet")


@dataclass(frozen=True)
class Layout:
    """Which columns of a file are what.

    Attributes
    ----------
    target
        The label: booleans, or numbers that are 0 or 1.
    time
        Optional: integers, dates or timestamps. Not a feature.
    features
        Features in their order; empty for every column but target and time.
    categorical
        Features whose values are names even where they look like numbers. Strings always are.
    """

    target: str
    time: str | None = None
    features: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()


def read(path: Path, rows: int, layout: Layout, train: Index, test: Index) -> Split:
    """Read training and test rows by their numbers in the file.

    Categories become their index in sorted order over the whole file. Missing values become NaN; in a CSV file these
    are empty fields and the usual marks (NA, NaN, null ...).

    Raises
    ------
    UsageError
        When the file cannot be read, has another number of rows, or lacks a column, or when the type of a column does
        not fit a feature, a target or a time.
    """
    count, names, column = _open(path)
    if len(set(names)) < len(names):
        raise UsageError(f"{path} has two columns of the same name: {', '.join(sorted(names))}")
    if count != rows:
        raise UsageError(f"{path} has {count} rows, but its card says {rows}; correct `rows` in the card")
    features = layout.features or tuple(name for name in names if name not in (layout.target, layout.time))
    if not features or layout.target in features:
        raise UsageError(f"{path}: the features must be columns other than the target, and at least one")
    _check_present((layout.target, *features, *filter(None, [layout.time])), names, f"{path} has no column")
    _check_present(layout.categorical, features, f"{path} has no feature")
    parts = (train, test)
    X: list[Floats] = [np.empty((len(part), len(features)), dtype=np.float32) for part in parts]
    for position, name in enumerate(features):
        categorical = name in layout.categorical
        values = _feature(column(name), f"column {name!r} of {path}", categorical=categorical)
        for matrix, part in zip(X, parts, strict=True):
            matrix[:, position] = values[part]
    y = _labels(column(layout.target), f"target {layout.target!r} of {path}")
    time = None if layout.time is None else _times(column(layout.time), f"time {layout.time!r} of {path}")
    of_train, of_test = (
        Table(matrix, y[part], None if time is None else time[part]) for matrix, part in zip(X, parts, strict=True)
    )
    return Split(of_train, of_test, features)


def _open(path: Path) -> tuple[int, list[str], Callable[[str], Column]]:
    """Open a file: its number of rows, its columns' names, and a function that reads a column."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        if path.suffix == ".parquet":
            file = parquet.ParquetFile(path)
            return (
                file.metadata.num_rows,
                file.schema_arrow.names,
                lambda name: file.read([name], use_threads=False).column(0),
            )
        missing = csv.ConvertOptions(strings_can_be_null=True)
        table = csv.read_csv(path, csv.ReadOptions(use_threads=False), convert_options=missing)
    except pa.ArrowException as error:
        raise UsageError(f"{path} cannot be read as {path.suffix[1:]}: {str(error).splitlines()[0]}") from None
    return table.num_rows, table.column_names, table.column


def _check_present(wanted: Iterable[str], names: Iterable[str], sentence: str) -> None:
    for name in wanted:
        if name not in names:
            raise UsageError(f"{sentence} {name!r}{did_you_mean(name, names)}")


def _feature(column: Column, where: str, *, categorical: bool) -> Floats:
    """Convert a column to float32, shape (n,)."""
    import pyarrow as pa
    from pyarrow import compute, types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if categorical or types.is_string(column.type) or types.is_large_string(column.type):
        known = compute.unique(column).drop_null()
        column = compute.index_in(column, value_set=known.take(compute.sort_indices(known)))
    elif not _is_number(column):
        raise UsageError(
            f"{where} is of type {column.type}, which cannot be a feature; turn it into numbers or strings"
        )
    values: Floats = _array(column.cast(pa.float32(), safe=False), np.float32)
    if column.null_count:
        values = np.where(_array(column.is_null().cast(pa.int8()), np.int8), np.float32("nan"), values)
    return values


def _labels(column: Column, where: str) -> npt.NDArray[np.int8]:
    """Convert the target to int8, shape (n,)."""
    import pyarrow as pa
    from pyarrow import compute

    if column.null_count:
        raise UsageError(f"{where} misses {column.null_count} values; leave those rows out of the file")
    values = [value.as_py() for value in compute.unique(column)[:3]]
    if not _is_number(column) or not set(values) <= {0, 1}:
        raise UsageError(f"{where} must contain 0 and 1 or true and false, not {', '.join(map(repr, values))}")
    if len(values) < 2:
        raise UsageError(f"{where} has only one class, {values[0]!r}; a binary task needs both")
    return _array(column.cast(pa.int8()), np.int8)


def _times(column: Column, where: str) -> npt.NDArray[np.int64]:
    """Convert the time to int64, shape (n,): integers as they are, dates in days, timestamps in their unit."""
    import pyarrow as pa
    from pyarrow import types

    if column.null_count:
        raise UsageError(f"{where} misses {column.null_count} values; leave those rows out of the file")
    if types.is_date32(column.type):
        column = column.cast(pa.int32())
    elif not (types.is_integer(column.type) or types.is_temporal(column.type)):
        raise UsageError(f"{where} is of type {column.type}; it must contain integers, dates or timestamps")
    return _array(column.cast(pa.int64()), np.int64)


def _is_number(column: Column) -> bool:
    from pyarrow import types

    kinds = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    return any(is_kind(column.type) for is_kind in kinds)


def _array(column: Column, dtype: type[Number]) -> npt.NDArray[Number]:
    """Share a column's numbers, undefined where missing."""
    # Not `to_numpy`, which would import pandas into the trial.
    chunk = column.combine_chunks()
    return np.frombuffer(chunk.buffers()[1], dtype, count=len(chunk), offset=chunk.offset * np.dtype(dtype).itemsize)
