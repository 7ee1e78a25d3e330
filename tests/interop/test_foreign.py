"""Benchmarks of other tools that are collected for a gate: their names, and what one call of each does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def side() -> Iterator[int]:
    """Open the file in memory of a side."""
    file = os.memfd_create("side")
    yield file
    os.close(file)


def called(folder: Path, suite: Suite, shared: int | None = None, **variables: str) -> dict[str, dict[str, Any]]:
    with side() as first:
        done = subprocess.run(
            [sys.executable, "-P", "-c", CALL],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
                **suite.variables(folder, first if shared is None else shared),
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


CACHED = """
import os
import random

import numpy


class Cached:
    def setup_cache(self):
        with open(os.path.join(os.path.dirname(__file__), "made.txt"), "a") as file:
            file.write("x")
        open("here.txt", "w").close()
        return VALUE

    def track_value(self, value):
        assert os.path.exists("here.txt")
        return value() if callable(value) else value
"""


@pytest.mark.parametrize(
    ("value", "made"), [("random.random() + numpy.random.random()", 1), ("(lambda drawn: lambda: drawn)(0.5)", 3)]
)
def test_setup_cache_runs_once_a_side_if_its_value_can_be_pickled(folder: Path, value: str, made: int) -> None:
    benchmarks = folder / "asv_bench" / "benchmarks"
    (benchmarks / "cached.py").write_text(CACHED.replace("VALUE", value))
    suite = asv_suite(str(folder), r"cached\.", folder)
    with side() as base:
        found = [called(folder, suite, base)["track-value"]["metrics"]["value"] for _ in range(3)]
    assert len((benchmarks / "made.txt").read_text()) == made
    # The other side draws the same.
    assert {*found, called(folder, suite)["track-value"]["metrics"]["value"]} == {found[0]}


def test_a_side_whose_process_was_ended_as_it_wrote_makes_its_cache_again(folder: Path) -> None:
    benchmarks = folder / "asv_bench" / "benchmarks"
    (benchmarks / "cached.py").write_text(CACHED.replace("VALUE", "2"))
    suite = asv_suite(str(folder), r"cached\.", folder)
    with side() as base:
        called(folder, suite, base)
        os.ftruncate(base, 20)
        found = [called(folder, suite, base)["track-value"]["metrics"] for _ in range(2)]
    assert found == [{"value": 2.0}] * 2
    assert len((benchmarks / "made.txt").read_text()) == 2


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
