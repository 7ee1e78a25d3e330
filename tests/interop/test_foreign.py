"""Benchmarks of other tools that are collected for a gate: their names, and what one call of each does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from foreign_project import make_repository

from harness.errors import UsageError
from harness.gate.foreign.suite import Suite
from harness.interop.foreign.choose import asv_suite, pytest_suite

# A process of its own, because tools and the package are imported as on a side of a gate.
CALL = """
import json, sys
from pathlib import Path
from harness.config import read_config
from harness.measure.clock import PhaseClock
from harness.measure.device import open_device
from harness.measure.job import Job
from harness.records import Seeds, Trial
from harness.registry import load_registry

registry, told = load_registry(read_config(Path.cwd())), []
for task in registry.tasks():
    for case in task.listed:
        trial = Trial(task.topic, task.name, case.strategy, case.dataset, case.scenario, {"threads": 1, **case.params},
                      dict(case.options), 0, Seeds(0, 0, 0))
        job = Job.of(trial, registry, [])
        data = job.prepare()
        row = {"label": trial.label, "task": task.name, "params": dict(case.params), "unfit": case.reason}
        try:
            for _ in range(3):
                clock = PhaseClock(task.phases, open_device("cpu"), lambda *_: None, setup=task.setup, repeat=False)
                output = job.call(job.problem(data), clock)
            figures = clock.figures["call"]
            row |= {"calls": figures.calls, "metrics": job.judge(data, output).metrics}
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"
        told.append(row)
sys.__stdout__.write("\\n" + json.dumps(told) + "\\n")
"""


def called(folder: Path, suite: Suite, **variables: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", CALL],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
            **suite.variables(folder),
        }
        | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.strip().splitlines()[-1])
    return {f"{row['label']}{row['params'] or ''}": row for row in rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    make_repository(made)
    return made


def test_asv_is_collected_with_all_that_it_has(folder: Path) -> None:
    rows = called(folder, asv_suite(str(folder), "", folder))
    plain = rows["total[kind=plain]{'n': 500}"]
    # One call takes some 10 us: a phase has many, and says how many.
    assert plain["calls"] > 1
    assert rows["total[kind=odd]{'n': 500}"]["error"] == "CannotRunError: asv skips it with these parameters"
    assert rows["cached"]["calls"] > 1
    assert not (folder / "made.txt").exists()
    assert not (folder / "peak.txt").exists()
    assert rows["timeraw-total"]["calls"] == 1
    assert rows["track-size"]["metrics"] == {"size": 1000.0}
    assert "type memory" in rows["mem-list"]["unfit"]
    assert "there_is_no_such_module" in rows["module"]["unfit"]
    assert len(rows) == 9


def test_where_memory_is_read_a_benchmark_runs_once_and_peakmem_stands_for_time(folder: Path) -> None:
    rows = called(folder, asv_suite(str(folder), "total|cached", folder), BAKEOFF_ONE_CALL="1")
    assert {row["calls"] for row in rows.values() if "calls" in row} == {1}
    assert (folder / "peak.txt").exists()


def test_the_names_are_those_of_an_import(folder: Path) -> None:
    from harness.interop.asv.results import named
    from harness.interop.imported_runs import trial_of

    rows = called(folder, asv_suite(str(folder), r"time_total\(20000, 'plain'\)", folder))
    (row,) = (row for row in rows.values() if not row["unfit"])
    trial = trial_of("asv", named("sums.Sums.time_total", {"n": 20000, "kind": "plain"}))
    assert (row["task"], row["label"], row["params"]) == (trial.task, trial.label, trial.params)


def test_pytest_benchmark_is_collected_with_fixtures_and_parameters(folder: Path) -> None:
    rows = called(folder, pytest_suite(str(folder / "bench"), folder))
    assert rows["test-total[n=500]"]["calls"] > 1
    assert rows["test-pedantic"]["calls"] == 1
    assert rows["test-skipped"]["error"] == "CannotRunError: not today"
    (wrong,) = (row for row in rows.values() if row["task"] == "wrong")
    assert wrong["error"] == "InvalidOutputError: its call failed: assert 3 == 4"
    assert len(rows) == 5


def test_a_module_that_cannot_be_collected_is_named(folder: Path) -> None:
    (folder / "bench" / "test_broken.py").write_text("import there_is_no_such_module\n")
    rows = called(folder, pytest_suite(str(folder / "bench"), folder))
    assert "there_is_no_such_module" in rows["module"]["unfit"]


def test_the_whole_folder_of_tests_is_taken_with_the_conftests_above(folder: Path) -> None:
    (folder / "tests" / "speed").mkdir(parents=True)
    (folder / "conftest.py").touch()
    assert pytest_suite(str(folder / "tests" / "speed"), folder).taken == ("tests", "conftest.py")


@pytest.mark.parametrize(
    ("given", "pattern", "sentence"),
    [("bench", "", "needs the folder of asv.conf.json"), (".", "(", "is not a regular expression")],
)
def test_what_names_no_suite_is_refused(folder: Path, given: str, pattern: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        asv_suite(str(folder / given), pattern, folder)
    with pytest.raises(UsageError, match="there is no file or folder"):
        pytest_suite(str(folder / "nowhere"), folder)
    with pytest.raises(UsageError, match="outside of the project"):
        pytest_suite(str(folder.parent), folder)
