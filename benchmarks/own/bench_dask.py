"""What the executor on Dask's workers costs, and that no kill loses or doubles a trial. Run with ``make facts``."""

from __future__ import annotations

import math
import statistics
import subprocess
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from execute.test_dask import by_key, scheduler, wait_for_workers, worker
from execute.test_dask_faults import begin, recorded, wait_for
from support import Project

from harness.config import Config
from harness.execute import choose
from harness.execute.executor import Cluster, Ended, Executor, Limits, blocks_of
from harness.measure.machine import memory_budget
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Record, Trial
from harness.registry import load_registry
from harness.stats.paired import Interval, paired_ratio

CONFIG = Config(folder=Path(__file__).parent, topics=("projects/spread.py",))
KILLS = ("worker", "client", "worker", "scheduler") * 5


def executor(cluster: Cluster | None = None) -> Executor:
    """Make the local executor, or the one on a cluster."""
    limits = Limits(timeout_s=60, memory_bytes=memory_budget())
    return choose("dask" if cluster else "local", load_registry(CONFIG), CONFIG, limits, cluster)


def trials(*strategies: str, blocks: int) -> tuple[Trial, ...]:
    """Plan trials of the project."""
    selection = Selection(tasks=("spread",), strategies=strategies, blocks=blocks)
    return make_plan(selection, load_registry(CONFIG)).trials


def seconds_between(runner: Executor, planned: tuple[Trial, ...]) -> float:
    """Return the median time from one trial's record to the next."""
    at: list[float] = []

    def receive(ended: Ended) -> None:
        at.extend(time.perf_counter() for _ in ended.responses)

    runner.prepare(planned)
    runner.run(blocks_of(planned), receive)
    assert len(at) == len(planned)
    return statistics.median(later - earlier for earlier, later in pairwise(at))


def test_cost_of_a_trial() -> None:
    """A block of one empty trial takes at most 30 ms more than in the local executor (median of 200)."""
    planned = trials("empty", blocks=100)
    local, spread = [], []
    for _ in range(2):  # in turns, as other work on the machine slows both
        local.append(seconds_between(executor(), planned))
        spread.append(seconds_between(executor(Cluster(workers=1)), planned))
    added = statistics.median(spread) - statistics.median(local)
    print(
        f"\nan empty trial as a block of its own: {1e3 * statistics.median(spread):.0f} ms on a worker of Dask, "
        f"{1e3 * statistics.median(local):.0f} ms in the local executor; limit 30 ms more"
    )
    assert added <= 0.03


def test_memory_of_the_scheduler(tmp_path: Path) -> None:
    """10,000 trials leave a scheduler under 300 MB."""
    planned = trials("unable", blocks=10_000)
    count = 0

    def receive(ended: Ended) -> None:
        nonlocal count
        count += len(ended.responses)

    with scheduler(tmp_path) as (address, process), worker(tmp_path, address):
        wait_for_workers(address, 1)
        before = psutil.Process(process.pid).memory_info().rss
        runner = executor(Cluster(scheduler=address))
        runner.prepare(planned)
        runner.run(blocks_of(planned), receive)
        after = psutil.Process(process.pid).memory_info().rss
    print(f"\nthe scheduler: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after {count} trials; limit 300 MB")
    assert count == 10_000
    assert after < 300e6


def test_ratios_on_workers_are_those_of_local_trials() -> None:
    """Over 30 blocks the intervals meet, and that of two workers is at most 1.5 times as wide."""
    planned = trials("short", "long", blocks=30)
    local, spread = (_ratio(runner, planned) for runner in (executor(), executor(Cluster(workers=2))))
    print(f"\nlong to short: {_text(local)} in the local executor, {_text(spread)} on two workers of Dask")
    assert local.low <= spread.high
    assert spread.low <= local.high
    assert _width(spread) <= 1.5 * _width(local)


def _ratio(runner: Executor, planned: tuple[Trial, ...]) -> Interval:
    records: list[Record] = []
    runner.prepare(planned)
    runner.run(blocks_of(planned), lambda ended: records.extend(response.record for response in ended.responses))
    figures = {(record.trial.strategy, record.trial.block): record.phases["work"].cpu_s[0] for record in records}
    long, short = ([figures[name, block] for block in range(30)] for name in ("long", "short"))
    return paired_ratio(long, short)


def _width(interval: Interval) -> float:
    return math.log(interval.high / interval.low)


def _text(interval: Interval) -> str:
    return f"{interval.estimate:.3f} ({interval.low:.3f} to {interval.high:.3f})"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make the project of this file in a folder of its own."""
    (tmp_path / "spread.py").write_text((CONFIG.folder / "projects" / "spread.py").read_text())
    (tmp_path / "bakeoff.toml").write_text('topics = ["spread.py"]\n')
    return Project(tmp_path)


def wait_for_record(project: Project, before: int, client: subprocess.Popen[str]) -> None:
    """Wait until there are more records than before, as long as the run goes on."""

    def goes_on() -> bool:
        assert client.poll() is None, client.communicate()
        return recorded(project) > before

    wait_for(goes_on)


def test_20_kills(project: Project) -> None:
    """Workers, the client and the scheduler are killed while trials run: none is lost, none doubled."""
    blocks = 150
    command = ("run", "spread", "-s", "naps", "-s", "empty", "--blocks", str(blocks))
    kills = list(KILLS)
    rounds = 0
    while kills:
        with ExitStack() as stack:
            address, process = stack.enter_context(scheduler(project.folder))
            workers = [stack.enter_context(worker(project.folder, address)) for _ in range(2)]
            wait_for_workers(address, 2)
            while kills:
                start = ("run", "--resume", "latest") if rounds else command
                client = begin(project, *start, "--executor", "dask", "--scheduler", address)
                rounds += 1
                before = recorded(project)
                while kills and kills[0] == "worker":
                    wait_for_record(project, before, client)
                    time.sleep(0.15)  # within a trial
                    workers.pop(0).kill()
                    kills.pop(0)
                    workers.append(stack.enter_context(worker(project.folder, address)))
                    before = recorded(project)
                wait_for_record(project, before, client)
                if not kills:
                    client.terminate()
                    client.communicate(timeout=60)
                    break
                killed = kills.pop(0)
                (client if killed == "client" else process).kill()
                client.communicate(timeout=60)
                if killed == "scheduler":
                    (project.folder / "scheduler.json").unlink()
                    break
    project.bakeoff("run", "--resume", "latest")
    found = by_key(project.runs())
    print(f"\n{len(KILLS)} kills: {len(found)} of {2 * blocks} trials on record, each once")
    assert len(found) == 2 * blocks
    assert {record.status for record in found.values()} == {"ok"}
