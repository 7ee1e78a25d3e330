"""What a reader of ``bakeoff history`` has to know before comparing: machines, data, and series too short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.cli.history_series import Tracked, short
from harness.report.wording import count
from harness.stats.history import Track


def remarks_on(tracked: Tracked, groups: Sequence[Sequence[Track]]) -> list[str]:
    """Write the remarks, a sentence each."""
    tracks = [track for group in groups for track in group]
    kept = [track for track in tracks if len(track.points) > 1]
    remarks = [*_machines(groups), *_data(tracked, groups)]
    if 0 < len(kept) < len(tracks):
        remarks.append(f"{len(tracks) - len(kept)} of {len(tracks)} series hold one run only and are left out")
    few = sum(len(track.points) < 4 for track in kept)
    if few:
        remarks.append(f"{few} of {len(kept)} series hold fewer than 4 runs, in which no change of level can be found")
    return remarks


def _machines(groups: Sequence[Sequence[Track]]) -> list[str]:
    sets = Counter(tuple(sorted({track.machine for track in group})) for group in groups)
    return [
        f"measured on {len(names)} machines: {', '.join(names)}; what they share ({count(times, 'figure')}) is shown "
        "apart for each and never compared"
        for names, times in sets.items()
        if len(names) > 1
    ]


def _data(tracked: Tracked, groups: Sequence[Sequence[Track]]) -> list[str]:
    """Tell of each data set that is not the same in all runs, and since which run it is another."""
    found: dict[str, dict[str, str]] = {}
    for group in groups:
        for track in group:
            for run in track.points:
                found.setdefault(track.cell.dataset, {})[run] = str(track.edition)
    remarks = []
    for name, editions in found.items():
        since: dict[str, str] = {}
        for run in sorted(editions, key=lambda run: tracked.headers[run].started):
            since.setdefault(editions[run], run)
        if len(since) > 1:
            told = ", ".join(f"{short(edition)} since run {run}" for edition, run in since.items())
            remarks.append(
                f"data set {name} is not the same in all runs ({told}): neither metrics nor times can be compared, so "
                "runs with other data are another series"
            )
    return remarks
