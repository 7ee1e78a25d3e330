"""Comparison tables of a run in the terminal, and the same figures as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import msgspec

from harness.analysis import wording
from harness.analysis.aggregates import (
    LEAST_MEMORY,
    CellAggregate,
    aggregate,
    effect,
    in_order,
    in_sessions,
    measurable,
    reference_among,
    shown,
    time_of,
)
from harness.analysis.run_set import sessions_of
from harness.analysis.verdicts import Compared, compare, measures_of, outliers
from harness.records import DISTURBED, Record, Status, is_cost, setup_among
from harness.report.terminal import CellText, Column, Styled, print_table
from harness.store.header import plain, titled

if TYPE_CHECKING:
    from rich.console import Console

    from harness.store.header import Header

Runs: TypeAlias = "Sequence[tuple[Header, Sequence[Record]]]"
COSTS = ("cpu_s", "wall_s", "peak_bytes")
_NONE = "-"
_NO_EFFECT = {"estimate": None, "low": None, "high": None, "blocks": 0, "same": False}
_LEAST_RATIO = 0.01


def print_run(
    out: Console,
    header: Header,
    records: Sequence[Record],
    *,
    added: Runs = (),
    full: str = "--json",
    noise_sd: float | None = None,
) -> None:
    """Print a table for every cell of a run, then what its profile left out and what did not finish.

    Parameters
    ----------
    added
        Runs that add blocks to it on the same machine.
    full
        The option that shows the columns for which there is no room.
    noise_sd
        See `harness.analysis.verdicts.decide`.
    """
    for aggregates in _aggregate([(header, records), *added]):
        table = ComparisonTable(header, aggregates, noise_sd)
        notes = [table.caption, *chain(*table.outliers.values()), *table.choices, *table.divergences]
        print_table(out, table.columns(), title=aggregates.cell.title, notes=notes, full=full)
        out.print()
    for card in header.tasks:
        if card.left_out:
            out.print(wording.left_out(card.name, card.left_out), soft_wrap=True)
    print_troubles(out, header, [*records, *(record for _, own in added for record in own)])


def print_troubles(out: Console, header: Header, records: Sequence[Record]) -> None:
    """Print each status and reason of the trials that did not finish, and how many trials ended how."""
    titles = {(card.task, card.name): card.title for card in header.strategies}
    counts: dict[tuple[str, str, str], int] = {}
    for record in records:
        if record.status != "ok" or record.reason:
            trial = record.trial
            title = titles.get((f"{trial.topic}/{trial.task}", trial.label), trial.label)
            key = (record.status, title, record.reason)
            counts[key] = counts.get(key, 0) + 1
    for (status, label, reason), count in sorted(counts.items()):
        out.print(f"{count:4d} x {status:8s} {label}: {reason}", soft_wrap=True)
    counted = Counter(record.status for record in records)
    statuses = ", ".join(f"{counted[status]} {status}" for status in get_args(Status) if status in counted)
    out.print(f"{wording.count(len(records), 'trial')}: {statuses or 'none ran'}", soft_wrap=True)


def conditions(records: Sequence[Record]) -> Iterator[str]:
    """Go through the remarks on trials that had too few cores, were disturbed, or whose memory was only sampled."""
    if crowded := sum(record.crowded for record in records):
        yield f"{wording.crowded(crowded)}; give --threads at most the number of cores"
    known = [record.conditions for record in records if record.conditions is not None]
    if contaminated := sum(msgspec.structs.replace(each, throttled=0.0).contaminated for each in known):
        yield (
            f"{contaminated} of {wording.count(len(records), 'trial')} ran beside other trials, or while more than 5 % "
            "of their cores' time went elsewhere: quote their ratios, not their times; to narrow the intervals, stop "
            "other programs or add --blocks"
        )
    if throttled := sum(each.throttled > DISTURBED for each in known):
        yield (
            f"the CPU quota of the control group stopped {throttled} of {wording.count(len(records), 'trial')} for "
            "more than 5 % of the time: raise the quota, or give --threads at most what it grants"
        )
    if sampled := sum(record.memory_source == "sampled" for record in records):
        yield (
            f"memory of {sampled} of {wording.count(len(records), 'trial')} was sampled, which misses short peaks of "
            "their child processes: measure it with --memory-pass"
        )


def rows(
    header: Header, records: Sequence[Record], noise_sd: float | None = None, added: Runs = ()
) -> list[dict[str, Any]]:
    """Return the figures of the tables, one mapping for each cell and strategy."""
    return [
        row
        for aggregates in _aggregate([(header, records), *added])
        for row in ComparisonTable(header, aggregates, noise_sd).plain_rows()
    ]


class ComparisonTable:
    """The strategies of one cell against their reference."""

    def __init__(self, header: Header, aggregates: CellAggregate, noise_sd: float | None = None) -> None:
        self._aggregates = aggregates
        self._labels, self._reference = _roles(aggregates, header)
        self._time = time_of([aggregates])
        task = aggregates.cell.full_task
        metrics = [metric for metric in plain(header.metrics) if metric.task == task]
        self._metrics = [metric.name for metric in metrics]
        self._compared = compare(
            [aggregates], self._labels, self._reference, measures_of([aggregates], metrics), noise_sd=noise_sd
        )
        self._work_rates = aggregates.work_rates(next((card.work for card in header.tasks if card.name == task), {}))
        self._cards = {card.name: card for card in header.strategies if card.task == task}
        self._setup = _setup(aggregates, header)

    @property
    def caption(self) -> str:
        """The sentence below the table."""
        most = len(self._aggregates.units)
        least = min(self._aggregates.entries[label].statuses.total() for label in self._labels)
        few = f"{least} to " if least < most else ""
        return (
            f"medians over {few}{wording.count(most, 'block')}; ratios and differences to "
            f"{self._title(self._reference)}, paired by block, with "
            "95 % intervals; bold: a difference, certain among all figures of the table and larger than noise"
            + self._rates
            + (f"; times and memory are {wording.setup(self._setup)}" if self._setup else "")
        )

    @property
    def _rates(self) -> str:
        """Say which columns are rates."""
        entries = self._aggregates.entries.values()
        names = [
            name for name in shown([self._aggregates], self._metrics) if any(name in entry.cases for entry in entries)
        ]
        return f"; {', '.join(names)}: mean over blocks with its exact 95 % interval" if names else ""

    @property
    def outliers(self) -> dict[str, list[str]]:
        """What `harness.analysis.verdicts.outliers` says of the table."""
        return outliers(self._compared, {label: self._title(label) for label in self._labels})

    @property
    def choices(self) -> list[str]:
        """A sentence for each strategy that was tuned: what it chose, in how many blocks."""
        chosen = {label: wording.chosen(self._aggregates.entries[label].choices) for label in self._labels}
        return [f"{self._title(label)} chose {choice}" for label, choice in chosen.items() if choice]

    @property
    def divergences(self) -> list[str]:
        """A sentence for each strategy whose training diverged; its metrics there are those of a guess."""
        units = len(self._aggregates.units)
        return [
            f"{self._title(label)} {wording.diverged(list(steps.values()), units)}; there it has a guess's metrics, "
            "and no costs"
            for label in self._labels
            if (steps := self._aggregates.entries[label].diverged)
        ]

    def columns(self) -> list[Column]:
        """Return the columns in the order of display; `rank` says which ones are left out first."""
        clock = "CPU" if self._time == "cpu_s" else "wall"
        columns = [
            Column("strategy", [self._title(label) for label in self._labels], 0, "name"),
            Column(clock, self._statuses_or(self._levels(self._time)), 1),
        ]
        for rate in self._work_rates[:1]:
            cells = [_seconds(rate.share(self._aggregates.entries[label], self._time)) for label in self._labels]
            columns.append(Column(f"{clock} per {rate.unit}", self._figures(cells), 7))
        columns += [
            Column("ratio", self._effects(self._time), 2, name=f"ratio of {clock}"),
            Column("memory", self._levels("peak_bytes"), 5),
            Column("ratio", self._effects("peak_bytes"), 6, name="ratio of memory"),
        ]
        for rank, name in enumerate(shown([self._aggregates], self._metrics)):
            columns.append(Column(name, self._metric_levels(name), 9 + rank if rank else 3))
            if not rank:
                columns.append(Column("difference", self._effects(name), 4, name=f"difference of {name}"))
        if clock != "wall":
            columns.append(Column("wall", self._levels("wall_s"), 8))
        for place, phase in enumerate(self._setup):
            # Columns of metrics come before these.
            rank = 9 + len(self._metrics) + place
            columns.append(Column(wording.phase(phase, self._setup), self._levels(f"{phase}.{self._time}"), rank))
        return columns

    def plain_rows(self) -> list[dict[str, Any]]:
        """Return the figures of each strategy, as ``--json`` prints them."""
        cell = self._aggregates.cell
        return [
            {
                "topic": cell.topic,
                "task": cell.task,
                "dataset": cell.dataset,
                "scenario": cell.scenario,
                "params": dict(cell.params),
                "strategy": label,
                "reference": self._reference,
                "statuses": {str(status): count for status, count in entry.statuses.items()},
                "diverged": list(entry.diverged.values()),
                "outliers": self.outliers.get(label, []),
                "measures": {name: self._plain(label, name) for name in (*COSTS, *self._metrics)},
                "work": [rate.plain(entry) for rate in self._work_rates],
                "setup": {
                    phase: {name: entry.median(f"{phase}.{name}") for name in COSTS}
                    for phase in self._setup
                    if f"{phase}.held_bytes" in entry.values
                },
                "choices": [{"options": dict(choice), "blocks": count} for choice, count in entry.choices.items()],
            }
            for label, entry in ((label, self._aggregates.entries[label]) for label in self._labels)
        ]

    def _title(self, label: str) -> str:
        return titled(label, self._cards)

    def _plain(self, label: str, name: str) -> dict[str, Any]:
        compared = self._compared.get(name, {}).get(label)
        # Memory that is too small to be compared has its figures here all the same.
        against = (compared and compared.effect) or effect([self._aggregates], label, self._reference, name)
        return {
            "median": self._aggregates.entries[label].median(name),
            "rate": found.plain() if (found := self._aggregates.rate(label, name)) else None,
            "effect": None if against is None else "ratio" if is_cost(name) else "difference",
            **(against.plain() if against else _NO_EFFECT),
            "p": None if compared is None or math.isnan(compared.p) else compared.p,
            "verdict": compared.word if compared else "unknown",
        }

    def _levels(self, name: str) -> list[str]:
        write = _seconds if name.endswith("_s") else _memory if name == "peak_bytes" else _number
        return self._figures([write(self._aggregates.entries[label].median(name)) for label in self._labels])

    def _metric_levels(self, name: str) -> list[str]:
        """Write medians, and rates with their intervals."""
        rates = [self._aggregates.rate(label, name) for label in self._labels]
        cells = [
            median if found is None else f"{found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}]"
            for found, median in zip(rates, self._levels(name), strict=True)
        ]
        return self._figures(cells)

    def _effects(self, name: str) -> list[CellText]:
        return self._figures([self._effect(label, name) for label in self._labels])

    def _effect(self, label: str, name: str) -> CellText:
        pattern, none = ("{:.2f}x", 1.0) if is_cost(name) else ("{:+.3f}", 0.0)
        compared = self._compared.get(name, {}).get(label)
        if compared is None:
            return _NONE
        if compared.word == "reference":
            measured = measurable([self._aggregates], [label], name)
            return pattern.format(none) if measured else _NONE
        return _written(pattern, compared, none)

    def _figures(self, cells: Sequence[CellText]) -> list[Any]:
        """Empty the cells of strategies that did not finish."""
        return [cell if self._finished(label) else "" for label, cell in zip(self._labels, cells, strict=True)]

    def _statuses_or(self, cells: Sequence[str]) -> list[str]:
        """Write the status of a strategy that did not finish instead of its figure."""
        statuses = [next(iter(self._aggregates.entries[label].statuses)) for label in self._labels]
        return [
            cell if self._finished(label) else status
            for label, cell, status in zip(self._labels, cells, statuses, strict=True)
        ]

    def _finished(self, label: str) -> bool:
        return "ok" in self._aggregates.entries[label].statuses


def _aggregate(runs: Runs) -> list[CellAggregate]:
    cells = aggregate((header.run, header.machine.name, records) for header, records in runs)
    return in_sessions(cells, sessions_of(header for header, _ in runs))


def _roles(aggregates: CellAggregate, header: Header) -> tuple[list[str], str]:
    """Return the labels in order, and the reference among them."""
    cell, entries = aggregates.cell, aggregates.entries
    ordered = in_order(entries, [card.name for card in header.strategies])
    return ordered, reference_among(entries, ordered, header.references.get(f"{cell.topic}/{cell.task}", ""))


def _setup(aggregates: CellAggregate, header: Header) -> tuple[str, ...]:
    """Return the phases in no total that some strategy enters."""
    names = {name for entry in aggregates.entries.values() for name in entry.values}
    task = aggregates.cell.full_task
    return setup_among(names, next((card.setup for card in header.tasks if card.name == task), ()))


def _seconds(value: float | None) -> str:
    return _NONE if value is None else wording.figure(value, "s").replace("\u00a0", " ")


def _memory(value: float | None) -> str:
    if value is None:
        return _NONE
    return "<0.1 MB" if value < LEAST_MEMORY else f"{value / 1e6:,.1f} MB"


def _number(value: float | None) -> str:
    return _NONE if value is None else wording.figure(value, "")


def _written(pattern: str, compared: Compared, none: float) -> CellText:
    """Write an effect with its interval, bold where it is a difference."""
    found = compared.effect
    if found is None:
        return _NONE
    if pattern.endswith("x") and found.estimate < _LEAST_RATIO:
        text = f"<{_LEAST_RATIO}x"
    else:
        text = pattern.format(found.estimate)
        if found.known:
            low, high = (pattern.format(bound).removesuffix("x") for bound in (found.low, found.high))
            text += f" [{low}, {high}]"
        elif found.same:
            same = wording.interval(found.plain(), cost=pattern.endswith("x"))
            text = same if found.equal(none) else f"{text} {same}"
    return Styled(text, "bold") if compared.word in ("better", "worse") else text
