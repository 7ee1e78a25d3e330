"""Boosting by several processes: the models of one process, bytes that are known, and processes that end."""

from __future__ import annotations

import importlib.metadata
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from unmeasured import Phase

from harness.config import Config
from harness.data.tabular import Split
from harness.declare import Problem
from harness.errors import CannotRunError, InvalidOutputError, UsageError
from harness.registry import load_registry
from harness.topics.boosting.distributed import CODED, Trained, judge
from harness.topics.boosting.engine import lightgbm_program, machines, traffic, workers

TASK = load_registry(Config(folder=Path(__file__).parent)).topics["boosting"].tasks["distributed"]
PARAMS = {"rows": 4_000, "trees": 5, "depth": 4, "learning_rate": 0.3, "threads": 2}
BINS = 16
STARTED = workers.started
DATA: Split = CODED.load(
    {"rows": 4_000, "columns": 12, "bayes_error": 0.05, "distinct": BINS}, np.random.default_rng(0)
)


class Once(Phase):
    """A phase that is not repeated."""

    def __iter__(self) -> Iterator[None]:
        yield


def run(name: str, options: Mapping[str, Any] | None = None, **changes: Any) -> Trained:
    entered: list[str] = []

    def phase(name: str) -> Once:
        entered.append(name)
        return Once()

    trained = TASK.strategies[name].run(Problem(TASK.view(DATA), PARAMS | changes, 0), phase, **(options or {}))
    assert isinstance(trained, Trained)
    assert {"fit", "predict"} <= set(entered) <= set(TASK.phases)
    return trained


@pytest.fixture(scope="module")
def team() -> Iterator[workers.Workers]:
    pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as patch:
        # One core may be all that a test has.
        patch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
        with workers.started(2, 1) as started:
            patch.setattr(workers, "started", lambda _count, _threads: _again(started))
            yield started


@contextmanager
def _again(started: workers.Workers) -> Iterator[workers.Workers]:
    yield started


@pytest.mark.parametrize(
    ("name", "one", "depth"),
    [
        ("xgboost-hist-data", "xgboost-hist", 5),
        ("xgboost-approx-data", "xgboost-approx", 5),
        ("xgboost-hist-feature", "xgboost-hist", 5),
        # Deeper trees of LightGBM have leaves of few rows, where several splits have the same gain but for rounding.
        ("lightgbm-data", "lightgbm", 3),
    ],
)
@pytest.mark.usefixtures("team")
def test_two_workers_train_the_model_of_one_process_where_every_value_has_a_bin(
    name: str, one: str, depth: int
) -> None:
    distributed, alone = run(name, depth=depth), run(one, depth=depth)
    np.testing.assert_allclose(distributed.scores, alone.scores, rtol=0, atol=1e-6)
    assert distributed.bytes_sent > 0 == alone.bytes_sent
    assert min(distributed.worker_peak_bytes, alone.worker_peak_bytes) > 20e6


@pytest.mark.usefixtures("team")
def test_traffic_of_lightgbm_is_that_of_its_histograms() -> None:
    """A tree of depth d sums the histograms of the root and of one child of each split that is no last level."""
    sums = PARAMS["trees"] * 2 ** (PARAMS["depth"] - 1)
    histogram = DATA.train.X.shape[1] * BINS * 16
    data = run("lightgbm-data").bytes_sent
    # What finds the bins, and the best splits, is on top.
    assert sums * histogram * 0.9 < data < sums * histogram * 1.5
    # Voting sums both children, for `top_k` columns each.
    few = run("lightgbm-voting", {"top_k": 2}).bytes_sent
    assert few < data * 0.7
    assert run("xgboost-hist-feature").bytes_sent < run("xgboost-hist-data").bytes_sent


@pytest.mark.usefixtures("team")
def test_a_worker_that_did_not_train_is_noticed(team: workers.Workers) -> None:
    team.together(traffic.noted)
    with pytest.raises(RuntimeError, match="only 0 of 2 workers trained"):
        team.usage()


def test_workers_end_when_training_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    before = set(psutil.Process().children(recursive=True))
    seen: set[psutil.Process] = set()
    monkeypatch.setattr(workers, "started", STARTED)

    def fit(_team: workers.Workers, _parts: Any, _trees: int) -> None:
        seen.update(set(psutil.Process().children(recursive=True)) - before)
        raise ZeroDivisionError

    problem = Problem(TASK.view(DATA), PARAMS | {"threads": 1}, 0)
    with pytest.raises(ZeroDivisionError):
        workers.fitted(problem, lambda _name: Once(), 1, lambda _team, _X, _y: None, fit)
    assert seen
    # multiprocessing's tracker of resources lives as long as this process, and is no worker.
    assert not [one for one in seen if one.is_running() and "resource_tracker" not in " ".join(one.cmdline())]


