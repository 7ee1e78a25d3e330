"""The same strategy in the same cell over tracked runs, with change points; machines are never mixed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.stats.cells import Cell, is_cost
from harness.stats.changes import Change, change_points
from harness.stats.paired import Interval, mean
from harness.stats.standings import Standings
from harness.store.header import Header

Series = dict[str, Interval]


def history(standings: Sequence[Standings], headers: dict[str, Header], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return a series for each strategy, cell and measure that at least two runs hold.

    Parameters
    ----------
    standings
        Of one task, of all runs.
    headers
        Run to its header.
    names
        The measures to follow.
    """
    if len(headers) < 2:
        return []
    found: dict[tuple[Cell, str, str], dict[str, Series]] = defaultdict(dict)
    for cell in standings:
        for label in cell.entries:
            for name in names:
                series = by_run(cell, label, name)
                if series:
                    found[cell.cell, label, name].setdefault(cell.machine, {}).update(series)
    rows = []
    for (place, label, name), machines in found.items():
        if sum(map(len, machines.values())) > 1:
            rows += _rows(place, label, name, machines, headers)
    return rows


def by_run(cell: Standings, label: str, name: str) -> Series:
    """Return run to the mean of a measure over its blocks (geometric for a cost) with Student's t interval."""
    values = cell.entries[label].values.get(name)
    if values is None:
        return {}
    columns: dict[str, list[float]] = defaultdict(list)
    for unit, value in zip(cell.units, values, strict=True):
        if np.isfinite(value) and (value > 0 or not is_cost(name)):
            columns[unit.run].append(float(np.log(value)) if is_cost(name) else float(value))
    means = {run: mean(np.array(column)) for run, column in columns.items()}
    return {run: found.exp() for run, found in means.items()} if is_cost(name) else means


def _rows(
    place: Cell, label: str, name: str, machines: dict[str, Series], headers: dict[str, Header]
) -> list[dict[str, Any]]:
    """Make a row a machine: its points in the order of time, and the changes among them."""
    rows = []
    for machine, series in machines.items():
        runs = sorted(series, key=lambda run: headers[run].started)
        middles = [series[run].estimate for run in runs]
        changes = change_points(np.log(middles) if is_cost(name) else np.array(middles))
        rows.append(
            {
                "label": label,
                "measure": name,
                "cell": place.short,
                "machine": machine,
                "points": [_point(headers[run], series[run]) for run in runs],
                "changes": [_change(change, cost=is_cost(name)) for change in changes],
            }
        )
    return rows


def _point(header: Header, mean: Interval) -> dict[str, Any]:
    plain = mean.plain()
    return {
        "run": header.run,
        "started": header.started,
        "commit": header.environment.commit and header.environment.commit[:8],
        "machine": header.machine.name,
        "middle": plain.pop("estimate"),
        **plain,
    }


def _change(change: Change, *, cost: bool) -> dict[str, Any]:
    before, after = (float(np.exp(level)) if cost else level for level in (change.before, change.after))
    return {"index": change.index, "before": before, "after": after, "p": change.p}
