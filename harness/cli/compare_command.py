"""``bakeoff compare``: two runs, strategy by strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from harness.analysis.aggregates import CellAggregate, aggregate, pool
from harness.cli.output import config, console, json_option, log, print_json
from harness.errors import NothingSelectedError
from harness.records import Cell, Record, is_cost
from harness.stats.paired import Interval

if TYPE_CHECKING:
    from rich.console import Console

    from harness.store.header import Header


#: The part of a run that one machine measured.
_Part: TypeAlias = "tuple[Header, list[Record]]"

_COSTS = ("cpu_s", "wall_s", "peak_bytes")


def differences(header: Header, base: Sequence[Record], candidate: Sequence[Record]) -> list[dict[str, Any]]:
    """Return one mapping a cell, strategy and measure that both runs hold, and one for what only one of them holds.

    Raises
    ------
    NothingSelectedError
        When the runs have no trial in common.
    """
    old, new = _aggregate(base), _aggregate(candidate)
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


def _aggregate(records: Sequence[Record]) -> dict[Cell, CellAggregate]:
    """Gather a run by cell, its name and machine left out so that blocks of two runs pair."""
    return {aggregates.cell: aggregates for aggregates in aggregate([("", "", records)])}


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


@click.command("compare", short_help="Compare two runs, strategy by strategy.")
@click.argument("base")
@click.argument("candidate")
@json_option
def command(base: str, candidate: str, *, as_json: bool) -> None:
    """Compare the run CANDIDATE with the run BASE: what changed, for each strategy in each cell.

    Effects are paired by block (the same data and seeds). Two runs are not interleaved: an effect on time holds the
    machine's drift between them too.
    """
    from harness.store.read import read_all
    from harness.store.runs import find

    folder = config().results_folder
    old, new = read_all(find(folder, base)), read_all(find(folder, candidate))
    paired = _paired(old, new)
    remarks = log()
    for remark in dict.fromkeys(remark for one, other in paired for remark in _remarks(one[0], other[0])):
        remarks.print(f"note: {remark}", soft_wrap=True)
    compared = {other[0].machine.name: differences(one[0], one[1], other[1]) for one, other in paired}
    if as_json:
        rows = [{"machine": machine, **row} for machine, own in compared.items() for row in own]
        print_json({"base": old[0][0].run, "candidate": new[0][0].run, "rows": rows})
        return
    out = console()
    for machine, own in compared.items():
        if len(compared) > 1:
            out.print(f"\nmachine {machine}:", soft_wrap=True)
        print_differences(out, own)


def _paired(base: Sequence[_Part], candidate: Sequence[_Part]) -> list[tuple[_Part, _Part]]:
    """Pair the parts of two runs that the same machine measured; two runs of one machine each are always a pair."""
    if len(base) == len(candidate) == 1:
        return [(base[0], candidate[0])]
    parts = {header.machine.name: (header, records) for header, records in base}
    paired = [(parts[new[0].machine.name], new) for new in candidate if new[0].machine.name in parts]
    if not paired:
        raise NothingSelectedError("no machine measured both runs: give the path of the file of one machine each")
    return paired


def _remarks(base: Header, candidate: Header) -> list[str]:
    remarks: list[str] = []
    if base.machine.name != candidate.machine.name:
        remarks.append(
            f"different machines: {base.machine.name} and {candidate.machine.name}; times cannot be compared"
        )
    remarks += [
        f"data set {name} differs between the runs; neither metrics nor times can be compared"
        for name in sorted(set(base.cards) & set(candidate.cards))
        if base.cards[name] != candidate.cards[name]
    ]
    changed = [
        f"{name} {version} -> {candidate.environment.packages[name]}"
        for name, version in sorted(base.environment.packages.items())
        if candidate.environment.packages.get(name, version) != version
    ]
    if changed:
        remarks.append(f"packages changed: {', '.join(changed)}")
    return remarks
