"""The same strategy in the same cell over runs: its series, where the level changes, and what changed between the runs.

Machines are never mixed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from harness.analysis.aggregates import CellAggregate
from harness.analysis.run_set import RunSet
from harness.records import Cell, depends_on_setup, is_cost, setup_among
from harness.stats.changes import MOST_POINTS, Change, change_points
from harness.stats.paired import Interval, mean
from harness.stats.rates import rate
from harness.store.header import Header, JudgedMetric, Versions, version_of, versions_in

Edition = Callable[[str, Cell], Hashable]
SetupPhases = Callable[[str, str], frozenset[str]]


@dataclass(frozen=True)
class Track:
    """One measure of one strategy in one cell on one machine, over runs whose data and benchmark are the same.

    Attributes
    ----------
    edition
        Version of the data, which distinguishes them from other data of the same name.
    setup
        Set-up phases of the strategy that a total leaves out; a total that leaves out others is another track.
    points
        Run to the mean over its blocks (geometric for a cost), oldest first.
    version
        Version of the benchmark that it was imported from; empty where it is unknown or not imported.
    """

    cell: Cell
    label: str
    measure: str
    machine: str
    edition: Hashable
    setup: tuple[str, ...]
    points: dict[str, Interval]
    version: str = ""

    @property
    def values(self) -> list[float]:
        """The means, oldest first."""
        return [point.estimate for point in self.points.values()]

    @property
    def searched(self) -> int:
        """How many of the last points are searched for changes."""
        return min(len(self.points), MOST_POINTS)

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
    setup: SetupPhases = lambda run, task: frozenset(),  # noqa: ARG005
    versions: Versions | None = None,
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
    setup
        ``setup(run, task)``: set-up phases of a task in a run; totals that leave out other phases are another track.
    versions
        `versions_in` the headers: results of another version of an imported benchmark are another track.

    Yields
    ------
    list of Track
        The tracks of one strategy, cell and measure: one for each machine, edition, set of set-up phases and version.
    """
    known: Versions = versions or {}
    groups: dict[tuple[Cell, str, str], dict[tuple[str, Hashable, tuple[str, ...], str], dict[str, Interval]]]
    groups = defaultdict(dict)
    declared = cache(setup)
    for cell in aggregates:
        task = cell.cell.full_task
        for label, entry in cell.entries.items():
            for name in names:
                places = groups[cell.cell, label, name]
                for run, point in by_run(cell, label, name).items():
                    phases = declared(run, task) if depends_on_setup(name) else ()
                    version = version_of(known.get((run, task, entry.strategy), {}), name)
                    place = (cell.machine, edition(run, cell.cell), setup_among(entry.values, phases), version)
                    places.setdefault(place, {})[run] = point
    for (followed, label, name), places in groups.items():
        if places:
            yield [
                Track(followed, label, name, machine, data, phases, _in_order(points, started), version)
                for (machine, data, phases, version), points in places.items()
            ]


def _in_order(points: Mapping[str, Interval], started: Mapping[str, str]) -> dict[str, Interval]:
    return {run: points[run] for run in sorted(points, key=started.__getitem__)}


def by_run(cell: CellAggregate, label: str, name: str) -> dict[str, Interval]:
    """Return run to the mean of a measure over its blocks (geometric for a cost), with its interval.

    The interval is Student's t, for a rate the exact one over blocks.
    """
    entry = cell.entries[label]
    values, cases = entry.values.get(name), entry.cases.get(name)
    if values is None:
        return {}
    known = np.isfinite(values) & ((values > 0) if is_cost(name) else True)
    units: dict[str, list[int]] = {}
    for unit in np.flatnonzero(known).tolist():
        units.setdefault(cell.units[unit].run, []).append(unit)

    def point(own: list[int]) -> Interval:
        if is_cost(name):
            return mean(np.log(values[own])).exp()
        if cases is None:
            return mean(values[own], overlap=cell.overlap)
        return rate(values[own], cases[own], overlap=cell.overlap)

    return {run: point(own) for run, own in units.items()}


Row: TypeAlias = dict[str, Any]
#: What changed on a machine between two runs.
Between: TypeAlias = Callable[[str, str, str], list[Row]]

#: Number of last runs in which a change for the worse counts as new.
LATELY = 3
_MACHINE = ("python", "kernel", "governor", "cpu_quota")


def tracks(
    runs: RunSet, aggregates: Sequence[CellAggregate], measure: str, last: int | None = None
) -> list[list[Track]]:
    """Follow a measure over runs: one list for each strategy and cell.

    Parameters
    ----------
    last
        Only so many of the last runs of each track; ``None`` for all.
    """
    headers = {header.run: header for header in runs.headers}

    def edition(run: str, cell: Cell) -> str:
        return headers[run].cards.get(cell.dataset, "")

    started = {run: header.started for run, header in headers.items()}
    versions = versions_in(runs.headers)
    groups = follow(aggregates, [measure], started, edition, lambda run, task: headers[run].setup(task), versions)
    return [[_shortened(track, last) for track in group] for group in groups]


def _shortened(track: Track, last: int | None) -> Track:
    return track if last is None else replace(track, points=dict(list(track.points.items())[-last:]))


