"""Blocks on the workers of Dask: the same plan gives the same quality, and what cannot be run as asked is refused."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from dask import config as dask_config
from support import Project, make_project, write_csv_card

from harness.config import Config, encode_config
from harness.errors import UsageError
from harness.execute import dask, dask_worker
from harness.execute.executor import Block, EngineError, Limits, Place
from harness.execute.slots import Slot
from harness.measure.machine import Environment, Machine, environment, fingerprint
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Record
from harness.registry import load_registry
from harness.store.read import read

STARTS_S = 60


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep workers apart from those of other tests, with which they would divide the machine."""
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))


@contextmanager
def scheduler(folder: Path, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a scheduler, and yield its address and its process."""
    file = folder / "scheduler.json"
    process = _start(folder, "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file), **variables)
    try:
        deadline = time.monotonic() + STARTS_S
        while not (file.is_file() and file.read_text().endswith("}")):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], process
    finally:
        _end(process)


@contextmanager
def worker(
    folder: Path, address: str, *options: str, resources: str = "block=1", **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker of a scheduler, and have the scheduler forget it in the end."""
    name = f"worker-{uuid4().hex}"
    given = ("--resources", resources) if resources else ()
    fixed = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name)
    process = _start(folder, "worker", address, *fixed, *given, *options, **variables)
    try:
        yield process
    finally:
        _end(process)
        _wait_until_forgotten(address, name)


