"""What the commands over all runs cost as a results folder grows. Run with ``make facts``.

The runs are planted: each has 50 trials as a plan of boosting orders them, with figures drawn from a seed. Two of five
strategies change their level three times. ``python benchmarks/own/bench_growth.py FOLDER 2000`` writes such a folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from yardstick import check_ratio, take_turns

from harness.analysis.history import series, tracks
from harness.analysis.run_set import read_run_set
from harness.config import Config
from harness.execute.run import start
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Conditions, Curve, Phase, Record, Trial
from harness.registry import load_registry
from harness.report.run.payload import collect
from harness.store.load import load
from harness.store.read import encode
from harness.store.runs import runs as runs_in

TASK = "boosting/tabular-binary"
STRATEGIES = ("constant", "lightgbm", "xgboost-approx", "xgboost-exact", "xgboost-hist")
ROWS = (10_000, 100_000)
BLOCKS = 5
_START = datetime(2020, 1, 1, tzinfo=UTC)
_STEPS = 3

#: Strategy and rows to the logarithm of the level in each run.
Levels = Mapping[tuple[str, int], npt.NDArray[np.float64]]


def plant(results: Path, runs: int) -> None:
    """Write that many runs into a results folder that does not exist, one for every six hours."""
    config = Config(folder=results.parent, results=results.name, machine="planted")
    registry = load_registry(config)
    selection = Selection((TASK,), STRATEGIES, ("flights",), ("clean",), "quick", BLOCKS, {"rows": ROWS})
    plan = make_plan(selection, registry)
    with start(selection, plan, config, registry, "bakeoff run").file as file:
        header, path = file.header, file.path
    path.unlink()
    rng = np.random.default_rng(0)
    levels = {
        (strategy, rows): _level(rng, runs, place / 2, steps=_STEPS if place % 2 else 0)
        for place, strategy in enumerate(STRATEGIES)
        for rows in ROWS
    }
    for run in range(runs):
        started = (_START + timedelta(hours=6 * run)).isoformat()
        own = msgspec.structs.replace(header, run=f"{run:06x}", started=started)
        lines = [encode(own), *(encode(_record(trial, levels, run, rng)) for trial in plan.trials)]
        (path.parent / f"{own.name}.jsonl").write_bytes(b"".join(lines))


def _level(rng: np.random.Generator, runs: int, first: float, steps: int) -> npt.NDArray[np.float64]:
    """Return a level that changes so many times, by 5 % to 20 % up or down, in the last nine tenths of the runs."""
    level = np.full(runs, first)
    for at in rng.choice(np.arange(runs // 10, runs), size=steps, replace=False):
        level[at:] += rng.choice([-1, 1]) * rng.uniform(0.05, 0.2)
    return level


def _record(trial: Trial, levels: Levels, run: int, rng: np.random.Generator) -> Record:
    rows = int(trial.params["rows"])
    noise = (0.02 * rng.normal(size=5)).tolist()
    fit, predict = (np.exp(levels[trial.strategy, rows][run] + noise[:2]) * rows * (1e-5, 1e-6)).tolist()
    x = [bin_ / 15 for bin_ in range(15)]
    return Record(
        trial,
        "ok",
        phases={
            name: Phase([time], [time], peak_bytes=int(100 * rows * np.exp(noise[2] / 10)), held_bytes=held)
            for name, time, held in (("fit", fit, 0), ("predict", predict, 50 * rows))
        },
        metrics={"auc": 0.75 + noise[3] / 10, "log_loss": 0.45 + noise[4] / 10},
        curves={"reliability": Curve(x, x)},
        conditions=Conditions(0.5, 0.0, 0.0, [2400.0, 2400.0], 3),
        cores=[0],
        memory_source="exact",
        started="2026-01-01T00:00:00+00:00",
        elapsed_s=fit + predict,
    )


FEW, MANY = 500, 2000
# Four times the runs cost four times as much where the cost is linear, sixteen times where it is quadratic.
_LIMIT = 6


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write 25,000 and 100,000 trials."""
    folder = tmp_path_factory.mktemp("growth")
    for runs in (FEW, MANY):
        plant(folder / str(runs), runs)
    return folder / str(FEW), folder / str(MANY)


def _history(results: Path) -> None:
    read = read_run_set(runs_in(results))
    series(read, tracks(read, read.aggregates, "cpu_s"))


def _report(results: Path) -> None:
    collect(Config(folder=results.parent, results=results.name))


@pytest.mark.parametrize(("name", "work"), [("history", _history), ("report of a run", _report), ("load", load)])
def test_growth(planted: tuple[Path, Path], name: str, work: Callable[[Path], object]) -> None:
    """What reads all runs costs as much for each run, however many there are."""
    few, many = planted
    of_few, of_many = take_turns(lambda: work(few), lambda: work(many), turns=3)
    check_ratio(f"{name} among {MANY} runs", of_many, f"that among {FEW}", of_few, _LIMIT)


if __name__ == "__main__":
    plant(Path(sys.argv[1]), int(sys.argv[2]))
