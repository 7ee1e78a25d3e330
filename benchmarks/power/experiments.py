"""Real gates on planted changes, one after the other, each a line of a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import numpy as np
from power.planted_changes import MARGIN

from harness.config import GatePolicy
from harness.execute.executor import Share
from harness.gate.decision import Case, Pair, Side, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.growth import growth, suspicious
from harness.gate.live.both_sides import MemoryPass, Reading
from harness.gate.live.measured_case import MeasuredCase, cases
from harness.gate.live.planned_cases import PlannedCase, plan_cases
from harness.gate.live.schedule import READINGS, Setup, measure_all
from harness.measure.machine import usable_cores
from harness.plan.selection import Selection

_PROJECT = Path(__file__).parent
_SIDES: tuple[SideName, SideName] = ("base", "candidate")
_BURNERS = 2  # a core, when the machine is to be loaded
_NOISE = 0.0005  # mean square of the random part of predictions
_DIGITS = 5  # of log-ratios


class Sample(msgspec.Struct, omit_defaults=True):
    """What is kept of a pair: log-ratios of its times, and the wall times of its rounds for other tools' rules."""

    cpu: float
    wall: float
    base: list[float]
    candidate: list[float]
    elapsed_s: float
    error: float | None = None


class Gate(msgspec.Struct, omit_defaults=True):
    """A real gate.

    Attributes
    ----------
    workload
        A strategy of the planted topic.
    change
        Share by which work or memory grew, or multiple of the margin by which the error rose.
    verdicts
        Figure to verdict.
    load
        Load average over a minute at the end.
    memory
        Ratio of each reading of the memory pass.
    """

    workload: str
    change: float
    loaded: bool
    verdicts: dict[str, str]
    elapsed_s: float
    load: float
    pairs: list[Sample] = []
    memory: list[float] = []
    reasons: dict[str, str] = {}


#: Workload to what is planted: the variable, its values, and how many gates at most.
PLANTED: dict[str, tuple[str, dict[float, int]]] = {
    "lightgbm": ("PLANTED_CPU", {0.0: 1000, 0.02: 1000, 0.05: 1000, 0.1: 1000}),
    "numpy": ("PLANTED_CPU", {0.0: 1000, 0.02: 1000, 0.05: 1000, 0.1: 1000}),
    "count": ("PLANTED_CPU", {0.0: 1000, 0.05: 1000, 0.1: 1000, 0.3: 1000}),
    "small": ("PLANTED_CPU", {0.0: 1000, 0.05: 1000, 0.1: 1000, 0.3: 1000}),
    "micro": ("PLANTED_CPU", {0.0: 1000, 0.05: 1000, 0.1: 1000, 0.3: 1000}),
    "memory": ("PLANTED_BYTES", {0.0: 200, 0.01: 50, 0.05: 20}),
    "ridge": ("PLANTED_DROP", {0.0: 1000, 1.0: 1000, 2.0: 1000}),
}


