"""The lines of a file of a run, and the one reader of runs: their files, one after the other, as streams of records.

Floats are rounded when written; a line that a crash cut off is not damage.
"""

from __future__ import annotations

import gc
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import msgspec

from harness import inputs
from harness.errors import UsageError
from harness.records import Cell, Curve, Record
from harness.store.checks import RecordCheck, check_header
from harness.store.header import Header, decode_header
from harness.store.imported_names import FormerNames

# A trial's key is a digest of its fields, and a resumed run repeats its selection: both are written to the last digit.
_EXACT = ("trial", "selection")


def encode(value: Header | Record) -> bytes:
    """Write a header or record as one line of JSON, its floats rounded to 6 significant digits.

    JSON has neither NaN nor infinity: such a value is left out, and a curve loses the whole point.
    """
    if isinstance(value, Record) and value.curves:
        curves = {name: _finite(curve) for name, curve in value.curves.items()}
        value = msgspec.structs.replace(value, curves=curves)
    plain = msgspec.to_builtins(value)
    exact = {name: plain[name] for name in _EXACT if name in plain}
    return msgspec.json.encode(_rounded(plain) | exact) + b"\n"


class Reader:
    """Reads a file of a run once, line by line.

    A last line that is cut off, or not JSON because a part of it did not reach the disk, is ignored.

    Attributes
    ----------
    header
        The first line; like the records with today's names where the run was imported under former ones.
    size
        Length in bytes of the complete lines read so far.

    Raises
    ------
    UsageError
        When the header is missing or unreadable; while reading records, when a line is damaged.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        first = file.readline(inputs.MOST_BYTES)
        if not first.endswith(b"\n"):
            raise UsageError(f"{path} has no complete header: the run was cut off as it began, so delete the file")
        self.header = decode_header(first, path)
        try:
            check_header(self.header)
        except msgspec.ValidationError as error:
            raise UsageError(f"{path}, line 1 is damaged ({error}): restore the file") from None
        self._former = FormerNames.of(self.header)
        if self._former is not None:
            self.header = self._former.header(self.header)
        self.size = len(first)
        self._path = path
        self._file = file

    def __iter__(self) -> Iterator[Record]:
        decode, check = msgspec.json.Decoder(Record).decode, RecordCheck()
        for number, line in enumerate(inputs.lines(self._file), start=2):
            if not line.endswith(b"\n"):
                if len(line) < inputs.MOST_BYTES:
                    return
                raise self._damage(number, f"it has more than {inputs.MOST_BYTES:,} bytes")
            try:
                record = decode(line)
                check(record)
            except (msgspec.ValidationError, RecursionError) as error:
                raise self._damage(number, error) from None
            except ValueError as error:  # it is not JSON: msgspec's and Unicode's errors are ValueErrors too
                if not self._file.read(1):
                    return
                raise self._damage(number, error) from None
            self.size += len(line)
            yield record if self._former is None else self._former.record(record)

    def _damage(self, line: int, reason: object) -> UsageError:
        return UsageError(f"{self._path}, line {line} is damaged ({reason}): restore the file or delete the line")


def _finite(curve: Curve) -> Curve:
    lists = [values for values in (curve.x, curve.y, curve.low, curve.high) if values]
    points = [point for point in zip(*lists, strict=False) if all(map(math.isfinite, point))]
    return Curve(*([point[place] for point in points] for place in range(len(lists) if points else 2)))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items() if _writable(part)}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value if _writable(part)]
    return value


def _writable(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


#: What identifies a block of a run: the cell, and the index of the block in it.
BlockKey: TypeAlias = tuple[Cell, int]


class RunStream(NamedTuple):
    """One file of a run: its header, and its records as they are read."""

    header: Header
    records: Iterable[Record]


@contextmanager
def open_run(path: Path) -> Iterator[Reader]:
    """Open one file of a run to read it line by line, also while it is being written.

    Raises
    ------
    UsageError
        When the file cannot be opened, is damaged, or has a newer major version.
    """
    try:
        file = inputs.open_regular(path)
    except OSError as error:
        raise UsageError(f"cannot read the run {path}: {error.strerror}") from None
    with file:
        yield Reader(path, file)


@contextmanager
def open_runs(paths: Iterable[Path]) -> Iterator[Iterator[RunStream]]:
    """Read files of runs one after the other; each must be read before the next one is asked for.

    Files of the same name are the parts of one run, one for each machine. Where several parts have records of the same
    block, those of one part alone are read, see `block_owners`.

    Raises
    ------
    UsageError
        While reading: when a file cannot be opened, is damaged, or has a newer major version, or when two files of the
        same run have different plans.
    """
    with gc_paused():
        yield _streams(list(paths))


def read(path: Path) -> tuple[Header, list[Record]]:
    """Read one file of a run as a whole; errors are those of `open_run`."""
    with open_run(path) as reader:
        return reader.header, list(reader)


def read_all(paths: Iterable[Path]) -> list[tuple[Header, list[Record]]]:
    """Read files of runs as a whole, as `open_runs` does."""
    with open_runs(paths) as streams:
        return [(header, list(records)) for header, records in streams]


def block_owners(paths: Sequence[Path]) -> dict[BlockKey, Path]:
    """Assign each recorded block to one of several files of a run.

    All trials of a block are compared on one machine. If two machines recorded the same block, it belongs to the file
    with the most trials of it that finished, or to the first of several such files.
    """
    finished: dict[BlockKey, Counter[Path]] = {}
    for path in paths:
        with open_run(path) as reader:
            for record in reader:
                counts = finished.setdefault(_block_key(record), Counter())
                counts[path] += record.status == "ok"
    # `max` returns the first of equals, and a Counter keeps the order of the files.
    return {block: max(counts, key=counts.__getitem__) for block, counts in finished.items()}


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the garbage collector, which would go through all records in memory again and again and free none."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _streams(paths: Sequence[Path]) -> Iterator[RunStream]:
    headers = _headers(paths)
    owners = {path: block_owners(parts) for parts in _divided(headers) for path in parts}
    for path in headers:
        with open_run(path) as reader:
            yield RunStream(reader.header, _owned(reader, path, owners[path]) if path in owners else reader)


def _headers(paths: Sequence[Path]) -> dict[Path, Header]:
    """Read the headers of files; of several copies of one file, whatever their names, the largest is read alone."""
    headers: dict[Path, Header] = {}
    copies: dict[tuple[str, ...], Path] = {}
    for path in paths:
        with open_run(path) as reader:
            header = headers[path] = reader.header
        identity = (header.run, header.machine.name, header.started, header.plan)
        before = copies.setdefault(identity, path)
        if before != path:
            smaller, copies[identity] = sorted((path, before), key=lambda copy: copy.stat().st_size)
            del headers[smaller]
    return headers


def _divided(headers: Mapping[Path, Header]) -> list[list[Path]]:
    """Group the files of each run that has several of them."""
    runs: dict[tuple[str, str], dict[Path, str]] = {}
    for path in sorted(headers):
        runs.setdefault((path.name, headers[path].run), {})[path] = headers[path].plan
    for (_, run), plans in runs.items():
        if len(set(plans.values())) > 1:
            raise UsageError(
                f"run {run} has several files with different plans, which cannot be parts of one run: "
                f"{', '.join(map(str, plans))}; read one at a time"
            )
    return [list(plans) for plans in runs.values() if len(plans) > 1]


def _owned(records: Iterable[Record], path: Path, owners: dict[BlockKey, Path]) -> Iterator[Record]:
    for record in records:
        # A block that was written after the owners were worked out belongs to the file that it is in.
        if owners.get(_block_key(record), path) == path:
            yield record


def _block_key(record: Record) -> BlockKey:
    return record.trial.cell, record.trial.block
