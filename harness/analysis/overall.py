"""Strategies over all cells of a task: their ranks and ratings, with what failed filled in by the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.analysis.aggregates import CellAggregate, Floats, cost_table, fullest
from harness.records import is_cost
from harness.stats.impute import impute
from harness.stats.ranking import Elo, Ranking, bradley_terry, rank
from harness.stats.target import Reached, cost_to_target, summarise

_LEAST_CELLS, _LEAST_STRATEGIES = 2, 2


@dataclass(frozen=True)
class Overall:
    """Ranks and ratings on one measure.

    Attributes
    ----------
    filled
        For each strategy the number of cells in which the baseline stood in for at least one block.
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
    """Rank strategies over cells that all of them were tried in, chosen by `fullest`.

    In each cell a strategy's score is its mean over blocks (of the logarithm, for a cost). A block that failed gets the
    baseline's value when the measure is a metric; a cell without any value ranks last.

    Parameters
    ----------
    cells
        Cells of one task on one machine.
    baseline
        Label of the strategy that stands in; empty for none.

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
        stand_in = None if is_cost(name) else _column(cell, baseline, name)
        for column, label in enumerate(labels):
            own = _column(cell, label, name)
            values, mask = impute(np.full(len(cell.units), np.nan) if own is None else own, stand_in)
            # A block in which it was not tried is no failure.
            failed = list(cell.entries[label].failed)
            kept = np.isin(np.arange(len(values)), failed) | ~mask
            filled[column] += bool(mask[failed].any())
            scores[row, column] = _score(values[kept], name)
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
        Cells that differ in the budget alone (trees, epochs, rows), in its order.
    """
    costs, quality = (cost_table(cells, label, name) for name in (cost, metric))
    return summarise(cost_to_target(costs, quality, target, higher_is_better=better == "higher"))


def _column(cell: CellAggregate, label: str, name: str) -> Floats | None:
    return cell.entries[label].values.get(name) if label in cell.entries else None


def _score(values: Floats, name: str) -> float:
    known = values[np.isfinite(values)]
    known = np.log(known[known > 0]) if is_cost(name) else known
    return float(known.mean()) if len(known) else float("nan")
