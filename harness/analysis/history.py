"""The same strategy in the same cell over runs, and the changes of its level; machines are never mixed."""

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
        What tells these data from others of the same name.
    points
        Run to the mean over its blocks, in the order of time.
    """

    cell: Cell
    label: str
    measure: str
    machine: str
    edition: Hashable
    points: dict[str, Interval]

    @property
    def values(self) -> list[float]:
        """The means, in the order of time."""
        return [point.estimate for point in self.points.values()]

    @cached_property
    def changes(self) -> list[Change]:
        """The changes of level, in the measure's own unit (levels of a cost are geometric means)."""
        return self._changes(len(self.points))

    def found_lately(self, runs: int) -> Change | None:
        """Return the newest change, if without the last few runs it is not found.

        That is more than the place of the change: a small one is found only when several runs have followed it. The
        same change, found with fewer runs, may lie a run or two off.

        Parameters
        ----------
        runs
            Number of last runs to do without.
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
        Of all runs.
    names
        The measures to follow.
    started
        Run to its start: UTC, ISO 8601.
    edition
        Tells which data a run had in a cell; runs with other data are another track.

    Yields
    ------
    list of Track
        The tracks of one strategy, cell and measure: one a machine and edition.
    """
    found: dict[tuple[Cell, str, str], dict[tuple[str, Hashable], dict[str, Interval]]] = defaultdict(dict)
    for standing in aggregates:
        for label in standing.entries:
            for name in names:
                for run, point in by_run(standing, label, name).items():
                    place = (standing.machine, edition(run, standing.cell))
                    found[standing.cell, label, name].setdefault(place, {})[run] = point
    for (cell, label, name), places in found.items():
        yield [
            Track(cell, label, name, *place, {run: points[run] for run in sorted(points, key=lambda run: started[run])})
            for place, points in places.items()
        ]


def by_run(standing: CellAggregate, label: str, name: str) -> dict[str, Interval]:
    """Return run to the mean of a measure over its blocks (geometric for a cost) with Student's t interval."""
    values = standing.entries[label].values.get(name)
    if values is None:
        return {}
    columns: dict[str, list[float]] = defaultdict(list)
    for unit, value in zip(standing.units, values, strict=True):
        if np.isfinite(value) and (value > 0 or not is_cost(name)):
            columns[unit.run].append(float(np.log(value)) if is_cost(name) else float(value))
    means = {run: mean(np.array(column)) for run, column in columns.items()}
    return {run: found.exp() for run, found in means.items()} if is_cost(name) else means
