"""What ``bakeoff history`` tells: the series of a measure over runs, with what changed between them."""

from __future__ import annotations

import gc
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from harness.analysis.aggregates import CellAggregate, aggregate
from harness.analysis.history import Track, follow
from harness.records import Cell, Record, is_cost
from harness.stats.changes import Change
from harness.store.header import Header, JudgedMetric
from harness.store.runs import open_run

Row: TypeAlias = dict[str, Any]

#: Runs within which a change for the worse counts as news.
LATELY = 3
_MACHINE = ("python", "kernel", "governor", "cpu_quota")


@dataclass(frozen=True)
class Tracked:
    """Runs read.

    Attributes
    ----------
    headers
        Run to its header.
    contaminated, unfinished
        How many trials of a run, cell and strategy met a busy machine, and how many began and did not finish.
    """

    headers: dict[str, Header] = field(default_factory=dict)
    aggregates: list[CellAggregate] = field(default_factory=list)
    contaminated: Counter[tuple[str, Cell, str]] = field(default_factory=Counter)
    unfinished: Counter[tuple[str, Cell, str]] = field(default_factory=Counter)

    @property
    def measures(self) -> list[str]:
        """The names of all that was measured."""
        entries = (entry for cell in self.aggregates for entry in cell.entries.values())
        return list(dict.fromkeys(name for entry in entries for name in entry.values))

    def edition(self, run: str, cell: Cell) -> str:
        """Return the checksum of a cell's data in a run; empty where its header has none."""
        return self.headers[run].cards.get(cell.dataset, "")


def read_tracked(paths: Sequence[Path], since: datetime | None = None) -> Tracked:
    """Read runs, those that started before a moment left out.

    Raises
    ------
    UsageError
        When a file cannot be opened, is damaged, or has a newer major version.
    """
    tracked = Tracked()

    def streams() -> Iterator[tuple[str, str, Iterable[Record]]]:
        for path in paths:
            with open_run(path) as reader:
                header = reader.header
                if since is None or _moment(header.started) >= since:
                    tracked.headers[header.run] = header
                    yield header.run, header.machine.name, _counted(reader, header.run, tracked)

    # The collector would walk all that is kept again and again, and none of it is garbage.
    collecting = gc.isenabled()
    gc.disable()
    try:
        tracked.aggregates.extend(aggregate(streams()))
    finally:
        if collecting:
            gc.enable()
    return tracked


def _moment(started: str) -> datetime:
    moment = datetime.fromisoformat(started)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _counted(records: Iterable[Record], run: str, tracked: Tracked) -> Iterator[Record]:
    for record in records:
        place = (run, Cell.of(record), record.trial.label)
        tracked.contaminated[place] += record.conditions is not None and record.conditions.contaminated
        tracked.unfinished[place] += record.status not in ("ok", "skipped")
        yield record


def tracks(
    tracked: Tracked, aggregates: Sequence[CellAggregate], measure: str, last: int | None = None
) -> list[list[Track]]:
    """Follow a measure over runs, the last few of each series if told: a list a strategy and cell."""
    started = {run: header.started for run, header in tracked.headers.items()}
    return [
        [replace(track, points=dict(list(track.points.items())[-last:])) if last else track for track in group]
        for group in follow(aggregates, [measure], started, tracked.edition)
    ]


def series(tracked: Tracked, groups: Iterable[Sequence[Track]]) -> list[Row]:
    """Describe the tracks with two runs at the least, those with the largest changes first."""
    rows = []
    for group in groups:
        several = len({track.edition for track in group}) > 1
        rows += [{**_row(track, tracked), "other_data": several} for track in group if len(track.points) > 1]
    return sorted(rows, key=lambda row: -max((_size(change) for change in row["changes"]), default=0.0))


def short(edition: str) -> str:
    """Shorten a checksum; the name of a generator stays whole."""
    return edition[:8] if len(edition) == 64 else edition or "unknown"


def _size(change: Row) -> float:
    """Return how large a change is, either way."""
    estimate = float(change["estimate"])
    return abs(math.log(estimate)) if change["effect"] == "ratio" else abs(estimate)


def _row(track: Track, tracked: Tracked) -> Row:
    metric, cell = _metric(track, tracked.headers), track.cell
    points = _points(track, tracked)
    news = track.found_lately(LATELY)
    return {
        "topic": cell.topic,
        "task": cell.task,
        "dataset": cell.dataset,
        "scenario": cell.scenario,
        "params": dict(cell.params),
        "strategy": track.label,
        "machine": track.machine,
        "data": track.edition,
        "unit": metric.unit if metric else "",
        "better": metric.direction if metric else None,
        "margin": metric.margin if metric else 0.0,
        "runs": len(points),
        "first": track.values[0],
        "last": track.values[-1],
        "best": None if metric is None else (min if metric.direction == "lower" else max)(track.values),
        "points": points,
        "changes": [_change(change, track, points, metric) for change in track.changes],
        "regressed": news is not None and _verdict(news, metric) == "worse",
    }


def _metric(track: Track, headers: Mapping[str, Header]) -> JudgedMetric | None:
    """Return which way the measure is better, as the newest run says; ``None`` where no header does."""
    task, name = f"{track.cell.topic}/{track.cell.task}", track.measure
    if is_cost(name):
        return JudgedMetric(task, name, "lower", "s" if name.endswith("_s") else "byte")
    said = (metric for run in reversed(track.points) for metric in headers[run].metrics)
    return next((metric for metric in said if (metric.task, metric.name) == (task, name)), None)


def _points(track: Track, tracked: Tracked) -> list[Row]:
    headers = [tracked.headers[run] for run in track.points]
    points: list[Row] = []
    for header, interval in zip(headers, track.points.values(), strict=True):
        place = (header.run, track.cell, track.label)
        plain = interval.plain()
        points.append(
            {
                "run": header.run,
                "started": header.started,
                "commit": header.environment.commit and header.environment.commit[:8],
                "dirty": bool(header.environment.dirty),
                "contaminated": tracked.contaminated[place],
                "unfinished": tracked.unfinished[place],
                "mean": plain.pop("estimate"),
                **plain,
                "changed": [],
            }
        )
    for index, (before, after) in enumerate(pairwise(headers), start=1):
        points[index]["changed"] = [
            *changed(before, after),
            *_differing("measuring", "blocks", points[index - 1]["blocks"], points[index]["blocks"]),
        ]
    return points


def changed(before: Header, after: Header) -> list[Row]:
    """List what may explain a change between two runs: the machine's software, versions of packages, the seed."""
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
