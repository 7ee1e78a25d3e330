"""Ranks over cells, and the baseline that stands in for what failed."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.aggregates import CellAggregate, aggregate
from harness.analysis.verdicts import overall, reach
from harness.records import Phase, Record, Seeds, Trial

QUALITY = {"base": 0.5, "good": 0.9, "flaky": 0.8}


def cells(*failed: tuple[str, int, int]) -> list[CellAggregate]:
    """Plant three strategies in three cells of two blocks; `failed` names strategy, cell and block."""
    records = [
        Record(
            Trial("t", "task", name, "data", "clean", {"rows": rows}, {}, block, Seeds(block, 1, 2)),
            "failed" if (name, rows, block) in failed else "ok",
            phases={"fit": Phase([quality * rows], [quality * rows])},
            metrics={"auc": quality + rows / 100},
        )
        for rows in (1, 2, 3)
        for block in (0, 1)
        for name, quality in QUALITY.items()
    ]
    return aggregate([("run", "machine", records)])


def test_everything_finished() -> None:
    found = overall(cells(), "auc", better="higher", baseline="base")
    assert found is not None
    assert dict(zip(found.ranking.names, found.ranking.mean_rank, strict=True)) == {"base": 3, "good": 1, "flaky": 2}
    assert found.filled == (0, 0, 0)
    assert found.elo.rating[1] > found.elo.rating[2] > found.elo.rating[0]


def test_the_baseline_stands_in_for_what_failed() -> None:
    """A cell that failed as a whole ties with the baseline; one block of two halves the way to it."""
    found = overall(cells(("flaky", 1, 0), ("flaky", 1, 1), ("flaky", 2, 0)), "auc", better="higher", baseline="base")
    assert found is not None
    assert found.filled == (0, 0, 2)
    assert found.ranking.mean_rank.tolist() == pytest.approx([(2.5 + 3 + 3) / 3, 1, (2.5 + 2 + 2) / 3])


def test_without_a_baseline_what_failed_ranks_last() -> None:
    found = overall(cells(("good", 1, 0), ("good", 1, 1)), "auc", better="higher")
    assert found is not None
    assert found.filled == (0, 0, 0)
    assert found.ranking.mean_rank.tolist() == pytest.approx([(2 + 3 + 3) / 3, (3 + 1 + 1) / 3, (1 + 2 + 2) / 3])


def test_costs_are_not_imputed() -> None:
    found = overall(cells(("base", 1, 0), ("base", 1, 1)), "cpu_s", better="lower", baseline="good")
    assert found is not None
    assert found.filled == (0, 0, 0)
    assert found.ranking.mean_rank.tolist() == pytest.approx([(3 + 1 + 1) / 3, (2 + 3 + 3) / 3, (1 + 2 + 2) / 3])


def test_one_cell_or_one_strategy_has_no_ranks() -> None:
    assert overall(cells()[:1], "auc", better="higher") is None
    alone = cells()
    for cell in alone:
        cell.entries = {"good": cell.entries["good"]}
    assert overall(alone, "auc", better="higher") is None
    assert overall([], "auc", better="higher") is None


def test_cost_to_a_target_over_cells() -> None:
    found = reach(cells(), "good", 0.92, cost="cpu_s", metric="auc", better="higher")
    assert (found.median, found.share, found.blocks) == pytest.approx((1.8, 1.0, 2))
    never = reach(cells(), "base", 0.92, cost="cpu_s", metric="auc", better="higher")
    assert never.share == 0.0


def test_a_block_in_which_it_was_not_tried_is_no_failure() -> None:
    more = Trial("t", "task", "base", "data", "clean", {"rows": 1}, {}, 7, Seeds(7, 1, 2))
    (cell,) = aggregate([("run", "machine", [Record(more, "ok", metrics={"auc": 0.5})])])
    planted = cells()
    planted[0].units.append(cell.units[0])
    for label, entry in planted[0].entries.items():
        entry.values = {"auc": np.append(entry.values["auc"], 0.5 if label == "base" else np.nan)}
    found = overall(planted, "auc", better="higher", baseline="base")
    assert found is not None
    assert found.filled == (0, 0, 0)
    assert found.ranking.mean_rank.tolist() == [3, 1, 2]
