"""Which options a page shows a small chart of."""

from __future__ import annotations

from typing import Any

import pytest
from report.test_payload import header, run_set, shown

from harness.records import Phase, Record, Scalar, Seeds, Status, Trial
from harness.report.run.payload import build
from harness.store.header import StrategyCard

CARDS = (
    StrategyCard("t/task", "ucb", options={"xi": 2.0, "forced": 1, "kind": "plain", "exact": True}),
    StrategyCard("t/task", "a"),
)


def record(block: int = 0, rows: int = 10, strategy: str = "ucb", status: Status = "ok", **options: Scalar) -> Record:
    trial = Trial("t", "task", strategy, "data", "clean", {"rows": rows}, options, block, Seeds(block, 1, 2))
    return Record(trial, status, phases={"fit": Phase([1.0], [1.0])}, metrics={"auc": 0.5})


def tuning(*records: Record, cards: tuple[StrategyCard, ...] = CARDS) -> list[tuple[Any, ...]]:
    """Return what the page shows: strategy, option, default, and the values with the labels that have them."""
    task = shown(build(run_set((header(strategies=cards), [record(strategy="a"), *records])), title="T"))
    return [
        (
            *(own["strategy"], own["option"], own["default"]),
            {value: task["strategies"][at]["label"] for value, at in own["members"]},
        )
        for own in task["tuning"]
    ]


def test_values_stand_in_order_and_the_default_is_one_of_them() -> None:
    (found,) = tuning(record(), record(xi=10.0), record(xi=0.5))
    assert found == ("ucb", "xi", 2.0, {0.5: "ucb[xi=0.5]", 2.0: "ucb", 10.0: "ucb[xi=10.0]"})
    assert list(found[-1]) == [0.5, 2.0, 10.0]


@pytest.mark.parametrize(
    "records",
    [
        [record(), record(xi=0.5)],
        [record(), record(xi=0.5), record(xi=1.0, rows=20)],
        [record(), record(xi=0.5), record(xi=1.0, status="failed")],
        [record(), record(xi=0.5), record(xi=1.0, forced=2)],
        [record(), record(xi=0.5), record(xi=2.0)],
        [record(), record(kind="x"), record(kind="y"), record(kind="z")],
        [record(), record(exact=False), record(exact=True)],
        [record(), record(xi=0.5), record(xi=float("nan"))],
    ],
    ids=["two values", "two cells", "failed", "another option", "the default twice", "words", "truth values", "nan"],
)
def test_fewer_than_three_numbers_are_no_sweep(records: list[Record]) -> None:
    assert tuning(*records) == []


def test_every_option_and_cell_has_its_own() -> None:
    options: list[dict[str, Any]] = [{}, {"xi": 0.5}, {"xi": 1.0}, {"forced": 2}, {"forced": 3}]
    found = tuning(*(record(rows=rows, **own) for rows in (10, 20) for own in options))
    assert [own[1] for own in found] == ["xi", "forced"] * 2
    assert found[1][-1] == {1: "ucb", 2: "ucb[forced=2]", 3: "ucb[forced=3]"}


def test_without_a_card_no_default_is_known() -> None:
    (found,) = tuning(record(), record(xi=0.5), record(xi=1.0), record(xi=3.0), cards=())
    assert found[2] is None
    assert list(found[-1]) == [0.5, 1.0, 3.0]
