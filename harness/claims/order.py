"""Whether the order of strategies is the same at two values of what varies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
from scipy.special import stdtr

from harness.analysis.aggregates import Floats, RunBlock
from harness.claims.answers import Answer, Contexts, fullest, numbers
from harness.declare.questions import Question
from harness.records import Cell, is_cost
from harness.stats.paired import CONFIDENCE, bootstrap

Pairs: TypeAlias = dict[tuple[Cell, RunBlock], tuple[float, float]]


def order(question: Question, contexts: Contexts) -> Answer:
    """Correlate the strategies' means at both values.

    The lower end of the interval comes from resampled blocks. Noise alone swaps pairs of strategies that are close, so
    resampling gives too low an upper end. For the upper end a pair therefore counts as swapped only if the difference
    between the two is significant at both values.
    """
    both = {context: cells for context, cells in contexts.items() if set(question.values) <= set(cells)}
    measured = _measured(question, both)
    labels, pairs = fullest(measured, least=2)
    places: dict[Cell, list[RunBlock]] = {}
    for context, unit in pairs:
        places.setdefault(context, []).append(unit)
    chosen, units = fullest(places)
    if not units:
        return Answer()
    values = [[[measured[label][context, unit] for label in labels] for context in chosen] for unit in units]
    means = np.array(values).mean(axis=1)
    if not is_cost(question.measure):
        # Two measurements on the same data are one piece of evidence on quality.
        seeds = np.array([unit.seed for unit in units])
        means = np.array([means[seeds == seed].mean(axis=0) for seed in dict.fromkeys(seeds.tolist())])
    drawn: list[float] = []

    def statistic(rows: Floats) -> float:
        drawn.append(tau(*rows.mean(axis=0).T))
        return drawn[-1]

    interval = bootstrap(means, statistic)
    swapped = _swapped(means)
    if interval.known:
        upper = 1 - 2 * sum(p < 1 - CONFIDENCE for p in swapped) / len(swapped)
        interval = replace(interval, high=max(interval.high, upper))
    return Answer(
        interval,
        partial(_p, interval.estimate, drawn[1:], swapped),
        contexts=tuple(chosen),
        units=tuple(units),
        left=len(both) - len(chosen),
        values=question.values,
        labels=tuple(labels),
    )


def tau(one: Floats, other: Floats) -> float:
    """Return Kendall's tau-b; 1 if both sides have only ties, 0 if only one has."""
    first, second = (np.sign(side[:, None] - side[None, :]) for side in (one, other))
    scale = math.sqrt(float(np.abs(first).sum() * np.abs(second).sum()))
    if scale == 0:
        return 1.0 if not first.any() and not second.any() else 0.0
    # Rounded, so that an estimate of 0.8 meets a bound of 0.8.
    return round(float((first * second).sum()) / scale, 12)


def _measured(question: Question, contexts: Contexts) -> dict[str, Pairs]:
    """Return the values of each strategy at both ends, only of those without options if there are two or more of them.

    Otherwise a strategy that was measured with many options would count many times.
    """
    found: dict[str, Pairs] = {}
    plain = set()
    for context, cells in contexts.items():
        first, second = (cells[value] for value in question.values)
        for label, entry in first.entries.items():
            one, other = numbers(first, label, question), numbers(second, label, question)
            found.setdefault(label, {}).update(
                {(context, unit): (one[unit], other[unit]) for unit in one if unit in other}
            )
            plain |= {label} if found[label] and not entry.options else set()
    return {label: pairs for label, pairs in found.items() if len(plain) < 2 or label in plain}


def _swapped(rows: Floats) -> list[float]:
    """Return for each pair of strategies the p of its having the same order on both sides, in rising order.

    It is the larger of the two sides' p of Student's t where their signs differ, else 1, times the number of tests.

    Parameters
    ----------
    rows
        Shape (blocks, strategies, 2).
    """
    first, second = np.triu_indices(rows.shape[1], 1)
    differences = rows[:, first] - rows[:, second]
    means, blocks = differences.mean(axis=0), len(rows)
    if blocks < 2:
        return [1.0] * len(first)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(means) / differences.std(axis=0, ddof=1) * math.sqrt(blocks)
    p = 2 * stdtr(blocks - 1, -np.where(means == 0, 0.0, t)).max(axis=1)
    return sorted(np.where(means.prod(axis=1) < 0, np.minimum(1.0, p * means.size), 1.0).tolist())


def _p(estimate: float, drawn: Sequence[float], swapped: Sequence[float], bound: float) -> float:
    """Return the two-sided p of a bound: from resamples below it, and from swapped pairs above it."""
    if estimate >= bound:
        return min(1.0, 2 * (1 + sum(value < bound for value in drawn)) / (1 + len(drawn)))
    # So many pairs must have swapped for tau to be below the bound.
    needed = math.floor(len(swapped) * (1 - bound) / 2 + 1e-9) + 1
    return swapped[needed - 1] if needed <= len(swapped) else 1.0
