"""The file of a live gate: a first line with the request and the cases, then a line for each pair and reading."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from harness.config import GatePolicy
from harness.errors import UsageError, did_you_mean
from harness.gate.decision import Case, Pair, Side, Stage
from harness.gate.foreign.suite import Suite
from harness.gate.live.both_sides import Reading
from harness.gate.live.planned_cases import PlannedCase
from harness.plan.selection import Selection
from harness.store.runs import append, create_locked, lock

_FOLDER = "gates"
_SCHEMA = 1


class RecordedRequest(msgspec.Struct, frozen=True):
    """The request of a gate with the code and packages of both sides; a gate is resumed only if all of it is equal.

    Attributes
    ----------
    base, requirements
        Revision of the base, empty if it has the candidate's tree, and packages that it has in other versions.
    sides
        Base and candidate, as they were built.
    tree
        Digest of the candidate's code as it lies in the working tree; empty outside of a repository.
    """

    base: str
    requirements: tuple[str, ...]
    sides: tuple[Side, Side]
    tree: str
    selection: Selection
    policy: GatePolicy
    suite: Suite | None = None


class Head(msgspec.Struct, frozen=True, rename={"request": "asked"}):
    """First line of the file."""

    schema: int
    gate: str
    started: str
    command: str
    request: RecordedRequest
    cases: tuple[PlannedCase, ...]
    settled: tuple[Case, ...] = ()
    remarks: tuple[str, ...] = ()


class Stop(msgspec.Struct, frozen=True):
    """Why measuring ended before everything was decided, and the stages that then got no more pairs."""

    reason: str
    ended: tuple[Stage, ...]


class Line(msgspec.Struct, omit_defaults=True):
    """Any other line: a result of the case at that place of the first line's cases, or why measuring stopped there."""

    case: int
    pair: Pair | None = None
    memory: Reading | None = None
    stop: Stop | None = None


class Journal:
    """The file, open for appending; it stays locked until it is closed, so that no two gates measure the same pairs."""

    def __init__(self, path: Path, descriptor: int, head: Head) -> None:
        self.path = path
        self.head = head
        self._descriptor = descriptor

    def write(self, place: int, result: Pair | Reading) -> None:
        """Append a line, all of it or nothing; when this returns, it is on the disk."""
        line = Line(place, pair=result) if isinstance(result, Pair) else Line(place, memory=result)
        append(self._descriptor, _encoded(line))

    def stop(self, reason: str, ended: Iterable[Stage]) -> None:
        """Append why measuring stops before everything is decided."""
        append(self._descriptor, _encoded(Line(0, stop=Stop(reason, tuple(sorted(ended))))))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def create(
    results: Path,
    machine: str,
    command: str,
    request: RecordedRequest,
    cases: tuple[PlannedCase, ...],
    settled: tuple[Case, ...],
    remarks: tuple[str, ...],
) -> Journal:
    """Start the file of a gate below the machine's folder.

    Parameters
    ----------
    cases
        Those that will be measured.
    settled
        Those that cannot be measured.

    Raises
    ------
    UsageError
        When the file cannot be written there.
    """
    now = datetime.now(UTC)
    started = now.isoformat(timespec="seconds")
    head = Head(_SCHEMA, secrets.token_hex(3), started, command, request, cases, settled, remarks)
    path = results / machine / _FOLDER / f"gate-{now:%Y%m%dT%H%M%SZ}-{head.gate}.jsonl"
    descriptor = create_locked(path, _encoded(head))
    return Journal(path, descriptor, head)


def reopen(results: Path, name: str) -> tuple[Journal, list[Line]]:
    """Open an interrupted gate by its id, or the newest by ``latest``; a line that was cut off is removed.

    Raises
    ------
    UsageError
        When there is no such gate, its file is damaged or cannot be written, or another process is writing it.
    """
    path = find(results, name)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise UsageError(f"cannot resume {path}: {error.strerror}") from None
    try:
        lock(descriptor, path)
        head, lines, size = read(path)
        os.ftruncate(descriptor, size)
    except BaseException:
        os.close(descriptor)
        raise
    return Journal(path, descriptor, head), lines


def files(results: Path, machine: str = "*") -> list[Path]:
    """Return the files of all live gates, or of those on a machine, from the oldest to the newest."""
    return sorted(results.glob(f"{machine}/{_FOLDER}/gate-*.jsonl"), key=lambda path: path.name)


def find(results: Path, name: str) -> Path:
    """Return the file of a gate by its id, or of the newest by ``latest``.

    Raises
    ------
    UsageError
        When there is no such gate.
    """
    known = files(results)
    matching = [path for path in known if name in ("latest", _id_of(path))]
    if not matching:
        raise UsageError(f"there is no gate {name!r} below {results}{did_you_mean(name, map(_id_of, known))}")
    return matching[-1]


def _id_of(path: Path) -> str:
    return path.stem.rsplit("-", 1)[1]


def read(path: Path) -> tuple[Head, list[Line], int]:
    """Return the first line of a file, its other lines without one that was cut off, and the bytes of all these.

    Raises
    ------
    UsageError
        When it is damaged.
    """
    whole = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    try:
        head = msgspec.json.decode(whole[0], type=Head)
        lines = [msgspec.json.decode(line, type=Line) for line in whole[1:]]
    except (ValueError, IndexError) as error:  # msgspec's errors are ValueErrors too
        raise UsageError(f"{path} is damaged ({error}): start a new gate") from None
    return head, lines, sum(map(len, whole))


def _encoded(value: Head | Line) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def results(lines: list[Line]) -> Iterator[tuple[int, Pair | Reading]]:
    """Yield the results of a file, each with the place of its case."""
    for line in lines:
        result = line.memory if line.pair is None else line.pair
        if result is not None:
            yield line.case, result
