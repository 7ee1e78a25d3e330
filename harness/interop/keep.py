"""An imported run on disk: written as a whole or not at all, and never twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.errors import UsageError
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Record
from harness.store.atomic import write_atomically
from harness.store.header import SCHEMA, Header
from harness.store.lines import encode
from harness.store.read import open_run
from harness.store.runs import runs

_ID = 6


class Origin(NamedTuple):
    """What a run was imported from.

    Attributes
    ----------
    place
        Digest of which file it was, so that a later state of it is known; at least 12 hexadecimal digits.
    content
        Digest of its bytes, 32 hexadecimal digits.
    """

    place: str
    content: str

    @property
    def plan(self) -> str:
        """The header's field ``plan``, which no planned run can have."""
        return f"{self.place[:12]}-{self.content}"


class Known:
    """The runs of a results folder, as far as an import must know them."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._runs = {path.stem.rsplit("-", 1)[1]: path for path in runs(results)}

    def has(self, run: str) -> bool:
        """Return whether a run of that id is there."""
        return run in self._runs

    def imported(self, origin: Origin) -> Path | None:
        """Return the run that a file of the same content was imported as."""
        for run in _ids(origin.content):
            path = self._runs.get(run)
            if path is None:
                return None
            if self._plan(path).endswith(f"-{origin.content}"):
                return path
        return None

    def earlier(self, origin: Origin, machine: str, commit: str | None) -> Path | None:
        """Return the run that an earlier state of the same file was imported as."""
        own = f"-{(commit or 'nocommit')[:8]}-"
        for path in self._runs.values():
            if (
                path.parent.name == machine
                and own in path.name
                and self._plan(path).startswith(f"{origin.place[:12]}-")
            ):
                return path
        return None

    def free(self, origin: Origin) -> str:
        """Return the id that a file's content gives, the next digits of its digest where another run has the first."""
        return next(run for run in _ids(origin.content) if run not in self._runs)

    def keep(self, header: Header, records: Sequence[Record]) -> Path:
        """Write a run as a whole.

        Raises
        ------
        UsageError
            When it cannot be written there.
        """
        path = self._results / header.machine.name / f"{header.name}.jsonl"
        write_atomically(path, b"".join([encode(header), *map(encode, records)]))
        self._runs[header.run] = path
        return path

    def _plan(self, path: Path) -> str:
        try:
            with open_run(path) as reader:
                return reader.header.plan
        except UsageError:  # what is damaged is told by whoever reads the run, not by an import of another
            return ""


def header_of(
    run: str,
    origin: Origin,
    *,
    command: str,
    started: str,
    machine: Machine,
    environment: Environment,
    records: Sequence[Record],
) -> Header:
    """Make the header of an imported run, without what it says of tasks."""
    return Header(
        schema=SCHEMA,
        run=run,
        started=started,
        machine=machine,
        environment=environment,
        selection=Selection(),
        plan=origin.plan,
        trials=len(records),
        command=command,
        metrics=(),
        cards={},
    )


def restored(
    header: Header, run: str, origin: Origin, *, command: str, machine: Machine, records: Sequence[Record]
) -> Header:
    """Make the header of a run that another tool's file carried here."""
    return msgspec.structs.replace(
        header, schema=SCHEMA, run=run, plan=origin.plan, command=command, machine=machine, trials=len(records)
    )


def _ids(content: str) -> list[str]:
    return [content[start : start + _ID] for start in range(len(content) - _ID + 1)]
