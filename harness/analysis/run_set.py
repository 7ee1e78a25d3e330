"""Runs that were read: what their headers say, how their trials ended, and the aggregates of their records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from harness.analysis.aggregates import CellAggregate, aggregate, in_sessions
from harness.analysis.comparable import with_same_totals, with_same_versions
from harness.declare.values import Chart
from harness.records import Record, Status
from harness.store.header import Header, JudgedMetric, StrategyCard, TaskCard, plain
from harness.store.noise import StoredNoise, deviations, noise_beside
from harness.store.read import open_runs


@dataclass
class Tally:
    """How the trials of a run ended on one machine, and the conditions that they met."""

    statuses: Counter[Status] = field(default_factory=Counter)
    contaminated: int = 0
    crowded: int = 0
    load: list[float] = field(default_factory=list)
    stolen: list[float] = field(default_factory=list)
    foreign: list[float] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Count a record."""
        self.statuses[record.status] += 1
        self.crowded += record.crowded
        if record.conditions is not None:
            self.contaminated += record.conditions.contaminated
            self.load.append(record.conditions.load)
            self.stolen.append(record.conditions.stolen)
            self.foreign.append(record.conditions.foreign)


@dataclass(frozen=True)
class TaskInfo:
    """What the headers say of a task; a later header replaces what an earlier one says."""

    card: TaskCard
    judged: tuple[JudgedMetric, ...]
    strategies: dict[str, StrategyCard]
    reference: str

    @property
    def metrics(self) -> tuple[JudgedMetric, ...]:
        """The metrics of the task, without those of altered test sets."""
        return plain(self.judged)

    @property
    def altered(self) -> tuple[JudgedMetric, ...]:
        """The metrics of altered test sets."""
        return tuple(metric for metric in self.judged if metric.of)


@dataclass(frozen=True)
class RunSet:
    """Runs that were read.

    Attributes
    ----------
    headers, tallies
        One of each for every run and machine, in the order given.
    aggregates
        The cells of all runs, those of each machine apart; only `comparable` ones may be pooled over runs.
    noise
        The noise floors that are stored beside the runs, by machine.
    """

    headers: list[Header]
    tallies: list[Tally]
    aggregates: list[CellAggregate]
    noise: Mapping[str, StoredNoise] = field(default_factory=dict)

    @property
    def noise_sd(self) -> dict[str, float]:
        """What `deviations` makes of the noise floors."""
        return deviations(self.noise)

    @property
    def added(self) -> frozenset[str]:
        """The runs that only added blocks to another one of these."""
        runs = {header.run for header in self.headers}
        return frozenset(header.run for header in self.headers if header.parent in runs)

    @property
    def measures(self) -> list[str]:
        """The names of all that was measured."""
        entries = (entry for cell in self.aggregates for entry in cell.entries.values())
        return list(dict.fromkeys(name for entry in entries for name in entry.values))

    def header(self, run: str, machine: str) -> Header:
        """Return the header of a run on a machine."""
        return self._headers[run, machine]

    @cached_property
    def _headers(self) -> dict[tuple[str, str], Header]:
        return {(header.run, header.machine.name): header for header in self.headers}

    def missing(self) -> dict[str, int]:
        """Return run to the number of its planned trials without a record, for runs that lack some."""
        left = {header.run: header.trials for header in self.headers if not header.parent}
        for header, tally in zip(self.headers, self.tallies, strict=True):
            if header.run in left:
                left[header.run] -= tally.statuses.total()
        return {run: count for run, count in left.items() if count > 0}

    def task(self, name: str) -> TaskInfo:
        """Return what the headers say of a task, by ``topic/task``."""
        cards = [card for header in self.headers for card in header.tasks if card.name == name]
        metrics = {(m.task, m.name): m for header in self.headers for m in header.metrics}
        strategies = {(s.task, s.name): s for header in self.headers for s in header.strategies}
        references = {task: label for header in self.headers for task, label in header.references.items()}
        card = TaskCard(name)
        if cards:
            left_out = tuple(self._left_out(name, cards))
            card = msgspec.structs.replace(cards[-1], charts=_charts(cards), left_out=left_out)
        return TaskInfo(
            card=card,
            judged=tuple(metric for (task, _), metric in metrics.items() if task == name),
            strategies={strategy: card for (task, strategy), card in strategies.items() if task == name},
            reference=references.get(name, ""),
        )

    def _left_out(self, name: str, cards: Sequence[TaskCard]) -> Iterator[str]:
        """Go through the strategies that a run has left out and none has measured."""
        measured = {entry.strategy for cell in self.tasks().get(name, ()) for entry in cell.entries.values()}
        for strategy in dict.fromkeys(strategy for card in cards for strategy in card.left_out):
            if strategy not in measured:
                yield strategy

    def tasks(self) -> dict[str, list[CellAggregate]]:
        """Group the comparable aggregates by ``topic/task``."""
        groups: dict[str, list[CellAggregate]] = {}
        for aggregates in self.comparable:
            groups.setdefault(aggregates.cell.full_task, []).append(aggregates)
        return groups

    @property
    def comparable(self) -> list[CellAggregate]:
        """The aggregates with figures that mean the same in all runs, which is what they mean in the newest one."""
        return self._same[0]

    @property
    def incomparable(self) -> list[str]:
        """Sentences that say which figures of which runs `comparable` leaves out."""
        return self._same[1]

    @cached_property
    def _same(self) -> tuple[list[CellAggregate], list[str]]:
        headers = sorted(self.headers, key=start_of)
        same_totals, remarks = with_same_totals(self.aggregates, headers)
        same, others = with_same_versions(same_totals, headers)
        return same, [*remarks, *others]


def read_run_set(
    paths: Sequence[Path],
    wanted: Callable[[Header], bool] = lambda _: True,
    read: Callable[[], None] = lambda: None,
) -> RunSet:
    """Read runs.

    Parameters
    ----------
    wanted
        Whether a run belongs to the set, by its header; the records of others are not read.
    read
        Called after each file.

    Raises
    ------
    UsageError
        When a file cannot be opened, is damaged, or has a newer major version.
    """
    headers: list[Header] = []
    tallies: list[Tally] = []

    def streams() -> Iterator[tuple[str, str, Iterable[Record]]]:
        for header, records in opened:
            if wanted(header):
                headers.append(header)
                tallies.append(Tally())
                yield header.run, header.machine.name, _tallied(records, tallies[-1])
            read()

    with open_runs(paths) as opened:
        aggregates = aggregate(streams())
    return RunSet(headers, tallies, in_sessions(aggregates, sessions_of(headers)), noise_beside(paths))


def sessions_of(headers: Iterable[Header]) -> dict[str, str]:
    """Return the runs that go on with the session of another one, each with that one."""
    return {header.run: header.session for header in headers if header.session}


def start_of(header: Header) -> datetime:
    """Return the start of a run, in UTC where its header names no time zone."""
    start = datetime.fromisoformat(header.started)
    return start if start.tzinfo else start.replace(tzinfo=UTC)


def _tallied(records: Iterable[Record], tally: Tally) -> Iterator[Record]:
    for record in records:
        tally.add(record)
        yield record


def _charts(cards: Sequence[TaskCard]) -> tuple[Chart, ...]:
    """List the charts of the last card, then those that only an earlier one has: older records have their curves."""
    charts: dict[str, Chart] = {}
    for card in reversed(cards):
        for chart in card.charts:
            charts.setdefault(chart.curve, chart)
    return tuple(charts.values())
