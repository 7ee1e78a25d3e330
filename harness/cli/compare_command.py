"""``bakeoff compare``: two runs, strategy by strategy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from harness.analysis import wording
from harness.analysis.aggregates import (
    LEAST_MEMORY,
    CellAggregate,
    StrategyAggregate,
    aggregate,
    pool,
    uncertainty,
)
from harness.analysis.verdicts import Compared, Measures, decide
from harness.cli.output import config, console, json_option, log, print_json
from harness.errors import NothingSelectedError
from harness.records import Cell, Record, is_cost, setup_among
from harness.stats.paired import Interval
from harness.store.header import plain, version_of, versions_in

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report.terminal import CellText
    from harness.store.header import Header


#: The part of a run that one machine measured.
_Part: TypeAlias = "tuple[Header, list[Record]]"

_COSTS = ("cpu_s", "wall_s", "peak_bytes")


def differences(base: _Part, candidate: _Part, noise_sd: float | None = None) -> list[dict[str, Any]]:
    """Return a row for each cell, strategy and measure of both runs, and one for each strategy that only one run has.

    The effects of a cell are one family (`harness.analysis.verdicts.decide`). Totals that leave out different set-up
    phases, and figures of two versions of an imported benchmark, are not compared.

    Parameters
    ----------
    noise_sd
        Noise of the machine that measured both.

    Raises
    ------
    NothingSelectedError
        If the runs have no trial in common.
    """
    old, new = _aggregate(base[1]), _aggregate(candidate[1])
    rows: list[dict[str, Any]] = []
    common = 0
    for cell in {**old, **new}:
        metrics = {m.name: m.direction for m in plain(candidate[0].metrics) if m.task == cell.full_task}
        measures: Measures = {**dict.fromkeys(_COSTS, "lower"), **metrics}
        found: dict[tuple[str, str], Interval | None] = {}
        one, other = old.get(cell), new.get(cell)
        for label in {**(one.entries if one else {}), **(other.entries if other else {})}:
            if one is None or other is None or label not in one.entries or label not in other.entries:
                missing = other is None or label not in other.entries
                rows.append({"cell": cell.title, "strategy": label, "only_in": "base" if missing else "candidate"})
                continue
            common += 1
            new_one = other.entries[label]
            names = [*(_COSTS if _same_totals(base, candidate, cell.full_task, new_one) else ()), *metrics]
            changed = _other_versions(base[0], candidate[0], cell.full_task, new_one.strategy)
            if changed and changed.issuperset(set(names) & set(new_one.values)):
                rows.append({"cell": cell.title, "strategy": label, "not_compared": "the benchmark itself changed"})
            for name in (name for name in names if name not in changed):
                parts = [part] if (part := other.differences(label, label, name, one)) else []
                if (change := pool(parts, name, **uncertainty([other], [label], name))) is not None:
                    found[name, label] = change
        for (name, label), compared in decide(found, measures, noise_sd=noise_sd).items():
            sides = {
                f"{side}_median": cells.entries[label].median(name)
                for side, cells in (("base", one), ("candidate", other))
                if cells is not None
            }
            rows.append({"cell": cell.title, "strategy": label, **_described(name, compared), **sides})
    if not common:
        raise NothingSelectedError("the two runs have no strategy, data, scenario and parameters in common")
    if not any("measure" in row or "not_compared" in row for row in rows):
        raise NothingSelectedError("the two runs have no finished block in common: run both with the same --seed")
    return rows


def _same_totals(base: _Part, candidate: _Part, task: str, entry: StrategyAggregate) -> bool:
    setups = [setup_among(entry.values, header.setup(task)) for header, _ in (base, candidate)]
    return setups[0] == setups[1]


def _other_versions(base: Header, candidate: Header, task: str, strategy: str) -> set[str]:
    """Return the measures of an imported strategy that two versions of its benchmark gave."""
    one, other = (versions_in([header]).get((header.run, task, strategy), {}) for header in (base, candidate))
    return {name for name in {**one, **other} if version_of(one, name) != version_of(other, name)}


def _aggregate(records: Sequence[Record]) -> dict[Cell, CellAggregate]:
    """Aggregate a run by cell, without its name and machine, so that the blocks of two runs can be paired."""
    return {aggregates.cell: aggregates for aggregates in aggregate([("", "", records)])}


def print_differences(out: Console, header: Header, rows: Sequence[dict[str, Any]]) -> None:
    """Print a table for each cell; an effect is bold where it is a change."""
    from harness.report.terminal import Column, print_table
    from harness.store.header import titled

    for cell in dict.fromkeys(row["cell"] for row in rows):
        of_cell = [row for row in rows if row["cell"] == cell]
        measures = list(dict.fromkeys(row["measure"] for row in of_cell if "measure" in row))
        labels = list(dict.fromkeys(row["strategy"] for row in of_cell))
        only = {row["strategy"]: said for row in of_cell if (said := _uncompared(row))}
        effects = {(row["strategy"], row["measure"]): _written(row) for row in of_cell if "measure" in row}
        cards = {card.name: card for card in header.strategies if card.task == cell.partition(" on ")[0]}
        columns = [Column("strategy", [titled(label, cards) for label in labels], 0, "name")]
        for rank, measure in enumerate(measures, start=1):
            cells = ["" if label in only else effects.get((label, measure), "-") for label in labels]
            columns.append(Column(measure, cells, rank))
        if only:
            columns.insert(1, Column("", [only.get(label, "") for label in labels], 0, "label"))
        print_table(out, columns, title=cell)
        out.print()


def _uncompared(row: dict[str, Any]) -> str:
    """Say why a strategy has no figures; empty if it has."""
    if "only_in" in row:
        return f"only in {row['only_in']}"
    return f"not compared: {row['not_compared']}" if "not_compared" in row else ""


def _described(name: str, compared: Compared) -> dict[str, Any]:
    assert compared.effect is not None
    return {
        "measure": name,
        "effect": "ratio" if is_cost(name) else "difference",
        **compared.effect.plain(),
        "p": None if math.isnan(compared.p) else compared.p,
        "changed": compared.word in ("better", "worse"),
        "verdict": compared.word,
    }


def _written(row: dict[str, Any]) -> CellText:
    from harness.report.terminal import Styled

    medians = (row["base_median"], row["candidate_median"])
    if row["measure"] == "peak_bytes" and any(median is not None and median < LEAST_MEMORY for median in medians):
        return "-"
    pattern = "{:.3f}x" if row["effect"] == "ratio" else "{:+.4f}"
    text = pattern.format(row["estimate"])
    if row["low"] is not None:
        low, high = (pattern.format(row[bound]).removesuffix("x") for bound in ("low", "high"))
        text += f" [{low}, {high}]"
    elif row["same"]:
        same = wording.interval(row, cost=row["effect"] == "ratio")
        text = same if row["estimate"] == (1.0 if row["effect"] == "ratio" else 0.0) else f"{text} {same}"
    return Styled(text, "bold") if row["changed"] else text


@click.command("compare", short_help="Compare two runs, strategy by strategy.")
@click.argument("base")
@click.argument("candidate")
@json_option
def command(base: str, candidate: str, *, as_json: bool) -> None:
    """Compare the run CANDIDATE with the run BASE: what changed, for each strategy in each cell.

    Effects are paired by block (the same data and seeds). A change is bold: it is certain among all figures of its
    table, and larger than the machine's noise floor (bakeoff doctor --keep measures it). Two runs are not interleaved:
    an effect on time includes the machine's drift between them.
    """
    from harness.store.noise import deviations, noise_beside
    from harness.store.read import read_all
    from harness.store.runs import find_with_added

    folder = config().results_folder
    old, paths = _by_machine(read_all(find_with_added(folder, [base]))), find_with_added(folder, [candidate])
    new, noise = _by_machine(read_all(paths)), deviations(noise_beside(paths))
    paired = _paired(old, new)
    remarks = log()
    for remark in dict.fromkeys(remark for one, other in paired for remark in _remarks(one[0], other[0])):
        remarks.print(f"note: {remark}", soft_wrap=True)
    compared = {
        (machine := other[0].machine.name): differences(one, other, noise.get(machine) if _same(one, other) else None)
        for one, other in paired
    }
    if as_json:
        rows = [{"machine": machine, **row} for machine, own in compared.items() for row in own]
        print_json({"base": old[0][0].run, "candidate": new[0][0].run, "rows": rows})
        return
    out = console()
    headers = {header.machine.name: header for header, _ in new}
    for machine, own in compared.items():
        if len(compared) > 1:
            out.print()
            out.print(f"machine {machine}:", soft_wrap=True)
        print_differences(out, headers[machine], own)


def _by_machine(runs: Sequence[_Part]) -> list[_Part]:
    """Put the records of a run and of the blocks that were added to it together, those of each machine apart."""
    parts: dict[str, _Part] = {}
    for header, records in runs:
        parts.setdefault(header.machine.name, (header, []))[1].extend(records)
    return list(parts.values())


def _same(one: _Part, other: _Part) -> bool:
    return one[0].machine.name == other[0].machine.name


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
    remarks += [
        f"totals of time and memory of {card.name} are not compared: their set-up phases are "
        f"{_named(base.setup(card.name))} in the base and {_named(candidate.setup(card.name))} in the candidate"
        for card in candidate.tasks
        if base.has(card.name) and base.setup(card.name) != candidate.setup(card.name)
    ]
    both = {(card.task, card.name) for card in base.strategies}
    remarks += [
        f"the benchmark {card.name} of {card.task} itself changed, or a run does not say its version: "
        f"{', '.join(sorted(others))} not compared; measure the base again with the benchmark of the candidate"
        for card in candidate.strategies
        if (card.task, card.name) in both and (others := _other_versions(base, candidate, card.task, card.name))
    ]
    changed = [
        f"{name} {version} -> {candidate.environment.packages[name]}"
        for name, version in sorted(base.environment.packages.items())
        if candidate.environment.packages.get(name, version) != version
    ]
    if changed:
        remarks.append(f"packages changed: {', '.join(changed)}")
    return remarks


def _named(phases: frozenset[str]) -> str:
    return ", ".join(sorted(phases)) or "none"
