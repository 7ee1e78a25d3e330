"""The new process of one trial of a run: it runs the trial's job, reports its phases and its outcome, and ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Literal, NoReturn

from threadpoolctl import ThreadpoolController

from harness.errors import CannotRunError
from harness.measure import memory
from harness.measure.clock import PhaseClock
from harness.measure.device import Device, open_device
from harness.measure.job import Job, reason_of
from harness.measure.messages import Outcome, PhaseEvent, write_line
from harness.measure.releases import Releases


def work(
    job: Job, controller: ThreadpoolController, events: int, *, quiet: bool, releases: Releases | None = None
) -> NoReturn:
    """Run the trial in this process and report through the file descriptor `events`; never returns.

    Parameters
    ----------
    quiet
        Whether this is the memory pass: short phases are not repeated, and all libraries are mapped beforehand.
    releases
        What reads the size of memory before each system call that gives some back; the kernel's peak without it.
    """
    own_pid = os.getpid()

    def report(message: PhaseEvent | Outcome) -> None:
        # A strategy may fork, and its child may come back out of the strategy: only the worker itself reports.
        if os.getpid() == own_pid:
            write_line(events, message)

    gauge: memory.Gauge = memory.HighWater()
    if releases and releases.wait_at_each():
        gauge = releases
    job.take_cores(controller)
    outcome = attempt(job, report, gauge, quiet=quiet)
    report(outcome)
    if os.getpid() == own_pid:
        # Libraries end their own processes here. Full finalisation would free every page first, for nothing.
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(0)


def attempt(job: Job, report: Callable[[PhaseEvent], None], gauge: memory.Gauge, *, quiet: bool) -> Outcome:
    """Run the trial and turn whatever happens into an outcome."""
    device = open_device(job.strategy.device)
    clock = PhaseClock(
        job.task.phases,
        device,
        lambda phase, kind, at: report(PhaseEvent(phase, "enter" if kind == "enter" else "leave", at)),
        setup=job.task.setup,
        repeat=not quiet,
        gauge=gauge,
    )
    _touch_clock(device, gauge)
    if quiet:
        memory.map_libraries()
    # A SystemExit or KeyboardInterrupt of a strategy is a result like any other exception.
    try:
        data = job.prepare()
        judgement = job.judge(data, job.call(job.problem(data), clock))
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
        metrics=job.metrics(judgement),
        curves=dict(judgement.curves),
        memory_source=("quiet" if quiet else "exact") if exact else "sampled",
    )


def _touch_clock(device: Device, gauge: memory.Gauge) -> None:
    """Measure nothing once: after a fork the clock's first use copies its pages, which would count for the strategy."""
    with PhaseClock(["nothing"], device, lambda _phase, _kind, _at: None, gauge=gauge)("nothing"):
        pass


def _failure(status: Literal["failed", "memory"], error: BaseException, clock: PhaseClock) -> Outcome:
    where = f" in phase {clock.running}" if clock.running else ""
    return Outcome(
        status=status,
        reason=f"{reason_of(error)}{where}",
        text=traceback.format_exc(),
    )


def _left_threads() -> str:
    left = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    return f"left {len(left)} thread(s) running" if left else ""
