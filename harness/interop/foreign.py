"""From another tool's figures to the records of a run, with names that every reader of runs expects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from harness.declare.names import SCENARIO as SCENARIO_NAME
from harness.interop.names import Typed, identifier, kind, slug, unique, unique_values
from harness.interop.sources import line
from harness.records import Phase, Record, Scalar, Seeds, Status, Trial
from harness.store.header import Header, JudgedMetric, StrategyCard, TaskCard

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
    """One measured thing of another tool, under that tool's names.

    Attributes
    ----------
    task, strategy
        What it competes in, and what it is; texts of any kind.
    summary
        Its full name there.
    topic
        The topic when it is not that of the tool.
    params, options
        Parameters that all of the task share, and its own.
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
    status: Status = "ok"
    reason: str = ""


@dataclass(frozen=True)
class Gathered:
    """What a run's file holds beside the machine: the records and what its header says of them."""

    records: list[Record]
    metrics: tuple[JudgedMetric, ...] = ()
    strategies: tuple[StrategyCard, ...] = ()
    tasks: tuple[TaskCard, ...] = ()

    def head(self, header: Header) -> Header:
        """Add to a header what it says of tasks."""
        return msgspec.structs.replace(header, metrics=self.metrics, strategies=self.strategies, tasks=self.tasks)


def gather(topic: str, found: Sequence[ImportedResult]) -> Gathered:
    """Make records of what was found.

    What agrees in everything but its figures becomes further blocks of the same.

    Parameters
    ----------
    topic
        Name of the topic for all that brings none.
    """
    names = _Names(found)
    blocks: Counter[str] = Counter()
    records = []
    metrics: dict[tuple[str, str], JudgedMetric] = {}
    strategies: dict[tuple[str, str], StrategyCard] = {}
    tasks: dict[str, TaskCard] = {}
    for one in found:
        trial = names.trial(one.topic or topic, one)
        block = blocks[trial.variant]
        blocks[trial.variant] += 1
        values = {names.metric(one.task, name): metric.value for name, metric in one.metrics.items()}
        placed = _at(trial, block)
        records.append(Record(placed, one.status, one.reason, phases=one.phases, metrics=values))
        task = f"{trial.topic}/{trial.task}"
        tasks.setdefault(task, TaskCard(task, title=line(one.task)))
        strategies.setdefault((task, trial.strategy), StrategyCard(task, trial.strategy, summary=one.summary))
        for name, metric in one.metrics.items():
            clean = names.metric(one.task, name)
            metrics.setdefault((task, clean), JudgedMetric(task, clean, metric.direction, metric.unit))
    return Gathered(records, tuple(metrics.values()), tuple(strategies.values()), tuple(tasks.values()))


class _Names:
    """What the names of one file become, worked out over all of them so that none meets another."""

    def __init__(self, found: Iterable[ImportedResult]) -> None:
        tasks: dict[str, None] = {}
        data: dict[str, None] = {}
        scenarios: dict[str, None] = {}
        strategies: dict[str, dict[str, None]] = defaultdict(dict)
        metrics: dict[str, dict[str, None]] = defaultdict(dict)
        params: dict[str, dict[str, dict[Typed, Any]]] = defaultdict(lambda: defaultdict(dict))
        for one in found:
            tasks[one.task] = data[one.dataset] = scenarios[one.scenario] = None
            strategies[one.task][one.strategy] = None
            metrics[one.task].update(dict.fromkeys(one.metrics))
            for name, value in (*one.params.items(), *one.options.items()):
                params[one.task][name][kind(value)] = value
        self._tasks, self._data, self._scenarios = unique(tasks), unique(data), unique(scenarios, _scenario)
        self._strategies = {task: unique(own) for task, own in strategies.items()}
        self._metrics = {task: unique(own, identifier) for task, own in metrics.items()}
        self._params = {task: unique(own, identifier) for task, own in params.items()}
        self._values = {
            task: {name: unique_values(values.values()) for name, values in own.items()} for task, own in params.items()
        }

    def trial(self, topic: str, one: ImportedResult) -> Trial:
        """Name a trial; its block is 0."""
        return Trial(
            topic=topic,
            task=self._tasks[one.task],
            strategy=self._strategies[one.task][one.strategy],
            dataset=self._data[one.dataset],
            scenario=self._scenarios[one.scenario],
            params=self._spelled(one.task, one.params),
            options=self._spelled(one.task, one.options),
            block=0,
            seeds=Seeds(0, 0, 0),
        )

    def metric(self, task: str, name: str) -> str:
        return self._metrics[task][name]

    def _spelled(self, task: str, given: dict[str, Any]) -> dict[str, Scalar]:
        return {self._params[task][name]: self._values[task][name][kind(value)] for name, value in given.items()}


def _scenario(text: str) -> str:
    return text if SCENARIO_NAME.fullmatch(text) else slug(text)


def _at(trial: Trial, block: int) -> Trial:
    return msgspec.structs.replace(trial, block=block, seeds=Seeds(data=block, model=block, order=block))
