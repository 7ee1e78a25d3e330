"""What changed between two runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import NothingSelectedError
from harness.stats.cells import Cell, is_cost
from harness.stats.paired import Interval
from harness.stats.standings import Standings, pool, stand
from harness.trial import Record

if TYPE_CHECKING:
    from rich.console import Console

    from harness.store.header import Header

_COSTS = ("cpu_s", "wall_s", "peak_bytes")


def differences(header: Header, base: Sequence[Record], candidate: Sequence[Record]) -> list[dict[str, Any]]:
    """Return one mapping a cell, strategy and measure that both runs hold, and one for what only one of them holds.

    Raises
    ------
    NothingSelectedError
        When the runs have no trial in common.
    """
    old, new = _stand(base), _stand(candidate)
    found: list[dict[str, Any]] = []
    common = 0
    for cell in {**old, **new}:
        names = [metric.name for metric in header.metrics if metric.task == f"{cell.topic}/{cell.task}"]
        one, other = old.get(cell), new.get(cell)
        for label in {**(one.entries if one else {}), **(other.entries if other else {})}:
            if one is None or other is None or label not in one.entries or label not in other.entries:
                missing = other is None or label not in other.entries
                found.append({"cell": cell.title, "strategy": label, "only_in": "base" if missing else "candidate"})
                continue
            common += 1
            for name in (*_COSTS, *names):
                change = pool([part] if (part := other.differences(label, label, name, one)) else [], name)
                if change is not None:
                    found.append({"cell": cell.title, "strategy": label, **_described(name, change)})
    if not common:
        raise NothingSelectedError("the two runs have no strategy, data, scenario and parameters in common")
    if not any("measure" in row for row in found):
        raise NothingSelectedError("the two runs have no finished block in common: run both with the same --seed")
    return found


def _stand(records: Sequence[Record]) -> dict[Cell, Standings]:
    """Gather a run by cell, its name and machine left out so that blocks of two runs pair."""
    return {standings.cell: standings for standings in stand([("", "", records)])}


def print_differences(out: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Print one table a cell; effects whose interval excludes no change are bold."""
    from rich import box
    from rich.table import Table

    for cell in dict.fromkeys(row["cell"] for row in rows):
        table = Table(title=cell, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
        own = [row for row in rows if row["cell"] == cell]
        measures = list(dict.fromkeys(row["measure"] for row in own if "measure" in row))
        table.add_column("strategy", no_wrap=True)
        for name in measures:
            table.add_column(name, justify="right")
        for label in dict.fromkeys(row["strategy"] for row in own):
            effects = {row["measure"]: _shown(row) for row in own if row["strategy"] == label and "measure" in row}
            only = [f"only in {row['only_in']}" for row in own if row["strategy"] == label and "only_in" in row]
            table.add_row(label.replace("[", "\\["), *(only or [effects.get(name, "-") for name in measures]))
        out.print(table)


def _described(name: str, change: Interval) -> dict[str, Any]:
    cost = is_cost(name)
    return {
        "measure": name,
        "effect": "ratio" if cost else "difference",
        **change.plain(),
        "changed": change.excludes(1.0 if cost else 0.0),
    }


def _shown(row: dict[str, Any]) -> str:
    pattern = "{:.3f}x" if row["effect"] == "ratio" else "{:+.4f}"
    text = pattern.format(row["estimate"])
    if row["low"] is not None:
        text += f" \\[{pattern.format(row['low'])}, {pattern.format(row['high'])}]".replace("x", "")
    return f"[bold]{text}[/bold]" if row["changed"] else text
