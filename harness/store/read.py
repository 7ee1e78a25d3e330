"""The one reader of runs: their files, one after the other, as streams of records."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias

from harness.errors import UsageError
from harness.records import Cell, Record
from harness.store.header import Header
from harness.store.lines import Reader

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
        file = path.open("rb")
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
    owners = {path: block_owners(parts) for parts in _divided(paths) for path in parts}
    for path in paths:
        with open_run(path) as reader:
            yield RunStream(reader.header, _owned(reader, path, owners[path]) if path in owners else reader)


def _divided(paths: Sequence[Path]) -> list[list[Path]]:
    """Group the files of each run that has several of them."""
    names = Counter(path.name for path in paths)
    runs: dict[tuple[str, str], dict[Path, str]] = {}
    for path in sorted(path for path in paths if names[path.name] > 1):
        with open_run(path) as reader:
            runs.setdefault((path.name, reader.header.run), {})[path] = reader.header.plan
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
