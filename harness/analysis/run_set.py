"""What a report is made from: the runs read once, with what their headers say of tasks, strategies and metrics."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.analysis.aggregates import CellAggregate, aggregate
from harness.declare.values import Chart
from harness.records import Record, Status
from harness.store.header import Header, JudgedMetric, StrategyCard, TaskCard
from harness.store.runs import open_run


@dataclass
class Tally:
    """How the trials of a run ended, and the conditions that they met."""

    statuses: Counter[Status] = field(default_factory=Counter)
    contaminated: int = 0
    load: list[float] = field(default_factory=list)
    stolen: list[float] = field(default_factory=list)
    foreign: list[float] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Count a record."""
        self.statuses[record.status] += 1
        if record.conditions is not None:
            self.contaminated += record.conditions.contaminated
            self.load.append(record.conditions.load)
            self.stolen.append(record.conditions.stolen)
            self.foreign.append(record.conditions.foreign)


@dataclass(frozen=True)
class TaskInfo:
    """What the runs say of a task; a later run's word goes over an earlier one's."""

    card: TaskCard
    metrics: tuple[JudgedMetric, ...]
    strategies: dict[str, StrategyCard]
    reference: str


@dataclass(frozen=True)
class RunSet:
    """Runs read: their headers and tallies, in the order given, and the aggregates in all of them."""

    headers: list[Header]
    tallies: list[Tally]
    aggregates: list[CellAggregate]

    def task(self, name: str) -> TaskInfo:
        """Return what the headers say of a task, by ``topic/task``."""
        cards = [card for header in self.headers for card in header.tasks if card.name == name]
        metrics = {(m.task, m.name): m for header in self.headers for m in header.metrics}
        strategies = {(s.task, s.name): s for header in self.headers for s in header.strategies}
        references = {task: label for header in self.headers for task, label in header.references.items()}
        return TaskInfo(
            card=msgspec.structs.replace(cards[-1], charts=_charts(cards)) if cards else TaskCard(name),
            metrics=tuple(metric for (task, _), metric in metrics.items() if task == name),
            strategies={own: card for (task, own), card in strategies.items() if task == name},
            reference=references.get(name, ""),
        )

    def tasks(self) -> dict[str, list[CellAggregate]]:
        """Group the aggregates by ``topic/task``."""
        found: dict[str, list[CellAggregate]] = {}
        for aggregates in self.aggregates:
            found.setdefault(f"{aggregates.cell.topic}/{aggregates.cell.task}", []).append(aggregates)
        return found


def _charts(cards: Sequence[TaskCard]) -> tuple[Chart, ...]:
    """List the charts of the last card, then those that only an earlier one knows: older records have their curves."""
    found: dict[str, Chart] = {}
    for card in reversed(cards):
        for chart in card.charts:
            found.setdefault(chart.curve, chart)
    return tuple(found.values())


def read_run_set(paths: Sequence[Path]) -> RunSet:
    """Read runs.

    Raises
    ------
    UsageError
        When a file cannot be opened, is damaged, or has a newer major version.
    """
    headers: list[Header] = []
    tallies: list[Tally] = []

    def streams() -> Iterator[tuple[str, str, Iterable[Record]]]:
        for path in paths:
            with open_run(path) as reader:
                headers.append(reader.header)
                tallies.append(Tally())
                yield reader.header.run, reader.header.machine.name, _tallied(reader, tallies[-1])

    # The collector would walk all that is kept again and again, and none of it is garbage.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return RunSet(headers, tallies, aggregate(streams()))
    finally:
        if collecting:
            gc.enable()


def _tallied(records: Iterable[Record], tally: Tally) -> Iterator[Record]:
    for record in records:
        tally.add(record)
        yield record
