"""Results of another tool as runs: records with the names that every reader expects, and the files that hold them.

An imported run is written as a whole or not at all, and never twice. Machines are named by their hardware, as
`bakeoff run` names them, and never by the name of the host. Where a file does not name the CPU, the name is a digest of
what stays the same from run to run, which the kernel, the packages and the host of a CI service do not.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from harness.errors import UsageError
from harness.interop.reading import (
    finite,
    line,
    table,
)
from harness.measure.machine import Environment, Machine, check_name
from harness.measure.machine import slug as machine_slug
from harness.plan.selection import Selection
from harness.records import Phase, Record, Seeds, Status, Trial
from harness.store.atomic import write_atomically
from harness.store.header import SCHEMA, Header, JudgedMetric, StrategyCard, TaskCard
from harness.store.imported_names import FormerNames, digest, identifier, scalar_of, scenario, slug
from harness.store.read import encode, open_run
from harness.store.runs import runs

Direction: TypeAlias = Literal["higher", "lower"]

NO_DATA = "none"
SCENARIO = "clean"
PHASE = "call"


@dataclass
class ImportedMetric:
    """A judged number of another tool."""

    value: float
    direction: Direction = "lower"
    unit: str = "1"


@dataclass
class ImportedResult:
    """The result of one trial under the names of another tool.

    Attributes
    ----------
    task, strategy
        Names of any kind.
    summary
        The full name in the other tool.
    topic
        The topic, where it is not that of the tool.
    params, options
        Parameters that all strategies of the task share, and parameters of the strategy.
    versions
        Measure (``wall_s``, ``peak_bytes``, a metric) to the version of the benchmark that it comes from.
    """

    task: str
    strategy: str
    summary: str = ""
    topic: str = ""
    dataset: str = NO_DATA
    scenario: str = SCENARIO
    params: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, Phase] = field(default_factory=dict)
    metrics: dict[str, ImportedMetric] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    status: Status = "ok"
    reason: str = ""


@dataclass(frozen=True)
class ImportedRecords:
    """The records of a file, and what the header of their run says of tasks."""

    records: list[Record]
    metrics: tuple[JudgedMetric, ...] = ()
    strategies: tuple[StrategyCard, ...] = ()
    tasks: tuple[TaskCard, ...] = ()

    def complete(self, header: Header) -> Header:
        """Add the metrics, strategies and tasks to a header."""
        return msgspec.structs.replace(header, metrics=self.metrics, strategies=self.strategies, tasks=self.tasks)


def imported_records(topic: str, results: Sequence[ImportedResult]) -> ImportedRecords:
    """Make the records of results.

    Results that differ in nothing but their figures become blocks of the same trial.

    Parameters
    ----------
    topic
        The topic of results that name none.
    """
    blocks: Counter[str] = Counter()
    records = []
    metrics: dict[tuple[str, str], JudgedMetric] = {}
    strategies: dict[tuple[str, str], StrategyCard] = {}
    tasks: dict[str, TaskCard] = {}
    setups: dict[str, dict[str, None]] = defaultdict(dict)
    for result in results:
        trial = trial_of(topic, result)
        block = blocks[trial.variant]
        blocks[trial.variant] += 1
        trial = msgspec.structs.replace(trial, block=block, seeds=Seeds(data=block, model=block, order=block))
        values = {identifier(name): metric.value for name, metric in result.metrics.items()}
        records.append(Record(trial, result.status, result.reason, phases=result.phases, metrics=values))
        task = f"{trial.topic}/{trial.task}"
        tasks.setdefault(task, TaskCard(task, title=line(result.task)))
        setups[task].update((name, None) for name, phase in result.phases.items() if not phase.in_total)
        card = strategies.setdefault((task, trial.strategy), StrategyCard(task, trial.strategy, summary=result.summary))
        card.versions.update(result.versions)
        for name, metric in result.metrics.items():
            clean = identifier(name)
            metrics.setdefault((task, clean), JudgedMetric(task, clean, metric.direction, metric.unit))
    cards = (msgspec.structs.replace(card, setup=tuple(setups[task])) for task, card in tasks.items())
    return ImportedRecords(records, tuple(metrics.values()), tuple(strategies.values()), tuple(cards))


def trial_of(topic: str, result: ImportedResult) -> Trial:
    """Make the trial of a result, as block 0, of `topic` where the result names none."""
    joint = _joint(result)
    return Trial(
        topic=result.topic or topic,
        task=slug(result.task, joint),
        strategy=slug(result.strategy, joint),
        dataset=slug(result.dataset, joint),
        scenario=scenario(result.scenario),
        params={identifier(name): scalar_of(value, in_label=False) for name, value in result.params.items()},
        options={identifier(name): scalar_of(value) for name, value in result.options.items()},
        block=0,
        seeds=Seeds(0, 0, 0),
    )


def _joint(result: ImportedResult) -> str:
    """Return how words are joined in the names of a result: by dashes in a declared topic, otherwise as in Python."""
    return "-" if result.topic else "_"


_ID_DIGITS = 6
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
# asv's versions give memory in kB or in bytes without saying which: 2**31 kB would be 2 TiB, 2**31 bytes are 2 GiB.
_KILOBYTES_BELOW = 2**31


class Origin(NamedTuple):
    """The file that a run was imported from.

    Attributes
    ----------
    place
        Digest of the file's name, so that a later state of the file is recognised; at least 12 hexadecimal digits.
    content
        Digest of the file's bytes, 32 hexadecimal digits.
    """

    place: str
    content: str

    @property
    def plan(self) -> str:
        """The header's field ``plan``; no planned run can have this value."""
        return f"{self.place[:12]}-{self.content}"


