"""The numbers of records, and which of them are compared."""

from __future__ import annotations

from typing import Any

import pytest

from harness.stats.cells import Cell, difference, group, measure, middle, ratio
from harness.trial import Phase, Record, Seeds, Trial


def record(block: int = 0, strategy: str = "a", **changes: Any) -> Record:
    own = {name: changes.pop(name) for name in ("params", "options", "seeds", "scenario") if name in changes}
    fields: dict[str, Any] = {
        "topic": "t",
        "task": "task",
        "dataset": "data",
        "scenario": "clean",
        "params": {"rows": 10, "threads": 1},
        "options": {},
        "seeds": Seeds(data=block, model=1, order=2),
    }
    trial = Trial(strategy=strategy, block=block, **(fields | own))
    return Record(trial, **({"status": "ok"} | changes))


FULL = record(
    phases={
        "fit": Phase([1.0, 9.0, 2.0], [3.0, 4.0, 20.0], peak_bytes=100, held_bytes=0, device_bytes=7),
        "predict": Phase([0.5], [0.25], peak_bytes=60, held_bytes=50),
    },
    metrics={"auc": 0.75},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fit.wall_s", 2.0),  # the median of three, not their mean
        ("fit.cpu_s", 4.0),
        ("fit.peak_bytes", 100),
        ("predict.held_bytes", 50),
        ("fit.device_bytes", 7),
        ("predict.device_bytes", None),
        ("wall_s", 2.5),  # medians added up
        ("cpu_s", 4.25),
        ("peak_bytes", 110),  # predict reaches 60 above a start that is 50 above that of fit
        ("device_bytes", 7),
        ("auc", 0.75),
        ("other", None),
        ("other.wall_s", None),
        ("fit.other", None),
    ],
)
def test_measure(name: str, value: float | None) -> None:
    assert measure(FULL, name) == value


def test_peak_is_that_of_the_larger_phase() -> None:
    one = record(phases={"fit": Phase([1.0], [1.0], peak_bytes=100), "step": Phase([1.0], [1.0], 30, held_bytes=20)})
    assert measure(one, "peak_bytes") == 100
    unread = record(phases={"fit": Phase([1.0], [1.0])})
    assert measure(unread, "peak_bytes") is None


@pytest.mark.parametrize("status", ["failed", "timeout", "memory", "skipped"])
def test_a_trial_that_did_not_finish_has_no_numbers(status: str) -> None:
    broken = record(status=status, phases=FULL.phases, metrics=FULL.metrics)
    assert [measure(broken, name) for name in ("fit.wall_s", "cpu_s", "auc")] == [None] * 3
    assert middle([broken], "auc") is None


def test_middle_is_the_median_of_what_there_is() -> None:
    found = [record(block, metrics={"auc": value}) for block, value in enumerate([0.9, 0.1, 0.2])]
    assert middle([*found, record(3), record(4, status="failed")], "auc") == 0.2


def timed(strategy: str, values: dict[int, float], **changes: Any) -> list[Record]:
    return [
        record(block, strategy, phases={"fit": Phase([value], [value])}, metrics={"auc": value}, **changes)
        for block, value in values.items()
    ]


def test_effects_come_from_common_blocks_only() -> None:
    of, to = timed("a", {0: 2.0, 1: 4.0, 7: 1000.0}), timed("b", {1: 2.0, 0: 1.0, 3: 5000.0})
    times, apart = ratio(of, to, "cpu_s"), difference(of, to, "auc")
    assert times is not None
    assert apart is not None
    assert times.estimate == pytest.approx(2.0)
    assert apart.estimate == pytest.approx(1.5)
    assert times.blocks == apart.blocks == 2


def test_blocks_of_different_data_are_not_paired() -> None:
    of, to = timed("a", {0: 2.0}), timed("b", {0: 1.0}, seeds=Seeds(data=99, model=1, order=2))
    assert ratio(of, to, "cpu_s") is None
    assert difference(of, to, "auc") is None


def test_failed_sides_and_zeros_are_left_out() -> None:
    of = [*timed("a", {0: 2.0, 1: 3.0}), record(2, "a", status="failed")]
    to = timed("b", {0: 1.0, 1: 0.0, 2: 1.0})
    found = ratio(of, to, "cpu_s")
    assert found is not None
    assert found.estimate == pytest.approx(2.0)
    assert found.blocks == 1
    assert not found.known


def test_records_are_grouped_by_cell_and_label() -> None:
    found = group(
        [
            record(0),
            record(1),
            record(0, options={"bins": 2}),
            record(0, "b"),
            record(0, scenario="noisy"),
            record(0, params={"threads": 1, "rows": 10}),
            record(0, params={"threads": 2, "rows": 10}),
        ]
    )
    counts = {cell.title: {label: len(own) for label, own in labels.items()} for cell, labels in found.items()}
    assert counts == {
        "t/task on data, clean (rows=10 threads=1)": {"a": 3, "a[bins=2]": 1, "b": 1},
        "t/task on data, noisy (rows=10 threads=1)": {"a": 1},
        "t/task on data, clean (rows=10 threads=2)": {"a": 1},
    }
    assert next(iter(found)) == Cell.of(record(5, "z"))
