"""The file of a live gate: what is compared, then a line for each pair and reading."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from harness.config import GatePolicy
from harness.errors import UsageError, did_you_mean
from harness.gate.decision import Case, Pair, Side
from harness.gate.live.memory_pass import Reading
from harness.gate.live.plan import Planned
from harness.plan.selection import Selection

_FOLDER = "gates"
_SCHEMA = 1


class Asked(msgspec.Struct, frozen=True):
    """What a gate was asked: it is resumed only with the same code and packages on both sides.

    Attributes
    ----------
    base, requirements
        Revision of the base, empty for the candidate's own, and requirements that the base's packages are changed by.
    sides
        Base and candidate, as they were built.
    tree
        Digest of the candidate's uncommitted changes; empty without any.
    """

    base: str
    requirements: tuple[str, ...]
    sides: tuple[Side, Side]
    tree: str
    selection: Selection
    policy: GatePolicy


class Head(msgspec.Struct, frozen=True):
    """First line of the file."""

    schema: int
    gate: str
    started: str
    command: str
    asked: Asked
    cases: tuple[Planned, ...]
    settled: tuple[Case, ...] = ()
    remarks: tuple[str, ...] = ()


class Line(msgspec.Struct, omit_defaults=True):
    """Any other line: what was measured of the case of that place."""

    case: int
    pair: Pair | None = None
    memory: Reading | None = None


class Journal:
    """The file, open for appending."""

    def __init__(self, path: Path, head: Head) -> None:
        self.path = path
        self.head = head

    def write(self, place: int, measured: Pair | Reading) -> None:
        """Append a line; when this returns, it is on the disk."""
        pair, memory = (measured, None) if isinstance(measured, Pair) else (None, measured)
        _append(self.path, Line(place, pair, memory))


def create(
    results: Path,
    machine: str,
    command: str,
    asked: Asked,
    cases: tuple[Planned, ...],
    settled: tuple[Case, ...],
    remarks: tuple[str, ...],
) -> Journal:
    """Start the file of a gate below the machine's folder.

    Parameters
    ----------
    cases
        To be measured.
    settled
        Those that cannot be.

    Raises
    ------
    UsageError
        When it cannot be written there.
    """
    now = datetime.now(UTC)
    started = now.isoformat(timespec="seconds")
    head = Head(_SCHEMA, secrets.token_hex(3), started, command, asked, cases, settled, remarks)
    path = results / machine / _FOLDER / f"gate-{now:%Y%m%dT%H%M%SZ}-{head.gate}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _append(path, head)
    except OSError as error:
        raise UsageError(f"cannot create {path} ({error.strerror}): give a folder that can be written") from None
    return Journal(path, head)


def reopen(results: Path, name: str) -> tuple[Journal, list[Line]]:
    """Open an interrupted gate by its id, or the newest by ``latest``; a line that was cut off is removed.

    Raises
    ------
    UsageError
        When there is no such gate, or its file is damaged.
    """
    known = sorted(results.glob(f"*/{_FOLDER}/gate-*.jsonl"), key=lambda path: path.name)
    found = [path for path in known if name == "latest" or path.stem.rsplit("-", 1)[1] == name][-1:]
    if not found:
        hint = did_you_mean(name, [path.stem.rsplit("-", 1)[1] for path in known])
        raise UsageError(f"there is no gate {name!r} below {results}{hint}")
    head, lines, size = _read(found[0])
    os.truncate(found[0], size)
    return Journal(found[0], head), lines


def _read(path: Path) -> tuple[Head, list[Line], int]:
    whole = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    try:
        head = msgspec.json.decode(whole[0], type=Head)
        lines = [msgspec.json.decode(line, type=Line) for line in whole[1:]]
    except (ValueError, IndexError) as error:  # msgspec's errors are ValueErrors too
        raise UsageError(f"{path} is damaged ({error}): start the gate anew") from None
    return head, lines, sum(map(len, whole))


def _append(path: Path, value: Head | Line) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(value) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def replay(lines: list[Line]) -> Iterator[tuple[int, Pair | Reading]]:
    """Go through what was measured."""
    for line in lines:
        measured = line.pair or line.memory
        if measured is not None:
            yield line.case, measured
