"""Adds blocks to a run, in a run of its own that goes on with the first one's seeds and block numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path

import msgspec

from harness.config import Config
from harness.declare import Strategy, Task
from harness.errors import UsageError, some
from harness.execute.run import changed_packages
from harness.measure.code import code_digests
from harness.measure.machine import environment, fingerprint
from harness.records import Record, Trial
from harness.registry import Registry
from harness.store.header import SCHEMA, Header, new_run_id
from harness.store.read import open_run, read_all
from harness.store.runs import Run, check_not_written, create, find, with_added

#: A run that begins so long after the end of another one is a session of its own.
SAME_SESSION = timedelta(hours=1)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {"cpu": "the processor", "cores": "the number of cores", "python": "Python"}


def first_run(results: Path, name: str, config: Config) -> list[tuple[Header, list[Record]]]:
    """Read the run that blocks can be added to, and after it those that add blocks to it already.

    Parameters
    ----------
    name
        That run, or one that adds blocks to it.

    Raises
    ------
    UsageError
        When there is no such run, this machine has not measured it, it is not complete, or it is being written.
    """
    here = fingerprint(config.machine or None)
    files = [file for path in find(results, name) for file in with_added(path)[:1]]
    headers = {file: _header(file) for file in files}
    own = next((file for file, header in headers.items() if header.machine.name == here.name), None)
    if own is None:
        machines = ", ".join(header.machine.name for header in headers.values())
        raise UsageError(f"run {name} was measured on {machines}, and this is {here.name}: settle it there")
    if (missing := _missing(files, headers)) > 0:
        first = headers[own].run
        raise UsageError(f"run {first} lacks {missing} of its trials: finish it with 'bakeoff run --resume {first}'")
    family = with_added(own)
    for file in family:
        check_not_written(file)
    return read_all(family)


def check_unchanged(first: Header, trials: Collection[Trial], config: Config, registry: Registry) -> None:
    """Refuse to add blocks with another machine, other packages, or other code or data than the run was measured with.

    Parameters
    ----------
    trials
        Those of the run that get more blocks; code and data of others may change.

    Raises
    ------
    UsageError
        When something has changed; it says what.
    """
    if changes := list(_changes(first, trials, config, registry)):
        commit, dirty = first.environment.commit, first.environment.dirty
        then = f" (commit {commit[:8]}{' with changes' if dirty else ''})" if commit else ""
        raise UsageError(
            f"run {first.run} cannot go on: {', '.join(changes)}; start a new run, or restore what it began with{then}"
        )
    if not first.modules:
        raise UsageError(f"run {first.run} does not say which code it ran, as later runs do: start a new run")


def _changes(first: Header, trials: Collection[Trial], config: Config, registry: Registry) -> Iterator[str]:
    """Go through what is not as it was in the run."""
    here = fingerprint(config.machine or None)
    for name in ("cpu", "cores", "python"):
        then, now = getattr(first.machine, name), getattr(here, name)
        if then != now:
            yield f"{_WORDS[name]} was {then} and is {now}"
    for package in changed_packages(first.environment, environment(config.folder, first.environment.packages)):
        yield f"{package} is not installed now"
    for name in sorted({trial.dataset for trial in trials}):
        if first.cards.get(name) != registry.dataset(name).version:
            yield f"data set {name} has changed"
    chosen: list[tuple[Task, Strategy]] = []
    for topic, name, strategy in sorted({(trial.topic, trial.task, trial.strategy) for trial in trials}):
        task = registry.topics[topic].tasks.get(name) if topic in registry.topics else None
        if task is None or strategy not in task.strategies:
            yield f"strategy {strategy} of {topic}/{name} is gone"
        else:
            chosen.append((task, task.strategies[strategy]))
    modules = code_digests(chosen, registry, config).items() if first.modules else ()
    if changed := [module for module, digest in modules if first.modules.get(module) != digest]:
        yield f"the code of {some(changed)} has changed"


def create_added(runs: Sequence[tuple[Header, Iterable[Record]]], command: str, config: Config) -> Run:
    """Create the file of a run that adds blocks to the first one of some runs."""
    first = runs[0][0]
    now = datetime.now(UTC)
    header = msgspec.structs.replace(
        first,
        schema=SCHEMA,
        run=new_run_id(),
        started=now.isoformat(timespec="seconds"),
        environment=environment(config.folder, first.environment.packages),
        trials=0,
        command=command,
        parent=first.run,
        session=_session(runs, now),
    )
    return create(config.results_folder, header)


def _session(runs: Sequence[tuple[Header, Iterable[Record]]], now: datetime) -> str:
    """Return the run whose session goes on; empty where too much time has passed since its last trial."""
    end, last = max(((max(map(_end, records), default=_NEVER), header) for header, records in runs), key=itemgetter(0))
    return (last.session or last.run) if now - end <= SAME_SESSION else ""


def _end(record: Record) -> datetime:
    started = datetime.fromisoformat(record.started) if record.started else _NEVER
    return started + timedelta(seconds=record.elapsed_s)


def _missing(files: Iterable[Path], headers: dict[Path, Header]) -> int:
    planned = max(header.trials for header in headers.values())
    return planned - sum(len(records) for _, records in read_all(files))


def _header(path: Path) -> Header:
    with open_run(path) as reader:
        return reader.header