def _start(folder: Path, part: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{part}", *arguments]
    with (folder / f"{part}.txt").open("ab") as said:
        return subprocess.Popen(command, cwd=folder, env={**os.environ, **variables}, stdout=said, stderr=said)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def wait_for_workers(address: str, number: int) -> None:
    """Wait until a scheduler has so many workers."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(number, timeout=STARTS_S)


def _wait_until_forgotten(address: str, name: str) -> None:
    """Wait until a scheduler that still runs knows a worker no more: the next test would take it for its own."""
    from distributed import Client

    end = time.monotonic() + STARTS_S
    with suppress(OSError), Client(address, set_as_default=False, timeout=5) as client:
        while name in {worker["name"] for worker in client.sync(client.scheduler.identity)["workers"].values()}:
            assert time.monotonic() < end
            time.sleep(0.05)


def by_key(paths: Sequence[Path]) -> dict[str, Record]:
    """Return the records of a run by trial, each of which has one."""
    records = [record for path in paths for record in read(path)[1]]
    found = {record.trial.key: record for record in records}
    assert len(found) == len(records)
    return found


PLAN = ("run", "planted", "-s", "copy", "-s", "raises", "-s", "needs-package", "--set", "extra=0,1", "--blocks", "4")


def test_two_workers_give_the_quality_of_local_trials(project: Project) -> None:
    project.bakeoff(*PLAN, code=4)
    project.bakeoff(*PLAN, "--executor", "dask", "--workers", "2", code=4)
    local, spread = project.runs()
    assert read(local)[0].plan == read(spread)[0].plan
    one, other = by_key([local]), by_key([spread])
    assert len(one) == 16
    for key, record in one.items():
        assert other[key].metrics == record.metrics
        assert (other[key].status, other[key].reason) == (record.status, record.reason)
    measured = [record for record in other.values() if record.status == "ok"]
    assert {record.conditions.jobs for record in measured if record.conditions} == {2}
    cores: dict[int, set[int]] = {}
    for record in measured:
        cores.setdefault(record.trial.block, set()).update(record.cores)
    assert all(len(of_block) == 1 for of_block in cores.values())
    key = next(key for key, record in other.items() if record.reason.startswith("RuntimeError"))
    assert "second line" in (spread.with_suffix("") / f"{key}.txt").read_text()


def test_workers_are_listed_while_the_client_asks_for_a_summary() -> None:
    """Every two seconds the client stores an answer that counts workers and lists none; here, every millisecond."""
    from distributed import Client, LocalCluster

    with (
        dask_config.set({"distributed.client.scheduler-info-interval": "1ms"}),
        LocalCluster(n_workers=1, processes=False, resources={"block": 1}, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        assert {len(dask._resources(client, "the scheduler")) for _ in range(300)} == {1}


def test_the_command_of_the_page_runs(project: Project) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()
    command = page.split("```sh\n", 1)[1].split("\n", 1)[0]
    assert command.endswith("--executor dask --workers 2")
    # A block for each of the two workers.
    project.bakeoff(*shlex.split(command)[1:], "--blocks", "2")
    (path,) = project.runs()
    assert {record.status for record in by_key([path]).values()} == {"ok"}


def test_workers_of_other_machines_have_files_of_their_own(project: Project) -> None:
    """A block that a machine began is finished there; what no machine has begun is for any of them."""
    project.bakeoff("run", "planted", "-s", "copy", "-s", "grows", "--blocks", "4")
    (path,) = project.runs()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]))
    with scheduler(project.folder) as (address, _), ExitStack() as stack:
        for name in ("left", "right"):
            stack.enter_context(worker(project.folder, address, BAKEOFF_MACHINE=name))
        wait_for_workers(address, 2)
        resume = ("run", "--resume", "latest", "--executor", "dask", "--scheduler", address)
        said = project.bakeoff(*resume).stderr
    own = read(path)[0].machine.name
    assert f"1 trial is missing in blocks that machine {own} began" in said
    blocks = {
        file.parent.name: dict(Counter(record.trial.block for record in read(file)[1])) for file in project.runs()
    }
    assert blocks.pop(own) == {0: 2, 1: 1}
    assert set(blocks) <= {"left", "right"}
    assert sorted(block for part in blocks.values() for block in part.items()) == [(2, 2), (3, 2)]
    project.bakeoff("run", "--resume", "latest")
    assert len(by_key(project.runs())) == 8


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, str]]:
    """A scheduler that tests of refusals share; each ends the workers that it starts."""
    project = make_project(tmp_path_factory.mktemp("cluster") / "project")
    with scheduler(project.folder) as (address, _):
        yield project, address


def _refused(project: Project, *options: str) -> str:
    runs = project.runs()
    said = project.bakeoff("run", "planted", "-s", "copy", "--executor", "dask", *options, code=2).stderr
    assert project.runs() == runs
    assert said.count("\n") == 1
    return said


def test_a_scheduler_without_workers_is_refused(cluster: tuple[Project, str]) -> None:
    project, address = cluster
    said = _refused(project, "--scheduler", address)
    assert said == (
        f"error: the scheduler at {address} has no workers: start some with: "
        f"dask worker {address} --nthreads 1 --resources block=1\n"
    )


def test_a_worker_without_room_for_a_block_is_refused(cluster: tuple[Project, str]) -> None:
    project, address = cluster
    with worker(project.folder, address, resources=""):
        wait_for_workers(address, 1)
        said = _refused(project, "--scheduler", address)
    assert f"has room for 0 blocks instead of 1: start it with: dask worker {address} --nthreads 1" in said


def test_a_worker_with_other_packages_is_refused(cluster: tuple[Project, str], tmp_path: Path) -> None:
    project, address = cluster
    other = tmp_path / "rich-0.0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: rich\nVersion: 0.0.1\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with worker(project.folder, address, PYTHONPATH=path):
        wait_for_workers(address, 1)
        said = _refused(project, "--scheduler", address)
    assert "has rich 0.0.1 instead of " in said
    assert "give it the same software" in said


def test_a_worker_without_bakeoff_is_refused(cluster: tuple[Project, str], tmp_path: Path) -> None:
    project, address = cluster
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness" / "__init__.py").write_text("raise ImportError('planted')\n")
    with worker(project.folder, address, PYTHONPATH=str(tmp_path)):
        wait_for_workers(address, 1)
        said = _refused(project, "--scheduler", address)
    assert "cannot load this version of bakeoff (planted): install it there, and start it again" in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "--executor dask needs workers: give --workers N, or --scheduler ADDRESS of a running one"),
        (("--workers", "2", "--scheduler", "tcp://x:1"), "needs either --workers N or --scheduler ADDRESS"),
        (("--workers", "0"), "Invalid value for '--workers': 0 is not in the range x>=1."),
        (("--workers", "1", "--jobs", "2"), "--jobs belongs to --executor local"),
        (("--scheduler", "tcp://127.0.0.1:1"), "no scheduler answers at tcp://127.0.0.1:1 ("),
        (("--scheduler", "nothing://here"), "no scheduler answers at nothing://here ("),
        (("--scheduler", "127.0.0.1"), "no scheduler answers at 127.0.0.1 (missing port number in address"),
    ],
)
def test_bad_options_are_one_sentence(project: Project, options: Sequence[str], sentence: str) -> None:
    assert sentence in _refused(project, *options)


def test_an_address_of_something_else_is_refused(project: Project) -> None:
    """What answers there may have a client of Dask ask for exabytes, and hang when it is deleted."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")

        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        pool.submit(answer)
        said = _refused(project, "--scheduler", address)
    assert said.startswith(f"error: no scheduler answers at {address} (")


