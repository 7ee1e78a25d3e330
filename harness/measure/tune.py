"""Tuning: equal tries for all strategies of a task, judged on data held out of the training data.

The tries are made in a child process, which loads the data itself: what is measured afterwards begins as cold as what
is measured of a strategy without tuning. The child is forked before this process uses a native thread or a device,
which the child could not use.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import msgspec
import numpy as np

from harness.declare import Problem
from harness.errors import CannotRunError, TuningError
from harness.measure.clock import PhaseClock
from harness.measure.device import Cpu
from harness.measure.job import Job, freeze, reason_of
from harness.measure.messages import write_line
from harness.records import Scalar, Try


class Tuned(msgspec.Struct, omit_defaults=True):
    """What came of tuning.

    Attributes
    ----------
    failure
        Why there is no choice; empty if there is one.
    unable
        Whether the strategy cannot run on this machine.
    """

    tries: list[Try] = []
    choice: dict[str, Scalar] = {}
    failure: str = ""
    unable: bool = False


def tune(job: Job) -> Tuned:
    """Choose the options of a job in a child process.

    Raises
    ------
    TuningError
        When every try failed, the data cannot be held out, or the child process crashed.
    CannotRunError
        When the strategy cannot run on this machine.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    result, result_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(result)
        _work(job, result_end)
    os.close(result_end)
    # Up to the first line and no further: a process that a try left behind may hold the pipe open.
    with os.fdopen(result, "rb") as lines:
        line = lines.readline()
    status = os.waitpid(pid, 0)[1]
    if not line.endswith(b"\n"):
        raise TuningError(f"tuning ended without a result, {_end(status)}")
    tuned = msgspec.json.decode(line, type=Tuned)
    if tuned.failure:
        raise CannotRunError(tuned.failure) if tuned.unable else TuningError(tuned.failure)
    return tuned


def draw(job: Job) -> Iterator[dict[str, Scalar]]:
    """Draw the sets of options of a job's tries, each without options at their defaults.

    The first is the defaults. The others are drawn without replacement from the product of the values of the search, by
    the seed of the block.
    """
    yield {}
    strategy = job.strategy
    defaults = job.task.strategies[strategy.plain].options
    values = list(strategy.search.values())
    sizes = tuple(map(len, values))
    total = math.prod(sizes)
    rng = _generator(job.trial.seeds.model, "tries")
    left = strategy.tries - 1
    # One more than is needed, because the defaults may be among them.
    for drawn in rng.choice(total, min(total, strategy.tries), replace=False):
        places = np.unravel_index(drawn, sizes)
        chosen = {name: own[place] for name, own, place in zip(strategy.search, values, places, strict=True)}
        options = {name: value for name, value in chosen.items() if value != defaults[name]}
        if options and left:
            left -= 1
            yield options


def _work(job: Job, result: int) -> NoReturn:
    """Tune in this process, write the result and end."""
    own_pid = os.getpid()
    try:
        tuned = _tuned(job)
    except CannotRunError as error:
        tuned = Tuned(failure=str(error), unable=True)
    except BaseException as error:
        tuned = Tuned(failure=reason_of(error))
    # A strategy may fork, and its child may come back out of the strategy: only this process has a result.
    if os.getpid() == own_pid:
        write_line(result, tuned)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(0)


def _tuned(job: Job) -> Tuned:
    tuning = job.task.tuning
    if tuning is None:
        raise TuningError(f"task {job.task.full_name} has no tuning")
    # The seed of the data alone: all strategies of a block are tuned on the same rows.
    held = tuning.holdout(job.prepare(), _generator(job.trial.seeds.data, "holdout"))
    freeze(held)
    judged = [_try(replace(job, choice=options), held) for options in draw(job)]
    tries = [one for one, _ in judged]
    done = [one for one in tries if one.value is not None]
    if not done:
        raise TuningError(f"all {len(tries)} tries of tuning failed, the last with: {judged[-1][1]}")
    return Tuned(tries, best(done, higher=job.task.metrics[0].direction == "higher").options)


def best(tries: Sequence[Try], *, higher: bool) -> Try:
    """Return the best try, the earliest of equal ones; every try has a value."""
    choose: Callable[..., Try] = max if higher else min
    return choose(tries, key=lambda one: one.value)


def _try(job: Job, held: Any) -> tuple[Try, str]:
    """Run the strategy on the rest of the training data, and judge it on the part held out; or say why it failed."""
    options = dict(job.choice or {})
    problem = Problem(data=job.task.view(held), params=job.trial.params, seed=job.trial.seeds.model)
    clock = PhaseClock(job.task.phases, Cpu(), lambda *_: None, setup=job.task.setup, repeat=False)
    try:
        judgement = job.judge(held, job.call(problem, clock))
    except CannotRunError:
        raise
    except BaseException as error:
        return Try(options), reason_of(error)
    return Try(options, float(judgement.metrics[job.task.metrics[0].name])), ""


def _generator(seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def _end(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
