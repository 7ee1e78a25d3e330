"""The curves that the trials of a task recorded, and the limits that they are drawn with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from harness.stats.standings import Standings
from harness.trial import Curve, Figure

Plain: TypeAlias = dict[str, Any]


def curves(figures: Sequence[Figure], cells: Sequence[Standings], names: Mapping[str, int]) -> list[Plain]:
    """Gather the curves that a task declares, then those that it only records; limits go with what they limit.

    Parameters
    ----------
    names
        Label of a strategy to its place on the page.
    """
    declared = {figure.curve: figure for figure in figures}
    recorded = dict.fromkeys(name for cell in cells for entry in cell.entries.values() for name in entry.curves)
    limits = {figure.limit for figure in figures}
    found = []
    for name in [*declared, *(name for name in recorded if name not in declared and name not in limits)]:
        figure = declared.get(name) or Figure(name, title=name, x="x", y="y")
        lines = [
            {"cell": index, "strategy": names[label], "repeats": [_plain(c) for c in cell.entries[label].curves[name]]}
            for index, cell in enumerate(cells)
            for label in names
            if label in cell.entries and name in cell.entries[label].curves
        ]
        if lines:
            found.append({**_words(figure), "limit": _limit(figure, cells), "lines": lines})
    return found


def _words(figure: Figure) -> Plain:
    return {
        "curve": figure.curve,
        "title": figure.title,
        "x": figure.x,
        "y": figure.y,
        "reading": figure.reading,
        "diagonal": figure.diagonal,
        "log_x": figure.log_x,
        "log_y": figure.log_y,
    }


def _limit(figure: Figure, cells: Sequence[Standings]) -> Plain | None:
    """Return a figure's limit in every cell that has it; blocks on other data may have other ones."""
    lines = []
    for index, cell in enumerate(cells):
        kept = [entry.curves[figure.limit] for entry in cell.entries.values() if figure.limit in entry.curves]
        # It is the same for all strategies: the one with the most blocks tells it.
        repeats = [_plain(curve) for curve in max(kept, key=len, default=[])]
        different = [own for at, own in enumerate(repeats) if own not in repeats[:at]]
        if different:
            lines.append({"cell": index, "repeats": different})
    return {"title": figure.limit_title, "lines": lines} if lines else None


def _plain(curve: Curve) -> Plain:
    return {"x": curve.x, "y": curve.y} | ({"low": curve.low, "high": curve.high} if curve.low else {})
