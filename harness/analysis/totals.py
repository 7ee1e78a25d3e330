"""Totals of time and memory over several runs: those of runs with other set-up phases mean something else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, Floats, StrategyAggregate
from harness.records import depends_on_setup, setup_among
from harness.store.header import Header


def with_same_totals(
    aggregates: Sequence[CellAggregate], headers: Sequence[Header]
) -> tuple[list[CellAggregate], list[str]]:
    """Leave out the totals that do not mean what those of the newest run of their task mean.

    Parameters
    ----------
    headers
        From the oldest run to the newest.

    Returns
    -------
    list of CellAggregate
        The same cells, without totals and held memory of runs that declare other phases set-up.
    list of str
        For each task of which something is left out, a sentence that says so.
    """
    by_task: dict[str, list[int]] = {}
    for place, cell in enumerate(aggregates):
        by_task.setdefault(cell.cell.full_task, []).append(place)
    comparable, remarks = list(aggregates), []
    for task, places in by_task.items():
        recorded = {unit.run for place in places for unit in aggregates[place].units}
        setups = {header.run: header.setup(task) for header in headers if header.run in recorded}
        if len(set(setups.values())) < 2:
            continue
        left_out: dict[str, None] = {}
        for place in places:
            comparable[place] = _with_totals_of_newest(aggregates[place], setups, left_out)
        if left_out:
            *_, newest = setups
            remarks.append(
                f"Totals of time and memory of {task} are {wording.setup(sorted(setups[newest]))} in run {newest}; "
                f"those of these runs mean something else and are left out: {', '.join(left_out)}."
            )
    return comparable, remarks


def _with_totals_of_newest(
    cell: CellAggregate, setups: Mapping[str, frozenset[str]], left_out: dict[str, None]
) -> CellAggregate:
    entries = {}
    for label, entry in cell.entries.items():
        meanings = {run: setup_among(entry.values, phases) for run, phases in setups.items()}
        *_, newest = meanings.values()
        others = {run for run, meaning in meanings.items() if meaning != newest}
        entries[label] = _without_totals(entry, [unit.run in others for unit in cell.units])
        left_out.update(dict.fromkeys(unit.run for unit in cell.units if unit.run in others))
    return replace(cell, entries=entries)


def _without_totals(entry: StrategyAggregate, units: Collection[bool]) -> StrategyAggregate:
    values: dict[str, Floats] = {}
    for name, column in entry.values.items():
        kept = np.where(list(units), np.nan, column) if depends_on_setup(name) else column
        if not np.isnan(kept).all():
            values[name] = kept
    return replace(entry, values=values)
