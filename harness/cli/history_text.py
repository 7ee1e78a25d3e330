"""A history in the terminal: trends, changes, and remarks on what cannot be compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from harness.analysis import wording
from harness.analysis.history import Track, short
from harness.analysis.run_set import RunSet
from harness.analysis.wording import count
from harness.records import is_cost
from harness.report.terminal import CellText, Column, Styled, joined, print_table

if TYPE_CHECKING:
    from rich.console import Console


def remarks_on(runs: RunSet, groups: Sequence[Sequence[Track]]) -> list[str]:
    """Write the remarks, a sentence each."""
    tracks = [track for group in groups for track in group]
    long = [track for track in tracks if len(track.points) > 1]
    remarks = [*_machines(groups), *_data(runs, groups), *_setup(runs, groups), *_versions(groups)]
    if 0 < len(long) < len(tracks):
        remarks.append(f"{len(tracks) - len(long)} of {len(tracks)} series have one run only and are left out")
    few = sum(len(track.points) < 4 for track in long)
    if few:
        remarks.append(f"{few} of {len(long)} series have fewer than 4 runs, in which no change of level can be found")
    parts = Counter(track.searched for track in long if track.searched < len(track.points))
    remarks += [
        f"changes of level are searched for in the last {most:,} runs only: {times} of {len(long)} series have more"
        for most, times in parts.items()
    ]
    return remarks


def _machines(groups: Sequence[Sequence[Track]]) -> list[str]:
    sets = Counter(tuple(sorted({track.machine for track in group})) for group in groups)
    return [
        f"{count(times, 'figure')} measured on {len(names)} machines ({', '.join(names)}): each machine is "
        f"a series, and machines are never compared"
        for names, times in sets.items()
        if len(names) > 1
    ]


def _data(runs: RunSet, groups: Sequence[Sequence[Track]]) -> list[str]:
    """Name each data set that is not the same in all runs, and the run with which each version began."""
    data: dict[str, dict[str, str]] = {}
    for group in groups:
        for track in group:
            for run in track.points:
                data.setdefault(track.cell.dataset, {})[run] = str(track.edition)
    started = {header.run: header.started for header in runs.headers}
    remarks = []
    for name, editions in data.items():
        since: dict[str, str] = {}
        for run in sorted(editions, key=lambda run: started[run]):
            since.setdefault(editions[run], run)
        if len(since) > 1:
            versions = ", ".join(f"{short(edition)} since run {run}" for edition, run in since.items())
            remarks.append(
                f"data set {name} is not the same in all runs ({versions}): neither metrics nor times can be compared, "
                "so runs with other data are another series"
            )
    return remarks


def _versions(groups: Sequence[Sequence[Track]]) -> list[str]:
    changed = sorted({group[0].label for group in groups if len({track.version for track in group}) > 1})
    if not changed:
        return []
    return [
        f"the benchmark itself changed between runs, or runs do not say its version: {', '.join(changed)}; "
        "each version is a series"
    ]


def _setup(runs: RunSet, groups: Sequence[Sequence[Track]]) -> list[str]:
    """Name each task whose totals do not leave out the same phases in all runs, and the run with which each began."""
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for group in groups:
        if len({track.setup for track in group}) > 1:
            for track in group:
                found.setdefault((track.cell.full_task, track.measure), {}).update(
                    dict.fromkeys(track.points, track.setup)
                )
    started = {header.run: header.started for header in runs.headers}
    remarks = []
    for (task, measure), setups in found.items():
        since: dict[tuple[str, ...], str] = {}
        for run in sorted(setups, key=lambda run: started[run]):
            since.setdefault(setups[run], run)
        meanings = ", ".join(f"{wording.setup(setup)} since run {run}" for setup, run in since.items())
        remarks.append(
            f"{measure} of {task} does not mean the same in all runs ({meanings}), so runs with other set-up phases "
            "are another series"
        )
    return remarks


Row: TypeAlias = Mapping[str, Any]

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=+*%#"
_LONGEST = 40
_FULL_HEIGHT = 0.1  # at least, in the logarithm of a cost: noise of a few per cent must look like noise
_FLAGS = {"dirty": "dirty", "contaminated": "contaminated", "unfinished": "with failures"}
_COLOURS = {"worse": "red", "better": "green"}
_PLAIN = str.maketrans({"\u00a0": " ", "\u2212": "-", "\u2013": "-", "µ": "u"})


def print_series(out: Console, measure: str, rows: Sequence[Row]) -> None:
    """Print the series that changed, a table of the others, and what changed between their runs."""
    moved = [row for row in rows if row["changes"]]
    changed = (
        f"{len(moved)} with a change of level; by chance alone 1 to 2 in 100 show one" if moved else "none changed"
    )
    out.print(f"{measure}: {len(rows)} series of runs, {changed}", soft_wrap=True)
    out.print()
    for row in moved:
        _print_moved(out, measure, row)
    still: dict[str, list[Row]] = {}
    for row in rows:
        if not row["changes"]:
            still.setdefault(_place(row), []).append(row)
    for place, unchanged in still.items():
        out.print(joined(Styled(place, "bold"), ": no change of level"), soft_wrap=True)
        print_table(out, _columns(out, measure, unchanged))
        out.print()
    _print_between(out, rows)


def sparkline(values: Sequence[float], least: float, bars: str = _BARS) -> str:
    """Draw values as a line of bars; many values are reduced to the means of neighbours.

    Parameters
    ----------
    least
        The difference, at the least, between the lowest bar and the highest.
    """
    parts = np.array_split(np.asarray(values, dtype=float), min(len(values), _LONGEST))
    means = np.array([part.mean() for part in parts])
    height = max(float(np.ptp(means)), least)
    if height == 0:
        return bars[0] * len(means)
    shares = (means - means.min()) / height
    return "".join(bars[min(int(share * len(bars)), len(bars) - 1)] for share in shares)


def _print_moved(out: Console, measure: str, row: Row) -> None:
    out.print(joined(Styled(row["strategy"], "bold"), f"  {_place(row)}"), soft_wrap=True)
    levels = ", ".join(f"{name} {_amount(row[name], row)}" for name in ("first", "last", "best"))
    flags = _flags(row)
    line = f"{_trend(out, measure, row)}  {row['runs']} runs: {levels}{f'; {flags}' if flags else ''}"
    out.print(f"  {line}", soft_wrap=True)
    for change in row["changes"]:
        out.print(joined("  ", *_changed(change, measure, row)), soft_wrap=True)
    out.print()


def _changed(change: Row, measure: str, row: Row) -> tuple[CellText, CellText]:
    point = row["points"][change["index"]]
    size = wording.effect({**change, "low": None, "high": None}, cost=is_cost(measure)).translate(_PLAIN)
    word = _word(change, measure)
    colour = _COLOURS.get(change["verdict"] or "", "bold")
    parts = [
        f"{point['started'][:10]} run {point['run']}" + (f" commit {point['commit']}" if point["commit"] else ""),
        f"{_amount(change['before'], row)} -> {_amount(change['after'], row)}",
        "p < 0.001" if change["p"] < 0.001 else f"p = {change['p']:.3f}",
        *_point_flags(point),
    ]
    with_it = f"; with {_listed(change['changed'])}" if change["changed"] else ""
    return Styled(f"{size} ({word})" if word else size, colour), f"  {', '.join(parts)}{with_it}"


def _word(change: Row, measure: str) -> str:
    up = change["after"] > change["before"]
    if not is_cost(measure):
        return change["verdict"] or ""
    if measure.endswith("_s"):
        return "slower" if up else "faster"
    return "more memory" if up else "less memory"


def _columns(out: Console, measure: str, rows: Sequence[Row]) -> list[Column]:
    levels = {name: [_amount(row[name], row) for row in rows] for name in ("first", "last", "best")}
    columns = [
        Column("strategy", [row["strategy"] for row in rows], 0, "name"),
        Column("runs", [str(row["runs"]) for row in rows], 3),
        Column("trend", [_trend(out, measure, row) for row in rows], 5, "label"),
        Column("first", levels["first"], 2),
        Column("last", levels["last"], 1),
        Column("best", levels["best"], 4),
    ]
    if any(map(_flags, rows)):
        columns.append(Column("runs flagged", [_flags(row) for row in rows], 6, "text"))
    return columns


def _print_between(out: Console, rows: Sequence[Row]) -> None:
    """Print what else changed on each machine, each change once, even if series meet it at different runs."""
    marks = {
        (row["machine"], point["started"], point["run"], one["name"]): one
        for row in rows
        for point in row["points"]
        for one in point["changed"]
        if one["name"] != "blocks"
    }
    now: dict[tuple[str, str], Any] = {}
    lines: dict[str, list[Row]] = {}
    for (machine, started, run, name), one in sorted(marks.items(), key=lambda item: item[0]):
        if now.get((machine, name)) != one["after"]:
            now[machine, name] = one["after"]
            lines.setdefault(f"{machine}, {started[:10]} run {run}", []).append(one)
    if lines:
        out.print("what else changed between runs:", soft_wrap=True)
    for line, changes in lines.items():
        out.print(f"  {line}: {_listed(changes)}", soft_wrap=True)


def _listed(marks: Sequence[Row]) -> str:
    return ", ".join(f"{one['name']} {_value(one['before'])} -> {_value(one['after'])}" for one in marks)


def _value(value: Any) -> str:
    return "unknown" if value in (None, "") else str(value)


def _flags(row: Row) -> str:
    """Count the runs that are flagged."""
    counts = {name: sum(bool(point[name]) for point in row["points"]) for name in _FLAGS}
    return ", ".join(f"{count} {_FLAGS[name]}" for name, count in counts.items() if count)


def _point_flags(point: Row) -> list[str]:
    return [word for name, word in _FLAGS.items() if point[name]]


def _place(row: Row) -> str:
    data = f", data {short(row['data'])}" if row["other_data"] else ""
    setup = f", {wording.setup(row['setup'])}" if row["other_setup"] else ""
    version = f", benchmark's version {row['version'][:8] or 'unknown'}" if row["other_version"] else ""
    return f"{row['topic']}/{row['task']} on {wording.place(row)}{data}{setup}{version}, machine {row['machine']}"


def _trend(out: Console, measure: str, row: Row) -> str:
    values = [point["mean"] for point in row["points"]]
    bars = _ASCII_BARS if out.options.ascii_only else _BARS
    if is_cost(measure):
        return sparkline([math.log(value) for value in values], _FULL_HEIGHT, bars)
    return sparkline(values, 2 * row["margin"], bars)


def _amount(value: float | None, row: Row) -> str:
    return wording.figure(value, row["unit"]).translate(_PLAIN)
