"""The new process of one trial of a run: it runs the trial's job, reports its phases and its outcome, and ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NoReturn

from threadpoolctl import ThreadpoolController

from harness.declare.values import TUNE
from harness.errors import CannotRunError
from harness.measure import memory
from harness.measure.children import ChildMemory, any_children
from harness.measure.clock import PhaseClock
from harness.measure.device import Cpu, Device, open_device
from harness.measure.job import Job, reason_of
from harness.measure.judging import thinned
from harness.measure.messages import Outcome, PhaseEvent, write_line
from harness.measure.releases import Releases
from harness.measure.shared import processes, with_files
from harness.measure.tune import Tuned, tune


def work(
    job: Job,
    controller: ThreadpoolController,
    events: int,
    *,
    quiet: bool,
    altered: bool = False,
    releases: Releases | None = None,
) -> NoReturn:
    """Run the trial in this process and report through the file descriptor `events`; never returns.

    Parameters
    ----------
    quiet
        Whether this is the memory pass: short phases are not repeated, and all libraries are mapped beforehand.
    altered
        Whether altered test sets are handed out; a memory pass hands out none.
    releases
        What reads the size of memory before each system call that gives some back; the kernel's peak without it.
    """
    own_pid = os.getpid()
    inherited = tuple(weakref.finalize._registry)  # type: ignore[attr-defined]  # there is no public list

    def report(message: PhaseEvent | Outcome) -> None:
        # A strategy may fork, and its child may come back out of the strategy: only the worker itself reports.
        if os.getpid() == own_pid:
            write_line(events, message)

    gauge: memory.Gauge = memory.HighWater()
    if releases and releases.wait_at_each():
        gauge = releases
    job.take_cores(controller)
    outcome = attempt(job, report, gauge, quiet=quiet, altered=altered and not quiet)
    report(outcome)
    if os.getpid() == own_pid:
        # Libraries end their own processes here. Full finalisation would free every page first, for nothing. What the
        # server's libraries made is the server's to undo: of torch alone that is 134 libraries of operators, 30 ms.
        for finalizer in inherited:
            finalizer.atexit = False
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(0)


def attempt(
    job: Job, report: Callable[[PhaseEvent], None], gauge: memory.Gauge, *, quiet: bool, altered: bool = False
) -> Outcome:
    """Run the trial and turn whatever happens into an outcome."""
    device = open_device(job.strategy.device)

    waits = isinstance(gauge, Releases)
    children = ChildMemory(files=not waits)

    def listen(phase: str, kind: str, at: float) -> None:
        # Children of tuning or another set-up phase do not make the memory of the others sampled.
        counts = phase not in (*job.task.setup, TUNE)
        held = children.enter() if kind == "enter" else children.leave(counts=counts)
        files = with_files(processes(os.getpid()) if any_children() else [os.getpid()])
        report(PhaseEvent(phase, "enter" if kind == "enter" else "leave", at, held, files))

    clock = PhaseClock(job.task.phases, device, listen, setup=job.task.setup, repeat=not quiet, gauge=gauge)
    # A clock of its own, so that the other one begins as that of a strategy that is not tuned.
    before = PhaseClock([TUNE], Cpu(), listen, setup=[TUNE], repeat=False, gauge=gauge)
    tuned = Tuned(choice=dict(job.choice or {}))
    _touch_clock(device, gauge)
    if quiet:
        memory.map_libraries()
    # A SystemExit or KeyboardInterrupt of a strategy is a result like any other exception.
    try:
        if job.untuned:
            with before(TUNE):
                tuned = tune(job)
            job = replace(job, choice=tuned.choice)
        data = job.prepare()
        # Made before the first phase, so that no phase's time or memory includes them.
        others = job.alter(data) if altered else {}
        problem = job.problem(data, others)
        judgement = job.judge(data, job.call(problem, clock), others)
        done = job.work(problem)
        curves, remark = thinned(judgement.curves)
    except CannotRunError as error:
        return Outcome(status="skipped", reason=str(error))
    except MemoryError as error:
        return _failure("memory", error, clock.running, tuned, before)
    except BaseException as error:
        return _failure("failed", error, clock.running or before.running, tuned, before)
    exact = all(figures.peak_bytes is not None for figures in clock.figures.values())
    # A memory pass that reads the worker's peak at its system calls reads those of its children too.
    exact &= waits or not children.sampled
    return Outcome(
        status="ok",
        reason="; ".join(filter(None, (_left_threads(), remark))),
        phases=before.figures | clock.figures,
        metrics=dict(judgement.metrics),
        curves=curves,
        n=dict(judgement.n),
        diverged=judgement.diverged,
        overlap=job.overlap(data),
        memory_source=("quiet" if quiet else "exact") if exact else "sampled",
        tries=tuned.tries,
        choice=tuned.choice,
        work=done,
    )


def _touch_clock(device: Device, gauge: memory.Gauge) -> None:
    """Measure nothing once: after a fork the clock's first use copies its pages, which would count for the strategy."""
    with PhaseClock(["nothing"], device, lambda _phase, _kind, _at: None, gauge=gauge)("nothing"):
        pass


def _failure(
    status: Literal["failed", "memory"], error: BaseException, phase: str | None, tuned: Tuned, before: PhaseClock
) -> Outcome:
    """Say why the trial failed; what tuning chose before stays, since it may be the reason."""
    where = f" in phase {phase}" if phase else ""
    return Outcome(
        status=status,
        reason=f"{reason_of(error)}{where}",
        text=traceback.format_exc(),
        phases=before.figures,
        tries=tuned.tries,
        choice=tuned.choice,
    )


def _left_threads() -> str:
    left = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    return f"left {len(left)} thread(s) running" if left else ""
