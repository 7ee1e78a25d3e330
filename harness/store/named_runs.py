"""Baselines: names that point at runs, for each machine, in ``baselines.json`` of the results folder."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from harness.errors import UsageError, did_you_mean
from harness.inputs import read_regular
from harness.store.atomic import write_atomically

_FILE = "baselines.json"
_LOCK = ".baselines.lock"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
# Both become parts of a path: the patterns allow no slash, so that the path stays in the results folder.
_Machine = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([-._][a-z0-9]+)*$")]
_RunId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{6}$")]

#: Name to machine to the ids of its runs.
Baselines: TypeAlias = dict[str, dict[str, list[str]]]


def read_baselines(results: Path) -> Baselines:
    """Read all baselines of a results folder; there are none without the file.

    Raises
    ------
    UsageError
        When the file is damaged.
    """
    path = results / _FILE
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    try:
        return msgspec.json.decode(content, type=dict[str, dict[_Machine, list[_RunId]]])
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode's errors are ValueErrors too
        raise UsageError(f"{path} is damaged ({error}): mend it, or remove it and set the baselines again") from None


def set_baseline(results: Path, name: str, runs: Mapping[str, Sequence[str]]) -> Path:
    """Let a name point at runs; they replace those that it pointed at on the same machines.

    Parameters
    ----------
    runs
        Machine to the ids of its runs.

    Raises
    ------
    UsageError
        When the name is invalid, or the file cannot be read or written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a baseline: use lower-case letters, digits, dots, dashes and underscores, and begin "
            f"with a letter or digit"
        )
    with _locked(results):
        known = read_baselines(results)
        merged = known.get(name, {}) | {machine: list(dict.fromkeys(ids)) for machine, ids in runs.items()}
        return _write(results, known | {name: merged})


def remove_baseline(results: Path, name: str) -> Path:
    """Remove a baseline on all machines; its runs stay.

    Raises
    ------
    UsageError
        When there is none of that name.
    """
    with _locked(results):
        known = read_baselines(results)
        _of_name(results, known, name)
        del known[name]
        return _write(results, known)


def baseline_files(results: Path, name: str) -> list[Path]:
    """List the files of a baseline's runs, on all machines that have it.

    Raises
    ------
    UsageError
        When there is no baseline of that name, or a run's file is gone.
    """
    files = []
    for machine, ids in _of_name(results, read_baselines(results), name).items():
        for run in ids:
            file = run_file(results, machine, run)
            if file is None:
                raise UsageError(
                    f"the baseline @{name} points at run {run} of {machine}, whose file is gone from "
                    f"{results / machine}: restore it, or set the baseline again with "
                    f"'bakeoff baseline set RUN --name {name}'"
                )
            files.append(file)
    return files


def run_file(results: Path, machine: str, run: str) -> Path | None:
    """Return the file of a machine's run; ``None`` when it is gone."""
    return next(iter(sorted((results / machine).glob(f"*-{run}.jsonl"))), None)


def _of_name(results: Path, known: Baselines, name: str) -> dict[str, list[str]]:
    machines = {machine: ids for machine, ids in known.get(name, {}).items() if ids}
    if not machines:
        hint = did_you_mean(name, known) if known else ""
        raise UsageError(
            f"there is no baseline @{name} in {results / _FILE}{hint}; set it with "
            f"'bakeoff baseline set RUN --name {name}'"
        )
    return machines


@contextmanager
def _locked(results: Path) -> Iterator[None]:
    """Keep other processes from changing the baselines; a lock on the file itself would go with the file replaced."""
    path = results / _LOCK
    try:
        results.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UsageError(f"cannot write {path} ({error.strerror}): give a results folder that can be written") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise UsageError(f"cannot lock {path} ({error.strerror}): use a results folder on a local disk") from None
    finally:
        os.close(descriptor)


def _write(results: Path, baselines: Baselines) -> Path:
    path = results / _FILE
    content = msgspec.json.encode({name: machines for name, machines in baselines.items() if machines}, order="sorted")
    write_atomically(path, msgspec.json.format(content, indent=1) + b"\n")
    return path
