"""Answers: what the standings say to a question, as an interval."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from harness.claims.question import Question, value_of
from harness.stats.paired import Interval, bootstrap
from harness.stats.scaling import crossover, slope
from harness.stats.standings import Floats, Standings, Unit, cost_table, pool

Parts = list[dict[Unit, float]]


def answer(question: Question, standings: Sequence[Standings]) -> tuple[Interval | None, list[Standings]]:
    """Answer on the machine that has the most blocks for the question, and return its cells too."""
    machines = list(dict.fromkeys(cell.machine for cell in standings))
    found = []
    for machine in machines:
        cells = question.cells([cell for cell in standings if cell.machine == machine])
        interval = _ANSWERS[question.kind](question, cells) if cells else None
        found.append((interval, cells))
    return max(found, key=lambda pair: (pair[0].blocks if pair[0] else -1, len(pair[1])), default=(None, []))


def _compared(question: Question, cells: Sequence[Standings]) -> Interval | None:
    of, to = question.labels
    return pool(_kept([cell.differences(of, to, question.measure) for cell in cells]), question.measure)


def _growth(question: Question, cells: Sequence[Standings]) -> Interval | None:
    of, to = question.labels
    parts = []
    for first, second in _pairs(question, cells):
        before, after = (cell.differences(of, to, question.measure) for cell in (first, second))
        parts.append({unit: after[unit] - before[unit] for unit in before if unit in after})
    return pool(_kept(parts), question.measure)


def _speedup(question: Question, cells: Sequence[Standings]) -> Interval | None:
    (of,) = question.labels
    pairs = _pairs(question, cells)
    return pool(
        _kept([first.differences(of, of, question.measure, second) for first, second in pairs]), question.measure
    )


def _slope(question: Question, cells: Sequence[Standings]) -> Interval | None:
    sizes, (costs,) = _tables(question, cells)
    found = slope(sizes, costs) if len(sizes) > 1 else None
    return found if found and found.blocks else None


def _crossover(question: Question, cells: Sequence[Standings]) -> Interval | None:
    sizes, (of, to) = _tables(question, cells)
    return crossover(sizes, of, to) if len(sizes) > 1 else None


def _order(question: Question, cells: Sequence[Standings]) -> Interval | None:
    """Correlate the strategies' means at two values; blocks are resampled, so that their noise is in the interval."""
    pairs = _pairs(question, cells)
    if not pairs:
        return None
    first, second = pairs[0]
    labels = [label for label in first.entries if _has(first, label, question) and _has(second, label, question)]
    common = [unit for unit in first.units if unit in second.units]
    if len(labels) < 2 or not common:
        return None
    columns = np.array([_column(cell, label, question.measure, common) for cell in (first, second) for label in labels])
    kept = columns[:, np.isfinite(columns).all(axis=0)]
    return bootstrap(kept.T, lambda rows: _tau(rows.mean(axis=0), len(labels))) if kept.shape[1] else None


_ANSWERS: dict[str, Callable[[Question, Sequence[Standings]], Interval | None]] = {
    "ratio": _compared,
    "difference": _compared,
    "growth": _growth,
    "speedup": _speedup,
    "slope": _slope,
    "crossover": _crossover,
    "order": _order,
}


def _kept(parts: Parts) -> Parts:
    return [part for part in parts if part]


def _pairs(question: Question, cells: Sequence[Standings]) -> list[tuple[Standings, Standings]]:
    """Pair the cells that differ in what varies alone."""
    groups: dict[tuple[object, ...], dict[object, Standings]] = defaultdict(dict)
    for cell in cells:
        own = cell.cell
        rest = tuple(pair for pair in own.params if pair[0] != question.over)
        scenario = "" if question.over == "scenario" else own.scenario
        groups[own.task, own.dataset, scenario, rest][value_of(own, question.over)] = cell
    first, second = question.values
    return [(found[first], found[second]) for found in groups.values() if first in found and second in found]


def _tables(question: Question, cells: Sequence[Standings]) -> tuple[list[float], list[Floats]]:
    """Return the sizes, and for each strategy its costs, a row a block and a column a size.

    Where other parameters differ too, the largest group of cells that are alike in them counts.
    """
    groups: dict[tuple[object, ...], list[Standings]] = defaultdict(list)
    for cell in cells:
        own = cell.cell
        if value_of(own, question.over) is not None:
            rest = tuple(pair for pair in own.params if pair[0] != question.over)
            groups[own.task, own.dataset, own.scenario, rest].append(cell)
    largest = max(groups.values(), key=len, default=[])
    ordered = sorted(largest, key=lambda cell: float(value_of(cell.cell, question.over) or 0))
    sizes = [float(value_of(cell.cell, question.over) or 0) for cell in ordered]
    return sizes, [cost_table(ordered, label, question.measure) for label in question.labels]


def _has(cell: Standings, label: str, question: Question) -> bool:
    values = cell.entries[label].values.get(question.measure) if label in cell.entries else None
    return values is not None and bool(np.isfinite(values).any())


def _column(cell: Standings, label: str, measure: str, units: Sequence[Unit]) -> list[float]:
    places = {unit: index for index, unit in enumerate(cell.units)}
    return [float(cell.entries[label].values[measure][places[unit]]) for unit in units]


def _tau(means: Floats, strategies: int) -> float:
    from scipy import stats

    tau = float(stats.kendalltau(means[:strategies], means[strategies:]).statistic)
    # All strategies tied on one side have no order that could change.
    return 1.0 if math.isnan(tau) else tau
