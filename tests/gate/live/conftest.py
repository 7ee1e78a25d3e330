"""A project whose strategies do what variables of a side say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness.gate.decision import Side, SideName
from harness.gate.environments.build import SideEnvironment

TOPIC = """
import os
import sys

import numpy as np

from harness import CannotRunError, Dataset, Examples, Judgement, Metric, Param, Profile, Topic
from harness import MissingDataError, UsageError

topic = Topic("small", title="Small work")


def said(name):
    return float(os.environ.get(name, "0"))


def load(params, rng):
    return rng.random(int(params["rows"]))


def verify():
    if said("MISSING"):
        raise MissingDataError("the file is missing", "numbers")
    if said("WRONG"):
        raise UsageError("column 'x' contains inf")


def judge(data, output):
    errors = (output - data) ** 2
    return Judgement({"error": float(errors.mean())}, examples={"error": Examples(errors)})


VERSION = os.environ.get("DATA_VERSION", "1")
task = topic.task(
    "copy",
    title="Copy numbers",
    datasets=[Dataset("numbers", load, params={"rows": Param(2000, low=1)}, version=VERSION, verify=verify)],
    phases=["fit", "predict"],
    metrics=[Metric("error", direction="lower", unit="1", margin=0.01)],
    judge=judge,
    params={"rows": Param(2000, low=1)},
    quick=Profile(blocks=2),
)


@task.strategy("copy")
def copy(problem, phase):
    with phase("fit"):
        for _ in range(int(10 + said("MORE"))):
            output = np.sort(problem.data)
    with phase("predict"):
        output = problem.data + said("WORSE")
    print("printed by a strategy")
    return output


@task.strategy("tiny")
def tiny(problem, phase):
    numbers = list(range(int(10 * (1 + said("MORE")))))
    with phase("fit"):
        pass
    for _ in phase("predict"):
        sum(numbers)
    return problem.data


@task.strategy("tiny-once")
def tiny_once(problem, phase):
    with phase("fit"):
        sum(range(10))
    return problem.data


if not said("GONE"):
    @task.strategy("gone")
    def gone(problem, phase):
        with phase("fit"):
            return problem.data.copy()


@task.strategy("crash")
def crash(problem, phase):
    with phase("fit"):
        if said("CRASH") and problem.seed % 2:
            os.abort()
        if said("RAISE"):
            raise RuntimeError("planted")
        if said("FULL"):
            raise OSError(28, os.strerror(28), "/somewhere")
        if said("EXIT"):
            sys.exit(3)
        if said("UNABLE"):
            raise CannotRunError("built without it")
        while said("HANG"):
            pass
    return problem.data.copy()


@task.strategy("grows", quick=False)
def grows(problem, phase):
    with phase("fit"):
        filled = np.ones(int(50_000_000 * (1 + said("BYTES"))), dtype=np.uint8)
    return problem.data + filled[0] * 0.0


@task.strategy("needy", needs="a_module_that_nobody_has")
def needy(problem, phase):
    raise AssertionError
"""

DIVERGING = """
import os

import numpy as np

from harness import Dataset, DivergedError, Judgement, Metric, Profile, Stress, Topic

topic = Topic("diverging", title="Copy numbers, or diverge")


def judge(data, output):
    if isinstance(output, str):
        return Judgement({}, diverged=5)
    return Judgement({"error": float(np.abs(output - data).mean())})


task = topic.task(
    "copy",
    title="Copy numbers",
    datasets=[Dataset("more", lambda params, rng: rng.random(2000))],
    phases=["fit"],
    metrics=[Metric("error", direction="lower", unit="1", margin=0.01)],
    judge=judge,
    stress=[Stress("shift", lambda data, level, rng: data + level, (1,), "shift")],
    guess=lambda data: {"error": 9.0},
    quick=Profile(blocks=2),
)


@task.strategy("diverges")
def diverges(problem, phase):
    assert not problem.altered
    with phase("fit"):
        output = np.sort(problem.data)
        if "DIVERGE" in os.environ:
            raise DivergedError(float(os.environ["DIVERGE"]))
    if "JUDGED" in os.environ:
        return "diverged"
    return problem.with_altered(problem.data + 0.0, phase, lambda view: view)
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what sides hand over out of the user's cache."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))


Sides = Callable[..., dict[SideName, SideEnvironment]]


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    """Return a function that makes both sides; variables are the candidate's, or the base's as ``base_NAME``."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "small.py").write_text(TOPIC)
    (folder / "diverging.py").write_text(DIVERGING)
    (folder / "bakeoff.toml").write_text('topics = ["small.py", "diverging.py"]\n')
    path = {"PYTHONPATH": str(Path(harness.__file__).parents[1])}

    def make(**variables: object) -> dict[SideName, SideEnvironment]:
        said = {
            "base": {name[5:]: str(value) for name, value in variables.items() if name.startswith("base_")},
            "candidate": {name: str(value) for name, value in variables.items() if not name.startswith("base_")},
        }
        base, candidate = (
            SideEnvironment(
                side=Side(name), python=Path(sys.executable), folder=folder, variables={**path, **said[name]}
            )
            for name in ("base", "candidate")
        )
        return {"base": base, "candidate": candidate}

    return make
