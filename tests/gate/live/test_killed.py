"""A gate that is killed takes what it started with it, and the next one removes what it left."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from gate.environments.repositories import commit, git, isolate
from support import Project

from harness.config import read_config
from harness.gate.environments.build import build
from harness.gate.environments.cache import Shelf

MARK = "BAKEOFF_TEST_KILLED"
TOPIC = """
import os, subprocess, sys, time
from pathlib import Path

import numpy as np

from harness import Dataset, Judgement, Metric, Profile, Topic

program = " ".join(sys.orig_argv)


def hang(moment):
    if os.environ.get("MOMENT") == moment:
        # One that leaves its parent's session, too.
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        Path(os.environ["REACHED"]).touch()
        time.sleep(1000)


if "gate.live.side plan" in program:
    hang("plan")
topic = Topic("small", title="Small work")


def load(params, rng):
    if "gate.live.side pair" in program:
        hang("load")
    return rng.random(1000)


def judge(data, output):
    if "gate.live.side pair" in program:
        hang("judge")
    return Judgement({"error": float(np.abs(output - np.sort(data)).mean())})


task = topic.task(
    "sort",
    title="Sort numbers",
    datasets=[Dataset("numbers", load)],
    phases=["fit"],
    metrics=[Metric("error", direction="lower", unit="1", margin=0.01)],
    judge=judge,
    quick=Profile(blocks=2),
)


@task.strategy("sort")
def sort(problem, phase):
    with phase("fit"):
        hang("memory" if "measure.server" in program else "call")
        return np.sort(problem.data)
"""
BACKEND = """
import os, time
from pathlib import Path


def build_wheel(*arguments, **settings):
    Path(os.environ["REACHED"]).touch()
    time.sleep(1000)
"""


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that carry a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.05)


def slow_package(folder: Path) -> None:
    """Write the source of a package that takes for ever to build, and needs nothing for it."""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files = {"pyproject.toml": project, "backend.py": BACKEND, "PKG-INFO": "Name: slowpkg\nVersion: 1.0\n"}
    with tarfile.open(folder / "slowpkg-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"slowpkg-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    path = os.environ.get("PYTHONPATH")
    isolate(monkeypatch, tmp_path / "cache")
    if path:
        monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv(MARK, str(tmp_path))
    monkeypatch.setenv("REACHED", str(tmp_path / "reached"))
    folder = tmp_path / "repository"
    (folder / "wheels").mkdir(parents=True)
    slow_package(folder / "wheels")
    (folder / "small.py").write_text(TOPIC)
    (folder / "bakeoff.toml").write_text('topics = ["small.py"]\n[gate]\nwheels = "wheels"\nrounds = 4\n')
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    yield Project(folder)
    for process in marked(str(tmp_path)):
        process.kill()


@pytest.mark.parametrize("moment", ["plan", "load", "call", "judge", "memory", "pip"])
def test_nothing_is_left_of_a_gate_that_is_killed(
    repository: Project, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    base = ("--base-with", "slowpkg==1.0") if moment == "pip" else ("--base", "main")
    gate = subprocess.Popen(
        repository.command("gate", *base, "--anyway", "--task", "small"),
        cwd=repository.folder,
        env={**os.environ, "MOMENT": moment, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: (tmp_path / "reached").exists() or gate.poll() is not None)
    assert len(marked(str(tmp_path))) > 2
    gate.send_signal(signal.SIGKILL)
    gate.wait()
    wait_for(lambda: not marked(str(tmp_path)))
    assert {path.name for path in temporary.iterdir()} <= {f"bakeoff-slots-{os.getuid()}"}
    build(read_config(repository.folder), read_config(repository.folder).gate, "main", (), say=lambda _: None)
    left = [path for path in (tmp_path / "cache" / "gate").glob("*/*") if path.suffix != ".lock"]
    assert [path.name for path in left] == [git(repository.folder, "rev-parse", "main")]


def test_what_is_in_use_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    shelf = Shelf("packages", ".ready")
    for key in ("building", "left", "ready"):
        shelf.use(key).release()
        shelf.entry(key).mkdir()
    (shelf.entry("ready") / ".ready").touch()
    (shelf.folder / ".left").mkdir()
    with shelf.alone("building"), shelf.temporary() as used:
        Shelf("packages", ".ready").sweep()
        assert {path for path in shelf.folder.iterdir() if path.suffix != ".lock"} == {
            used,
            shelf.entry("building"),
            shelf.entry("ready"),
        }
    assert not used.exists()