def test_workers_belong_to_dask(project: Project) -> None:
    said = project.bakeoff("run", "planted", "--workers", "2", code=2).stderr
    assert said == "error: --scheduler and --workers belong to --executor dask; add it, or leave them out\n"


HERE = Place(Machine("here", python="CPython 3.11.7"), Environment({"numpy": "2.3.0", "pandas": "2.2.0"}, "a" * 40))


@pytest.mark.parametrize(
    ("there", "difference"),
    [
        ({"environment": Environment({"numpy": "2.3.0"}, "a" * 40)}, "no pandas instead of 2.2.0"),
        ({"environment": Environment(HERE.environment.packages, "b" * 40)}, "commit bbbbbbbb instead of aaaaaaaa"),
        ({"environment": Environment(HERE.environment.packages)}, "no commit instead of aaaaaaaa"),
        ({"machine": Machine("x", python="CPython 3.12.1")}, "Python CPython 3.12.1 instead of CPython 3.11.7"),
    ],
)
def test_software_that_differs_is_named(there: dict[str, Any], difference: str) -> None:
    dask_worker._check_software(HERE, HERE)
    with pytest.raises(UsageError, match=f"has {difference}: give it the same software"):
        dask_worker._check_software(replace(HERE, **there), HERE)


def test_machines_of_one_name_must_be_alike() -> None:
    one, other = Machine("m", cpu="x", devices=["cuda: A"]), Machine("m", cpu="x")
    dask._refuse_unlike({"worker a": one, "worker b": one, "worker c": msgspec.structs.replace(other, name="n")})
    with pytest.raises(UsageError, match="worker b and worker a are both named m and differ in devices"):
        dask._refuse_unlike({"worker a": one, "worker b": other})


def test_a_worker_without_the_data_says_how_to_get_them(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    file = write_csv_card(project.folder / "datasets", "churn", tasks=["boosting/tabular-binary"])
    config = Config(folder=project.folder)
    selection = Selection(tasks=("boosting",), datasets=("churn",), strategies=("constant",), blocks=1)
    (trial, *_) = make_plan(selection, load_registry(config)).trials
    place = Place(fingerprint(), environment(config.folder))
    order = dask_worker.Order("key", encode_config(config), Limits(1.0, 10**9), place, (trial,))
    dask_worker._Post(order)
    file.unlink()
    with pytest.raises(UsageError, match="lacks data set churn: get it there with 'bakeoff data get churn'"):
        dask_worker._Post(order)
    gone = encode_config(Config(folder=tmp_path / "gone"))
    with pytest.raises(UsageError, match="the project must lie in the same folder on every machine"):
        dask_worker._Post(replace(order, config=gone))


def test_a_worker_that_joins_later_is_checked_by_its_first_block(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_worker, "get_worker", lambda: SimpleNamespace(address="tcp://late:1"))
    held: list[Slot] = []
    monkeypatch.setattr(dask_worker, "_slots", held)
    wanted = Place(fingerprint(), Environment({"no-such-package": "1.0"}))
    order = dask_worker.Order("late", encode_config(Config(folder=project.folder)), Limits(1.0, 10**9), wanted, ())
    with pytest.raises(EngineError, match=r"worker tcp://late:1 has no no-such-package instead of 1.0"):
        dask_worker.run_block(order, Block(()))
    held[0].close()
