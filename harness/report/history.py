"""The history of each figure as a page holds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.stats.history import Track, follow
from harness.stats.paired import Interval
from harness.stats.standings import Standings
from harness.store.header import Header


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
    started = {run: header.started for run, header in headers.items()}
    return [
        _row(track, headers)
        for tracks in follow(standings, names, started, lambda run, cell: headers[run].cards.get(cell.dataset))
        if sum(len(track.points) for track in tracks) > 1
        for track in tracks
    ]


def _row(track: Track, headers: dict[str, Header]) -> dict[str, Any]:
    return {
        "label": track.label,
        "measure": track.measure,
        "cell": track.cell.short,
        "machine": track.machine,
        "points": [_point(headers[run], mean) for run, mean in track.points.items()],
        "changes": [
            {"index": change.index, "before": change.before, "after": change.after, "p": change.p}
            for change in track.changes
        ],
    }


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
