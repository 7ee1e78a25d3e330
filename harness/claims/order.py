"""How far the order of strategies is the same at two values of what varies."""

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

    The lower end of the interval is that of resampled blocks. Noise turns pairs of strategies round and puts none
    right, so resampling gives too low an upper end: there a pair counts as kept unless both sides tell that it turned.
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
    turned = _turned(means)
    if interval.known:
        kept = 1 - 2 * sum(p < 1 - CONFIDENCE for p in turned) / len(turned)
        interval = replace(interval, high=max(interval.high, kept))
    return Answer(
        interval,
        partial(_p, interval.estimate, drawn[1:], turned),
        contexts=tuple(chosen),
        units=tuple(units),
        left=len(both) - len(chosen),
        values=question.values,
        labels=tuple(labels),
    )


def tau(one: Floats, other: Floats) -> float:
    """Return Kendall's tau-b; 1 for two sides without any order, 0 when only one has none."""
    first, second = (np.sign(side[:, None] - side[None, :]) for side in (one, other))
    scale = math.sqrt(float(np.abs(first).sum() * np.abs(second).sum()))
    if scale == 0:
        return 1.0 if not first.any() and not second.any() else 0.0
    # Rounded, because a bound such as 0.8 is to be met by 0.8.
    return round(float((first * second).sum()) / scale, 12)


def _measured(question: Question, contexts: Contexts) -> dict[str, Pairs]:
    """Return every strategy's values at both ends; those without options where there are two or more.

    A strategy that was measured with many options would count many times.
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


def _turned(rows: Floats) -> list[float]:
    """Return for each pair of strategies the p of its having the same order on both sides, in rising order.

    It is the larger of the two sides' p of Student's t where their signs differ, else 1, times the number of tests.

    Parameters
    ----------
    rows
        Shape (blocks, strategies, 2).
    """
    first, second = np.triu_indices(rows.shape[1], 1)
    apart = rows[:, first] - rows[:, second]
    means, blocks = apart.mean(axis=0), len(rows)
    if blocks < 2:
        return [1.0] * len(first)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(means) / apart.std(axis=0, ddof=1) * math.sqrt(blocks)
    p = 2 * stdtr(blocks - 1, -np.where(means == 0, 0.0, t)).max(axis=1)
    return sorted(np.where(means.prod(axis=1) < 0, np.minimum(1.0, p * means.size), 1.0).tolist())


def _p(estimate: float, drawn: Sequence[float], turned: Sequence[float], bound: float) -> float:
    """Return the two-sided p of a bound: from resamples below it, and from turned pairs above it."""
    if estimate >= bound:
        return min(1.0, 2 * (1 + sum(value < bound for value in drawn)) / (1 + len(drawn)))
    # So many pairs must have turned for tau to be below the bound.
    needed = math.floor(len(turned) * (1 - bound) / 2 + 1e-9) + 1
    return turned[needed - 1] if needed <= len(turned) else 1.0
