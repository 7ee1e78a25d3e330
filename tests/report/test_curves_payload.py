"""Curves of a page: what is declared, what is only recorded, and limits, each told once a cell."""

from __future__ import annotations

from typing import Any

from report.test_payload import header, record, run_set, shown

from harness.declare.values import Chart
from harness.records import Curve, Record
from harness.report.run.payload import build
from harness.store.header import TaskCard

LOSS = Chart("loss", "Loss", "step", "nat", limit="bayes", limit_title="Bayes risk")
BAYES = Curve([0.0, 1.0], [0.1, 0.1])


def task(*figures: Chart) -> tuple[TaskCard, ...]:
    return (TaskCard("t/task", "Title", charts=figures),)


def recorded(label: str, block: int = 0, **curves: Curve) -> Record:
    return record(label, block, curves={"loss": Curve([0.0, 1.0], [1.0, 0.5]), **curves})


def curves(records: list[Record], *figures: Chart) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shown(build(run_set((header(tasks=task(*figures)), records)), title="T"))["curves"]
    return found


def test_a_limit_is_told_once_and_is_no_curve_of_its_own() -> None:
    records = [recorded(label, block, bayes=BAYES) for block in range(3) for label in "ab"]
    (found,) = curves(records, LOSS)
    assert found["curve"] == "loss"
    assert found["limit"] == {
        "title": "Bayes risk",
        "lines": [{"cell": 0, "repeats": [{"x": [0.0, 1.0], "y": [0.1, 0.1]}]}],
    }


def test_a_band_goes_with_its_curve() -> None:
    banded = record("a", 0, curves={"loss": Curve([0.0, 1.0], [1.0, 0.5], [0.9, 0.4], [1.1, 0.6])})
    (found,) = curves([banded, recorded("b")], LOSS)
    assert [line["repeats"][0].get("low") for line in found["lines"]] == [None, [0.9, 0.4]]
    assert found["lines"][1]["repeats"][0]["high"] == [1.1, 0.6]


def test_blocks_on_other_data_have_limits_of_their_own() -> None:
    records = [recorded(label, b, bayes=Curve([0.0], [b / 10])) for b in range(2) for label in "ab"]
    (found,) = curves(records, LOSS)
    assert [own["y"] for own in found["limit"]["lines"][0]["repeats"]] == [[0.0], [0.1]]


def test_a_limit_that_was_not_recorded_is_not_drawn() -> None:
    (found,) = curves([recorded("a")], LOSS)
    assert found["limit"] is None
    elsewhere = record("a", rows=20, curves={"loss": Curve([0.0], [1.0]), "bayes": BAYES})
    (found,) = curves([recorded("a"), elsewhere], LOSS)
    assert [line["cell"] for line in found["limit"]["lines"]] == [1]


def test_a_curve_that_no_figure_declares_is_drawn_by_its_name() -> None:
    (found,) = curves([recorded("a")])
    assert (found["title"], found["x"], found["limit"]) == ("loss", "x", None)


def test_curves_of_older_runs_keep_the_figures_that_newer_ones_dropped() -> None:
    multiple = Chart("limit", "Regret as a multiple of the limit", "step", "multiple", log_x=True)
    old = header("aaaaaa", tasks=task(Chart("loss", "Old", "x", "y"), multiple))
    new = header("bbbbbb", tasks=task(LOSS))
    older, newer = recorded("a", limit=Curve([1.0], [2.0])), recorded("a", 1, bayes=BAYES)
    found = shown(build(run_set((old, [older]), (new, [newer])), title="T"))["curves"]
    assert [(own["title"], own["limit"] is None) for own in found] == [("Loss", False), (multiple.title, True)]
    (_, alone) = shown(build(run_set((old, [older])), title="T"))["curves"]
    assert (alone["title"], alone["log_x"]) == (multiple.title, True)
