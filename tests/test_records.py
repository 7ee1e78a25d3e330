"""The numbers of records, and which of them are compared."""

from __future__ import annotations

from typing import Any

import pytest

from harness.records import Phase, Record, Seeds, Trial, measure, without


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


def test_a_phase_that_is_in_no_total() -> None:
    compiled = Phase([8.0], [7.0], peak_bytes=900, device_bytes=50, in_total=False)
    one = record(phases={"compile": compiled, "fit": Phase([1.0], [0.5], peak_bytes=100, device_bytes=7)})
    names = ("cpu_s", "wall_s", "peak_bytes", "device_bytes", "compile.cpu_s", "compile.peak_bytes")
    assert [measure(one, name) for name in names] == [0.5, 1.0, 100, 7, 7.0, 900]


def test_set_up_can_be_left_out_of_a_record_that_counts_it() -> None:
    phases = {
        "compile": Phase([8.0], [7.0], peak_bytes=900),
        "fit": Phase([1.0], [0.5], peak_bytes=100, held_bytes=300),
        "predict": Phase([1.0], [0.5], peak_bytes=10, held_bytes=500),
    }
    counted = record(phases=phases)
    assert [measure(counted, name) for name in ("cpu_s", "peak_bytes", "predict.held_bytes")] == [8.0, 900, 500]
    left = without(counted, ["compile", "unknown"])
    assert [measure(left, name) for name in ("cpu_s", "peak_bytes", "predict.held_bytes")] == [1.0, 210, 200]
    assert without(left, ["compile"]) == left
    assert counted.phases["fit"].held_bytes == 300


def test_a_trial_that_diverged_has_metrics_only() -> None:
    one = record(phases={"fit": Phase([1.0], [0.5])}, metrics={"loss": 0.69, "diverged": 1.0}, diverged=12)
    assert [measure(one, name) for name in ("loss", "diverged", "cpu_s", "fit.cpu_s")] == [0.69, 1.0, None, None]


@pytest.mark.parametrize("status", ["failed", "timeout", "memory", "skipped"])
def test_a_trial_that_did_not_finish_has_no_numbers(status: str) -> None:
    broken = record(status=status, phases=FULL.phases, metrics=FULL.metrics)
    assert [measure(broken, name) for name in ("fit.wall_s", "cpu_s", "auc")] == [None] * 3
