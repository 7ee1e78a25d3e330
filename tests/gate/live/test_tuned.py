"""A side of a pair tunes once, before its first call, and says what it chose."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gate.live.suite import case

import harness
from harness.config import GatePolicy
from harness.gate.decision import Pair, Side, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.live.both_sides import MemoryPass, PairRequest, measure
from harness.gate.live.gate import choices
from harness.gate.live.planned_cases import plan_cases
from harness.measure.machine import usable_cores
from harness.plan.selection import Selection

TOPIC = """
import os
import numpy as np
from harness import Dataset, Judgement, Metric, Topic, Tuning

calls = []
topic = Topic("tuned", title="Tuned")
task = topic.task(
    "one", title="One", datasets=[Dataset("data", lambda params, rng: np.arange(8.0))], phases=["fit"],
    metrics=[Metric(name, direction="lower", unit="1") for name in ("loss", "calls", "level")],
    judge=lambda data, output: Judgement(dict(zip(("loss", "calls", "level"), output))),
    tuning=Tuning(3, lambda data, rng: data[:4]),
)


@task.strategy("far", search={"level": [2, 3]})
def far(problem, phase, level=1):
    calls.append(level)
    with phase("fit"):
        memory = np.ones(level * 1_000_000)
    return abs(level - int(os.environ["BEST"])), len(calls), level
"""


@pytest.fixture
def sides(tmp_path: Path) -> dict[SideName, SideEnvironment]:
    (tmp_path / "tuned.py").write_text(TOPIC)
    (tmp_path / "bakeoff.toml").write_text('topics = ["tuned.py"]\n')

    def side(name: str, best: int) -> SideEnvironment:
        path = str(Path(harness.__file__).parents[1])
        return SideEnvironment(Side(name), Path(sys.executable), tmp_path, {"PYTHONPATH": path, "BEST": str(best)})

    return {"base": side("base", 1), "candidate": side("candidate", 3)}


def test_a_side_tunes_before_its_first_call_and_says_its_choice(sides: dict[SideName, SideEnvironment]) -> None:
    selection = Selection(profile="quick", tasks=("tuned",), strategies=("far-tuned",), blocks=1)
    trial = plan_cases(selection, sides).cases[0].trials[0]
    pair = measure(PairRequest(trial, usable_cores()[:1], "base", "screen", 4, 1.0, 0.01, 60.0, judge=True), sides)
    assert pair.failed == {}
    assert pair.choices == {"candidate": {"level": 3}}
    assert {name: found["level"] for name, found in pair.metrics.items()} == {"base": 1, "candidate": 3}
    assert set(pair.base) == {"fit.cpu_s", "fit.wall_s", "cpu_s", "wall_s"}
    # The calls of the rounds, of the warm-up and of the first rounds, which were too short.
    assert pair.metrics["base"]["calls"] > len(pair.base["cpu_s"])
    with MemoryPass(sides, 60.0) as memory:
        reading = memory.measure(trial, usable_cores()[:1], choices={"candidate": {"level": 2}})
    assert reading.failed == {}
    assert abs(reading.candidate["peak_bytes"] - reading.base["peak_bytes"] - 8e6) < 1e6


def test_different_choices_are_a_remark() -> None:
    measured = case("far-tuned", GatePolicy())
    measured.add(Pair(0))
    assert list(choices([measured])) == []
    measured.add(Pair(1, choices={"candidate": {"level": 3}}))
    assert list(choices([measured])) == [
        "topic/task/far-tuned/data/clean: tuning chose different options on the two sides in 1 of 2 pairs"
    ]
