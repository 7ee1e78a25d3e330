"""What the harness itself costs. Run with ``make facts``; prints each figure and fails where it is over its limit.

The limits are times of a quiet machine. Each figure is printed with the time of a fixed loop of plain Python taken
right after, so that figures of different moments and machines can be compared.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from planted import header
from pytest_benchmark.fixture import BenchmarkFixture
from told import told

import harness
from harness.config import Config
from harness.declare import Dataset, Judgement, Metric, Param, Profile, Topic
from harness.execute import choose
from harness.execute.executor import Limits, blocks_of
from harness.measure.clock import PhaseClock
from harness.measure.device import Cpu
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Conditions, Phase, Record, Seeds, Trial
from harness.registry import Registry, load_registry
from harness.store.lines import encode
from harness.store.load import query, tables

HERE = Path(__file__).parent


def _collect() -> None:
    gc.collect()


def _best(benchmark: BenchmarkFixture, function: Callable[[], object]) -> float:
    benchmark.pedantic(function, setup=_collect, rounds=3, warmup_rounds=1)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    return float(benchmark.stats.stats.min)


def test_empty_trial() -> None:
    """At most 40 ms of wall beyond the phase itself, the topic's libraries loaded."""
    config = Config(folder=HERE, topics=("projects/empty.py",))
    registry = load_registry(config)
    plan = make_plan(Selection(tasks=("empty",), profile="quick"), registry)
    ended, phases = [], []

    def receive(record: Record, _text: str) -> None:
        assert record.status == "ok", record.reason
        ended.append(time.perf_counter())
        phases.append(record.phases["work"].wall_s[0])

    limits = Limits(timeout_s=60, memory_bytes=10**10)
    choose("local", registry, config, limits).run(blocks_of(plan.trials), receive)
    beyond = [after - before - phase for before, after, phase in zip(ended, ended[1:], phases[1:], strict=False)]
    told("an empty trial beyond its phase, median", statistics.median(beyond) * 1e3, 40, "ms")


def test_fresh_interpreter_for_comparison(benchmark: BenchmarkFixture) -> None:
    """What the fork server saves: the same imports in a fresh interpreter cost far more than a forked trial."""
    command = [sys.executable, "-c", "import xgboost, lightgbm, sklearn.ensemble, sklearn.metrics, pyarrow.parquet"]
    spent = _best(benchmark, lambda: subprocess.run(command, check=True))
    print(f"\na fresh interpreter with the same imports: {spent * 1e3:.0f} ms")
    assert spent > 0.04


def test_phase_clock() -> None:
    """The clock adds under 5 microseconds to a phase's wall time and to its CPU time."""
    clock = PhaseClock(["work"], Cpu(), lambda _phase, _kind, _at: None)
    for _ in range(500):
        with clock("work"):
            pass
    told("the phase clock on wall time, median", statistics.median(clock.figures["work"].wall_s) * 1e6, 5, "us")
    told("the phase clock on CPU time, median", statistics.median(clock.figures["work"].cpu_s) * 1e6, 5, "us")


def test_plan_of_10_000_trials(benchmark: BenchmarkFixture) -> None:
    """A plan of 10,000 trials is made in under 1 s."""
    topic = Topic("many", title="Many trials")
    task = topic.task(
        "many",
        title="Many trials",
        datasets=[Dataset("none", lambda _params, _rng: None)],
        phases=["work"],
        metrics=[Metric("zero", direction="lower", unit="1")],
        judge=lambda _data, _output: Judgement({"zero": 0.0}),
        params={"size": Param(1)},
        full=Profile(blocks=100),
    )
    for number in range(10):
        task.strategy(f"strategy-{number}")(lambda problem, phase, width=1: (problem, phase, width))
    registry = Registry({"many": topic}, {}, {})
    selection = Selection(blocks=100, values={"size": tuple(range(1, 11))})
    assert len(make_plan(selection, registry).trials) == 10_000
    told("a plan of 10,000 trials", _best(benchmark, lambda: make_plan(selection, registry)), 1, "s")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 records of about 900 bytes: 3 phases of 3 samples, 4 metrics."""
    folder = tmp_path_factory.mktemp("store") / "machine"
    folder.mkdir()
    with (folder / "20260101T000000Z-nocommit-abcdef.jsonl").open("wb") as file:
        file.write(encode(header(100_000)))
        for number in range(100_000):
            file.write(encode(_record(number)))
    return folder


def _record(number: int) -> Record:
    figure = 1 + number / 99_999
    return Record(
        trial=Trial(
            topic="boosting",
            task="tabular-binary",
            strategy=f"strategy-{number % 10}",
            dataset="flights",
            scenario="clean",
            params={"rows": 100_000, "trees": 50, "depth": 8, "learning_rate": 0.1, "threads": 1},
            options={},
            block=number // 10,
            seeds=Seeds(data=number, model=number + 1, order=number + 2),
        ),
        status="ok",
        phases={
            name: Phase([figure, figure * 1.01, figure * 1.02], [figure, figure, figure], peak_bytes=number)
            for name in ("build", "fit", "predict")
        },
        metrics={"auc": figure / 3, "log_loss": figure / 4, "brier": figure / 5, "calibration_error": figure / 6},
        conditions=Conditions(load=0.5, stolen=0.001, foreign=0.002, mhz=[2445.4, 2445.4], switches=3),
        cores=[number % 2],
        memory_source="exact",
        started="2026-01-01T00:00:00.000+00:00",
        elapsed_s=figure,
    )


def test_store_of_100_000_records_is_loaded(store: Path, benchmark: BenchmarkFixture) -> None:
    """In under 2 s."""
    size = sum(file.stat().st_size for file in store.iterdir())
    print(f"\nstore: {size / 1e6:.0f} MB, {size // 100_000} bytes a record")
    assert len(harness.load(store)) == 100_000
    told("100,000 records loaded", _best(benchmark, lambda: harness.load(store)), 2, "s")


def test_store_of_100_000_records_is_queried(store: Path, benchmark: BenchmarkFixture) -> None:
    """In under 0.5 s."""
    frames = tables(store)
    sql = 'select label, dataset, median("fit.cpu_s"), avg(auc), count(*) from trials group by all order by 1'
    assert len(query(sql, frames)) == 10
    told("100,000 records queried", _best(benchmark, lambda: query(sql, frames)), 0.5, "s")


def test_help() -> None:
    """``bakeoff --help`` takes under 150 ms of CPU."""
    command = [sys.executable, "-P", "-c", "from harness.cli.main import main; main()", "--help"]
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "usage = resource.getrusage(resource.RUSAGE_CHILDREN); print(usage.ru_utime + usage.ru_stime)"
    )
    spent = [
        float(subprocess.run([sys.executable, "-c", script, *command], check=True, capture_output=True).stdout)
        for _ in range(7)
    ]
    told("bakeoff --help, CPU, median", statistics.median(spent) * 1e3, 150, "ms")
