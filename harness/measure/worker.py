"""The fresh process of one trial: data, scenario, strategy, judge."""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import sys
import threading
import traceback
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal, NoReturn

import msgspec
import numpy as np
from threadpoolctl import ThreadpoolController

from harness.declare import Dataset, Judgement, Problem, Scenario, Strategy, Task
from harness.errors import CannotRunError, InvalidOutputError
from harness.measure import memory, threads
from harness.measure.clock import PhaseClock
from harness.measure.device import Device, open_device
from harness.measure.messages import Outcome, PhaseEvent
from harness.measure.releases import Releases
from harness.records import Trial

_REASON_LENGTH = 300


@dataclass(frozen=True)
class Job:
    """A trial with the declarations that it names."""

    trial: Trial
    task: Task
    strategy: Strategy
    dataset: Dataset
    scenario: Scenario
    cores: list[int]
    quiet: bool
    releases: Releases | None = None


def work(job: Job, controller: ThreadpoolController, events: int) -> NoReturn:
    """Run the trial in this process and report through the file descriptor `events`; never returns."""
    own_pid = os.getpid()

    def report(message: PhaseEvent | Outcome) -> None:
        # A strategy may fork, and its child may come back out of the strategy: only the worker itself reports.
        if os.getpid() == own_pid:
            _write_all(events, msgspec.json.encode(message) + b"\n")

    gauge: memory.Gauge = memory.HighWater()
    if job.releases and job.releases.wait_at_each():
        gauge = job.releases
    if job.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cores)
    threads.limit(controller, int(job.trial.params["threads"]))
    outcome = attempt(job, report, gauge)
    report(outcome)
    if os.getpid() == own_pid:
        # Libraries end their own processes here. Full finalisation would free every page first, for nothing.
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(0)


def attempt(job: Job, report: Callable[[PhaseEvent], None], gauge: memory.Gauge) -> Outcome:
    """Run the trial and turn whatever happens into an outcome."""
    device = open_device(job.strategy.device)
    clock = PhaseClock(
        job.task.phases,
        device,
        lambda phase, kind, at: report(PhaseEvent(phase, "enter" if kind == "enter" else "leave", at)),
        repeat=not job.quiet,
        gauge=gauge,
    )
    _touch_clock(device, gauge)
    if job.quiet:
        memory.map_libraries()
    # A SystemExit or KeyboardInterrupt of a strategy is a result like any other exception.
    try:
        judgement = _measure(job, clock)
    except CannotRunError as error:
        return Outcome(status="skipped", reason=str(error))
    except MemoryError as error:
        return _failure("memory", error, clock)
    except BaseException as error:
        return _failure("failed", error, clock)
    exact = all(figures.peak_bytes is not None for figures in clock.figures.values())
    return Outcome(
        status="ok",
        reason=_left_threads(),
        phases=clock.figures,
        metrics={metric.name: float(judgement.metrics[metric.name]) for metric in job.task.metrics},
        curves=dict(judgement.curves),
        memory_source=("quiet" if job.quiet else "exact") if exact else "sampled",
    )


def _touch_clock(device: Device, gauge: memory.Gauge) -> None:
    """Measure nothing once: after a fork the clock's first use copies its pages, which would count for the strategy."""
    with PhaseClock(["nothing"], device, lambda _phase, _kind, _at: None, gauge=gauge)("nothing"):
        pass


def prepare(job: Job) -> object:
    """Load the trial's data and lay its scenario on them."""
    seeds = job.trial.seeds
    data = job.dataset.load(job.trial.params, np.random.default_rng([seeds.data]))
    return job.scenario.apply(data, np.random.default_rng([seeds.data, zlib.crc32(job.scenario.name.encode())]))


def freeze(value: object) -> None:
    """Make all arrays within a value read-only: the judge must see the data that the strategy was given."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value):
        for field in fields(value):
            freeze(getattr(value, field.name))
    elif isinstance(value, Mapping):
        freeze(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            freeze(part)


def _measure(job: Job, clock: PhaseClock) -> Judgement:
    data = prepare(job)
    freeze(data)
    problem = Problem(data=job.task.view(data), params=job.trial.params, seed=job.trial.seeds.model)
    output = job.strategy.run(problem, clock, **job.trial.options)
    if clock.running is not None:
        raise InvalidOutputError(f"phase {clock.running!r} was left by break or return inside of its for statement")
    if not clock.figures:
        raise InvalidOutputError(f"it entered none of the task's phases: {', '.join(job.task.phases)}")
    judgement = job.task.judge(data, output)
    _check_metrics(job.task, judgement.metrics)
    return judgement


def _check_metrics(task: Task, metrics: Mapping[str, float]) -> None:
    for metric in task.metrics:
        if metric.name not in metrics:
            raise InvalidOutputError(f"metric {metric.name} is missing")
        if not math.isfinite(metrics[metric.name]):
            raise InvalidOutputError(f"metric {metric.name} is {metrics[metric.name]}")


def _failure(status: Literal["failed", "memory"], error: BaseException, clock: PhaseClock) -> Outcome:
    where = f" in phase {clock.running}" if clock.running else ""
    return Outcome(
        status=status,
        reason=f"{_sentence(error)}{where}",
        text=traceback.format_exc(),
    )


def _sentence(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"called sys.exit({error.code if error.code is not None else ''})"
    first = next(iter(str(error).splitlines()), "")[:_REASON_LENGTH]
    if isinstance(error, InvalidOutputError):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _left_threads() -> str:
    left = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    return f"left {len(left)} thread(s) running" if left else ""


def _write_all(descriptor: int, message: bytes) -> None:
    while message:
        message = message[os.write(descriptor, message) :]
