"""Runs as asv results: a file a run, and its benchmarks beside those that are there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UsageError
from harness.interop.asv.files import BENCHMARKS, COLUMNS, FORMAT, MACHINE, read_benchmarks
from harness.interop.asv.sheet import Sheet
from harness.interop.carried import KEY, plain
from harness.interop.sources import commit_in, milliseconds, read_json
from harness.measure.machine import check_name
from harness.records import Record
from harness.store.atomic import write_atomically
from harness.store.header import Header


class Exported(NamedTuple):
    """The file written, and how many benchmarks and numbers of which asv has no word it holds and lacks."""

    path: Path
    benchmarks: int
    unfit: int


def export_asv(header: Header, records: Sequence[Record], into: Path, project: Path) -> Exported:
    """Write a run into a results folder of asv.

    The run's file replaces only what an earlier export of the same run wrote.

    Parameters
    ----------
    into
        ``results_dir`` of asv.conf.json.
    project
        The repository that the run's commit is looked for in, for its date.

    Raises
    ------
    UsageError
        When the run has no commit or no figure, or the folder holds another format.
    """
    commit = commit_in(header.environment.commit)
    check_name(header.machine.name)
    if not commit:
        raise UsageError(f"run {header.run} was measured outside of a repository, and asv files results by commit")
    sheet = Sheet(header, records, read_benchmarks(into / BENCHMARKS))
    if not sheet.entries:
        raise UsageError(f"run {header.run} holds no figure: nothing to export")
    machine = _machine(into / header.machine.name / MACHINE, header)
    listed = read_json(into / BENCHMARKS).value if (into / BENCHMARKS).is_file() else {}
    environment = f"{KEY}-{header.run}"
    value = {
        "commit_hash": commit,
        "env_name": environment,
        "date": _date(commit, header, project),
        "params": {**machine, "python": _python(header)},
        "python": _python(header),
        "requirements": {},
        "env_vars": {},
        "result_columns": list(COLUMNS),
        "results": sheet.results,
        "durations": {},
        KEY: plain(sheet.carried),
        "version": FORMAT,
    }
    path = into / header.machine.name / f"{commit[:8]}-{environment}.json"
    _write(into / header.machine.name / MACHINE, {**machine, "version": 1})
    _write(into / BENCHMARKS, {**listed, **sheet.entries, "version": FORMAT})
    _write(path, value, indent=None)
    return Exported(path, len(sheet.entries), sheet.unfit)


def _machine(path: Path, header: Header) -> dict[str, str]:
    """Describe the machine as the folder does, or as asv would."""
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
    """Return the date of the run's commit; the run's start where the repository does not hold it."""
    command = ["git", "-C", str(project), "show", "--no-patch", "--format=%ct", commit]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, env=variables)
        return int(done.stdout) * 1000
    except (OSError, subprocess.SubprocessError, ValueError):
        return milliseconds(header.started)


def _write(path: Path, value: Mapping[str, Any], indent: int | None = 4) -> None:
    write_atomically(path, (json.dumps(value, indent=indent) + "\n").encode())
