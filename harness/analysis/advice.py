"""Which strategy to take, in one sentence that says why.

Of the strategies whose primary metric is not worse than the best one's by more than the metric's margin, the rule
recommends the one with the least CPU time. Strategies beyond the limit of a metric are left out, unless all are. The
recommendation summarises the tables; it says nothing about other data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, effect, fullest, measurable
from harness.stats.paired import Interval
from harness.store.header import JudgedMetric

COST, MEMORY = "cpu_s", "peak_bytes"


@dataclass(frozen=True)
class Advice:
    """The strategy to take, and the sentence that says why."""

    label: str
    sentence: str


def advise(
    cells: Sequence[CellAggregate],
    metric: JudgedMetric,
    reference: str,
    limits: Sequence[JudgedMetric] = (),
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Advice | None:
    """Recommend a strategy over some cells of one machine.

    Only strategies that never failed are considered, in the cells that `fullest` chooses.

    Parameters
    ----------
    metric
        The task's primary metric.
    reference
        The strategy to compare with if the recommended one has the best quality itself.
    limits
        Metrics that may have a limit.
    titles
        Label to what the sentence calls the strategy, where that differs.

    Returns
    -------
    Advice or None
        ``None`` if no strategy finished everything.
    """
    sound = {label for cell in cells for label in cell.entries if _sound(cells, label)}
    cells, finished = fullest(cells, lambda cell, label: label in sound and _has(cell, label, metric))
    if not finished:
        return None
    limits = [limited for limited in limits if limited.limit is not None]
    within = [label for label in finished if not any(_beyond(cells, label, limited) for limited in limits)]
    labels = within or finished
    quality = {label: _level(cells, label, metric.name) for label in labels}
    sign = 1 if metric.direction == "higher" else -1
    best = max(labels, key=lambda label: sign * quality[label])
    good = [label for label in labels if label == best or _as_good(cells, label, best, metric)]
    chosen = min(good, key=lambda label: _level(cells, label, COST))
    other = _other(chosen, best, good, finished, reference)
    if other is None:
        return Advice(chosen, f"{titles.get(chosen, chosen)}: the only strategy that finished")
    why = _why(cells, chosen, other, metric, titles)
    clauses = [f"{titles.get(chosen, chosen)}: {', '.join(why)}"]
    if len(good) == 1 and metric.margin > 0:
        clauses.append(f"no other strategy is within {metric.margin:g} of its {metric.name}")
    if len(within) < len(finished):
        clauses.append(_limited(limits, len(within), len(finished)))
    difference = effect(cells, chosen, other, metric.name)
    if difference is not None and difference.blocks < 2:
        clauses.append("based on one block, so it may be chance")
    return Advice(chosen, "; ".join(clauses))


def _sound(cells: Sequence[CellAggregate], label: str) -> bool:
    return not any(label in cell.entries and cell.entries[label].failed for cell in cells)


def _has(cell: CellAggregate, label: str, metric: JudgedMetric) -> bool:
    return all(cell.entries[label].median(name) is not None for name in (metric.name, COST))


def _level(cells: Sequence[CellAggregate], label: str, name: str) -> float:
    """Return the mean over cells and blocks, of the logarithm for a cost."""
    columns = [cell.entries[label].values[name] for cell in cells]
    if name == COST:
        columns = [np.log(np.maximum(column, 1e-12)) for column in columns]
    return float(np.mean([np.nanmean(column) for column in columns]))


def _beyond(cells: Sequence[CellAggregate], label: str, metric: JudgedMetric) -> bool:
    """Return whether a strategy's mean over blocks is beyond the limit of a metric in some cell."""
    if metric.limit is None:
        return False
    entries = [cell.entries[label] for cell in cells]
    columns = [entry.values[metric.name] for entry in entries if entry.median(metric.name) is not None]
    means = [float(np.nanmean(column)) for column in columns]
    sign = 1 if metric.direction == "higher" else -1
    return any(sign * mean < sign * metric.limit for mean in means)


def _limited(limits: Sequence[JudgedMetric], within: int, finished: int) -> str:
    names = " or ".join(f"{metric.name} {metric.limit:g}" for metric in limits)
    return f"{finished - within} beyond {names} left out" if within else f"all are beyond {names}"


def _as_good(cells: Sequence[CellAggregate], label: str, best: str, metric: JudgedMetric) -> bool:
    """Return whether a loss larger than the margin is excluded by the interval, or by the estimate if there is none."""
    apart = effect(cells, label, best, metric.name)
    if apart is None:
        return False
    bounds = (apart.low, apart.high) if apart.known else (apart.estimate, apart.estimate)
    loss = -bounds[0] if metric.direction == "higher" else bounds[1]
    return loss <= metric.margin


def _other(chosen: str, best: str, good: Sequence[str], labels: Sequence[str], reference: str) -> str | None:
    """Choose what to compare with: the best in quality, else the reference, else the next that is as good."""
    rivals = [best, reference, *good, *labels]
    return next((label for label in rivals if label != chosen and label in labels), None)


def _why(
    cells: Sequence[CellAggregate], chosen: str, other: str, metric: JudgedMetric, titles: Mapping[str, str]
) -> list[str]:
    found = []
    cost = effect(cells, chosen, other, COST)
    if cost is not None:
        found.append(_times(cost, "CPU", titles.get(other, other)))
    apart = effect(cells, chosen, other, metric.name)
    if apart is not None:
        found.append(_quality(apart, metric))
    memory = effect(cells, chosen, other, MEMORY)
    if memory is not None and measurable(cells, [chosen, other], MEMORY):
        found.append(_times(memory, "memory"))
    return found


def _times(ratio: Interval, what: str, other: str = "") -> str:
    """Write a ratio, inverted if it is below one: ``5.9x less CPU than xgboost-exact [5.6, 6.3]``."""
    if ratio.equal(1.0) or (ratio.known and not ratio.excludes(1.0)):
        return f"{what} tied with {other}" if other else f"{what} tied"
    less = ratio.estimate < 1
    turned = [1 / value if less else value for value in (ratio.estimate, ratio.low, ratio.high)]
    if _three(turned[0]) == "1":
        return f"{what} equal to that of {other}" if other else f"{what} equal"
    low, high = sorted(turned[1:]) if ratio.known else (math.nan, math.nan)
    interval = f" [{_three(low)}, {_three(high)}]" if ratio.known else ""
    than = f" than {other}" if other else ""
    return f"{_three(turned[0])}x {'less' if less else 'more'} {what}{than}{interval}"


def _three(value: float) -> str:
    """Write a number with three digits, or all of its whole ones."""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def _quality(apart: Interval, metric: JudgedMetric) -> str:
    within = max(abs(apart.low), abs(apart.high)) <= metric.margin
    if apart.equal(0.0) or (apart.known and (within or not apart.excludes(0.0))):
        return f"{metric.name} tied"
    found = apart.plain()
    return f"{metric.name} {wording.effect(found, cost=False)} {wording.interval(found, cost=False)}".strip()
