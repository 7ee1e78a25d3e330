"""The same strategy in the same cell over runs, and where its level changes; machines are never mixed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.analysis.aggregates import CellAggregate
from harness.records import Cell, is_cost
from harness.stats.changes import Change, change_points
from harness.stats.paired import Interval, mean

Edition = Callable[[str, Cell], Hashable]


@dataclass(frozen=True)
class Track:
    """One measure of one strategy in one cell on one machine, over runs whose data are the same.

    Attributes
    ----------
    edition
        Version of the data, which distinguishes them from other data of the same name.
    points
        Run to the mean over its blocks (geometric for a cost), oldest first.
    """

    cell: Cell
    label: str
    measure: str
    machine: str
    edition: Hashable
    points: dict[str, Interval]

    @property
    def values(self) -> list[float]:
        """The means, oldest first."""
        return [point.estimate for point in self.points.values()]

    @cached_property
    def changes(self) -> list[Change]:
        """The changes of level, in the unit of the measure (levels of a cost are geometric means)."""
        return self._changes(len(self.points))

    def new_change(self, runs: int) -> Change | None:
        """Return the newest change, if it cannot be detected without the last few runs.

        Its place alone does not say so: a small change is detected only when several runs have followed it. With fewer
        runs the same change may be placed a run or two earlier or later.

        Parameters
        ----------
        runs
            Number of last runs to leave out.
        """
        if not self.changes:
            return None
        newest = self.changes[-1]
        upwards = newest.after > newest.before
        known = any(
            abs(change.index - newest.index) <= 2 and (change.after > change.before) == upwards
            for change in self._changes(len(self.points) - runs)
        )
        return None if known else newest

    def _changes(self, count: int) -> list[Change]:
        values = np.array(self.values[: max(count, 0)])
        if not is_cost(self.measure):
            return change_points(values)
        return [
            replace(change, before=float(np.exp(change.before)), after=float(np.exp(change.after)))
            for change in change_points(np.log(values))
        ]


def follow(
    aggregates: Sequence[CellAggregate],
    names: Sequence[str],
    started: Mapping[str, str],
    edition: Edition = lambda run, cell: None,  # noqa: ARG005
) -> Iterator[list[Track]]:
    """Follow every strategy, cell and measure over runs.

    Parameters
    ----------
    aggregates
        Cells of all runs.
    names
        The measures to follow.
    started
        Run to its start: UTC, ISO 8601.
    edition
        ``edition(run, cell)``: version of the data of a run in a cell; runs with other data are another track.

    Yields
    ------
    list of Track
        The tracks of one strategy, cell and measure: one for each machine and edition.
    """
    groups: dict[tuple[Cell, str, str], dict[tuple[str, Hashable], dict[str, Interval]]] = defaultdict(dict)
    for cell in aggregates:
        for label in cell.entries:
            for name in names:
                for run, point in by_run(cell, label, name).items():
                    place = (cell.machine, edition(run, cell.cell))
                    groups[cell.cell, label, name].setdefault(place, {})[run] = point
    for (followed, label, name), places in groups.items():
        yield [
            Track(followed, label, name, *place, {run: points[run] for run in sorted(points, key=started.__getitem__)})
            for place, points in places.items()
        ]


def by_run(cell: CellAggregate, label: str, name: str) -> dict[str, Interval]:
    """Return run to the mean of a measure over its blocks (geometric for a cost) with Student's t interval."""
    values = cell.entries[label].values.get(name)
    if values is None:
        return {}
    columns: dict[str, list[float]] = defaultdict(list)
    for unit, value in zip(cell.units, values, strict=True):
        if np.isfinite(value) and (value > 0 or not is_cost(name)):
            columns[unit.run].append(float(np.log(value)) if is_cost(name) else float(value))
    means = {run: mean(np.array(column)) for run, column in columns.items()}
    return {run: interval.exp() for run, interval in means.items()} if is_cost(name) else means
