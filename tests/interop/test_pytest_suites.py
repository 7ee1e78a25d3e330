"""pytest-benchmark: which cases are collected, and what one writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from interop.small_project import IMPORT, MISSING, RAISE, write

ROOT = Path(__file__).parents[2]


def _pytest(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_strategies_of_this_project_are_collected_by_name() -> None:
    told = _pytest(ROOT, "benchmarks/cases", "--benchmark-only", "-k", "hist", "--collect-only", "-q")
    assert "test_strategy[boosting-tabular-binary-xgboost-hist-flights-clean]" in told
    assert "xgboost-exact" not in told


@pytest.fixture
def cases(project: Path) -> Path:
    """A small project whose folder benchmarks/ has the module of this one."""
    module = ROOT / "benchmarks" / "cases" / "bench_strategies.py"
    (project / "benchmarks" / module.name).write_text(module.read_text())
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\npython_files = ["bench_*.py"]\n')
    return project


def test_a_case_tells_time_quality_and_memory(cases: Path) -> None:
    chosen = ("-k", "(four and plain) or (elsewhere and plain)", "-W", "error", "--benchmark-json", "told.json", "-rs")
    told = _pytest(cases, "benchmarks", "--benchmark-only", *chosen)
    assert "1 passed, 1 skipped" in told
    assert "package no_such_package is not installed" in told
    (case,) = json.loads((cases / "told.json").read_text())["benchmarks"]
    assert case["params"] == {"task": "small/two-words", "strategy": "four", "dataset": "plain", "scenario": "clean"}
    assert case["stats"]["rounds"] == 2
    extra = case["extra_info"]
    assert extra["metrics"] == {"error": 0.25, "auc": 0.75, "gain": 4.0}
    assert extra["directions"] == {"error": "lower", "auc": "higher", "gain": "higher"}
    assert extra["dataset_version"] == "1"
    assert extra["params"] == {"rows": 100, "threads": 1}
    assert extra["peak_bytes"] >= 0
    assert {"fit.cpu_s", "predict.cpu_s"} <= set(extra["phases"])
    assert len(extra["seeds"]) == 2
    # Both phases of both trials, and nothing of the trials that loading or judging took.
    both = extra["phases"]["fit.wall_s"] + extra["phases"]["predict.wall_s"]
    assert case["stats"]["median"] == pytest.approx(both, rel=1e-9)


def test_cases_without_their_data_are_skipped(tmp_path: Path) -> None:
    project = write(tmp_path, IMPORT, RAISE, MISSING)
    module = ROOT / "benchmarks" / "cases" / "bench_strategies.py"
    (project / "benchmarks" / module.name).write_text(module.read_text())
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\npython_files = ["bench_*.py"]\n')
    told = _pytest(project, "benchmarks", "--benchmark-only", "-k", "four and clean", "-rs")
    assert "1 passed, 1 skipped" in told
    assert "bakeoff data get dated" in told


def test_a_strategy_that_finds_that_it_cannot_run_is_skipped_with_its_reason(cases: Path) -> None:
    topic = cases / "small.py"
    refuses = """

@task.strategy("refuses")
def refuses(problem, phase):
    from harness import CannotRunError

    raise CannotRunError("no ratings to learn from")
"""
    topic.write_text(topic.read_text() + refuses)
    told = _pytest(cases, "benchmarks", "--benchmark-only", "-k", "refuses and plain", "-W", "error", "-rs")
    assert "1 skipped" in told
    assert "no ratings to learn from" in told


def test_a_case_tells_what_is_set_up_and_times_the_rest(cases: Path) -> None:
    topic = cases / "small.py"
    topic.write_text(topic.read_text().replace('phases=["fit",', 'setup=["fit"],\n    phases=["fit",'))
    _pytest(cases, "benchmarks", "--benchmark-only", "-k", "four and plain", "--benchmark-json", "told.json")
    (case,) = json.loads((cases / "told.json").read_text())["benchmarks"]
    extra = case["extra_info"]
    assert extra["setup"] == ["fit"]
    assert case["stats"]["median"] == pytest.approx(extra["phases"]["predict.wall_s"], rel=1e-9)


def test_a_failed_trial_fails_its_case_with_the_reason(cases: Path) -> None:
    told = _pytest(cases, "benchmarks", "--benchmark-only", "-k", "fails and plain", code=1)
    assert "failed: RuntimeError: planted in phase fit" in told


def test_a_case_that_diverged_has_no_time_to_tell(tmp_path: Path) -> None:
    project = write(
        tmp_path / "small",
        ('    params={"rows"', '    guess=lambda data: {"error": 1.0, "auc": 0.5, "gain": 0.0},\n    params={"rows"'),
        ("        return -1.0", "        raise DivergedError(12)"),
        ("from pathlib import Path", "from pathlib import Path\nfrom harness import DivergedError"),
    )
    module = ROOT / "benchmarks" / "cases" / "bench_strategies.py"
    (project / "benchmarks" / module.name).write_text(module.read_text())
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\npython_files = ["bench_*.py"]\n')
    told = _pytest(project, "benchmarks", "--benchmark-only", "-k", "loses and plain", "-rs")
    assert "it diverged at step 12 in 2 of 2 blocks, so it has no time that compares" in told