def run(file: Path, seconds: float, only: Sequence[str], *, loaded: bool) -> None:
    """Run gates for some seconds on each workload and change, and append them to the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with burning(wanted=loaded), file.open("ab") as out:
        for workload, (variable, changes) in PLANTED.items():
            for change, most in changes.items():
                if only and workload not in only:
                    continue
                started, count = time.monotonic(), 0
                for found in _gates(workload, variable, change, loaded=loaded):
                    out.write(msgspec.json.encode(found) + b"\n")
                    out.flush()
                    count += 1
                    if count == most or time.monotonic() - started > seconds:
                        break
                click.echo(f"{workload} {change:+g}{' loaded' if loaded else ''}: {count} gates")


def _gates(workload: str, variable: str, change: float, *, loaded: bool) -> Iterator[Gate]:
    planted = change * MARGIN if variable == "PLANTED_DROP" else change
    noise = {"PLANTED_NOISE": str(_NOISE)} if workload == "ridge" else {}
    sides: dict[SideName, SideEnvironment] = {
        "base": _side("base", {**noise, "PLANTED_SIDE": "0"}),
        "candidate": _side("candidate", {**noise, variable: str(planted), "PLANTED_SIDE": "1"}),
    }
    with MemoryPass(sides, 60) as memory:
        bench = Setup(sides, lambda _: Share(tuple(usable_cores()), 1), 60, memory, GatePolicy())
        while True:
            progress = MeasuredCase(_planned(workload, sides), bench.policy)
            if workload == "memory":
                yield from _memory_gates(progress, memory, change, loaded=loaded)
                continue
            started = time.monotonic()
            measure_all([progress], bench, lambda *_: None)
            yield _kept(workload, change, cases([progress], "")[0], time.monotonic() - started, loaded=loaded)


def _planned(workload: str, sides: dict[SideName, SideEnvironment]) -> PlannedCase:
    """Plan the case of a workload with seeds that no other gate has."""
    selection = Selection(
        tasks=("planted",),
        strategies=(workload,),
        profile="quick",
        blocks=2 * GatePolicy().pairs,
        seed=int(np.random.default_rng().integers(2**31)),
    )
    (planned,) = plan_cases(selection, sides).cases
    return planned


def _memory_gates(progress: MeasuredCase, memory: MemoryPass, change: float, *, loaded: bool) -> Iterator[Gate]:
    """Gate on memory alone, once for each three trials: pairs would only cost time."""
    trials = list(progress.planned.trials)
    while len(trials) >= READINGS:
        started = time.monotonic()
        readings: list[Reading] = []
        while len(readings) < (READINGS if suspicious(readings, progress.policy, "planted") else 1):
            readings.append(memory.measure(trials.pop(), usable_cores()[:1]))
        yield Gate(
            "memory",
            change,
            loaded,
            {finding.figure: finding.verdict for finding in growth(readings, progress.policy, "planted")},
            time.monotonic() - started,
            os.getloadavg()[0],
            memory=[reading.candidate["peak_bytes"] / reading.base["peak_bytes"] for reading in readings],
        )


def _side(name: str, variables: dict[str, str]) -> SideEnvironment:
    path = {"PYTHONPATH": str(_PROJECT.parent.parent)}
    return SideEnvironment(
        side=Side(name), python=Path(sys.executable), folder=_PROJECT, variables={**path, **variables}
    )


def _kept(workload: str, change: float, case: Case, elapsed_s: float, *, loaded: bool) -> Gate:
    return Gate(
        workload,
        change,
        loaded,
        {finding.figure: finding.verdict for finding in case.findings} or {"cpu_s": case.verdict},
        elapsed_s,
        os.getloadavg()[0],
        [_sample(pair) for pair in case.pairs if not pair.failed],
        reasons={finding.figure: finding.reason for finding in case.findings if finding.verdict != "pass"},
    )


def _sample(pair: Pair) -> Sample:
    cpu, wall = (
        float(np.median(np.log(np.divide(pair.candidate[name], pair.base[name])))) for name in ("cpu_s", "wall_s")
    )
    errors = [pair.metrics[side]["squared_error"] for side in _SIDES] if len(pair.metrics) == 2 else None
    return Sample(
        round(cpu, _DIGITS),
        round(wall, _DIGITS),
        [float(f"{value:.5g}") for value in pair.base["wall_s"]],
        [float(f"{value:.5g}") for value in pair.candidate["wall_s"]],
        round(pair.elapsed_s, 2),
        None if errors is None else round(errors[1] - errors[0], 6),
    )


@contextmanager
def burning(*, wanted: bool) -> Iterator[None]:
    """Keep every core busy with two processes meanwhile, if it is wanted."""
    burners = [
        subprocess.Popen([sys.executable, "-c", "while True: sum(range(10**6))"])
        for _ in range(_BURNERS * len(usable_cores()) if wanted else 0)
    ]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