@pytest.mark.parametrize(
    ("count", "threads", "sentence"),
    [
        (0, 1, "workers=0: training needs at least one worker"),
        (4, 2, "4 workers need 4 threads, and this trial has 2: give --threads 4"),
        (4, 4, "4 workers need 4 cores, and this trial has 2"),
    ],
)
def test_more_workers_than_threads_or_cores_cannot_run(
    count: int, threads: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    with pytest.raises(CannotRunError, match=f"^{sentence}$"):
        workers.threads_each(count, threads)
    assert workers.threads_each(2, 4) == 2


def test_a_payload_is_counted_to_the_byte() -> None:
    """Sent to another process, while other traffic goes through the loopback interface."""
    sender = """
import os, socket, sys
other = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
other.sendall(bytes(5_000))
one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
one.sendall(bytes(1_000_003))
from harness.topics.boosting.engine import traffic
traffic.note()
usage = traffic.noted()
assert traffic.noted() is None
print(usage.sent(), usage.sent({int(sys.argv[2])}))
os.close(1)
sys.stdin.read()
"""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        ports = [str(one.getsockname()[1]) for one in (first, second)]
        with subprocess.Popen(
            [sys.executable, "-c", sender, *ports], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            connection, _ = first.accept()
            with connection:
                received = 0
                while received < 1_000_003:
                    received += len(connection.recv(1 << 16))
                said = process.communicate()[0].split()
    assert said == ["1005003", "1000003"]


def test_the_peak_of_memory_begins_anew() -> None:
    # Pages of its own, because the C library may keep what it frees: other tests tell it to (keep_freed_memory).
    with mmap.mmap(-1, 240_000_000) as large:
        large.write(bytes(len(large)))
        held = traffic.peak_bytes()
    traffic.reset_peak()
    assert traffic.peak_bytes() < held - 200e6


PEERS = """#!{python}
import socket, sys, time
given = dict(word.split("=", 1) for word in sys.argv[1:])
ports = [int(line.split()[1]) for line in open(given["machine_list_filename"])]
own = int(given["local_listen_port"])
with socket.create_server(("127.0.0.1", own)) as server:
    if own == ports[0]:
        peer, _ = server.accept()
    else:
        while True:
            try:
                peer = socket.create_connection(("127.0.0.1", ports[0]))
                break
            except ConnectionRefusedError:
                time.sleep(0.01)
peer.sendall(bytes(100_000))
received = 0
while received < 100_000:
    received += len(peer.recv(100_000))
time.sleep(0.2)
peer.sendall(bytes(7))
open(given["output_model"], "w").write(given["num_threads"])
"""


def script(folder: Path, text: str) -> Path:
    file = folder / "program"
    file.write_text(text.replace("{python}", sys.executable))
    file.chmod(0o755)
    return file


def test_what_another_program_sends_is_counted_after_it_has_ended(tmp_path: Path) -> None:
    usage = machines.train(script(tmp_path, PEERS), {"verbosity": -1}, 2, 3, tmp_path)
    assert [one.sent() for one in usage] == [100_007, 100_007]
    assert all(one.peak_bytes > 5e6 for one in usage)
    assert (tmp_path / "model-1.txt").read_text() == "3"


def test_a_socket_that_closes_between_the_listing_and_the_duplicate_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "readlink", lambda _: Path("socket:[1]"))
    program = script(tmp_path, "#!/bin/sh\nexec sleep 60\n")
    with machines._Machine(program, {"num_threads": 1}, tmp_path / "output.txt", connections=1) as machine:
        monkeypatch.setattr(Path, "iterdir", lambda folder: iter([folder / "999"]))
        assert machine.look()


def test_a_program_that_fails_ends_the_others(tmp_path: Path) -> None:
    failing = PEERS.replace("peer.sendall(bytes(7))", "sys.exit('no memory') if own == ports[1] else time.sleep(60)")
    before = set(psutil.Process().children())
    with pytest.raises(RuntimeError, match="LightGBM's program ended with 1: no memory"):
        machines.train(script(tmp_path, failing), {}, 2, 1, tmp_path)
    assert set(psutil.Process().children()) <= before


def test_without_the_program_the_reason_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightgbm")
    monkeypatch.setenv(lightgbm_program.VARIABLE, str(tmp_path / "lightgbm"))
    with pytest.raises(CannotRunError, match=f"at {tmp_path}/lightgbm: build it with {lightgbm_program.COMMAND}"):
        run("lightgbm-feature")


def test_a_source_without_a_known_checksum_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "0.0.1")
    with pytest.raises(UsageError, match=r"no checksum is known for the source of LightGBM 0\.0\.1"):
        lightgbm_program.build()


def test_the_program_trains_the_model_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightgbm")
    try:
        lightgbm_program.program()
    except CannotRunError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    trained, alone = run("lightgbm-feature"), run("lightgbm")
    np.testing.assert_allclose(trained.scores, alone.scores, rtol=0, atol=1e-9)
    # Each exchange of a best split is of some hundred bytes.
    assert 0 < trained.bytes_sent < 1e6


def test_coded_data_have_so_many_values_and_a_constant_sends_nothing() -> None:
    assert {len(np.unique(column)) for column in DATA.train.X.T} == {BINS}
    trained = run("constant")
    assert judge(DATA, trained).metrics["auc"] == 0.5
    assert judge(DATA, trained).metrics["bytes_sent"] == 0
    with pytest.raises(InvalidOutputError, match="expected a Trained"):
        judge(DATA, trained.scores)
