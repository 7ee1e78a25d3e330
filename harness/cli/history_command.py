"""``bakeoff history``: one measure over all runs, and where its level changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.analysis.aggregates import CellAggregate, StrategyAggregate
from harness.analysis.run_set import RunSet, read_run_set, start_of
from harness.cli.output import config, console, json_option, log, print_json
from harness.cli.waiting import reading
from harness.errors import Exit, NothingSelectedError, UsageError, did_you_mean
from harness.store.runs import find_with_added, runs

if TYPE_CHECKING:
    from harness.analysis.history import Track


# Option to its word in an error, and to the names that one of its patterns may match in a cell.
_CELL: dict[str, tuple[str, Callable[[CellAggregate], Sequence[str]]]] = {
    "tasks": ("topic or task", lambda cell: (cell.cell.topic, f"{cell.cell.topic}/{cell.cell.task}")),
    "datasets": ("data set", lambda cell: (cell.cell.dataset,)),
    "scenarios": ("scenario", lambda cell: (cell.cell.scenario,)),
    "machines": ("machine", lambda cell: (cell.machine,)),
}


def run_paths(results: Path, names: Sequence[str]) -> list[Path]:
    """List the files of the runs that arguments mean, each once; without an argument, all of the results folder.

    Raises
    ------
    UsageError
        When a run cannot be found, or a folder contains no runs.
    """
    paths: list[Path] = []
    for name in names:
        paths += _in_folder(Path(name)) if Path(name).is_dir() else find_with_added(results, [name])
    return list({path.resolve(): path for path in (paths if names else _in_folder(results))}.values())


def choose(runs: RunSet, patterns: Mapping[str, Sequence[str]], measure: str) -> list[CellAggregate]:
    """Choose cells and strategies by shell-style patterns; a strategy may be named with its options too.

    Raises
    ------
    UsageError
        When no run has the measure, or a pattern matches no name on record.
    NothingSelectedError
        When no finished trial that matches all patterns has the measure.
    """
    if not runs.aggregates:
        raise NothingSelectedError("no trial is on record in the runs chosen; give others, or an earlier --since")
    if measure not in runs.measures:
        raise UsageError(f"no run has the measure {measure!r}{did_you_mean(measure, runs.measures)}")
    _check(runs.aggregates, patterns)
    chosen = [
        replace(cell, entries=entries)
        for cell in runs.aggregates
        if all(_matches(names(cell), patterns[option]) for option, (_, names) in _CELL.items())
        and (entries := _entries(cell, patterns["strategies"]))
    ]
    if not any(measure in entry.values for cell in chosen for entry in cell.entries.values()):
        raise NothingSelectedError(f"no finished trial of this selection has the measure {measure}")
    return chosen


def _in_folder(folder: Path) -> list[Path]:
    paths = runs(folder)
    if not paths:
        raise UsageError(f"{folder} contains no runs; make one with 'bakeoff run'")
    return paths


def _check(aggregates: Sequence[CellAggregate], patterns: Mapping[str, Sequence[str]]) -> None:
    """Refuse a pattern that matches no name on record, even if other patterns match."""
    known = {option: (word, [n for cell in aggregates for n in names(cell)]) for option, (word, names) in _CELL.items()}
    labels = [name for cell in aggregates for label, entry in cell.entries.items() for name in _names(label, entry)]
    for option, (word, names) in {**known, "strategies": ("strategy", labels)}.items():
        for pattern in patterns[option]:
            if not _matches(names, [pattern]):
                raise UsageError(f"no {word} on record matches {pattern!r}{did_you_mean(pattern, names)}")


def _entries(cell: CellAggregate, patterns: Sequence[str]) -> dict[str, StrategyAggregate]:
    return {label: entry for label, entry in cell.entries.items() if _matches(_names(label, entry), patterns)}


def _names(label: str, entry: StrategyAggregate) -> tuple[str, str]:
    return entry.strategy, label


def _matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
    # The brackets of a label are not a pattern.
    return not patterns or any(name == pattern or fnmatchcase(name, pattern) for name in names for pattern in patterns)


@click.command("history", short_help="Follow a measure over runs, with the changes of its level.")
@click.argument("measure", metavar="METRIC")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--task", "tasks", multiple=True, metavar="TOPIC[/TASK]", help="Only these tasks.")
@click.option("--strategy", "-s", "strategies", multiple=True, metavar="GLOB", help="Only these strategies.")
@click.option("--dataset", "-d", "datasets", multiple=True, metavar="GLOB", help="Only these data sets.")
@click.option("--scenario", "scenarios", multiple=True, metavar="GLOB", help="Only these scenarios.")
@click.option("--machine", "machines", multiple=True, metavar="GLOB", help="Only these machines.")
@click.option("--since", type=click.DateTime(), metavar="DATE", help="Only runs from then on (UTC), as in 2026-11-01.")
@click.option("--last", type=click.IntRange(min=2), metavar="N", help="Only the last N runs of each series.")
@click.option("--check", is_flag=True, help="Exit with 1 when a change for the worse came to light in the last 3 runs.")
@json_option
def command(
    *,
    measure: str,
    runs: tuple[str, ...],
    since: datetime | None,
    last: int | None,
    check: bool,
    as_json: bool,
    **patterns: tuple[str, ...],
) -> int:
    """Follow METRIC (cpu_s, fit.cpu_s, peak_bytes, auc ...) over RUNs: by default all of the results folder.

    A RUN is a path, a file name, an id, or a folder of runs. A series is one strategy in one cell on one machine and
    the same data, and for totals of time and memory with the same set-up phases: nothing else is compared. Names may
    be shell-style patterns.
    """
    from harness.analysis.history import LATELY, series, tracks
    from harness.cli.history_text import print_series, remarks_on

    paths = run_paths(config().results_folder, runs)
    first = since.replace(tzinfo=UTC) if since else None
    with reading(paths) as one:
        read = read_run_set(paths, lambda header: first is None or start_of(header) >= first, one)
        groups = tracks(read, choose(read, patterns, measure), measure, last)
        rows = series(read, groups)
    remarks = log()
    for remark in remarks_on(read, groups):
        remarks.print(f"note: {remark}", soft_wrap=True)
    if not rows:
        raise NothingSelectedError(_too_few(measure, groups))
    if as_json:
        print_json({"measure": measure, "series": rows})
    else:
        print_series(console(), measure, rows)
    worse = [row for row in rows if row["regressed"]]
    if not check or not worse:
        return Exit.DONE
    names = ", ".join(dict.fromkeys(row["strategy"] for row in worse))
    remarks.print(
        f"{len(worse)} of {len(rows)} series got worse, detected in the last {LATELY} runs: {names}",
        soft_wrap=True,
    )
    return Exit.NO


def _too_few(measure: str, groups: list[list[Track]]) -> str:
    runs = {run for group in groups for track in group for run in track.points}
    if len(runs) == 1:
        return f"only one run has {measure} here; a history needs at least two of the same cells on one machine"
    apart = any(track.setup != group[0].setup for group in groups for track in group)
    same = "the same data and set-up phases" if apart else "the same data"
    return f"no strategy and cell has {measure} in two runs on one machine and {same}; repeat a run's command"
