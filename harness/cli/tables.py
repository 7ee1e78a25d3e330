"""Comparison tables in the terminal, and the same figures as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from rich.markup import escape

from harness.stats.cells import Cell, effect, group, is_cost, middle
from harness.stats.paired import Interval
from harness.trial import Record, Status

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from harness.store.header import Header

COSTS = ("cpu_s", "peak_bytes")
_UNTESTED = "-"
_NO_EFFECT = {"estimate": None, "low": None, "high": None, "blocks": 0}
_WIDE = 150
_ROOMY = 122
_LEAST_RATIO = 0.01


def print_run(out: Console, header: Header, records: Sequence[Record]) -> None:
    """Print a table for every cell of a run, then what did not finish."""
    for cell, standings in group(records).items():
        out.print(_table(cell, standings, header, out.width))
    print_troubles(out, records)


def print_troubles(out: Console, records: Sequence[Record]) -> None:
    """Print counts of what finished and what did not, with each reason once."""
    counts: dict[tuple[str, str, str], int] = {}
    for record in records:
        if record.status != "ok" or record.reason:
            key = (record.status, record.trial.label, record.reason)
            counts[key] = counts.get(key, 0) + 1
    for (status, label, reason), count in sorted(counts.items()):
        out.print(f"{count:4d} x {status:8s} {escape(label)}: {escape(reason)}", soft_wrap=True)
    noisy = sum(record.conditions is not None and record.conditions.contaminated for record in records)
    counted = _statuses(records)
    told = ", ".join(f"{counted[status]} {status}" for status in get_args(Status) if status in counted)
    out.print(f"{len(records)} trials: {told or 'none ran'}", soft_wrap=True)
    if noisy:
        out.print(f"{noisy} of them ran while more than 5 % of their cores' time went elsewhere", soft_wrap=True)


def rows(header: Header, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the figures of the tables, one mapping a cell and strategy."""
    found = []
    for cell, standings in group(records).items():
        reference = _reference(cell, standings, header)
        for label in _in_order(standings, header):
            own = standings[label]
            measures: dict[str, Any] = {}
            for name in (*COSTS, *_metrics(cell, header)):
                against = effect(own, standings.get(reference, []), name)
                measures[name] = {
                    "median": middle(own, name),
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
                    "statuses": _statuses(own),
                    "measures": measures,
                }
            )
    return found


def _table(cell: Cell, standings: Mapping[str, Sequence[Record]], header: Header, width: int) -> Table:
    from rich import box
    from rich.table import Table

    reference = _reference(cell, standings, header)
    first, *others = _metrics(cell, header)
    hidden = [] if width >= _WIDE else others
    table = Table(title=cell.title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("strategy", no_wrap=True)
    for heading in ("CPU", "ratio", "memory", "ratio", first, "difference", *(others if not hidden else ())):
        table.add_column(heading, justify="right", no_wrap=width >= _ROOMY, overflow="fold")
    for label in _in_order(standings, header):
        own, base = standings[label], standings[reference]
        if all(record.status != "ok" for record in own):
            table.add_row(escape(label), own[0].status)
            continue
        alone = label == reference
        table.add_row(
            escape(label),
            _seconds(middle(own, "cpu_s")),
            _shown("{:.2f}x", effect(own, base, "cpu_s"), 1.0, alone=alone),
            _bytes(middle(own, "peak_bytes")),
            _shown("{:.2f}x", effect(own, base, "peak_bytes"), 1.0, alone=alone),
            _number(middle(own, first)),
            _shown("{:+.3f}", effect(own, base, first), 0.0, alone=alone),
            *(_number(middle(own, name)) for name in others if not hidden),
        )
    blocks = max(len(own) for own in standings.values())
    left_out = f"; --json or a wider terminal shows {', '.join(hidden)} too" if hidden else ""
    table.caption = (
        f"medians over {blocks} block(s); ratios and differences to {reference}, paired by block, with 95 % intervals, "
        f"bold where no effect is excluded{left_out}"
    )
    table.caption_justify = "left"
    return table


def _in_order(standings: Mapping[str, Sequence[Record]], header: Header) -> list[str]:
    """Sort labels by the declaration of their strategies; trials ran in shuffled order."""
    place = {card.name: index for index, card in enumerate(header.strategies)}
    return sorted(standings, key=lambda label: (place.get(standings[label][0].trial.strategy, len(place)), label))


def _reference(cell: Cell, standings: Mapping[str, Sequence[Record]], header: Header) -> str:
    named = header.references.get(f"{cell.topic}/{cell.task}", "")
    ordered = _in_order(standings, header)
    with_options = [label for label in ordered if standings[label][0].trial.strategy == named]
    return named if named in standings else (with_options or ordered)[0]


def _metrics(cell: Cell, header: Header) -> list[str]:
    return [metric.name for metric in header.metrics if metric.task == f"{cell.topic}/{cell.task}"]


def _statuses(records: Sequence[Record]) -> dict[str, int]:
    return {record.status: sum(r.status == record.status for r in records) for record in records}


def _seconds(value: float | None) -> str:
    if value is None:
        return _UNTESTED
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


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