def series(runs: RunSet, groups: Iterable[Sequence[Track]]) -> list[Row]:
    """Describe the tracks that have at least two runs, those with the largest changes first."""
    rows = []
    places = {(cell.machine, cell.cell): cell for cell in runs.aggregates}

    @cache  # many series have the same runs
    def between(machine: str, before: str, after: str) -> list[Row]:
        return changed(runs.header(before, machine), runs.header(after, machine))

    for group in groups:
        several = {
            "other_data": len({track.edition for track in group}) > 1,
            "other_setup": len({track.setup for track in group}) > 1,
            "other_version": len({track.version for track in group}) > 1,
        }
        rows += [
            {**_row(track, runs, places[track.machine, track.cell], between), **several}
            for track in group
            if len(track.points) > 1
        ]
    return sorted(rows, key=lambda row: -max((_size(change) for change in row["changes"]), default=0.0))


def short(edition: str) -> str:
    """Shorten a checksum; the name of a generator stays whole."""
    return edition[:8] if len(edition) == 64 else edition or "unknown"


def _size(change: Row) -> float:
    """Return the size of a change, whichever direction it has."""
    estimate = float(change["estimate"])
    return abs(math.log(estimate)) if change["effect"] == "ratio" else abs(estimate)


def _row(track: Track, runs: RunSet, aggregates: CellAggregate, between: Between) -> Row:
    headers = [runs.header(run, track.machine) for run in track.points]
    metric, cell = _metric(track, headers), track.cell
    points = _points(track, headers, aggregates, between)
    worse = any(_verdict(newest, metric) == "worse" for newest in track.changes[-1:])
    best = None
    if metric is not None:
        best = min(track.values) if metric.direction == "lower" else max(track.values)
    return {
        "topic": cell.topic,
        "task": cell.task,
        "dataset": cell.dataset,
        "scenario": cell.scenario,
        "params": dict(cell.params),
        "strategy": track.label,
        "machine": track.machine,
        "data": track.edition,
        "setup": list(track.setup),
        "version": track.version,
        "unit": metric.unit if metric else "",
        "better": metric.direction if metric else None,
        "margin": metric.margin if metric else 0.0,
        "runs": len(points),
        "searched": track.searched,
        "first": track.values[0],
        "last": track.values[-1],
        "best": best,
        "points": points,
        "changes": [_change(change, track, points, metric) for change in track.changes],
        "regressed": worse and track.new_change(LATELY) is not None,
    }


def _metric(track: Track, headers: Sequence[Header]) -> JudgedMetric | None:
    """Return the metric as the newest run describes it; ``None`` where no header does."""
    task, name = f"{track.cell.topic}/{track.cell.task}", track.measure
    if is_cost(name):
        return JudgedMetric(task, name, "lower", "s" if name.endswith("_s") else "byte")
    metrics = (metric for header in reversed(headers) for metric in header.metrics)
    return next((metric for metric in metrics if (metric.task, metric.name) == (task, name)), None)


def _points(track: Track, headers: Sequence[Header], aggregates: CellAggregate, between: Between) -> list[Row]:
    entry = aggregates.entries[track.label]
    contaminated = Counter(aggregates.units[place].run for place in entry.contaminated)
    unfinished = Counter(aggregates.units[place].run for place in entry.failed)
    points: list[Row] = []
    for header, interval in zip(headers, track.points.values(), strict=True):
        plain = interval.plain()
        points.append(
            {
                "run": header.run,
                "started": header.started,
                "commit": header.environment.commit and header.environment.commit[:8],
                "dirty": bool(header.environment.dirty),
                "contaminated": contaminated[header.run],
                "unfinished": unfinished[header.run],
                "mean": plain.pop("estimate"),
                **plain,
                "changed": [],
            }
        )
    for index, (before, after) in enumerate(pairwise(headers), start=1):
        points[index]["changed"] = [
            *between(track.machine, before.run, after.run),
            *_differing("measuring", "blocks", points[index - 1]["blocks"], points[index]["blocks"]),
        ]
    return points


def changed(before: Header, after: Header) -> list[Row]:
    """List what may explain a change between two runs: software of the machine, packages, the seed."""
    old, new = before.environment.packages, after.environment.packages
    return [
        *(
            row
            for name in _MACHINE
            for row in _differing("machine", name, getattr(before.machine, name), getattr(after.machine, name))
        ),
        *(row for name in sorted(set(old) & set(new)) for row in _differing("package", name, old[name], new[name])),
        *_differing("measuring", "seed", before.selection.seed, after.selection.seed),
    ]


def _differing(kind: str, name: str, before: Any, after: Any) -> list[Row]:
    return [] if before == after else [{"kind": kind, "name": name, "before": before, "after": after}]


def _change(change: Change, track: Track, points: Sequence[Row], metric: JudgedMetric | None) -> Row:
    cost, point = is_cost(track.measure), points[change.index]
    return {
        "index": change.index,
        **{name: point[name] for name in ("run", "started", "commit")},
        "before": change.before,
        "after": change.after,
        "effect": "ratio" if cost else "difference",
        "estimate": change.after / change.before if cost else change.after - change.before,
        "p": change.p,
        "verdict": _verdict(change, metric),
        "changed": point["changed"],
    }


def _verdict(change: Change, metric: JudgedMetric | None) -> str | None:
    if metric is None:
        return None
    return "worse" if (change.after > change.before) == (metric.direction == "lower") else "better"
