"""Models of a task: what they are given, what the page gets of their maps, and what becomes of a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from report.test_payload import BLOCKS, header, record, run_set, shown

from harness import (
    FittedConstant,
    Judgement,
    Measurement,
    Metric,
    NotMeasuredError,
    Panel,
    Prediction,
    Task,
    Topic,
    Validation,
    WinnerMap,
)
from harness.errors import DeclarationError
from harness.report.run.payload import build

PLACE = Prediction(10, 1_000, "a", 0.5, "b", 2.0, 1.5, 3.0)


def winner_map(*predictions: Prediction, **other: Any) -> WinnerMap:
    given = {"basis": "From 10 rows.", "x": "columns", "y": "rows", "cost": "time", "unit": "s"}
    return WinnerMap(**given | {"panels": [Panel("8 workers", predictions or (PLACE,))]} | other)


def declared() -> Task:
    task = Topic("t", title="T").task(
        "task",
        title="Title",
        datasets=["data"],
        phases=["fit"],
        metrics=[Metric("auc", direction="higher", unit="1")],
        judge=lambda _data, _output: Judgement({}),
    )

    @task.strategy("a")
    def a(problem: Any, phase: Any, bins: int = 4) -> None: ...

    return task


def fitted(function: Callable[[Sequence[Measurement]], Any], records: Sequence[Any] = BLOCKS) -> dict[str, Any]:
    """Return what the page gets of a model."""
    task = declared()
    task.model(title="Model")(function)
    payload = build(run_set((header(), records)), title="T", tasks={task.full_name: task})
    (found,) = shown(payload)["models"]
    return dict(found)


def test_a_model_is_given_every_finished_strategy_with_its_options_and_values_by_block() -> None:
    given: list[Measurement] = []

    def keep(measured: Sequence[Measurement]) -> WinnerMap:
        given.extend(measured)
        return winner_map()

    failed = [record("c", block, status="failed", reason="it broke", phases={}, metrics={}) for block in range(3)]
    fitted(keep, [*BLOCKS, *failed])
    assert [(own.strategy, dict(own.options), dict(own.params)) for own in given] == [
        ("a", {"bins": 4}, {"rows": 10}),
        ("b", {}, {"rows": 10}),
    ]
    np.testing.assert_array_equal(given[1].values["fit.wall_s"], [2.0, 3.0, 4.0])
    assert (given[0].dataset, given[0].scenario) == ("data", "clean")


def test_the_page_gets_the_map_with_its_errors_and_the_reason_of_every_doubt() -> None:
    tie = PLACE._replace(y=2_000, low=0.9)
    off = PLACE._replace(y=3_000, winner="b", second="a", doubt="b is off by 40 %")
    both = tie._replace(y=4_000, doubt="a was not measured")
    found = fitted(
        lambda _: winner_map(
            *(PLACE, tie, off, both),
            constants=[FittedConstant("row", "s", 1.0, 0.9, 1.1)],
            validations=[
                Validation("a", "10 rows", "s", 1.2, 1.0),
                Validation("a", "20 rows", "s", 0.5, 1.0),
                Validation("b", "10 rows", "s", 1.0, 1.0),
            ],
        )
    )["map"]
    assert [own["doubt"] for own in found["panels"][0]["predictions"]] == [
        "",
        "the interval contains 1",
        "b is off by 40 %",
        "the interval contains 1; a was not measured",
    ]
    assert found["strategies"] == ["a", "b"]
    assert [(row["what"], row["sizes"], row["median"], row["largest"]) for row in found["errors"]] == [
        ("a", 2, pytest.approx(0.35), pytest.approx(0.5)),
        ("b", 1, 0.0, 0.0),
    ]


def lacks(_: Sequence[Measurement]) -> WinnerMap:
    raise NotMeasuredError("No 10 rows.", ["bakeoff run t"])


def test_a_model_that_lacks_measurements_says_which_and_what_to_run() -> None:
    found = fitted(lacks)
    assert (found["reason"], found["commands"], found["map"]) == ("No 10 rows.", ["bakeoff run t"], None)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda _: None, "returns None, which is not a WinnerMap."),
        (lambda _: 1 / 0, "failed: ZeroDivisionError: division by zero"),
        (lambda _: winner_map(PLACE._replace(cost=float("nan"))), "all of its numbers must be finite and above 0"),
    ],
)
def test_a_wrong_model_costs_the_page_its_map_only(function: Callable[..., Any], sentence: str) -> None:
    found = fitted(function)
    assert found["map"] is None
    assert "test_models.py:" in found["reason"]
    assert sentence in found["reason"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: winner_map(basis=""), "a map of winners needs basis="),
        (lambda: winner_map(panels=[]), "at least one panel"),
        (lambda: winner_map(panels=[Panel("8 workers", ())]), "every panel a prediction"),
        (lambda: winner_map(validations=[Validation("a", "b", "s", 1.0, 0.0)]), "both of its numbers must be finite"),
        (lambda: declared().model(title="")(lacks), "a model of task task needs a title"),
        (lambda: declared().model(title="M")(winner_map), "must take one argument, the measurements"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_declaration_is_refused_with_its_place(wrong: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(DeclarationError, match="test_models") as caught:
        wrong()
    assert sentence in str(caught.value)


def test_a_title_is_taken_once() -> None:
    task = declared()
    task.model(title="M")(lacks)
    with pytest.raises(DeclarationError, match="has a model with the title 'M' already"):
        task.model(title="M")(lacks)
