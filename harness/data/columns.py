"""Columns of a parquet or CSV file as arrays; what an array cannot hold is refused in one sentence."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from harness.data.card import ColumnsFile
from harness.data.tabular import Floats
from harness.errors import UsageError, did_you_mean
from harness.inputs import open_regular

Column: TypeAlias = Any  # pyarrow.ChunkedArray, which has no type stubs
Number = TypeVar("Number", bound=np.generic)
Codes: TypeAlias = npt.NDArray[np.int32]

FORMATS = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".dat", ".dat.gz")
MODULES = ("pyarrow.csv", "pyarrow.parquet")

_LONG_LINE = "a line is longer than 1 MB; is an end of line or a closing quotation mark missing?"
_SHORT = "\x1f"  # the unit separator of ASCII, which no text has
_WHOLE = 2**24  # whole numbers up to here are exact in float32
_LOST = 0.01  # largest share of the distinct whole numbers of a feature that float32 may merge
_STEPS = 1000  # least number of float32 steps between the least and the largest value of a feature


@dataclass(frozen=True)
class Columns:
    """An open file: its number of rows, its columns' names, and a function that reads a column.

    Of a text also its separator, and whether a value may stand in quotation marks.
    """

    path: Path
    rows: int
    names: tuple[str, ...]
    column: Callable[[str], Column]
    separator: str = ""
    quotes: bool = False

    def where(self, role: str, name: str) -> str:
        """Name a column in a message."""
        return f"{role} {name!r} of {self.path}"

    def check(self, rows: int, wanted: Iterable[str]) -> None:
        """Refuse a file with another number of rows, or without one of its card's columns."""
        if self.rows != rows:
            remedy = _open_quote(self.path) if self.quotes else ""
            raise UsageError(
                f"{self.path} has {self.rows} rows, but its card says {rows}{remedy or '; correct `rows` in the card'}"
            )
        for name in wanted:
            if name not in self.names:
                hint = did_you_mean(name, self.names)
                if self.separator and len(self.names) == 1:
                    hint = f", only {self.names[0]!r}{_hint(self.separator)}"
                raise UsageError(f"{self.path} has no column {name!r}{hint}")


def _hint(separator: str) -> str:
    return f"; is {separator!r} what separates its columns? If not, say separator = ... in the card"


def open_columns(file: ColumnsFile, missing: Sequence[str] | None = None) -> Columns:
    """Open a file.

    Parameters
    ----------
    missing
        What stands for a missing value in a text; by default also words such as NA and null.

    Raises
    ------
    UsageError
        When it cannot be read as what its name says, or two columns have the same name.
    """
    import pyarrow as pa

    path, separator = Path(file.path), _separator(file)
    try:
        columns = _csv(path, separator, file, missing) if separator else _parquet(path)
    except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
        kind = path.name.removesuffix(".gz").rpartition(".")[2]
        hint = ""
        if "columns, got" in str(error):
            hint = (file.quotes and _open_quote(path)) or _hint(separator)
        said = _LONG_LINE if "straddl" in str(error) else str(error).splitlines()[0]
        raise UsageError(f"{path} cannot be read as {kind}: {said}{hint}") from None
    if len(set(columns.names)) < len(columns.names):
        raise UsageError(f"{path} has two columns of the same name: {', '.join(sorted(columns.names))}")
    return columns


def _separator(file: ColumnsFile) -> str:
    """Return what stands between the columns of a text; empty for Parquet."""
    path = Path(file.path)
    if path.suffix == ".parquet":
        return ""
    return file.separator or ("\t" if ".tsv" in path.suffixes else ",")


def _parquet(path: Path) -> Columns:
    from pyarrow import parquet

    file = parquet.ParquetFile(path)
    # One column at a time, so that little memory is touched.
    return Columns(
        path,
        file.metadata.num_rows,
        tuple(file.schema_arrow.names),
        lambda name: file.read([name], use_threads=False).column(0),
    )


