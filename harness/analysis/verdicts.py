"""What the cells of a task say about its strategies: verdicts against a reference, and ranks over all cells.

A verdict is an effect with its interval, and whether the strategy is better, worse or tied. Terminal, page, notebook
and `bakeoff compare` take it from here. In ranks and ratings the baseline replaces results that failed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import stdtrit

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, Floats, effect, fullest, measurable, shown, time_of
from harness.records import TOTALS, is_cost, is_time
from harness.stats.paired import CONFIDENCE, Interval, holm, p_value
from harness.stats.ranking import Elo, Ranking, bradley_terry, impute, rank
from harness.stats.target import Reached, cost_to_target, summarise
from harness.store.header import JudgedMetric

Word: TypeAlias = Literal["reference", "better", "worse", "tied", "unknown"]

ALPHA = 1 - CONFIDENCE
#: Log-ratio of memory below which there is no difference: the peaks of equal code differ by up to half a per cent from
#: run to run, and in one run they may not differ at all, so that no interval shows it.
MEMORY_FLOOR = 0.01
_LEAST_MOVED = 0.05


#: Measure to the direction that is better.
Measures: TypeAlias = Mapping[str, Literal["higher", "lower"]]


@dataclass(frozen=True)
class Compared:
    """One strategy against the reference on one measure.

    Attributes
    ----------
    effect
        A ratio for a cost, a difference for a metric; ``None`` where they have no block in common, and for memory
        that is too small to be compared.
    p
        Two-sided p of "no difference", after Holm over the table; NaN where there is no interval.
    word
        ``tied`` also if the effect is smaller than noise alone gives, and if there is none in any block; ``unknown``
        without an interval.
    """

    effect: Interval | None
    p: float
    word: Word


def measures_of(cells: Sequence[CellAggregate], metrics: Iterable[JudgedMetric]) -> Measures:
    """Return what a table of some cells compares: costs of all phases, then of each phase, then the metrics."""
    seen = {name: None for cell in cells for entry in cell.entries.values() for name in entry.values}
    total = time_of(cells)
    phases = [name for name in seen if name.endswith(f".{total}")]
    directions = {metric.name: metric.direction for metric in metrics}
    costs = [*(name for name in TOTALS if name in seen), *phases]
    return {**dict.fromkeys(costs, "lower"), **{name: directions[name] for name in shown(cells, list(directions))}}


def compare(
    cells: Sequence[CellAggregate],
    labels: Sequence[str],
    reference: str,
    measures: Measures,
    *,
    noise_sd: float | None = None,
) -> dict[str, dict[str, Compared]]:
    """Compare strategies with a reference on the measures of a table.

    Parameters
    ----------
    cells
        Cells of one machine; with several, effects are averaged block by block.
    noise_sd
        See `decide`.

    Returns
    -------
    dict
        Measure to label to comparison.
    """
    found = {
        (name, label): effect(cells, label, reference, name) if measurable(cells, [label, reference], name) else None
        for name in measures
        for label in labels
        if label != reference
    }
    decided = decide(found, measures, noise_sd=noise_sd)
    own = Compared(None, math.nan, "reference")
    return {name: {label: decided.get((name, label), own) for label in labels} for name in measures}


def decide(
    found: Mapping[tuple[str, str], Interval | None], measures: Measures, *, noise_sd: float | None = None
) -> dict[tuple[str, str], Compared]:
    """Decide which effects of a table are differences; all of them are one family for Holm's adjustment.

    So at most 5 % of the tables of equal strategies show a difference anywhere.

    Parameters
    ----------
    found
        Measure and label to effect.
    noise_sd
        Standard deviation of the log-ratio of the times of two equal trials on the machine; it is used for times only.
        Memory has the same floor everywhere, `MEMORY_FLOOR`.
    """
    tested = {key: p_value(own, _none(key[0])) for key, own in found.items() if own is not None and own.known}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return {
        (name, label): Compared(
            own, p := adjusted.get((name, label), math.nan), _word(own, p, name, measures[name], noise_sd)
        )
        for (name, label), own in found.items()
    }


def outliers(compared: Mapping[str, Mapping[str, Compared]], titles: Mapping[str, str]) -> dict[str, list[str]]:
    """Say which ratios of costs have a mean that a few blocks move by 5 % or more from that of most blocks.

    Parameters
    ----------
    titles
        Label of a strategy to its title.

    Returns
    -------
    dict
        Label to its sentences, for the labels that have any.
    """
    said: dict[str, list[str]] = {}
    for name, row in compared.items():
        for label, own in ((label, found.effect) for label, found in row.items() if is_cost(name)):
            if own and own.median and abs(math.log(own.estimate / own.median)) >= _LEAST_MOVED:
                said.setdefault(label, []).append(
                    f"{titles[label]}: a few blocks, far from the others, move the mean ratio of {name} to "
                    f"{wording.ratio(own.estimate)}; the median block has {wording.ratio(own.median)}"
                )
    return said


def noise_floor(sd: float, blocks: int) -> float:
    """Return the log-ratio that noise alone reaches: half of the 95 % interval of two equal trials over `blocks`."""
    return float(stdtrit(blocks - 1, 0.5 + CONFIDENCE / 2)) * sd / math.sqrt(blocks) if blocks > 1 else math.inf


def _none(name: str) -> float:
    return 1.0 if is_cost(name) else 0.0


def _word(interval: Interval | None, p: float, name: str, better: str, noise_sd: float | None) -> Word:
    none = _none(name)
    if interval is not None and interval.equal(none):
        return "tied"
    if interval is None or not interval.known:
        return "unknown"
    below_noise = is_cost(name) and abs(math.log(interval.estimate)) < _floor(name, interval.blocks, noise_sd)
    if below_noise or not p < ALPHA or not interval.excludes(none):
        return "tied"
    return "better" if (interval.estimate > none) == (better == "higher") else "worse"


def _floor(name: str, blocks: int, noise_sd: float | None) -> float:
    """Return the log-ratio of a cost below which there is no difference."""
    if is_time(name):
        return 0.0 if noise_sd is None else noise_floor(noise_sd, blocks)
    return MEMORY_FLOOR


_LEAST_CELLS, _LEAST_STRATEGIES = 2, 2


@dataclass(frozen=True)
class Overall:
    """Ranks and ratings on one measure.

    Attributes
    ----------
    filled
        For each strategy the number of cells in which the baseline replaced at least one block.
    cells
        Number of cells that were ranked.
    """

    measure: str
    ranking: Ranking
    elo: Elo
    filled: tuple[int, ...]
    cells: int


def overall(
    cells: Sequence[CellAggregate], name: str, *, better: Literal["higher", "lower"], baseline: str = ""
) -> Overall | None:
    """Rank strategies over cells in which all of them were run, chosen by `fullest`.

    In each cell a strategy's score is its mean over blocks (of the logarithm, for a cost). A block that failed gets the
    baseline's value when the measure is a metric; a cell without any value ranks last.

    Parameters
    ----------
    cells
        Cells of one task on one machine.
    baseline
        Label of the strategy that replaces missing results; empty for none.

    Returns
    -------
    Overall or None
        ``None`` with fewer than two cells, or fewer than two strategies that finished anywhere.
    """
    finished = {label for cell in cells for label, entry in cell.entries.items() if name in entry.values}
    cells, labels = fullest(cells, lambda _cell, label: label in finished)
    if len(cells) < _LEAST_CELLS or len(labels) < _LEAST_STRATEGIES:
        return None
    scores = np.full((len(cells), len(labels)), np.nan)
    filled = np.zeros(len(labels), dtype=int)
    for row, cell in enumerate(cells):
        substitute = None if is_cost(name) else _column(cell, baseline, name)
        for column, label in enumerate(labels):
            measured = _column(cell, label, name)
            values, mask = impute(np.full(len(cell.units), np.nan) if measured is None else measured, substitute)
            # A block in which the strategy was not run is not a failure, so it is not filled.
            failed = list(cell.entries[label].failed)
            scored = np.isin(np.arange(len(values)), failed) | ~mask
            filled[column] += bool(mask[failed].any())
            scores[row, column] = _score(values[scored], name)
    higher = better == "higher"
    return Overall(
        measure=name,
        ranking=rank(labels, scores, higher_is_better=higher),
        elo=bradley_terry(scores, higher_is_better=higher),
        filled=tuple(filled.tolist()),
        cells=len(cells),
    )


def reach(
    cells: Sequence[CellAggregate],
    label: str,
    target: float,
    *,
    cost: str,
    metric: str,
    better: Literal["higher", "lower"],
) -> Reached:
    """Estimate what a strategy spends until it reaches a target quality.

    Parameters
    ----------
    cells
        Cells that differ only in the budget (trees, epochs, rows), from the smallest to the largest.
    """
    costs, quality = (cost_table(cells, label, name) for name in (cost, metric))
    return summarise(cost_to_target(costs, quality, target, higher_is_better=better == "higher"))


def cost_table(cells: Sequence[CellAggregate], label: str, name: str) -> Floats:
    """Return a strategy's measure as an array of shape (blocks, cells), NaN where missing."""
    blocks = dict.fromkeys((unit.run, unit.block) for cell in cells for unit in cell.units)
    rows = {block: index for index, block in enumerate(blocks)}
    table = np.full((len(rows), len(cells)), np.nan)
    for column, cell in enumerate(cells):
        values = cell.entries[label].values.get(name) if label in cell.entries else None
        if values is not None:
            table[[rows[unit.run, unit.block] for unit in cell.units], column] = values
    return table


def _column(cell: CellAggregate, label: str, name: str) -> Floats | None:
    return cell.entries[label].values.get(name) if label in cell.entries else None


def _score(values: Floats, name: str) -> float:
    known = values[np.isfinite(values)]
    known = np.log(known[known > 0]) if is_cost(name) else known
    return float(known.mean()) if len(known) else float("nan")
