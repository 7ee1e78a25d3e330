"""A pair of processes: what it measures, and what becomes of those that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from harness.gate.decision import Pair
from harness.gate.live.both_sides import MemoryPass, PairRequest, measure
from harness.gate.live.planned_cases import plan_cases
from harness.measure.machine import usable_cores
from harness.plan.selection import Selection

if TYPE_CHECKING:
    from gate.live.conftest import Sides

BLOCKS = 4


def run(
    sides: Sides,
    strategy: str,
    block: int = 0,
    *,
    topic: str = "small",
    judge: bool = False,
    timeout_s: float = 60.0,
    **variables: Any,
) -> Pair:
    made = sides(**variables)
    selection = Selection(profile="quick", tasks=(topic,), strategies=(strategy,), blocks=BLOCKS)
    trial = plan_cases(selection, made).cases[0].trials[block]
    core = usable_cores()[:1]
    return measure(PairRequest(trial, core, "base", "screen", 4, 1.0, 0.01, timeout_s, judge=judge), made)


@pytest.mark.measured
def test_both_sides_are_measured_in_every_round_on_the_same_core(sides: Sides) -> None:
    pair = run(sides, "copy", judge=True)
    assert pair.failed == {}
    assert pair.identical
    names = {"fit.cpu_s", "fit.wall_s", "predict.cpu_s", "predict.wall_s", "cpu_s", "wall_s"}
    assert set(pair.base) == set(pair.candidate) == names
    assert {len(values) for values in (*pair.base.values(), *pair.candidate.values())} == {4}
    assert np.allclose(np.add(pair.base["fit.cpu_s"], pair.base["predict.cpu_s"]), pair.base["cpu_s"])
    assert pair.metrics == {"base": {"error": 0.0}, "candidate": {"error": 0.0}}
    assert pair.elapsed_s > 0
    assert msgspec.json.decode(msgspec.json.encode(pair), type=Pair) == pair


@pytest.mark.measured
def test_five_times_the_work_is_seen(sides: Sides) -> None:
    pair = run(sides, "copy", MORE=40)
    assert 2 < np.median(np.divide(pair.candidate["fit.cpu_s"], pair.base["fit.cpu_s"])) < 10


def test_other_predictions_are_judged_and_compared_example_by_example(sides: Sides) -> None:
    pair = run(sides, "copy", WORSE=0.1)
    assert not pair.identical
    assert pair.metrics["candidate"]["error"] == pytest.approx(0.01)
    assert pair.examples["error"].estimate == pytest.approx(0.01)
    assert pair.examples["error"].examples == 2000


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"RAISE": 1}, "RuntimeError: planted"),
        ({"EXIT": 1}, "called sys.exit(3)"),
        pytest.param({"HANG": 1, "timeout_s": 5.0}, "not done after 5 s; killed", marks=pytest.mark.measured),
    ],
    ids=["raises", "exits", "hangs"],
)
def test_a_failing_candidate_is_named_with_its_reason(sides: Sides, variables: dict[str, Any], reason: str) -> None:
    assert run(sides, "crash", **variables).failed == {"candidate": reason}


def test_a_full_disk_is_not_the_fault_of_the_side_that_meets_it(sides: Sides) -> None:
    with pytest.raises(OSError, match="No space left on device: 'a process of the candidate'"):
        run(sides, "crash", FULL=1)
    made = sides(FULL=1)
    trial = plan_cases(Selection(tasks=("small",), strategies=("crash",), blocks=1), made).cases[0].trials[0]
    with MemoryPass(made, 60.0) as memory, pytest.raises(OSError, match="No space left on device"):
        memory.measure(trial, usable_cores()[:1])


def test_a_side_on_which_the_strategy_cannot_run_is_told_from_one_that_fails(sides: Sides) -> None:
    pair = run(sides, "crash", UNABLE=1)
    assert (pair.failed, pair.unable) == ({"candidate": "built without it"}, ["candidate"])


def test_a_crash_in_some_blocks_is_a_crash_there_alone(sides: Sides) -> None:
    failed = [run(sides, "crash", block, CRASH=1).failed for block in range(BLOCKS)]
    assert {"candidate": "killed by SIGABRT"} in failed
    assert {} in failed


@pytest.mark.parametrize(("variables", "step"), [({"DIVERGE": 12}, 12.0), ({"JUDGED": 1}, 5.0)])
def test_a_side_that_diverges_has_the_metrics_of_the_guess(
    sides: Sides, variables: dict[str, Any], step: float
) -> None:
    pair = run(sides, "diverges", topic="diverging", **variables)
    assert (pair.failed, pair.identical, pair.diverged) == ({}, False, {"candidate": step})
    assert pair.metrics == {"base": {"error": 0.0, "diverged": 0.0}, "candidate": {"error": 9.0, "diverged": 1.0}}


def test_sides_that_both_diverge_are_judged_although_they_predict_the_same(sides: Sides) -> None:
    pair = run(sides, "diverges", topic="diverging", DIVERGE=12, base_DIVERGE=12)
    assert (pair.identical, pair.diverged) == (True, {"base": 12.0, "candidate": 12.0})