def _csv(path: Path, separator: str, file: ColumnsFile, missing: Sequence[str] | None) -> Columns:
    from pyarrow import csv

    with _text(path) as stream:
        start = stream.read(64)
    # Without a byte-order mark, half of the bytes of ASCII in UTF-16 are 0.
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start.count(0) >= max(1, len(start) // 3):
        raise UsageError(f"{path} is in UTF-16, or no text; save it as UTF-8")
    short = len(separator.encode()) == 1
    table = csv.read_csv(
        path if short else _with_short_separator(path, separator),
        csv.ReadOptions(use_threads=False, column_names=list(file.columns) or None),
        csv.ParseOptions(delimiter=separator if short else _SHORT, quote_char='"' if file.quotes else False),
        csv.ConvertOptions(strings_can_be_null=True, null_values=missing),
    )
    return Columns(path, table.num_rows, tuple(table.column_names), table.column, separator, file.quotes)


def _text(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """Open a text, compressed or not, to read its bytes."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else open_regular(path)


def _open_quote(path: Path) -> str:
    """Say that a quotation mark of a text is not closed; empty if all are."""
    with _text(path) as stream:
        count = sum(chunk.count(b'"') for chunk in iter(lambda: stream.read(1 << 20), b""))
    return "; a quotation mark in it is not closed: close it, or say quotes = false in the card" if count % 2 else ""


def _with_short_separator(path: Path, separator: str) -> IO[bytes]:
    """Read a text, and put one byte in the place of a longer separator, since pyarrow takes no other."""
    with _text(path) as stream:
        content = stream.read()
    if _SHORT.encode() in content:
        raise UsageError(f"{path} contains the byte {_SHORT!r}, so that it cannot be read with a separator of its own")
    return io.BytesIO(content.replace(separator.encode(), _SHORT.encode()))


def feature(column: Column, where: str, *, categorical: bool = False) -> Floats:
    """Convert a column to float32, shape (n,).

    A category becomes its index in sorted order over the whole file, a missing value becomes NaN.

    Raises
    ------
    UsageError
        When the column is neither numbers nor strings, or float32 cannot hold its numbers: infinity, numbers above
        3.4e38, or whole numbers above 2**24 that would become equal.
    """
    import pyarrow as pa
    from pyarrow import compute

    column = _plain(column)
    if categorical or _is_string(column):
        known = compute.unique(column).drop_null()
        column = compute.index_in(column, value_set=known.take(compute.sort_indices(known)))
    elif not _is_number(column):
        raise UsageError(
            f"{where} is of type {column.type}, which cannot be a feature; turn it into numbers or strings"
        )
    values: Floats = _array(column.cast(pa.float32(), safe=False), np.float32)
    if column.null_count:
        values = np.where(_array(column.is_null().cast(pa.int8()), np.int8), np.float32("nan"), values)
    _check_float32(column, values, where)
    return values


def is_names(column: Column) -> bool:
    """Return whether a column contains strings, whose values are categories whatever the card says."""
    return _is_string(_plain(column))


def _check_float32(column: Column, values: Floats, where: str) -> None:
    """Refuse numbers that float32 turns into infinity or makes equal."""
    from pyarrow import compute

    if np.isinf(values).any():
        worst = column.take([int(np.flatnonzero(np.isinf(values))[0])])[0].as_py()
        raise UsageError(
            f"{where} contains {float(worst):g}, which float32 cannot hold (features are float32, up to 3.4e38); "
            "replace it by a number, or leave it empty as a missing value"
        )
    largest = float(np.max(np.abs(values), initial=0, where=~np.isnan(values)))
    if largest <= _WHOLE:
        return
    exact = np.asarray(compute.unique(column.drop_null()).to_pylist(), dtype=np.float64)
    exact = exact[~np.isnan(exact)]
    merged = len(exact) - len(np.unique(exact.astype(np.float32)))
    steps = float(exact.max() - exact.min()) / float(np.spacing(np.float32(largest)))
    whole = bool((exact == np.floor(exact)).all())
    if (whole and merged > _LOST * len(exact)) or (merged and steps < _STEPS):
        raise UsageError(
            f"{where} has numbers so large that float32, which features are held in, makes different ones equal "
            f"({len(exact)} different values become {len(exact) - merged}); subtract the least of them, or make it the "
            "card's time, a category, or no feature"
        )


def labels(column: Column, where: str) -> npt.NDArray[np.int8]:
    """Convert a binary target to int8, shape (n,)."""
    import pyarrow as pa
    from pyarrow import compute

    _check_complete(column, where)
    values = [value.as_py() for value in compute.unique(column)[:3]]
    if not _is_number(column) or not set(values) <= {0, 1}:
        raise UsageError(
            f"{where} must contain 0 and 1 or true and false, not {', '.join(map(repr, values))}; write it so, or say "
            'target_kind = "multiclass" or "real" in the card'
        )
    if len(values) < 2:
        raise UsageError(f"{where} has only one class, {values[0]!r}; a binary task needs both")
    return _array(column.cast(pa.int8()), np.int8)


def classes(column: Column, where: str) -> tuple[Codes, tuple[str, ...]]:
    """Convert a target of several classes to int32, shape (n,), and the classes' names in sorted order."""
    codes, names = identities(column, where)
    if len(names) < 2:
        raise UsageError(f"{where} has only one class, {names[0]!r}; classification needs at least two")
    return codes, tuple(map(str, names))


def reals(column: Column, where: str) -> npt.NDArray[np.float64]:
    """Convert finite numbers to float64, shape (n,)."""
    import pyarrow as pa

    _check_complete(column, where)
    if not _is_number(column):
        raise UsageError(f"{where} is of type {column.type}; it must contain numbers")
    values = _array(column.cast(pa.float64(), safe=False), np.float64)
    unusable = np.count_nonzero(~np.isfinite(values))
    if unusable:
        raise UsageError(f"{where} has {unusable} values that are not finite; leave those rows out of the file")
    return values


def times(column: Column, where: str) -> npt.NDArray[np.int64]:
    """Convert times to int64, shape (n,): integers as they are, dates in days, timestamps in their unit."""
    import pyarrow as pa
    from pyarrow import types

    _check_complete(column, where)
    if types.is_date32(column.type):
        column = column.cast(pa.int32())
    elif not (types.is_integer(column.type) or types.is_temporal(column.type)):
        wrong = f" ({_no_time(column)!r})" if _is_string(column) else ""
        raise UsageError(f"{where} is of type {column.type}{wrong}; it must contain integers, dates or timestamps")
    return _array(column.cast(pa.int64()), np.int64)


def _no_time(column: Column) -> str:
    """Return the first string that is not a time in ISO 8601; the first one, if all are but not alike."""
    values: list[str] = column.to_pylist()
    for value in values:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            if not value.isdecimal():
                return value
    return values[0]


def counts(column: Column, where: str) -> npt.NDArray[np.float64]:
    """Convert whole numbers from 0 to float64, shape (n,)."""
    values = reals(column, where)
    wrong = np.flatnonzero((values < 0) | (values != np.floor(values)))
    if len(wrong):
        raise UsageError(
            f"{where} is {values[wrong[0]]:g} in row {wrong[0] + 1}: a count is a whole number from 0; "
            'say weight_kind = "real" in the card if these are not counts'
        )
    return values


def identities(column: Column, where: str) -> tuple[Codes, tuple[str | int, ...]]:
    """Assign a number from 0 to each different string or integer of a column, in sorted order.

    Returns
    -------
    numbers, names
        int32, shape (n,), and what each number stands for. Integers are exact, whatever their size.
    """
    import pyarrow as pa
    from pyarrow import compute, types

    _check_complete(column, where)
    column = _plain(column)
    if not (_is_string(column) or types.is_integer(column.type) or types.is_boolean(column.type)):
        raise UsageError(f"{where} is of type {column.type}; it must contain strings or integers")
    known = compute.unique(column)
    known = known.take(compute.sort_indices(known))
    return _array(compute.index_in(column, value_set=known).cast(pa.int32()), np.int32), tuple(known.to_pylist())


def strings(column: Column, where: str) -> tuple[str, ...]:
    """Return a column of strings."""
    _check_complete(column, where)
    column = _plain(column)
    if not _is_string(column):
        raise UsageError(f"{where} is of type {column.type}; it must contain strings")
    return tuple(column.to_pylist())


def plain(column: Column, where: str) -> npt.NDArray[Any]:
    """Return a column as it is: numbers in their type, or strings as objects."""
    _check_complete(column, where)
    column = _plain(column)
    if _is_string(column):
        codes, names = identities(column, where)
        return np.array(names, dtype=object)[codes]
    if not _is_number(column):
        raise UsageError(f"{where} is of type {column.type}; it must contain numbers or strings")
    return np.asarray(column.combine_chunks().to_numpy(zero_copy_only=False))


def _check_complete(column: Column, where: str) -> None:
    if column.null_count:
        raise UsageError(f"{where} misses {column.null_count} values; leave those rows out of the file")


def _plain(column: Column) -> Column:
    """Return a column whose values are not coded by a dictionary."""
    from pyarrow import types

    return column.cast(column.type.value_type) if types.is_dictionary(column.type) else column


def _is_string(column: Column) -> bool:
    from pyarrow import types

    return bool(types.is_string(column.type) or types.is_large_string(column.type))


def _is_number(column: Column) -> bool:
    from pyarrow import types

    kinds = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    return any(is_kind(column.type) for is_kind in kinds)


def _array(column: Column, dtype: type[Number]) -> npt.NDArray[Number]:
    """Share a column's numbers, undefined where missing."""
    # Not `to_numpy`, which would import pandas into the trial.
    chunk = column.combine_chunks()
    return np.frombuffer(chunk.buffers()[1], dtype, count=len(chunk), offset=chunk.offset * np.dtype(dtype).itemsize)
