"""What the harness itself costs, as ratios to yardsticks timed in the same run. Run with ``make facts``."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import msgspec
import pytest
from planted import header
from yardstick import check_ratio, children_s, run_python, take_turns

import harness
from harness.config import Config
from harness.declare import Dataset, Judgement, Metric, Param, Profile, Topic
from harness.execute import choose
from harness.execute.executor import Ended, Limits, blocks_of
from harness.measure.children import children_cpu_ns
from harness.measure.clock import PhaseClock
from harness.measure.device import Cpu
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Conditions, Phase, Record, Seeds, Trial
from harness.registry import Registry, load_registry
from harness.store.load import query, tables
from harness.store.read import encode

HERE = Path(__file__).parent
#: What the server of topic boosting has imported before it forks a trial.
LIBRARIES = "import xgboost, lightgbm, sklearn.ensemble, sklearn.linear_model, sklearn.metrics, pyarrow.parquet"
#: Empty trials for each start of an interpreter.
GROUP = 6


def test_empty_trial() -> None:
    """Beyond its phase an empty trial takes a small part of a fresh interpreter with the same imports (wall time)."""
    config = Config(folder=HERE, topics=("projects/empty.py",))
    registry = load_registry(config)
    plan = make_plan(Selection(tasks=("empty",), profile="quick"), registry)
    beyond: list[float] = []
    groups: list[float] = []
    starts: list[float] = []
    ended = time.perf_counter()

    def receive(trials: Ended) -> None:
        nonlocal ended
        (record,) = (response.record for response in trials.responses)
        assert record.status == "ok", record.reason
        beyond.append(time.perf_counter() - ended - record.phases["work"].wall_s[0])
        if len(beyond) % GROUP == 0:
            start = time.perf_counter()
            run_python(LIBRARIES)
            starts.append(time.perf_counter() - start)
            groups.append(statistics.median(beyond[-GROUP:]))
        ended = time.perf_counter()

    limits = Limits(timeout_s=60, memory_bytes=10**10)
    choose("local", registry, config, limits).run(blocks_of(plan.trials), receive)
    assert len(starts) == len(plan.trials) // GROUP
    check_ratio(
        "an empty trial beyond its phase, wall time", groups, "a fresh interpreter with the same imports", starts, 0.06
    )


def test_phase_clock() -> None:
    """What the clock adds to a phase is less than one reading of the clocks that it reads."""
    clock = PhaseClock(["work"], Cpu(), lambda _phase, _kind, _at: None)
    readings = []
    for _ in range(500):
        with clock("work"):
            pass
        start = time.perf_counter_ns()
        _read_clocks()
        readings.append((time.perf_counter_ns() - start) / 1e9)
    reading = [statistics.median(readings)]
    for kind, seconds in (("wall", clock.figures["work"].wall_s), ("CPU", clock.figures["work"].cpu_s)):
        added = [statistics.median(seconds)]
        check_ratio(f"the phase clock on {kind} time, median", added, "one reading of its clocks", reading, 1)


def _read_clocks() -> None:
    children_cpu_ns()
    time.process_time_ns()
    time.perf_counter_ns()


def test_plan_of_10_000_trials() -> None:
    """A plan of 10,000 trials costs about as much as 10,000 records and the keys of their trials."""
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
    plan, keys = take_turns(
        lambda: make_plan(selection, registry), lambda: [_record(number).trial.key for number in range(10_000)]
    )
    check_ratio("a plan of 10,000 trials", plan, "10,000 records with their keys", keys, 1.5)


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
        metrics={"auc": figure / 3, "log_loss": figure / 4, "brier": figure / 5, "calibration_rms": figure / 6},
        conditions=Conditions(load=0.5, stolen=0.001, foreign=0.002, mhz=[2445.4, 2445.4], switches=3),
        cores=[number % 2],
        memory_source="exact",
        started="2026-01-01T00:00:00.000+00:00",
        elapsed_s=figure,
    )


def test_store_of_100_000_records_is_loaded(store: Path) -> None:
    """A frame of 100,000 records costs at most five times one reading of the file as JSON."""
    (file,) = store.iterdir()
    print(f"\nstore: {file.stat().st_size / 1e6:.0f} MB, {file.stat().st_size // 100_000} bytes a record")
    assert len(harness.load(store)) == 100_000
    loaded, read = take_turns(lambda: harness.load(store), lambda: _read_json(file), turns=5)
    check_ratio("100,000 records loaded", loaded, "one reading of the file as JSON", read, 5)


def _read_json(file: Path) -> int:
    decode = msgspec.json.Decoder().decode
    with file.open("rb") as lines:
        return sum(len(decode(line)) for line in lines)


def test_store_of_100_000_records_is_queried(store: Path) -> None:
    """SQL over 100,000 records costs at most a few times the same in pandas."""
    frames = tables(store)
    sql = 'select label, dataset, median("fit.cpu_s"), avg(auc), count(*) from trials group by all order by 1'
    assert len(query(sql, frames)) == 10
    queried, grouped = take_turns(
        lambda: query(sql, frames),
        lambda: frames.trials.groupby(["label", "dataset"], observed=True).agg({"fit.cpu_s": "median", "auc": "mean"}),
        clock=time.perf_counter,
    )
    check_ratio("100,000 records queried, wall time", queried, "the same in pandas", grouped, 5)


def test_help() -> None:
    """``bakeoff --help`` costs at most a few times an interpreter that imports click."""
    ours, bare = take_turns(
        lambda: run_python("from harness.cli.main import main; main()", "--help"),
        lambda: run_python("import click"),
        clock=children_s,
        turns=15,
    )
    check_ratio("bakeoff --help, CPU", ours, "an interpreter that imports click", bare, 2)
