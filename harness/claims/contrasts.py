"""Answers from several measured values: weighted sums of them, block by block, and orders of strategies.

An order is compared at two values of what varies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.special import stdtr

from harness.analysis.aggregates import CellAggregate, Floats, RunBlock, Uncertainty, pool, uncertainty
from harness.claims.answers import Answer, Contexts, cases_in, fullest, numbers
from harness.declare.questions import Question, check_size
from harness.records import Cell, Scalar, is_cost, is_time
from harness.stats import scaling
from harness.stats.paired import CONFIDENCE, Interval, bootstrap, by_seed, mean, p_value
from harness.stats.rates import p_of_rate, rate

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


def averaged(question: Question, contexts: Contexts) -> Answer:
    """Estimate the mean of a metric of one strategy; the interval of a rate is that of `harness.stats.rates`."""
    (label,) = question.labels
    parts = {context: numbers(cells.get(None), label, question) for context, cells in contexts.items()}
    chosen, units = fullest(parts)
    if not units:
        return Answer()
    seeds = np.array([unit.seed for unit in units])
    values = by_seed(np.mean([[parts[context][unit] for unit in units] for context in chosen], axis=0), seeds)
    counted = [cases_in(contexts[context][None], label, question, units) for context in chosen]
    known = [cases for cases in counted if cases is not None]
    overlap = max(contexts[context][None].overlap for context in chosen)
    found = Answer(contexts=tuple(chosen), units=tuple(units), left=sum(map(bool, parts.values())) - len(chosen))
    if len(known) < len(counted):
        interval = mean(values, overlap=overlap)
        return replace(found, interval=interval, p=partial(p_value, interval))
    # A mean of different rates varies less than one rate of as many cases (Hoeffding 1956), so their sum is safe.
    cases = by_seed(np.sum(known, axis=0), seeds)
    return replace(
        found,
        interval=rate(values, cases, overlap=overlap),
        p=partial(p_of_rate, values, cases, overlap=overlap),
    )


def speedup(question: Question, contexts: Contexts) -> Answer:
    """Compare a strategy at the first value of what varies with itself at the second."""
    (of,) = question.labels
    return _sum(
        question, contexts, [_Term(sign, of, value) for sign, value in zip(_SIGNS, question.values, strict=True)]
    )


def slope(question: Question, contexts: Contexts) -> Answer:
    """Estimate an exponent: of a cost beside its fixed part, of a metric by a line through logarithms."""
    sizes = _sizes(question, contexts)
    if len(sizes) < question.least_sizes:
        return Answer()
    if not is_cost(question.measure):
        return replace(_sum(question, contexts, _line(question, sizes)), values=tuple(sizes))
    complete = _complete(question, contexts, _at_sizes(question, sizes, np.ones(len(sizes))))
    if not complete.units:
        return Answer()
    rows, spread = np.zeros(complete.values.shape[:2]), 0.0
    for at, logs in enumerate(complete.values):
        for sign, costs in zip(_SIGNS, np.split(np.exp(logs), len(question.labels), axis=1), strict=False):
            fit = scaling.exponents(sizes, costs)
            # Without a fit in one place there is no exponent, which NaN says.
            rows[at] += math.nan if fit is None else sign * fit.values
            spread += 0.0 if fit is None else float(fit.weights @ fit.weights) / len(rows)
    return replace(_pooled(question, contexts, complete, rows, spread), values=tuple(sizes))


def crossover(question: Question, contexts: Contexts) -> Answer:
    """Estimate the size at which the lines of two strategies cross."""
    sizes = _sizes(question, contexts)
    if len(sizes) < question.least_sizes:
        return Answer()
    line = _line(question, sizes)
    complete = _complete(question, contexts, line)
    steep = _add(question, contexts, complete, line)
    if steep.interval is None:
        return Answer()
    chosen = {context: contexts[context] for context in complete.chosen}
    of, to = np.split(np.exp(complete.values.mean(axis=0)), 2, axis=1)
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
    return _at_sizes(question, sizes, weights)


def _at_sizes(question: Question, sizes: Sequence[float], weights: Floats) -> list[_Term]:
    """Return the values of the strategies at all sizes, the second strategy's with the opposite sign."""
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
        values, _ = fullest(holders, least=question.least_sizes)
    return sorted(check_size(question.kind, question.over, value) for value in values)


