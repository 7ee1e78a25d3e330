"""Trials on this machine: their threads and cores, and what is recorded of them."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from support import Project

from harness.config import Config
from harness.declare import Dataset, Judgement, Metric, Topic
from harness.errors import UsageError
from harness.execute import choose
from harness.execute.executor import Ended, Limits, blocks_of
from harness.execute.slots import Slot
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Record, Trial
from harness.registry import Registry
from harness.store.read import read

POOLS = '''
"""What a strategy sees of its threads and cores."""
import os
from harness import (Dataset, Judgement, Metric, Topic)

NAMES = ("least", "most", "pools", "environment", "cores", "seed")
topic = Topic("pools", title="Pools")
task = topic.task(
    "look", title="Look round", datasets=[Dataset("seed", lambda params, rng: int(rng.integers(2**31)))],
    phases=["work"], metrics=[Metric(name, direction="lower", unit="1") for name in NAMES],
    judge=lambda data, output: Judgement({**output, "seed": data}),
)

def look(problem, phase):
    import numpy
    import scipy.linalg  # brings a pool of its own, after the limit was set
    import threadpoolctl
    with phase("work"):
        sizes = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    return {
        "least": min(sizes), "most": max(sizes), "pools": len(sizes),
        "environment": int(os.environ["OMP_NUM_THREADS"]),
        "cores": sum(2**core for core in os.sched_getaffinity(0)),
    }

for name in ("one", "two"):
    task.strategy(name)(look)
'''


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[Record]]:
    """Records by number of threads."""
    folder = tmp_path_factory.mktemp("pools")
    (folder / "pools.py").write_text(POOLS)
    (folder / "bakeoff.toml").write_text('topics = ["pools.py"]\n')
    project = Project(folder)
    # In a temporary folder of its own no other run shares the cores with it.
    project.bakeoff("run", "pools", "--blocks", "3", "--set", "threads=1,2", TMPDIR=str(folder))
    found: dict[int, list[Record]] = defaultdict(list)
    for record in read(project.runs()[0])[1]:
        found[int(record.trial.params["threads"])].append(record)
    return found


cores = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")


@pytest.mark.parametrize("threads", [1, 2])
def test_every_pool_holds_the_declared_threads(looked: dict[int, list[Record]], threads: int) -> None:
    for record in looked[threads]:
        assert record.metrics["pools"] >= 1
        assert [record.metrics[name] for name in ("least", "most", "environment")] == [threads] * 3


@cores
@pytest.mark.parametrize("threads", [1, 2])
def test_trial_runs_on_the_cores_on_record(looked: dict[int, list[Record]], threads: int) -> None:
    available = sorted(os.sched_getaffinity(0))
    for record in looked[threads]:
        assert record.metrics["cores"] == sum(2**core for core in record.cores)
        assert len(record.cores) == min(threads, len(available))
        assert set(record.cores) <= set(available)


@cores
@pytest.mark.parametrize("threads", [1, 2])
def test_block_shares_its_cores_and_blocks_alternate(looked: dict[int, list[Record]], threads: int) -> None:
    by_block = defaultdict(set)
    for record in looked[threads]:
        by_block[record.trial.block].add(tuple(record.cores))
    assert all(len(found) == 1 for found in by_block.values())
    used = [next(iter(by_block[block])) for block in range(3)]
    groups = max(len(os.sched_getaffinity(0)) // threads, 1)
    assert len(set(used)) == min(groups, 3)


def test_block_shares_its_data(looked: dict[int, list[Record]]) -> None:
    drawn = defaultdict(set)
    for record in looked[1] + looked[2]:
        drawn[record.trial.block].add(record.metrics["seed"])
    assert all(len(found) == 1 for found in drawn.values())
    assert len({next(iter(found)) for found in drawn.values()}) == 3


@pytest.fixture
def registry() -> Registry:
    topic = Topic("planted", title="Planted")
    task = topic.task(
        "task",
        title="Task",
        datasets=[Dataset("data", lambda _params, _rng: None)],
        phases=["fit"],
        metrics=[Metric("error", direction="lower", unit="1")],
        judge=lambda _data, _output: Judgement({}),
    )
    for name in ("one", "two", "three"):

        @task.strategy(name, needs="no_such_package")
        def run(problem: Any, phase: Any) -> None: ...

    return Registry({"planted": topic}, {}, {})


@pytest.mark.parametrize("jobs", [1, 3])
def test_trials_that_cannot_run_are_records_too(registry: Registry, tmp_path: Path, jobs: int) -> None:
    trials = make_plan(Selection(blocks=5), registry).trials
    begun: list[Trial] = []
    received: list[Record] = []
    threads: set[int] = set()

    def receive(ended: Ended) -> None:
        received.extend(response.record for response in ended.responses)
        threads.add(threading.get_ident())

    limits = Limits(timeout_s=5, memory_bytes=10**9, jobs=jobs)
    choose("local", registry, Config(folder=tmp_path), limits).run(blocks_of(trials), receive, begun.append)
    assert {(record.status, record.reason) for record in received} == {
        ("skipped", "package no_such_package is not installed")
    }
    assert sorted(record.trial.key for record in received) == sorted(trial.key for trial in trials)
    assert sorted(trial.key for trial in begun) == sorted(trial.key for trial in trials)
    if jobs == 1:
        assert [record.trial for record in received] == list(trials)
        assert threads == {threading.get_ident()}


@pytest.mark.parametrize("jobs", [1, 3])
def test_failing_receiver_ends_the_run(registry: Registry, tmp_path: Path, jobs: int) -> None:
    trials = make_plan(Selection(blocks=50), registry).trials
    received: list[Record] = []

    def receive(ended: Ended) -> None:
        received.extend(response.record for response in ended.responses)
        if len(received) >= 4:
            raise OSError("the disk is full")

    limits = Limits(timeout_s=5, memory_bytes=10**9, jobs=jobs)
    with pytest.raises(OSError, match="the disk is full"):
        choose("local", registry, Config(folder=tmp_path), limits).run(blocks_of(trials), receive)
    assert 4 <= len(received) < 4 + jobs


def test_a_job_takes_whole_blocks_in_their_order(registry: Registry, tmp_path: Path) -> None:
    trials = make_plan(Selection(blocks=2), registry).trials
    both = threading.Barrier(2)
    begun: dict[int, list[Trial]] = defaultdict(list)

    def begin(trial: Trial) -> None:
        both.wait(timeout=30)  # each job begins a trial before one begins its next
        begun[threading.get_ident()].append(trial)

    limits = Limits(timeout_s=5, memory_bytes=10**9, jobs=2)
    executor = choose("local", registry, Config(folder=tmp_path), limits)
    executor.run(blocks_of(trials), lambda _ended: None, begin)
    assert sorted(begun.values(), key=lambda own: own[0].block) == [list(trials[:3]), list(trials[3:])]


def test_blocks_are_those_of_the_plan_in_its_order(registry: Registry) -> None:
    trials = make_plan(Selection(blocks=4), registry).trials
    blocks = blocks_of(trials)
    assert [trial for block in blocks for trial in block.trials] == list(trials)
    assert [[trial.block for trial in block.trials] for block in blocks] == [[index] * 3 for index in range(4)]
    assert [len(block.trials) for block in blocks_of(trials[1:4])] == [2, 1]


def test_an_unknown_executor_is_one_sentence(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^there is no executor 'locl'; did you mean local\?$"):
        choose("locl", registry, Config(folder=tmp_path), Limits(timeout_s=5, memory_bytes=10**9))


@cores
def test_runs_at_the_same_time_divide_the_cores_and_are_marked(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    available = sorted(os.sched_getaffinity(0))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Slot():
        project.bakeoff("run", "planted", "-s", "copy", "--blocks", "3", TMPDIR=str(tmp_path))
    records = read(project.runs()[0])[1]
    assert {core for record in records for core in record.cores} <= set(available[1::2] or available)
    assert [record.conditions.jobs for record in records if record.conditions] == [2, 2, 2]