class ResultsFolder:
    """A results folder that runs are imported into."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._runs = {path.stem.rsplit("-", 1)[1]: path for path in runs(results)}

    def has(self, run: str) -> bool:
        """Return whether the folder has a run of that id."""
        return run in self._runs

    def imported(self, origin: Origin) -> Path | None:
        """Return the run that a file of the same content was imported as, unless it has the names of a former rule."""
        path = self._same_content(origin)
        return None if path is None or self._is_former(path) else path

    def earlier(self, origin: Origin, machine: str, commit: str | None) -> Path | None:
        """Return the run that an earlier state of the same file was imported as."""
        commit_part = f"-{(commit or 'nocommit')[:8]}-"
        for path in self._runs.values():
            if (
                path.parent.name == machine
                and commit_part in path.name
                and self._plan(path).startswith(f"{origin.place[:12]}-")
                and path != self._same_content(origin)
            ):
                return path
        return None

    def free_id(self, origin: Origin) -> str:
        """Return an id made from a file's content: the first digits of its digest that no other run has as its id."""
        same = self._same_content(origin)
        return next(run for run in _ids(origin.content) if self._runs.get(run) in (None, same))

    def write(self, header: Header, records: Sequence[Record]) -> Path:
        """Write a run as a whole; it replaces a run of the same file that has the names of a former rule.

        Raises
        ------
        UsageError
            When it cannot be written there.
        """
        path = self._results / header.machine.name / f"{header.name}.jsonl"
        write_atomically(path, b"".join([encode(header), *map(encode, records)]))
        replaced = self._runs.get(header.run, path)
        if replaced != path:
            replaced.unlink()
        self._runs[header.run] = path
        return path

    def _same_content(self, origin: Origin) -> Path | None:
        for run in _ids(origin.content):
            path = self._runs.get(run)
            if path is None or self._plan(path).endswith(f"-{origin.content}"):
                return path
        return None

    def _is_former(self, path: Path) -> bool:
        with open_run(path) as reader:
            return FormerNames.of(reader.header) is not None

    def _plan(self, path: Path) -> str:
        try:
            with open_run(path) as reader:
                return reader.header.plan
        except UsageError:  # a damaged run is reported when it is read, not when another one is imported
            return ""


