"""Kills of real processes: no trial is lost, none is on record twice, and no block is on record in part."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import psutil
import pytest
from execute.test_dask import by_key, own_temporary_folder, scheduler, wait_for_workers, worker
from support import Project, make_project

from harness.store.read import read

__all__ = ["own_temporary_folder"]

NAPS = """

@task.strategy("naps")
def naps(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        time.sleep(0.4)
    return problem.data
"""
BLOCKS = 8
RUN = ("run", "planted", "-s", "copy", "-s", "naps", "--blocks", str(BLOCKS), "--executor", "dask")
RESUME = ("run", "--resume", "latest", "--executor", "dask")


@pytest.fixture
def naps(project: Project) -> Project:
    """A project with a strategy that takes a while."""
    with (project.folder / "planted.py").open("a") as topic:
        topic.write(NAPS)
    return project


def begin(project: Project, *arguments: str) -> subprocess.Popen[str]:
    # A shell starts what it puts into the background with the signal ignored, and so would run the tests themselves.
    command = ["env", "--default-signal=INT,TERM", *project.command(*arguments)]
    return subprocess.Popen(command, cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def recorded(project: Project) -> int:
    return sum(len(path.read_bytes().splitlines()) - 1 for path in project.runs())


def check_whole_blocks(project: Project) -> None:
    """Records of a block stand together, and are those of all strategies."""
    for path in project.runs():
        divided = groupby(read(path)[1], key=lambda record: record.trial.block)
        blocks = [(block, len(list(records))) for block, records in divided]
        assert len({block for block, _ in blocks}) == len(blocks)
        assert {number for _, number in blocks} <= {2}


def check_finished(project: Project) -> None:
    check_whole_blocks(project)
    records = by_key(project.runs())
    assert len(records) == 2 * BLOCKS
    assert {record.status for record in records.values()} == {"ok"}


def wait_for(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        time.sleep(0.02)


def of_project(project: Project) -> dict[int, int]:
    """Return the fork servers and trials of a project with their parents."""
    found = [process.info for process in psutil.process_iter(["cmdline", "pid", "ppid"])]
    commands = {(info["pid"], info["ppid"]): " ".join(info["cmdline"] or []) for info in found}
    return dict(key for key, said in commands.items() if "measure.server" in said and str(project.folder) in said)


def worker_of_a_trial(project: Project) -> int:
    """Wait for a trial, and return the process of the worker whose fork server runs it."""
    found: list[int] = []

    def runs() -> bool:
        parents = of_project(project)
        found.extend(parents[server] for server in parents.values() if server in parents)
        return bool(found)

    wait_for(runs)
    return found[0]


def test_a_worker_killed_within_a_block_loses_nothing(naps: Project) -> None:
    client = begin(naps, *RUN, "--workers", "2")
    wait_for(lambda: recorded(naps) >= 2)
    killed = worker_of_a_trial(naps)
    assert killed != client.pid
    os.kill(killed, signal.SIGKILL)
    _, said = client.communicate(timeout=120)
    assert client.returncode == 0, said
    check_finished(naps)


def test_a_killed_client_leaves_whole_blocks_and_no_process(naps: Project) -> None:
    client = begin(naps, *RUN, "--workers", "2")
    wait_for(lambda: recorded(naps) >= 2)
    client.kill()
    client.communicate(timeout=60)
    wait_for(lambda: not of_project(naps))
    check_whole_blocks(naps)
    before = recorded(naps)
    assert 2 <= before < 2 * BLOCKS
    naps.bakeoff("run", "--resume", "latest")
    check_finished(naps)


def test_a_terminated_client_and_a_lost_scheduler(naps: Project) -> None:
    with scheduler(naps.folder) as (address, process), worker(naps.folder, address):
        wait_for_workers(address, 1)
        client = begin(naps, *RUN, "--scheduler", address)
        wait_for(lambda: recorded(naps) >= 2)
        client.send_signal(signal.SIGTERM)
        _, said = client.communicate(timeout=60)
        assert client.returncode == 130
        name = read(naps.runs()[0])[0].run
        assert f"interrupted; finish it with: bakeoff run --resume {name}" in said
        wait_for(lambda: not of_project(naps), 10)  # the worker goes on, without the run
        check_whole_blocks(naps)
        before = recorded(naps)

        client = begin(naps, *RESUME, "--scheduler", address)
        wait_for(lambda: recorded(naps) > before)
        process.kill()
        _, said = client.communicate(timeout=60)
        assert client.returncode == 3
        assert said.splitlines()[-1] == (
            f"error: the scheduler at {address} is gone; what has ended is on record, go on with "
            f"'bakeoff run --resume {name}'"
        )
        assert before < recorded(naps) < 2 * BLOCKS
    check_whole_blocks(naps)
    naps.bakeoff("run", "--resume", "latest")
    check_finished(naps)


@pytest.fixture(scope="module")
def whole_blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run of four blocks, which tests copy."""
    project = make_project(tmp_path_factory.mktemp("whole") / "project")
    with (project.folder / "planted.py").open("a") as topic:
        topic.write(NAPS)
    project.bakeoff("run", "planted", "-s", "copy", "-s", "naps", "--blocks", "4")
    return project.folder / "results"


def begin_blocks(project: Project, whole: Path) -> int:
    """Begin blocks here, of which `naps` is missing in the first three; return their number."""
    blocks = 4
    shutil.copytree(whole, project.folder / "results")
    (path,) = project.runs()
    header, *lines = path.read_bytes().splitlines(keepends=True)
    left = [
        line
        for line, record in zip(lines, read(path)[1], strict=True)
        if record.trial.strategy == "copy" and record.trial.block < blocks - 1
    ]
    path.write_bytes(b"".join([header, *left]))
    return blocks


def test_no_block_that_a_machine_began_is_stolen(naps: Project, whole_blocks: Path) -> None:
    """The scheduler of somebody else gives idle workers what busy ones have not begun."""
    blocks = begin_blocks(naps, whole_blocks)
    stealing = {"DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING_INTERVAL": "20ms"}
    with scheduler(naps.folder, **stealing) as (address, _), ExitStack() as stack:
        stack.enter_context(worker(naps.folder, address))
        stack.enter_context(worker(naps.folder, address, BAKEOFF_MACHINE="other"))
        wait_for_workers(address, 2)
        assert "missing" not in naps.bakeoff(*RESUME, "--scheduler", address).stderr
    records = by_key(naps.runs())
    assert {record.status for record in records.values()} == {"ok"}
    assert len(records) == 2 * blocks
    ran = [{record.trial.block for record in read(path)[1]} for path in naps.runs()]
    assert sum(map(len, ran)) == blocks


def test_a_block_that_a_machine_began_waits_for_its_worker(naps: Project, whole_blocks: Path) -> None:
    """It goes on with a worker that was started again, which has another address."""
    blocks = begin_blocks(naps, whole_blocks)
    with scheduler(naps.folder) as (address, _), worker(naps.folder, address) as first:
        wait_for_workers(address, 1)
        client = begin(naps, *RESUME, "--scheduler", address)
        worker_of_a_trial(naps)
        first.kill()
        first.wait()
        with worker(naps.folder, address):
            _, said = client.communicate(timeout=120)
    assert client.returncode == 0, said
    assert len(by_key(naps.runs())) == 2 * blocks
