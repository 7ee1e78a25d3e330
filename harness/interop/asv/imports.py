"""asv's results as runs: a file, that is a machine, a commit and an environment, becomes one run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UsageError
from harness.interop.asv.declared import SuiteTask, restore, suite_found
from harness.interop.asv.files import (
    BENCHMARKS,
    AsvRow,
    Benchmark,
    ResultFile,
    read_benchmarks,
    read_results,
    result_files,
    rows,
)
from harness.interop.asv.projects import Cases
from harness.interop.asv.sheet import Carried
from harness.interop.carried import carried, sound_header, sound_names, sound_trials
from harness.interop.figures import AXES
from harness.interop.foreign import Gathered, gather
from harness.interop.keep import Known, Origin, header_of, restored
from harness.interop.machines import of_asv, renamed
from harness.interop.names import digest
from harness.interop.sources import SourceFile, commit_in, line, moment
from harness.measure.machine import Environment
from harness.records import Record
from harness.store.header import Header

TOPIC = "asv"
_VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)?)\Z")


class Imported(NamedTuple):
    """What became of a file: the run that it was imported as, or why it was left out."""

    source: Path
    path: Path
    header: Header | None = None
    remarks: tuple[str, ...] = ()


class Importer:
    """Imports the result files of a folder one by one.

    Parameters
    ----------
    results
        Folder of the runs.
    command
        The command line as typed, for the headers.
    machine
        Name to use instead of those made from the hardware.
    suites
        The prefix of a benchmark's name to the task whose suite has it.
    """

    def __init__(
        self, results: Path, *, command: str, machine: str | None = None, suites: Mapping[str, SuiteTask] | None = None
    ) -> None:
        self._known = Known(results)
        self._command = command
        self._machine = machine
        self._suites = suites or {}
        self._benchmarks: dict[Path, dict[str, Benchmark]] = {}

    def add(self, path: Path) -> Imported:
        """Import a file, unless it was imported before or came from a run that is here.

        Raises
        ------
        UsageError
            When it cannot be read or names no commit.
        """
        source, file = read_results(path)
        origin = Origin(digest(f"{path.parent.name}/{path.name}", 6), source.digest)
        there = self._known.imported(origin)
        if there is not None:
            return Imported(path, there, remarks=(f"already imported as {there.stem.rsplit('-', 1)[1]}",))
        commit = commit_in(file.commit_hash)
        if commit is None:
            raise UsageError(f"{path} names no commit ({line(file.commit_hash)!r}): measure again with asv")
        own = self._own(file, path)
        if own is not None and self._known.has(own[0].run):
            return Imported(path, path, remarks=(f"exported from run {own[0].run}, which is here",))
        if own is None:
            header, records, remarks = self._foreign(file, source, origin, commit)
        else:
            header, records = own
            named = renamed(header.machine, self._machine)
            run = self._known.free(origin)
            header = restored(header, run, origin, command=self._command, machine=named, records=records)
            remarks = []
        earlier = self._known.earlier(origin, header.machine.name, commit)
        if earlier is not None:
            remarks.append(f"an earlier state of this file is run {earlier}: delete that to keep one of them")
        return Imported(path, self._known.keep(header, records), header, tuple(remarks))

    def _own(self, file: ResultFile, path: Path) -> tuple[Header, list[Record]] | None:
        own = carried(file.bakeoff, Carried)
        if own is None or not sound_header(own.header) or not sound_trials(mark.trial for mark in own.trials):
            return None
        names = [name for measure, _ in own.figures.values() for name in measure.split(".")]
        if not sound_names(names):
            return None
        records = restore(own, dict(rows(file, path)))
        return None if records is None else (own.header, records)

    def _foreign(
        self, file: ResultFile, source: SourceFile, origin: Origin, commit: str
    ) -> tuple[Header, list[Record], list[str]]:
        gathered, remarks = self._gathered(file, source.path)
        if not gathered.records:
            raise UsageError(f"{source.path} holds no result: measure again with asv")
        python = _python(file)
        header = header_of(
            self._known.free(origin),
            origin,
            command=self._command,
            started=moment(file.date, source.path),
            machine=renamed(of_asv(file.params, python), self._machine),
            environment=Environment(packages=_packages(file), commit=commit),
            records=gathered.records,
        )
        return gathered.head(header), gathered.records, remarks

    def _gathered(self, file: ResultFile, path: Path) -> tuple[Gathered, list[str]]:
        listed = self._listed(path.parent.parent / BENCHMARKS)
        environment = _environment(file)
        sheet = Cases(environment)
        suites: dict[str, dict[str, AsvRow]] = {}
        for name, row in rows(file, path):
            prefix, _, method = name.rpartition(".")
            if prefix in self._suites and len(row.params) == len(AXES):
                suites.setdefault(prefix, {})[method] = row
            else:
                sheet.add(name, row, listed.get(name, Benchmark()), path)
        own = [found for prefix, methods in suites.items() for found in suite_found(self._suites[prefix], methods)]
        remarks = []
        if sheet.skipped:
            remarks.append(f"{sheet.skipped} results are left out: asv did not measure them (n/a)")
        if sheet.unfit:
            remarks.append(f"{sheet.unfit} results are left out: they are no finite numbers, or negative times")
        return gather(TOPIC, [*sheet.found.values(), *own]), remarks

    def _listed(self, path: Path) -> dict[str, Benchmark]:
        if path not in self._benchmarks:
            self._benchmarks[path] = read_benchmarks(path)
        return self._benchmarks[path]


def import_asv(
    place: Path, importer: Importer, receive: Callable[[Imported], None], refuse: Callable[[UsageError], None]
) -> None:
    """Import every result file of a place; what is wrong with one file keeps none of the others out.

    Raises
    ------
    UsageError
        When there are no result files.
    """
    for path in result_files(place):
        try:
            imported = importer.add(path)
        except UsageError as error:
            refuse(error)
        else:
            receive(imported)


def _python(file: ResultFile) -> str:
    """Return Python's version without the path that asv may have known it by."""
    text = line(file.params.get("python")) or line(file.python)
    version = _VERSION.search(text)
    return version[1] if version else text.rpartition("/")[2]


def _environment(file: ResultFile) -> dict[str, str]:
    """Return what tells environments of one commit apart; asv draws a line for each."""
    chosen: Iterable[tuple[str, Any]] = (*file.requirements.items(), *file.env_vars.items())
    told = {name: text for name, value in chosen if (text := line(value))}
    python = _python(file)
    return {**({"python": python} if python else {}), **told}


def _packages(file: ResultFile) -> dict[str, str]:
    return {line(name): text for name, value in file.requirements.items() if (text := line(value)) and line(name)}
