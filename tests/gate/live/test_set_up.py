"""A live gate warms set-up phases up, and has them in no total of either side, even if only one declares them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.gate.decision import Side, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.live.both_sides import MemoryPass, PairRequest, measure
from harness.gate.live.planned_cases import GatePlan, plan_cases
from harness.measure.machine import usable_cores
from harness.plan.selection import Selection

TOPIC = Path(__file__).parents[2] / "projects" / "prepared.py"
Sides = dict[SideName, SideEnvironment]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prepared.py").write_text(TOPIC.read_text())
    (tmp_path / "bakeoff.toml").write_text('topics = ["prepared.py"]\n')
    return tmp_path


def side(folder: Path, **variables: str) -> SideEnvironment:
    path = {"PYTHONPATH": str(Path(harness.__file__).parents[1])}
    return SideEnvironment(side=Side("x"), python=Path(sys.executable), folder=folder, variables={**path, **variables})


def planned(sides: Sides) -> GatePlan:
    return plan_cases(Selection(profile="quick", tasks=("prepared",), strategies=("compiled",), blocks=2), sides)


def test_set_up_is_warmed_up_and_not_measured(folder: Path) -> None:
    """The base declares no set-up, as before a change that declares it."""
    sides: Sides = {"base": side(folder, NO_SETUP="1"), "candidate": side(folder)}
    plan = planned(sides)
    assert plan.remarks == [
        "phase compile of prepared/sort is set-up in the candidate and not in the base; it is in no "
        "total of either side"
    ]
    (case,) = plan.cases
    assert case.setup == ("compile",)
    core = usable_cores()[:1]
    request = PairRequest(case.trials[0], core, "base", "screen", 4, 1.0, 0.01, 60.0, judge=False, setup=case.setup)
    pair = measure(request, sides)
    assert pair.failed == {}
    for figures in (pair.base, pair.candidate):
        assert {name.partition(".")[0] for name in figures if "." in name} == {"fit", "predict"}
        assert np.allclose(np.add(figures["fit.cpu_s"], figures["predict.cpu_s"]), figures["cpu_s"])
    with MemoryPass(sides, 60.0) as memory:
        reading = memory.measure(case.trials[0], core, case.setup)
    assert reading.failed == {}
    assert reading.base["peak_bytes"] < 10e6
    assert reading.candidate["peak_bytes"] == pytest.approx(reading.base["peak_bytes"], abs=1e6)


def test_a_phase_that_is_set_up_on_both_sides_is_no_remark(folder: Path) -> None:
    plan = planned({"base": side(folder), "candidate": side(folder)})
    assert (plan.remarks, plan.cases[0].setup) == ([], ("compile",))
