"""Trials that Dask spreads over workers: empty ones, ones that cannot run, and ones of a known ratio."""

from __future__ import annotations

import time

import numpy as np

from harness.declare import Dataset, Judgement, Metric, PhaseClock, Problem, Topic

topic = Topic("spread", title="What an executor costs")

task = topic.task(
    "nothing",
    title="Do nothing, or count",
    datasets=[Dataset("none", lambda _params, _rng: np.zeros(1))],
    phases=["work"],
    metrics=[Metric("zero", direction="lower", unit="1")],
    judge=lambda _data, _output: Judgement({"zero": 0.0}),
)


@task.strategy("empty")
def empty(problem: Problem, phase: PhaseClock) -> None:
    """Enter a phase and leave it."""
    del problem
    with phase("work"):
        pass


@task.strategy("unable", needs="no_such_package")
def unable(problem: Problem, phase: PhaseClock) -> None:
    """Be recorded as skipped at once."""
    del problem, phase


@task.strategy("naps")
def naps(problem: Problem, phase: PhaseClock) -> None:
    """Take a while without work, so that a kill comes within a trial."""
    del problem
    with phase("work"):
        time.sleep(0.3)


def _count(steps: int) -> int:
    total = 0
    for step in range(steps):
        total += step
    return total


@task.strategy("short")
def short(problem: Problem, phase: PhaseClock) -> None:
    """Count to a million."""
    del problem
    with phase("work"):
        _count(1_000_000)


@task.strategy("long")
def long(problem: Problem, phase: PhaseClock) -> None:
    """Count to two millions."""
    del problem
    with phase("work"):
        _count(2_000_000)
