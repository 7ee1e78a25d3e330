"""Results of another tool as the records of a run, with names that every reader of runs expects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from harness.declare.names import SCENARIO as SCENARIO_NAME
from harness.interop.reading import line
from harness.interop.renaming import TypedText, identifier, slug, typed_text, unique, unique_values
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
    names = _Names(results)
    blocks: Counter[str] = Counter()
    records = []
    metrics: dict[tuple[str, str], JudgedMetric] = {}
    strategies: dict[tuple[str, str], StrategyCard] = {}
    tasks: dict[str, TaskCard] = {}
    for result in results:
        trial = names.trial(result.topic or topic, result)
        block = blocks[trial.variant]
        blocks[trial.variant] += 1
        trial = msgspec.structs.replace(trial, block=block, seeds=Seeds(data=block, model=block, order=block))
        values = {names.metric(result.task, name): metric.value for name, metric in result.metrics.items()}
        records.append(Record(trial, result.status, result.reason, phases=result.phases, metrics=values))
        task = f"{trial.topic}/{trial.task}"
        tasks.setdefault(task, TaskCard(task, title=line(result.task)))
        strategies.setdefault((task, trial.strategy), StrategyCard(task, trial.strategy, summary=result.summary))
        for name, metric in result.metrics.items():
            clean = names.metric(result.task, name)
            metrics.setdefault((task, clean), JudgedMetric(task, clean, metric.direction, metric.unit))
    return ImportedRecords(records, tuple(metrics.values()), tuple(strategies.values()), tuple(tasks.values()))


class _Names:
    """The cleaned names of one file, made over all its results so that no two become the same."""

    def __init__(self, results: Iterable[ImportedResult]) -> None:
        tasks: dict[str, None] = {}
        datasets: dict[str, None] = {}
        scenarios: dict[str, None] = {}
        strategies: dict[str, dict[str, None]] = defaultdict(dict)
        metrics: dict[str, dict[str, None]] = defaultdict(dict)
        params: dict[str, dict[str, dict[TypedText, Any]]] = defaultdict(lambda: defaultdict(dict))
        for result in results:
            tasks[result.task] = datasets[result.dataset] = scenarios[result.scenario] = None
            strategies[result.task][result.strategy] = None
            metrics[result.task].update(dict.fromkeys(result.metrics))
            for name, value in (*result.params.items(), *result.options.items()):
                params[result.task][name][typed_text(value)] = value
        self._tasks, self._datasets, self._scenarios = unique(tasks), unique(datasets), unique(scenarios, _scenario)
        self._strategies = {task: unique(names) for task, names in strategies.items()}
        self._metrics = {task: unique(names, identifier) for task, names in metrics.items()}
        self._params = {task: unique(names, identifier) for task, names in params.items()}
        self._values = {
            task: {name: unique_values(values.values()) for name, values in of_task.items()}
            for task, of_task in params.items()
        }

    def trial(self, topic: str, result: ImportedResult) -> Trial:
        """Make the trial of a result, as block 0."""
        return Trial(
            topic=topic,
            task=self._tasks[result.task],
            strategy=self._strategies[result.task][result.strategy],
            dataset=self._datasets[result.dataset],
            scenario=self._scenarios[result.scenario],
            params=self._cleaned(result.task, result.params),
            options=self._cleaned(result.task, result.options),
            block=0,
            seeds=Seeds(0, 0, 0),
        )

    def metric(self, task: str, name: str) -> str:
        return self._metrics[task][name]

    def _cleaned(self, task: str, params: dict[str, Any]) -> dict[str, Scalar]:
        return {self._params[task][name]: self._values[task][name][typed_text(value)] for name, value in params.items()}


def _scenario(text: str) -> str:
    return text if SCENARIO_NAME.fullmatch(text) else slug(text)
