"""Runs as asv results: one file for a run, and entries for its benchmarks beside those of others."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.errors import UsageError
from harness.interop.asv.files import BENCHMARKS, COLUMNS, FORMAT, MACHINE, read_benchmarks
from harness.interop.asv.layout import AsvLayout
from harness.interop.reading import KEY, commit_name, milliseconds, read_json
from harness.measure.git import git
from harness.measure.machine import check_name
from harness.records import Record
from harness.store.atomic import write_atomically
from harness.store.header import Header


class Exported(NamedTuple):
    """The written file, the number of benchmarks in it, and the number of figures that asv cannot represent."""

    path: Path
    benchmarks: int
    unfit: int


def export_asv(header: Header, records: Sequence[Record], into: Path, project: Path) -> Exported:
    """Write a run into a results folder of asv.

    The file of an earlier export of the same run is replaced; no other result file is changed.

    Parameters
    ----------
    into
        ``results_dir`` of asv.conf.json.
    project
        The repository in which the date of the run's commit is looked up.

    Raises
    ------
    UsageError
        When the run has no commit or no figure, or the folder has another format.
    """
    commit = commit_name(header.environment.commit)
    check_name(header.machine.name)
    if not commit:
        raise UsageError(f"run {header.run} was measured outside of a repository, and asv stores results by commit")
    layout = AsvLayout(header, records, read_benchmarks(into / BENCHMARKS))
    if not layout.entries:
        raise UsageError(f"run {header.run} has no figures: nothing to export")
    machine = _machine(into / header.machine.name / MACHINE, header)
    listed = read_json(into / BENCHMARKS).value if (into / BENCHMARKS).is_file() else {}
    environment = f"{KEY}-{header.run}"
    path = into / header.machine.name / f"{commit[:8]}-{environment}.json"
    _write(into / header.machine.name / MACHINE, {**machine, "version": 1})
    _write(into / BENCHMARKS, {**listed, **layout.entries, "version": FORMAT})
    result = _result_file(commit, environment, _date(commit, header, project), machine, header, layout)
    _write(path, result, indent=None)
    return Exported(path, len(layout.entries), layout.unfit)


def _result_file(
    commit: str, environment: str, date: int, machine: Mapping[str, str], header: Header, layout: AsvLayout
) -> dict[str, Any]:
    return {
        "commit_hash": commit,
        "env_name": environment,
        "date": date,
        "params": {**machine, "python": _python(header)},
        "python": _python(header),
        "requirements": {},
        "env_vars": {},
        "result_columns": list(COLUMNS),
        "results": layout.results,
        "durations": {},
        KEY: msgspec.to_builtins(layout.exported),
        "version": FORMAT,
    }


def _machine(path: Path, header: Header) -> dict[str, str]:
    """Describe the machine as the results folder does; where it does not, as asv would."""
    machine = header.machine
    if path.is_file():
        there = read_json(path).value
        if isinstance(there, dict) and there.get("machine") == machine.name:
            return {name: str(value) for name, value in there.items() if name != "version"}
    return {
        "arch": "",
        "cpu": machine.cpu,
        "machine": machine.name,
        "num_cpu": str(machine.cores),
        "os": f"{machine.os} {machine.kernel}".strip(),
        "ram": str(machine.memory_limit_bytes or machine.memory_bytes),
    }


def _python(header: Header) -> str:
    """Return Python's version as asv names environments by it."""
    return ".".join(header.machine.python.rpartition(" ")[2].split(".")[:2])


def _date(commit: str, header: Header, project: Path) -> int:
    """Return the date of the run's commit; the start of the run where the repository does not have the commit."""
    try:
        done = git(project, "show", "--no-patch", "--format=%ct", "--end-of-options", commit, timeout_s=10)
        return int(done.stdout) * 1000
    except (OSError, subprocess.SubprocessError, ValueError):
        return milliseconds(header.started)


def _write(path: Path, value: Mapping[str, Any], indent: int | None = 4) -> None:
    write_atomically(path, (json.dumps(value, indent=indent) + "\n").encode())
