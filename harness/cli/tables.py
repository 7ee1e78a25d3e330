"""Comparison tables in the terminal, and the same figures as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from rich.markup import escape

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, aggregate, effect, in_order, reference_among, time_of
from harness.analysis.work import WorkRate, work_rates
from harness.records import Cell, Record, Status, is_cost
from harness.stats.paired import Interval

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from harness.store.header import Header

COSTS = ("cpu_s", "peak_bytes")
_UNTESTED = "-"
_NO_EFFECT = {"estimate": None, "low": None, "high": None, "blocks": 0}
_WIDE = 150
_ROOMY = 122
_EACH = 12  # what the column of one step's time adds
_LEAST_RATIO = 0.01


def print_run(out: Console, header: Header, records: Sequence[Record]) -> None:
    """Print a table for every cell of a run, then what did not finish."""
    for aggregates in _aggregate(header, records):
        out.print(_table(aggregates, header, out.width))
    print_troubles(out, records)


def print_troubles(out: Console, records: Sequence[Record]) -> None:
    """Print counts of what finished and what did not, with work_rates reason once."""
    counts: dict[tuple[str, str, str], int] = {}
    for record in records:
        if record.status != "ok" or record.reason:
            key = (record.status, record.trial.label, record.reason)
            counts[key] = counts.get(key, 0) + 1
    for (status, label, reason), count in sorted(counts.items()):
        out.print(f"{count:4d} x {status:8s} {escape(label)}: {escape(reason)}", soft_wrap=True)
    noisy = sum(record.conditions is not None and record.conditions.contaminated for record in records)
    counted = Counter(record.status for record in records)
    told = ", ".join(f"{counted[status]} {status}" for status in get_args(Status) if status in counted)
    out.print(f"{len(records)} trials: {told or 'none ran'}", soft_wrap=True)
    if noisy:
        out.print(f"{noisy} of them ran while more than 5 % of their cores' time went elsewhere", soft_wrap=True)


def rows(header: Header, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the figures of the tables, one mapping a cell and strategy."""
    found = []
    for aggregates in _aggregate(header, records):
        cell, entries = aggregates.cell, aggregates.entries
        ordered, reference = _roles(aggregates, header)
        for label in ordered:
            measures: dict[str, Any] = {}
            for name in dict.fromkeys((*COSTS, time_of([aggregates]), *_metrics(cell, header))):
                against = effect([aggregates], label, reference, name)
                measures[name] = {
                    "median": entries[label].median(name),
                    "effect": None if against is None else "ratio" if is_cost(name) else "difference",
                    **(against.plain() if against else _NO_EFFECT),
                }
            found.append(
                {
                    "topic": cell.topic,
                    "task": cell.task,
                    "dataset": cell.dataset,
                    "scenario": cell.scenario,
                    "params": dict(cell.params),
                    "strategy": label,
                    "reference": reference,
                    "statuses": {str(status): count for status, count in entries[label].statuses.items()},
                    "measures": measures,
                    "work": [own.plain(entries[label]) for own in _each(cell, header)],
                }
            )
    return found


def _aggregate(header: Header, records: Sequence[Record]) -> list[CellAggregate]:
    return aggregate([(header.run, header.machine.name, records)])


def _table(aggregates: CellAggregate, header: Header, width: int) -> Table:
    from rich import box
    from rich.table import Table

    cell = aggregates.cell
    ordered, reference = _roles(aggregates, header)
    first, *others = _metrics(cell, header) or [""]
    time = time_of([aggregates])
    worked = _each(cell, header)[:1] if width >= _ROOMY + _EACH else []
    shown, hidden = (others, []) if width >= _WIDE + _EACH * len(worked) else ([], others)
    table = Table(
        title=escape(cell.title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False
    )
    table.add_column("strategy", no_wrap=True)
    judged = (first, "difference", *shown) if first else ()
    timed = ("CPU" if time == "cpu_s" else "wall", *(f"a {own.unit}" for own in worked), "ratio")
    for heading in (*timed, "memory", "ratio", *judged):
        table.add_column(heading, justify="right", no_wrap=width >= _ROOMY, overflow="fold")
    for label in ordered:
        table.add_row(
            escape(label), *_row(aggregates, label, reference, time, worked, [first, *shown] if first else [])
        )
    left_out = f"; --json or a wider terminal shows {', '.join(hidden)} too" if hidden else ""
    table.caption = (
        f"medians over {len(aggregates.units)} block(s); ratios and differences to {escape(reference)}, paired by "
        "block, with 95 % intervals, bold where no effect is excluded" + left_out
    )
    table.caption_justify = "left"
    return table


def _row(
    aggregates: CellAggregate, label: str, reference: str, time: str, worked: Sequence[WorkRate], metrics: Sequence[str]
) -> list[str]:
    own, alone = aggregates.entries[label], label == reference
    if "ok" not in own.statuses:
        return [next(iter(own.statuses))]

    def against(name: str, pattern: str, none: float) -> str:
        return _shown(pattern, effect([aggregates], label, reference, name), none, alone=alone)

    costs = [
        _seconds(own.median(time)),
        *(_seconds(one.share(own, time)) for one in worked),
        against(time, "{:.2f}x", 1.0),
        _bytes(own.median("peak_bytes")),
        against("peak_bytes", "{:.2f}x", 1.0),
    ]
    numbers = [_number(own.median(name)) for name in metrics]
    return [*costs, *numbers[:1], *(against(name, "{:+.3f}", 0.0) for name in metrics[:1]), *numbers[1:]]


def _roles(aggregates: CellAggregate, header: Header) -> tuple[list[str], str]:
    """Return the labels in order, and the reference among them."""
    cell, entries = aggregates.cell, aggregates.entries
    ordered = in_order(entries, [card.name for card in header.strategies])
    return ordered, reference_among(entries, ordered, header.references.get(f"{cell.topic}/{cell.task}", ""))


def _each(cell: Cell, header: Header) -> list[WorkRate]:
    return work_rates(next((card.work for card in header.tasks if card.name == f"{cell.topic}/{cell.task}"), {}), cell)


def _metrics(cell: Cell, header: Header) -> list[str]:
    return [metric.name for metric in header.metrics if metric.task == f"{cell.topic}/{cell.task}"]


def _seconds(value: float | None) -> str:
    return _UNTESTED if value is None else wording.figure(value, "s").replace("\u00a0", " ")


def _bytes(value: float | None) -> str:
    return _UNTESTED if value is None else f"{value / 1e6:,.1f} MB"


def _number(value: float | None) -> str:
    return _UNTESTED if value is None else f"{value:.4f}"


def _shown(pattern: str, found: Interval | None, none: float, *, alone: bool) -> str:
    if alone or found is None:
        return pattern.format(none) if alone else _UNTESTED
    if pattern.endswith("x") and found.estimate < _LEAST_RATIO:
        return f"[bold]<{_LEAST_RATIO}x[/bold]" if found.excludes(none) else f"<{_LEAST_RATIO}x"
    text = pattern.format(found.estimate)
    if found.known:
        low, high = (pattern.format(bound).removesuffix("x") for bound in (found.low, found.high))
        text += escape(f" [{low}, {high}]")
    return f"[bold]{text}[/bold]" if found.excludes(none) else text
