"""asv's results as runs: each result file, for one machine, commit and environment, becomes one run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UsageError
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
from harness.interop.asv.layout import ExportedRun, restored_records
from harness.interop.asv.results import ProjectResults, SuiteTask, suite_results
from harness.interop.figures import AXES
from harness.interop.imported_runs import (
    ImportedRecords,
    Origin,
    ResultsFolder,
    asv_machine,
    imported_records,
    new_header,
    renamed_machine,
    restored_header,
    unnamed_remark,
)
from harness.interop.reading import (
    SourceFile,
    are_valid_records,
    commit_name,
    exported_part,
    is_valid_header,
    line,
    utc_time,
)
from harness.measure.machine import Environment
from harness.records import Record
from harness.store.header import Header
from harness.store.imported_names import digest

TOPIC = "asv"
_VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)?)\Z")


class Imported(NamedTuple):
    """The outcome for a file: the run that it was imported as, or why it was left out.

    Attributes
    ----------
    path
        The new run; where the file was left out, the run that has its results, or the file itself.
    header
        ``None`` where the file was left out.
    """

    source: Path
    path: Path
    header: Header | None = None
    remarks: tuple[str, ...] = ()


class Importer:
    """Imports the result files of a folder one by one.

    Parameters
    ----------
    results
        Results folder of the runs.
    command
        The command line as typed, for the headers.
    machine
        Name to use instead of those made from the hardware.
    suites
        Beginning of a benchmark's name to the task whose suite it belongs to.
    """

    def __init__(
        self, results: Path, *, command: str, machine: str | None = None, suites: Mapping[str, SuiteTask] | None = None
    ) -> None:
        self._folder = ResultsFolder(results)
        self._command = command
        self._machine = machine
        self._suites = suites or {}
        self._benchmarks: dict[Path, dict[str, Benchmark]] = {}

    def add(self, path: Path) -> Imported:
        """Import a file, unless it was imported before or exported from a run in the results folder.

        Raises
        ------
        UsageError
            When it cannot be read or has no commit.
        """
        source, file = read_results(path)
        origin = Origin(digest(f"{path.parent.name}/{path.name}", 6), source.digest)
        there = self._folder.imported(origin)
        if there is not None:
            return Imported(path, there, remarks=(f"already imported as {there.stem.rsplit('-', 1)[1]}",))
        commit = commit_name(file.commit_hash)
        if commit is None:
            raise UsageError(f"{path} has no commit ({line(file.commit_hash)!r}): measure again with asv")
        exported = _exported_run(file, path)
        if exported is not None and self._folder.has(exported[0].run):
            return Imported(path, path, remarks=(f"exported from run {exported[0].run}, which is here",))
        if exported is None:
            header, records, remarks = self._new_run(file, source, origin, commit)
        else:
            header, records = exported
            named = renamed_machine(header.machine, self._machine)
            run = self._folder.free_id(origin)
            header = restored_header(header, run, origin, command=self._command, machine=named, records=records)
            remarks = []
        earlier = self._folder.earlier(origin, header.machine.name, commit)
        if earlier is not None:
            remarks.append(f"an earlier state of this file is run {earlier}: delete that run if you need only one")
        return Imported(path, self._folder.write(header, records), header, tuple(remarks))

    def _new_run(
        self, file: ResultFile, source: SourceFile, origin: Origin, commit: str
    ) -> tuple[Header, list[Record], list[str]]:
        imported, remarks = self._records(file, source.path)
        if not imported.records:
            raise UsageError(f"{source.path} has no results: measure again with asv")
        python = _python(file)
        machine = renamed_machine(asv_machine(file.params, python), self._machine)
        header = new_header(
            self._folder.free_id(origin),
            origin,
            command=self._command,
            started=utc_time(file.date, source.path),
            machine=machine,
            environment=Environment(packages=_packages(file), commit=commit),
            records=imported.records,
        )
        return imported.complete(header), imported.records, [*remarks, *unnamed_remark(machine, self._machine)]

    def _records(self, file: ResultFile, path: Path) -> tuple[ImportedRecords, list[str]]:
        listed = self._listed(path.parent.parent / BENCHMARKS)
        project = ProjectResults(_environment(file))
        suites: dict[str, dict[str, AsvRow]] = {}
        for name, row in rows(file, path):
            prefix, _, method = name.rpartition(".")
            if prefix in self._suites and len(row.params) == len(AXES):
                suites.setdefault(prefix, {})[method] = row
            else:
                project.add(name, row, listed.get(name, Benchmark()), path)
        results = list(project.results.values())
        for prefix, methods in suites.items():
            results += suite_results(self._suites[prefix], methods)
        remarks = []
        if project.skipped:
            remarks.append(f"{project.skipped} results are left out: asv did not measure them (n/a)")
        if project.unfit:
            remarks.append(f"{project.unfit} results are left out: they are not finite, or negative times or sizes")
        return imported_records(TOPIC, results), remarks

    def _listed(self, path: Path) -> dict[str, Benchmark]:
        if path not in self._benchmarks:
            self._benchmarks[path] = read_benchmarks(path)
        return self._benchmarks[path]


def import_asv(
    place: Path, importer: Importer, receive: Callable[[Imported], None], refuse: Callable[[UsageError], None]
) -> None:
    """Import every result file in a folder; an error in one file does not keep the others from being imported.

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


def _exported_run(file: ResultFile, path: Path) -> tuple[Header, list[Record]] | None:
    """Restore the run that a file was exported from; ``None`` where it was not exported by us, or was changed."""
    run = exported_part(file.bakeoff, ExportedRun)
    if run is None or not is_valid_header(run.header):
        return None
    records = restored_records(run, dict(rows(file, path)))
    return (run.header, records) if records is not None and are_valid_records(records) else None


def _python(file: ResultFile) -> str:
    """Return the version of Python, without the path that asv may have stored."""
    text = line(file.params.get("python")) or line(file.python)
    version = _VERSION.search(text)
    return version[1] if version else text.rpartition("/")[2]


def _environment(file: ResultFile) -> dict[str, str]:
    """Return what distinguishes the environments of one commit; asv draws a line for each."""
    chosen: Iterable[tuple[str, Any]] = (*file.requirements.items(), *file.env_vars.items())
    variables = {name: text for name, value in chosen if (text := line(value))}
    python = _python(file)
    return {**({"python": python} if python else {}), **variables}


def _packages(file: ResultFile) -> dict[str, str]:
    return {line(name): text for name, value in file.requirements.items() if (text := line(value)) and line(name)}
