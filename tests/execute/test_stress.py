"""Trials that predict altered test sets, and trials that diverge: from their run to its records and tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import Project

from harness.config import Config
from harness.execute.run import altered_tasks
from harness.plan.selection import ProfileName, Selection
from harness.records import Record, figures
from harness.registry import load_registry
from harness.store.read import read

TOPIC = '''
"""Predict 0 for data that are altered, or diverge."""
import numpy as np
from harness import Curve, Dataset, DivergedError, Judgement, Metric, Profile, Stress, Topic

topic = Topic("altered", title="Altered")

def judge(data, output):
    if isinstance(output, str):
        return Judgement({"error": float("nan")}, {"loss": Curve([1, 2, 3], [2, float("inf"), 1])}, diverged=2)
    return Judgement({"error": float(np.abs(data - output).mean())}, {"loss": Curve([1, 2, 3], [3, 2, 1])})

stress = Stress("shift", lambda data, level, rng: data + level, (0, 4), "shift, m")
tilted = Stress("tilt", lambda data, level, rng: data + level**2, (0, 1, 4), "tilt, 1", summed=True)
nothing = Stress("nothing", lambda data, level, rng: None if level else data, (0, 1), "nothing, 1", summed=True)
task = topic.task(
    "shift", title="Shift", datasets=[Dataset("zeros", lambda params, rng: np.zeros(3))],
    phases=["work"], metrics=[Metric("error", direction="lower", unit="1")], judge=judge, view=len,
    stress=[stress], guess=lambda data: {"error": 100.0},
    quick=Profile(blocks=2, stress=False), full=Profile(blocks=2),
)

@task.strategy("zero")
def zero(problem, phase):
    with phase("work"):
        pass
    return problem.with_altered(np.zeros(problem.data), phase, lambda count: np.zeros(count))

@task.strategy("raises")
def raises(problem, phase):
    with phase("work"):
        raise DivergedError(7)

@task.strategy("judged")
def judged(problem, phase):
    with phase("work"):
        return "diverged"
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("altered")
    (folder / "altered.py").write_text(TOPIC)
    (folder / "bakeoff.toml").write_text('topics = ["altered.py"]\n')
    return Project(folder)


@pytest.fixture(scope="module")
def full(project: Project) -> Path:
    """Return the file of a full run, with a memory pass."""
    project.bakeoff("run", "altered", "--profile", "full", "--memory-pass")
    (run,) = project.runs()
    return run


def records(run: Path, strategy: str) -> list[Record]:
    found = [record for record in read(run)[1] if record.trial.strategy == strategy]
    assert [(record.status, record.reason) for record in found] == [("ok", "")] * 2
    return found


def test_figures_under_stress_are_recorded_beside_the_plain_ones(full: Path) -> None:
    for record in records(full, "zero"):
        assert record.metrics == {"error": 0.0, "diverged": 0.0, "error_at_shift_0": 0.0, "error_at_shift_4": 4.0}
        assert list(record.phases) == ["work", "stress"]
        assert record.memory_source == "quiet"
    described = {metric.name: metric for metric in read(full)[0].metrics}
    assert list(described) == ["error", "diverged", "error_at_shift_0", "error_at_shift_4"]
    last = described["error_at_shift_4"]
    assert (last.of, last.stress, last.level, last.axis) == ("error", "shift", 4.0, "shift, m")


@pytest.mark.parametrize(("strategy", "step", "curve"), [("raises", 7.0, None), ("judged", 2.0, ([1.0], [2.0]))])
def test_a_trial_that_diverged_is_a_result(
    full: Path, strategy: str, step: float, curve: tuple[list[float], list[float]] | None
) -> None:
    for record in records(full, strategy):
        assert record.diverged == step
        assert figures(record) == {
            "error": 100.0,
            "diverged": 1.0,
            "error_at_shift_0": 100.0,
            "error_at_shift_4": 100.0,
        }
        assert [(own.x, own.y) for own in record.curves.values()] == ([curve] if curve else [])


def test_tables_say_where_training_diverged(project: Project, full: Path) -> None:
    said = " ".join(project.bakeoff("show", str(full)).stdout.split())
    assert "raises diverged at step 7 in 2 of 2 blocks; there it has a guess's metrics, and no costs" in said
    assert "error_at_shift_4" not in said
    rows = json.loads(project.bakeoff("show", str(full), "--json").stdout)["cells"]
    diverged = {row["strategy"]: row["diverged"] for row in rows}
    assert diverged == {"zero": [], "raises": [7.0, 7.0], "judged": [2.0, 2.0]}


def test_a_profile_may_hand_out_no_altered_test_sets(project: Project, full: Path) -> None:
    project.bakeoff("run", "altered", "-s", "zero")
    (quick,) = set(project.runs()) - {full}
    for record in records(quick, "zero"):
        assert record.metrics == {"error": 0.0, "diverged": 0.0}
        assert list(record.phases) == ["work"]
    assert [metric.name for metric in read(quick)[0].metrics] == ["error", "diverged"]
    project.bakeoff("run", "altered", "-s", "zero", "--stress")
    (stressed,) = set(project.runs()) - {full, quick}
    assert all("error_at_shift_4" in record.metrics for record in records(stressed, "zero"))


@pytest.mark.parametrize(
    ("profile", "stress", "handed_out"),
    [("quick", False, False), ("quick", True, True), ("full", False, True), ("claims", False, True)],
)
def test_boosting_hands_out_altered_test_sets_where_something_asks_for_them(
    tmp_path: Path, profile: ProfileName, stress: bool, handed_out: bool
) -> None:
    registry = load_registry(Config(folder=tmp_path))
    chosen = altered_tasks(Selection(tasks=("boosting",), profile=profile, stress=stress), registry)
    assert ("boosting/tabular-binary" in chosen) == handed_out


SUMMED = """
summed = topic.task(
    "summed", title="Summed", datasets=[Dataset("more-zeros", lambda params, rng: np.zeros(3))],
    phases=["work"], metrics=[Metric("error", direction="lower", unit="1")], judge=judge, view=len,
    stress=[tilted, nothing], quick=Profile(blocks=2),
)
summed.strategy("zero")(zero)
"""


def test_a_curve_is_summed_up_and_a_test_set_with_nothing_to_alter_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "altered.py").write_text(TOPIC + SUMMED)
    (tmp_path / "bakeoff.toml").write_text('topics = ["altered.py"]\n')
    own = Project(tmp_path)
    own.bakeoff("run", "altered/summed")
    (run,) = own.runs()
    for record in records(run, "zero"):
        assert record.metrics == {
            "error": 0.0,
            "error_at_tilt_0": 0.0,
            "error_at_tilt_1": 1.0,
            "error_at_tilt_4": 16.0,
            "error_over_tilt": (0.5 * 1 + 3 * (1 + 16) / 2) / 4,
            "error_change_tilt": 16.0,
            "error_at_nothing_0": 0.0,
        }
    described = {metric.name: metric for metric in read(run)[0].metrics}
    assert [described[name].level for name in ("error_at_tilt_4", "error_over_tilt", "error_change_tilt")] == [
        4,
        None,
        None,
    ]
