"""Small charts in numbers, which the templates write as SVG: they need no script."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from harness.analysis import wording

Plain: TypeAlias = Mapping[str, Any]

#: Size of the chart of cost against quality, in pixels.
WIDTH, HEIGHT = 124, 34
#: Length of the line on which an interval is drawn.
LINE = 150
_EDGE = 6
_FAR = 4
_MOST_FAR = 3
_ON_TOP = ("other", "baseline", "rival", "as good", "take")


def scatter(task: Plain) -> dict[str, Any] | None:
    """Place the strategies of a task by CPU time, logarithmic to the right, and by quality, upwards if it is better.

    Returns
    -------
    dict or None
        ``dots``, each with ``x``, ``y``, ``role`` and ``title``, those on top last, and ``text``, which says the same
        in words; ``None`` with fewer than two strategies.
    """
    if len(task["points"]) < 2:
        return None
    metric = next(measure for measure in task["measures"] if not measure["cost"])
    points = sorted(task["points"], key=lambda point: _ON_TOP.index(point["role"]))
    sign = 1 if metric["better"] == "higher" else -1
    across = _placed([math.log(max(point["cost"], 1e-9)) for point in points], WIDTH)
    upwards = _placed([sign * point["quality"] for point in points], HEIGHT)
    titles = [_title(point, task, metric) for point in points]
    dots = [
        {"x": x, "y": round(HEIGHT - y, 1), "role": point["role"], "title": title}
        for x, y, point, title in zip(across, upwards, points, titles, strict=True)
    ]
    taken = [title for point, title in zip(points, titles, strict=True) if point["role"] == "take"]
    text = f"{wording.spoken(metric['name'])} against CPU time of {wording.count(len(points), 'strategy')}"
    return {"dots": dots, "text": "; ".join((text, *taken))}


def _title(point: Plain, task: Plain, metric: Plain) -> str:
    quality = f"{wording.spoken(metric['name'])} {wording.figure(point['quality'], metric['unit'])}"
    label = task["strategies"][point["strategy"]]["label"]
    return f"{label}: {quality}, {wording.figure(point['cost'], 's')} of CPU time"


def _placed(values: Sequence[float], size: int) -> list[float]:
    """Place values between the edges of a chart; those beyond its scale lie at its very edge."""
    low, high = _scale(values)
    span = high - low
    places = [_EDGE + (size - 2 * _EDGE) * ((value - low) / span if span else 0.5) for value in values]
    return [round(min(max(place, _EDGE / 2), size - _EDGE / 2), 1) for place in places]


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a scale; it leaves out up to a third of the values if they would hide how the rest differ."""
    ordered = sorted(values)
    whole = ordered[-1] - ordered[0]
    for total in range(1, min(_MOST_FAR, len(ordered) // 3) + 1):
        for below in range(total, -1, -1):
            inside = ordered[below : len(ordered) - (total - below)]
            if (inside[-1] - inside[0]) * _FAR < whole:
                return inside[0], inside[-1]
    return ordered[0], ordered[-1]


def interval(claim: Plain) -> dict[str, Any] | None:
    """Place the interval of a claim's quantity on a line, with what the claim expects of it.

    Returns
    -------
    dict or None
        ``expected`` (start and width), ``bounds``, ``low`` and ``high`` (``None`` without an interval), ``estimate``,
        and ``text``: what is expected, in words; what was measured is written beside it. ``None`` without an estimate.
    """
    if claim["estimate"] is None:
        return None
    least, most = claim["at_least"], claim["at_most"]
    known = [value for value in (claim["low"], claim["high"], claim["estimate"], least, most) if value is not None]
    logarithmic = claim["cost"] and min(known) > 0
    place = _line([math.log(value) if logarithmic else value for value in known])

    def at(value: float | None) -> int | None:
        return None if value is None else place(math.log(value) if logarithmic else value)

    start, end = at(least) or 0, at(most) or LINE
    expected = {"x": start, "width": end - start} if least is not None or most is not None else None
    return {
        "expected": expected,
        "bounds": [at(bound) for bound in (least, most) if bound is not None],
        "low": at(claim["low"]),
        "high": at(claim["high"]),
        "estimate": at(claim["estimate"]),
        "text": f"expected: {claim['expected']}",
    }


def _line(values: Sequence[float]) -> Callable[[float], int]:
    """Return what places a value, to a pixel, on a line that has room for some values."""
    low, high = min(values), max(values)
    length = LINE - 4 * _EDGE
    return lambda value: round(2 * _EDGE + length * ((value - low) / (high - low) if high > low else 0.5))
