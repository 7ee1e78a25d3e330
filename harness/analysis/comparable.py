"""Figures over several runs that mean the same.

Totals of time and memory of runs with other set-up phases mean something else, and so do figures of another version of
an imported benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, Floats, StrategyAggregate
from harness.records import depends_on_setup, setup_among
from harness.store.header import Header, version_of, versions_in


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
        units = [unit.run in others for unit in cell.units]
        entries[label] = _without(entry, {name: units for name in entry.values if depends_on_setup(name)})
        left_out.update(dict.fromkeys(unit.run for unit in cell.units if unit.run in others))
    return replace(cell, entries=entries)


def with_same_versions(
    aggregates: Sequence[CellAggregate], headers: Sequence[Header]
) -> tuple[list[CellAggregate], list[str]]:
    """Leave out the figures that another version of an imported benchmark gave than in the newest run that has them.

    Parameters
    ----------
    headers
        From the oldest run to the newest.

    Returns
    -------
    list of CellAggregate
        The same cells without these figures.
    list of str
        For each task and newest run of which something is left out, a sentence that says so.
    """
    versions = versions_in(headers)
    if not versions:
        return list(aggregates), []
    place = {header.run: index for index, header in enumerate(headers)}
    comparable = []
    left_out: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for cell in aggregates:
        task, entries = cell.cell.full_task, {}
        for label, entry in cell.entries.items():
            others: dict[str, Sequence[bool]] = {}
            for name, column in entry.values.items():
                measured = {unit.run for unit, value in zip(cell.units, column, strict=True) if np.isfinite(value)}
                found = {run: version_of(versions.get((run, task, entry.strategy), {}), name) for run in measured}
                newest = max(found, key=place.__getitem__, default="")
                if old := sorted((run for run in found if found[run] != found[newest]), key=place.__getitem__):
                    others[name] = [unit.run in old for unit in cell.units]
                    labels, runs = left_out.setdefault((task, newest), ({}, {}))
                    labels[label] = None
                    runs.update(dict.fromkeys(old))
            entries[label] = _without(entry, others) if others else entry
        comparable.append(replace(cell, entries=entries))
    return comparable, [
        f"The benchmark itself changed between the runs, or some do not say its version: for {', '.join(labels)} of "
        f"{task} the version of run {newest} counts, and figures of these runs are left out: {', '.join(runs)}."
        for (task, newest), (labels, runs) in left_out.items()
    ]


def _without(entry: StrategyAggregate, others: Mapping[str, Sequence[bool]]) -> StrategyAggregate:
    """Return a strategy without the values of a measure in the units that are marked."""
    values: dict[str, Floats] = {}
    for name, column in entry.values.items():
        kept = np.where(others[name], np.nan, column) if name in others else column
        if not np.isnan(kept).all():
            values[name] = kept
    return replace(entry, values=values)