def new_header(
    run: str,
    origin: Origin,
    *,
    command: str,
    started: str,
    machine: Machine,
    environment: Environment,
    records: Sequence[Record],
) -> Header:
    """Make the header of an imported run; tasks, strategies and metrics are still missing."""
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


def restored_header(
    header: Header, run: str, origin: Origin, *, command: str, machine: Machine, records: Sequence[Record]
) -> Header:
    """Make the header of a run that was exported and is now imported; former names stay recognisable by the schema."""
    schema = SCHEMA if FormerNames.of(header) is None else header.schema
    return msgspec.structs.replace(
        header, schema=schema, run=run, plan=origin.plan, command=command, machine=machine, trials=len(records)
    )


def renamed_machine(machine: Machine, name: str | None) -> Machine:
    """Give a machine the name that the user chose, if any.

    Raises
    ------
    UsageError
        When that name cannot name a folder.
    """
    if name is None:
        return machine
    check_name(name)
    return msgspec.structs.replace(machine, name=name)


def asv_machine(params: Mapping[str, Any], python: str) -> Machine:
    """Describe the machine of an asv result.

    Parameters
    ----------
    params
        As in ``machine.json``: ``cpu``, ``num_cpu``, ``ram``, ``os``.
    python
        Version of Python.
    """
    cores, memory = _count(params.get("num_cpu")), asv_memory(params.get("ram"))
    cpu = line(params.get("cpu"))
    name = machine_slug(cpu, cores, memory) if cpu else _unnamed(params, ("machine", "arch", "num_cpu"))
    return Machine(
        name, cpu=cpu, cores=cores, cores_total=cores, memory_bytes=memory, os=line(params.get("os")), python=python
    )


def pytest_benchmark_machine(info: Mapping[str, Any]) -> Machine:
    """Describe the machine of a pytest-benchmark file, which does not say how much memory it has."""
    processor = table(info.get("cpu"))
    cpu = line(processor.get("brand_raw") or processor.get("brand"))
    cores = _count(processor.get("count"))
    python = f"{line(info.get('python_implementation'))} {line(info.get('python_version'))}".strip()
    return Machine(
        machine_slug(cpu, cores, 0) if cpu else _unnamed(info, ("processor", "machine", "system")),
        cpu=cpu,
        cores=cores,
        cores_total=cores,
        kernel=line(info.get("release")),
        os=line(info.get("system")),
        python=python,
    )


def asv_memory(value: object) -> int:
    """Convert memory as asv or its user wrote it (``25276510208``, ``8055476``, ``4GB``) to bytes; 0 where unknown."""
    found = re.fullmatch(r"\s*(\d{1,18}(?:\.\d{1,6})?)\s*([kmgt]?)i?b?\s*", str(value).lower())
    if not found:
        return 0
    amount, unit = float(found[1]), found[2]
    if not unit:
        return round(amount * 1024 if amount < _KILOBYTES_BELOW else amount)
    return int(min(amount * 1024.0 ** _UNITS[unit], 2.0**60))


def _ids(content: str) -> list[str]:
    return [content[start : start + _ID_DIGITS] for start in range(len(content) - _ID_DIGITS + 1)]


def unnamed_remark(machine: Machine, name: str | None) -> list[str]:
    """Warn of a machine whose CPU is not in its file, unless the user named it."""
    if machine.cpu or name:
        return []
    return [
        f"no CPU is named, so machines that differ in it alone are all called {machine.name}: give each its name with "
        "--machine NAME"
    ]


def _count(value: object) -> int:
    """Return a number of cores; 0 where it is unknown."""
    number = finite(int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value) else value)
    return max(0, min(round(number), 10**6)) if number is not None else 0


def _unnamed(info: Mapping[str, Any], lasting: Sequence[str]) -> str:
    """Name a machine whose CPU is unknown by a digest of what lasts."""
    known = {name: info[name] for name in lasting if info.get(name)}
    return f"machine-{digest(json.dumps(known, sort_keys=True, default=str), 3)}"
