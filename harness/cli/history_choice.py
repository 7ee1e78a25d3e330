"""Which runs, cells and strategies ``bakeoff history`` follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from harness.cli.history_series import Tracked
from harness.errors import NothingSelectedError, UsageError, did_you_mean
from harness.stats.standings import Entry, Standings
from harness.store.runs import find, runs

# Option to its word in an error, and to the names that one of its patterns may match in a cell.
_CELL: dict[str, tuple[str, Callable[[Standings], Sequence[str]]]] = {
    "tasks": ("topic or task", lambda standing: (standing.cell.topic, f"{standing.cell.topic}/{standing.cell.task}")),
    "datasets": ("data set", lambda standing: (standing.cell.dataset,)),
    "scenarios": ("scenario", lambda standing: (standing.cell.scenario,)),
    "machines": ("machine", lambda standing: (standing.machine,)),
}


def run_paths(results: Path, names: Sequence[str]) -> list[Path]:
    """Find the runs that some arguments mean, each once; all of the results folder when there is no argument.

    Raises
    ------
    UsageError
        When a run cannot be found, or a folder holds none.
    """
    found: list[Path] = []
    for name in names:
        found += _in_folder(Path(name)) if Path(name).is_dir() else [find(results, name)]
    return list({path.resolve(): path for path in (found if names else _in_folder(results))}.values())


def choose(tracked: Tracked, patterns: Mapping[str, Sequence[str]], measure: str) -> list[Standings]:
    """Choose cells and strategies by shell-style patterns; a strategy may be named with its options too.

    Raises
    ------
    UsageError
        When no run has the measure, or a pattern matches no name on record.
    NothingSelectedError
        When no finished trial that matches all patterns has the measure.
    """
    if not tracked.standings:
        raise NothingSelectedError("no trial is on record in the runs chosen; give others, or an earlier --since")
    if measure not in tracked.measures:
        raise UsageError(f"no run has the measure {measure!r}{did_you_mean(measure, tracked.measures)}")
    _check(tracked.standings, patterns)
    chosen = [
        replace(standing, entries=entries)
        for standing in tracked.standings
        if all(_any(names(standing), patterns[option]) for option, (_, names) in _CELL.items())
        and (entries := _entries(standing, patterns["strategies"]))
    ]
    if not any(measure in entry.values for standing in chosen for entry in standing.entries.values()):
        raise NothingSelectedError(f"no finished trial of this selection has the measure {measure}")
    return chosen


def _in_folder(folder: Path) -> list[Path]:
    found = runs(folder)
    if not found:
        raise UsageError(f"{folder} holds no runs; make one with 'bakeoff run'")
    return found


def _check(standings: Sequence[Standings], patterns: Mapping[str, Sequence[str]]) -> None:
    """Refuse a pattern that matches nothing on record, be it alone."""
    known = {option: (word, [n for own in standings for n in names(own)]) for option, (word, names) in _CELL.items()}
    labels = [name for own in standings for label, entry in own.entries.items() for name in _names(label, entry)]
    for option, (word, names) in {**known, "strategies": ("strategy", labels)}.items():
        for pattern in patterns[option]:
            if not _any(names, [pattern]):
                raise UsageError(f"no {word} on record matches {pattern!r}{did_you_mean(pattern, names)}")


def _entries(standing: Standings, patterns: Sequence[str]) -> dict[str, Entry]:
    return {label: entry for label, entry in standing.entries.items() if _any(_names(label, entry), patterns)}


def _names(label: str, entry: Entry) -> tuple[str, str]:
    return entry.strategy, label


def _any(names: Sequence[str], patterns: Sequence[str]) -> bool:
    # A label's own brackets are no pattern.
    return not patterns or any(name == pattern or fnmatchcase(name, pattern) for name in names for pattern in patterns)
