"""Charts for a paper, drawn with matplotlib from a `harness.Comparison` (extra ``figures``)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.analysis.aggregates import CellAggregate
from harness.errors import UsageError
from harness.records import is_cost
from harness.stats.pareto import front

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.analysis.comparison import Comparison

# Okabe & Ito 2008: colour-blind readers can distinguish these colours; in print, the shapes differ too.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vP*X<>"


def forest(comparison: Comparison, measure: str = "cpu_s", *, ax: Axes | None = None) -> Axes:
    """Draw the effects of all strategies against the reference on one measure, with their intervals."""
    ax = _axes(ax)
    found = comparison.verdicts(measure)
    shown = [label for label in reversed(comparison.labels) if found[label].effect is not None]
    for row, label in enumerate(shown):
        effect = found[label].effect
        assert effect is not None
        if effect.known:
            ax.plot([effect.low, effect.high], [row, row], color="0.4", linewidth=1.5)
        ax.plot(effect.estimate, row, "o", color=_COLOURS[0] if found[label].word in ("better", "worse") else "0.4")
    ax.set_yticks(range(len(shown)), shown)
    ax.axvline(1 if is_cost(measure) else 0, color="0.7", linewidth=1, zorder=0)
    if is_cost(measure):
        ax.set_xscale("log")
    kind = "ratio" if is_cost(measure) else "difference"
    ax.set_xlabel(f"{measure}: {kind} to {comparison.reference}, 95 % interval")
    return ax


def pareto(comparison: Comparison, cost: str = "cpu_s", metric: str | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw quality against cost, one point for each strategy, and the front of those that no other one dominates."""
    ax = _axes(ax)
    name = metric or next(measure for measure in comparison.measures if not is_cost(measure))
    sign = -1 if comparison.measures[name] == "higher" else 1
    table = comparison.table()
    points = np.column_stack([table[cost, "median"], sign * table[name, "median"]]).astype(float)
    best = front(points)
    for index, (label, (x, y)) in enumerate(zip(comparison.labels, points, strict=True)):
        ax.plot(x, sign * y, _MARKERS[index % len(_MARKERS)], color=_COLOURS[index % len(_COLOURS)], label=label)
    order = np.argsort(points[best, 0])
    ax.step(points[best, 0][order], sign * points[best, 1][order], where="post", color="0.5", linewidth=1, zorder=0)
    ax.set_xscale("log")
    ax.set_xlabel(cost)
    ax.set_ylabel(f"{name} ({comparison.measures[name]} is better)")
    ax.legend(fontsize="small")
    return ax


def scaling(comparison: Comparison, over: str, measure: str = "cpu_s", *, ax: Axes | None = None) -> Axes:
    """Draw how a measure grows with a parameter: one line for each strategy, over the cells that have the parameter."""
    ax = _axes(ax)
    cells = sorted((cell for cell in comparison.cells if over in dict(cell.cell.params)), key=lambda c: _size(c, over))
    if len({_size(cell, over) for cell in cells}) < 2:
        raise UsageError(f"these cells have fewer than two values of {over}: run with --set {over}=A,B")
    for index, label in enumerate(comparison.labels):
        line = [(_size(cell, over), _median(cell, label, measure)) for cell in cells]
        known = np.array([point for point in line if math.isfinite(point[1])]).reshape(-1, 2)
        style = _MARKERS[index % len(_MARKERS)]
        ax.plot(known[:, 0], known[:, 1], f"{style}-", color=_COLOURS[index % len(_COLOURS)], label=label)
    ax.set_xscale("log")
    if is_cost(measure):
        ax.set_yscale("log")
    ax.set_xlabel(over)
    ax.set_ylabel(measure)
    ax.legend(fontsize="small")
    return ax


KINDS: dict[str, Callable[..., Any]] = {"forest": forest, "pareto": pareto, "scaling": scaling}


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("figures need matplotlib (in a checkout of Bakeoff: pip install '.[figures]')") from None
    return Figure(figsize=(6.4, 4.0), layout="constrained").subplots()


def _size(cell: CellAggregate, over: str) -> float:
    return float(dict(cell.cell.params)[over])


def _median(cell: CellAggregate, label: str, measure: str) -> float:
    entry = cell.entries.get(label)
    found = entry.median(measure) if entry else None
    return math.nan if found is None else found
