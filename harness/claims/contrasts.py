"""Answers that are weighted sums of measured values, block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from harness.analysis.aggregates import RunBlock, pool
from harness.claims.answers import Answer, Contexts, fullest, numbers
from harness.declare.questions import Question, check_size
from harness.records import Cell, Scalar, is_cost, is_time
from harness.stats import scaling
from harness.stats.paired import Interval, p_value

_SIGNS = (1.0, -1.0)


class _Term(NamedTuple):
    """A measured value with its weight in a sum."""

    weight: float
    label: str
    value: Scalar | None


def compared(question: Question, contexts: Contexts) -> Answer:
    """Compare two strategies; with two values of what varies, compare the effects at the second and at the first."""
    first, second = question.values or (None, None)
    terms = [_Term(sign, label, second) for sign, label in zip(_SIGNS, question.labels, strict=True)]
    if question.values:
        terms += [_Term(-sign, label, first) for sign, label in zip(_SIGNS, question.labels, strict=True)]
    return _sum(question, contexts, terms)


def speedup(question: Question, contexts: Contexts) -> Answer:
    """Compare a strategy at the first value of what varies with itself at the second."""
    (of,) = question.labels
    return _sum(
        question, contexts, [_Term(sign, of, value) for sign, value in zip(_SIGNS, question.values, strict=True)]
    )


def slope(question: Question, contexts: Contexts) -> Answer:
    """Fit a line through logarithms in every block."""
    sizes = _sizes(question, contexts)
    if len(sizes) < 2:
        return Answer()
    return replace(_sum(question, contexts, _line(question, sizes)), values=tuple(sizes))


def crossover(question: Question, contexts: Contexts) -> Answer:
    """Estimate the size at which the lines of two strategies cross."""
    sizes = _sizes(question, contexts)
    steep = _sum(question, contexts, _line(question, sizes)) if len(sizes) > 1 else Answer()
    if steep.interval is None:
        return Answer()
    chosen = {context: contexts[context] for context in steep.contexts}
    shape = (len(chosen), len(sizes), len(steep.units))
    tables = []
    for label in question.labels:
        columns = [numbers(cells[size], label, question) for cells in chosen.values() for size in sizes]
        values = np.array([[column[unit] for unit in steep.units] for column in columns])
        tables.append(np.exp(values.reshape(shape).mean(axis=0)).T)
    of, to = tables
    met = scaling.crossover(sizes, of, to) or Interval(math.nan, math.nan, math.nan, len(steep.units))
    p = partial(_p_of_crossing, question, chosen, sizes)
    return replace(steep, interval=met, p=p, values=tuple(sizes), noise=math.nan, steep=steep.interval)


def _p_of_crossing(question: Question, contexts: Contexts, sizes: Sequence[float], bound: float) -> float:
    """Test that both cost the same at a bound; Fieller's interval consists of the bounds that pass this test."""
    difference = _sum(question, contexts, _line(question, sizes, bound)).interval if bound > 0 else None
    return math.nan if difference is None else p_value(difference, 0.0)


def _line(question: Question, sizes: Sequence[float], at: float | None = None) -> list[_Term]:
    """Return weights whose sum of values is the slope of the least-squares line or, with `at`, its height there."""
    x = np.log(sizes)
    centred = x - x.mean()
    weights = centred / float(centred @ centred)
    if at is not None:
        weights = 1 / len(x) + (math.log(at) - float(x.mean())) * weights
    return [
        _Term(sign * float(weight), label, size)
        for sign, label in zip(_SIGNS, question.labels, strict=False)
        for weight, size in zip(weights, sizes, strict=True)
    ]


def _sizes(question: Question, contexts: Contexts) -> list[float]:
    """Return the sizes that the question names, or else those that most blocks have."""
    values: list[Scalar] = list(question.values)
    if not values:
        holders: dict[Scalar, set[tuple[Cell, RunBlock]]] = {}
        for context, cells in contexts.items():
            for value, cell in cells.items():
                units = set.intersection(*(set(numbers(cell, label, question)) for label in question.labels))
                if value is not None:
                    holders.setdefault(value, set()).update((context, unit) for unit in units)
        values, _ = fullest(holders, least=2)
    return sorted(check_size(question.kind, question.over, value) for value in values)


def _sum(question: Question, contexts: Contexts, terms: Sequence[_Term]) -> Answer:
    """Add up in every block that has all terms, average over contexts, and estimate the mean over blocks."""
    parts: dict[Cell, dict[RunBlock, float]] = {}
    for context, cells in contexts.items():
        columns = [numbers(cells.get(term.value), term.label, question) for term in terms]
        whole = [unit for unit in columns[0] if all(unit in column for column in columns)]
        if whole:
            parts[context] = {
                unit: sum(term.weight * column[unit] for term, column in zip(terms, columns, strict=True))
                for unit in whole
            }
    chosen, units = fullest(parts)
    pooled = pool([{unit: parts[context][unit] for unit in units} for context in chosen], question.measure)
    if pooled is None:
        return Answer()
    interval = _in_its_units(pooled, question)
    noise = math.sqrt(sum(term.weight**2 for term in terms) / 2) if is_time(question.measure) else math.nan
    return Answer(
        interval,
        partial(p_value, interval),
        contexts=tuple(chosen),
        units=tuple(units),
        left=len(parts) - len(chosen),
        values=question.values,
        noise=noise,
    )


def _in_its_units(pooled: Interval, question: Question) -> Interval:
    """Convert a pooled interval: `pool` returns a ratio for every cost, but the question may ask for something else."""
    if is_cost(question.measure) == question.is_ratio:
        return pooled
    if question.is_ratio:
        return pooled.exp()
    low, estimate, high = (math.log(value) for value in (pooled.low, pooled.estimate, pooled.high))
    return replace(pooled, estimate=estimate, low=low, high=high, log=False)
