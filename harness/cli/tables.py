"""Comparison tables in the terminal, and the same figures as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.stats.cells import Cell, difference, group, middle, ratio
from harness.stats.paired import Interval
from harness.trial import Record

if TYPE_CHECKING:
    from rich.console import Console

    from harness.store.header import Header

COSTS = ("cpu_s", "peak_bytes")
_UNTESTED = "-"


def print_run(out: Console, header: Header, records: Sequence[Record]) -> None:
    """Print a table for every cell of a run, then what did not finish."""
    for cell, standings in group(records).items():
        out.print(_table(cell, standings, header))
    print_troubles(out, records)


def print_troubles(out: Console, records: Sequence[Record]) -> None:
    """Print counts of what finished and what did not, with each reason once."""
    from rich.markup import escape

    counts: dict[tuple[str, str, str], int] = {}
    for record in records:
        if record.status != "ok" or record.reason:
            key = (record.status, record.trial.label, record.reason)
            counts[key] = counts.get(key, 0) + 1
    for (status, label, reason), count in sorted(counts.items()):
        out.print(f"{count:4d} x {status:8s} {escape(label)}: {escape(reason)}", soft_wrap=True)
    noisy = sum(record.conditions is not None and record.conditions.contaminated for record in records)
    by_status = {
        status: sum(r.status == status for r in records) for status in ("ok", "skipped", "failed", "timeout", "memory")
    }
    told = ", ".join(f"{count} {status}" for status, count in by_status.items() if count)
    out.print(f"{len(records)} trials: {told}; {noisy} ran while more than 5 % of their cores' time went elsewhere")


def rows(header: Header, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the figures of the tables, one mapping a cell and strategy."""
    found = []
    for cell, standings in group(records).items():
        reference = _reference(cell, standings, header)
        for label, own in standings.items():
            measures: dict[str, Any] = {}
            for name in (*COSTS, *_metrics(cell, header)):
                effect = _effect(own, standings.get(reference, []), name)
                measures[name] = {
                    "median": middle(own, name),
                    "effect": None if effect is None else "ratio" if name in COSTS else "difference",
                    "estimate": effect and effect.estimate,
                    "low": effect.low if effect and effect.known else None,
                    "high": effect.high if effect and effect.known else None,
                    "blocks": effect.blocks if effect else 0,
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


def _table(cell: Cell, standings: Mapping[str, Sequence[Record]], header: Header) -> Any:
    from rich import box
    from rich.table import Table

    reference = _reference(cell, standings, header)
    metrics = _metrics(cell, header)
    table = Table(title=cell.title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("strategy", no_wrap=True)
    for heading in ("CPU", f"/ {reference}", "memory", f"/ {reference}", metrics[0], f"- {reference}", *metrics[1:]):
        table.add_column(heading, justify="right", no_wrap=True)
    for label, own in standings.items():
        base = standings.get(reference, [])
        first = metrics[0]
        cells = [
            _seconds(middle(own, "cpu_s")),
            _ratio(_effect(own, base, "cpu_s"), alone=label == reference),
            _bytes(middle(own, "peak_bytes")),
            _ratio(_effect(own, base, "peak_bytes"), alone=label == reference),
            _number(middle(own, first)),
            _difference(_effect(own, base, first), alone=label == reference),
            *(_number(middle(own, name)) for name in metrics[1:]),
        ]
        if all(record.status != "ok" for record in own):
            cells = [own[0].status, *[""] * (len(cells) - 1)]
        table.add_row(label.replace("[", "\\["), *cells)
    blocks = max(len(own) for own in standings.values())
    table.caption = f"medians over {blocks} blocks; effects paired by block with 95 % intervals"
    table.caption_justify = "left"
    return table


def _effect(own: Sequence[Record], base: Sequence[Record], name: str) -> Interval | None:
    return ratio(own, base, name) if name in COSTS else difference(own, base, name)


def _reference(cell: Cell, standings: Mapping[str, Sequence[Record]], header: Header) -> str:
    named = header.references.get(f"{cell.topic}/{cell.task}", "")
    return named if named in standings else next(iter(standings))


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


def _ratio(effect: Interval | None, *, alone: bool) -> str:
    if alone or effect is None:
        return "1" if alone else _UNTESTED
    interval = f" \\[{effect.low:.3g}, {effect.high:.3g}]" if effect.known else ""
    return f"{effect.estimate:.3g}x{interval}"


def _difference(effect: Interval | None, *, alone: bool) -> str:
    if alone or effect is None:
        return "0" if alone else _UNTESTED
    interval = f" \\[{effect.low:+.4f}, {effect.high:+.4f}]" if effect.known else ""
    return f"{effect.estimate:+.4f}{interval}"