class _Complete(NamedTuple):
    """The values of some terms in the blocks that have all of them: shape (contexts, blocks, terms)."""

    chosen: list[Cell]
    units: list[RunBlock]
    values: Floats
    left: int


def _complete(question: Question, contexts: Contexts, terms: Sequence[_Term]) -> _Complete:
    """Choose the contexts and blocks that have all terms, and return their values."""
    columns: dict[Cell, list[dict[RunBlock, float]]] = {}
    whole: dict[Cell, list[RunBlock]] = {}
    for context, cells in contexts.items():
        own = [numbers(cells.get(term.value), term.label, question) for term in terms]
        units = [unit for unit in own[0] if all(unit in column for column in own)]
        if units:
            columns[context], whole[context] = own, units
    chosen, units = fullest(whole)
    values = np.array([[[column[unit] for column in columns[context]] for unit in units] for context in chosen])
    return _Complete(chosen, units, values, len(whole) - len(chosen))


def _sum(question: Question, contexts: Contexts, terms: Sequence[_Term]) -> Answer:
    """Add up in every block that has all terms, average over contexts, and estimate the mean over blocks."""
    return _add(question, contexts, _complete(question, contexts, terms), terms)


def _add(question: Question, contexts: Contexts, complete: _Complete, terms: Sequence[_Term]) -> Answer:
    """Add up the values of terms, and estimate as `_sum` does."""
    if not complete.units:
        return Answer()
    weights = np.array([term.weight for term in terms])
    return _pooled(question, contexts, complete, (complete.values * weights).sum(axis=2), float(weights @ weights))


def _pooled(question: Question, contexts: Contexts, complete: _Complete, rows: Floats, spread: float) -> Answer:
    """Average one value a context and block over contexts, and estimate the mean over blocks.

    Parameters
    ----------
    rows
        Shape (contexts, blocks).
    spread
        Sum of the squares of the weights that the logarithms of measured values have in one of them.
    """
    chosen, units = complete.chosen, complete.units
    pooled = pool(
        [dict(zip(units, row.tolist(), strict=True)) for row in rows],
        question.measure,
        **_uncertainty(question, [cell for context in chosen for cell in contexts[context].values()], len(chosen)),
    )
    if pooled is None:
        return Answer()
    interval = _in_its_units(pooled, question)
    return Answer(
        interval,
        partial(p_value, interval),
        contexts=tuple(chosen),
        units=tuple(units),
        left=complete.left,
        values=question.values,
        noise=math.sqrt(spread / 2) if is_time(question.measure) else math.nan,
    )


def _uncertainty(question: Question, cells: Sequence[CellAggregate], contexts: int) -> Uncertainty:
    """Return what the spread over blocks does not say; how much one case changes a logarithm is not known."""
    found = uncertainty(cells, question.labels, question.measure, contexts)
    return {"overlap": found["overlap"], "step": 0.0 if question.in_logs else found["step"]}


def _in_its_units(pooled: Interval, question: Question) -> Interval:
    """Convert a pooled interval: `pool` returns a ratio for every cost, but the question may ask for something else."""
    if is_cost(question.measure) == question.is_ratio:
        return pooled
    if question.is_ratio:
        return pooled.exp()
    if not pooled.known:
        return replace(pooled, estimate=math.log(pooled.estimate), log=False)
    low, estimate, high = (math.log(value) for value in (pooled.low, pooled.estimate, pooled.high))
    return replace(pooled, estimate=estimate, low=low, high=high, log=False)


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
    """Return the values of each strategy at both ends, only of those at their defaults if there are at least two.

    Otherwise a strategy that was measured with many options, or tuned beside, would count many times.
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
            plain |= {label} if found[label] and not entry.options and not entry.choices else set()
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
