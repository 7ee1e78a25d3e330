"""What is measured of a trial on both sides: times and metrics by a pair of processes, memory by a memory pass."""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt

from harness.config import read_config
from harness.errors import BakeoffError, CannotRunError
from harness.gate.decision import SIDES, Pair, SideName, Stage
from harness.gate.environments.build import SideEnvironment
from harness.gate.environments.cache import PAIRS, Shelf
from harness.gate.foreign.suite import ONE_CALL
from harness.gate.live.gated import differences
from harness.gate.live.process import SideError, SideProcess
from harness.gate.live.side import PairTask
from harness.measure.client import Server
from harness.measure.machine import memory_budget
from harness.measure.messages import Request
from harness.records import Scalar, Trial, figures, without

_SHORT_S = 0.02  # a round is planned to take this long, so that the clock and a single interrupt matter little
_MOST_CALLS = 200
_MOST_PASSES = 10**6
_MOST_S = 20.0  # a pair that takes longer gets fewer rounds: the machine changes meanwhile anyway
_LEAST_ROUNDS, _MOST_ROUNDS = 4, 64
MEASURES = ("peak_bytes", "device_bytes")
DATASETS = "BAKEOFF_DATASETS"  # the variable goes over the configuration's folder of data sets

_CLOCK = "cpu_s"  # its spread says when there are enough rounds
_USUAL_BETWEEN = 0.01  # pairs of processes differ by so much because of where their memory lies
_KNOWN = 3


@dataclass(frozen=True)
class PairRequest:
    """A pair that is wanted.

    Attributes
    ----------
    trial
        The same for both sides, block and seeds included.
    rounds
        Least number of rounds, unless a call takes seconds.
    precision
        Standard error of the median log-ratio of CPU time at which there are enough rounds.
    between
        Standard deviation of that median from pair to pair that more rounds would not reduce, as far as it is known.
        Rounds also end where a new pair says more in the same time.
    judge
        Whether metrics are wanted even if both sides predict the same.
    setup
        Phases that are warmed up and not measured.
    """

    trial: Trial
    cores: list[int]
    first: SideName
    stage: Stage
    rounds: int
    precision: float
    between: float
    timeout_s: float
    judge: bool
    setup: tuple[str, ...] = ()


def measure(request: PairRequest, sides: Mapping[SideName, SideEnvironment]) -> Pair:
    """Measure a pair; a side that fails is reported in the pair.

    Raises
    ------
    OSError
        When no space is left on a disk.
    """
    started = time.monotonic()
    pair = Pair(request.trial.block, request.stage, request.first, request.cores)
    order = SIDES if request.first == "base" else SIDES[::-1]
    with ExitStack() as stack, Shelf(PAIRS).temporary() as folder:
        seed = request.trial.seeds.order % 2**32
        processes = {name: stack.enter_context(SideProcess(sides[name], "pair", seed=seed)) for name in order}
        for process in processes.values():
            process.send(PairTask(request.trial, request.cores))
        each = _Each(processes, pair, request.timeout_s)
        ready = each(SIDES, None)
        if ready is not None:
            # A side of an earlier Bakeoff does not say its choice: it has no strategy that is tuned.
            pair.choices.update({name: answer["choice"] for name, answer in ready.items() if answer.get("choice")})
            _rounds(each, request, order, time.monotonic() - started)
        if not pair.failed:
            _compare(each, request, folder)
    return msgspec.structs.replace(pair, elapsed_s=time.monotonic() - started)


@dataclass(frozen=True)
class _Each:
    """Sends both sides a request, one after the other, and returns their answers; ``None`` when a side failed.

    The pair takes the reason of the side that failed.
    """

    processes: Mapping[SideName, SideProcess]
    pair: Pair
    timeout_s: float

    def __call__(
        self, order: Sequence[SideName], message: Callable[[SideName], dict[str, Any]] | None
    ) -> dict[SideName, dict[str, Any]] | None:
        answers: dict[SideName, dict[str, Any]] = {}
        for name in order:
            try:
                if message is not None:
                    self.processes[name].send(message(name))
                answers[name] = self.processes[name].answer(self.timeout_s)
            except (SideError, BakeoffError) as error:
                _refuse_full_disk(name, str(error))
                self.pair.failed[name] = str(error)
                if isinstance(error, CannotRunError):
                    self.pair.unable.append(name)
        return None if self.pair.failed else answers


def _refuse_full_disk(name: SideName, reason: str) -> None:
    """Raise if a side failed because a disk is full: that is not its fault, and space can be freed."""
    full = os.strerror(errno.ENOSPC)
    if full in reason:
        raise OSError(errno.ENOSPC, full, f"a process of the {name}")


def _rounds(each: _Each, request: PairRequest, order: Sequence[SideName], start_s: float) -> None:
    """Warm both sides up, and take rounds until their median is known well enough, or a new pair would say more.

    Parameters
    ----------
    start_s
        What a new pair takes before its first round.
    """
    # The first call of a strategy with set-up phases says nothing about how long the next ones take.
    for _ in range(2 if request.setup else 1):
        if each(order, lambda _: {"calls": 1}) is None:
            return
    plan, spent = _Plan(), 0.0
    while _wanted(each.pair, request, start_s, spent):
        done = len(each.pair.base.get(_CLOCK, ()))
        started = time.monotonic()
        asked = {"calls": plan.calls, "passes": dict(plan.passes)}
        answers = each(order if done % 2 == 0 else order[::-1], dict.fromkeys(SIDES, asked).__getitem__)
        if answers is None:
            return
        # A round that is too short to be measured well only says how many calls the next ones take.
        if done == 0 and (longer := plan.longer(answers, request.setup)) is not None:
            plan = longer
            continue
        spent += time.monotonic() - started
        for name in SIDES:
            times = {phase: sums for phase, sums in answers[name]["times"].items() if phase not in request.setup}
            passes = answers[name].get("passes", {})
            _add(getattr(each.pair, name), times, plan, passes)
            if passes:
                each.pair.passes.update(passes)
                each.pair.loop_s[name] = answers[name]["loop_s"]


@dataclass(frozen=True)
class _Plan:
    """How often a round calls a side, and how often each phase with a ``for`` statement repeats its body in a call."""

    calls: int = 1
    passes: Mapping[str, int] = field(default_factory=dict)

    def longer(self, answers: Mapping[SideName, dict[str, Any]], setup: Sequence[str]) -> _Plan | None:
        """Return the plan of longer rounds, if those of this one are too short; bodies are repeated first, then calls.

        A phase whose body can be repeated lasts a round by itself, however short the others are.
        """
        times: dict[str, float] = {}
        for answer in answers.values():
            for phase, (wall_s, _) in answer["times"].items():
                if phase not in setup:
                    times[phase] = max(times.get(phase, 0.0), wall_s, 1e-9)
        repeatable = set.intersection(*(set(answer.get("passes", {})) for answer in answers.values()))
        passes = {
            phase: min(_MOST_PASSES, math.ceil(self.passes.get(phase, 1) * _SHORT_S / times[phase]))
            for phase in repeatable & set(times)
            if times[phase] < _SHORT_S / 2
        }
        fixed = sum(time for phase, time in times.items() if phase not in repeatable)
        calls = self.calls
        if not repeatable & set(times) and fixed < _SHORT_S / 2:
            calls = min(_MOST_CALLS, math.ceil(self.calls * _SHORT_S / max(fixed, 1e-6)))
        if calls <= self.calls and all(count <= self.passes.get(phase, 1) for phase, count in passes.items()):
            return None
        return _Plan(calls, {**self.passes, **passes})


def _wanted(pair: Pair, request: PairRequest, start_s: float, spent_s: float) -> bool:
    """Return whether another round is wanted; their number is even, so that both sides go first equally often."""
    done = len(pair.base.get(_CLOCK, ()))
    if done == 0:
        return True
    round_s = spent_s / done
    most = max(_LEAST_ROUNDS, min(_MOST_ROUNDS, int(_MOST_S / max(round_s, 1e-9))))
    if done % 2 or done < min(request.rounds, most):
        return True
    if done >= most:
        return False
    error = _error(pair)
    # With the spread s between rounds and b between pairs, n = s / b * sqrt(start / round) rounds a pair make the mean
    # over pairs most precise in a given time.
    worth = error * math.sqrt(done) / max(request.between, 1e-6) * math.sqrt(start_s / max(round_s, 1e-9))
    return error > request.precision and done < worth


def spread_between(pairs: Sequence[Pair]) -> float:
    """Return the standard deviation of pairs' log-ratios of CPU time beyond what their rounds explain.

    Of fewer than three pairs it is the usual one, and never less than a third of that, since few pairs may agree by
    chance.
    """
    if len(pairs) < _KNOWN:
        return _USUAL_BETWEEN
    medians = [float(np.median(_ratios(pair))) for pair in pairs]
    within = float(np.mean([_error(pair) ** 2 for pair in pairs]))
    return max(math.sqrt(max(float(np.var(medians, ddof=1)) - within, 0.0)), _USUAL_BETWEEN / 3)


def _error(pair: Pair) -> float:
    """Return the standard error of the median of the rounds' log-ratios, from their median absolute deviation."""
    ratios = _ratios(pair)
    spread = 1.4826 * float(np.median(np.abs(ratios - np.median(ratios))))
    return math.sqrt(math.pi / 2 / len(ratios)) * spread


def _ratios(pair: Pair) -> npt.NDArray[np.float64]:
    """Return the log-ratio of CPU time of each round; zeros where the clock did not move."""
    base, candidate = np.array(pair.base[_CLOCK]), np.array(pair.candidate[_CLOCK])
    return np.log(candidate / base) if min(base.min(), candidate.min()) > 0 else np.zeros(len(base))


def _add(
    figures: dict[str, list[float]], times: Mapping[str, Sequence[float]], plan: _Plan, passes: Mapping[str, int]
) -> None:
    """Add the times of a round, a call and a pass each."""
    for index, clock in enumerate(("wall_s", "cpu_s")):
        each = {phase: sums[index] / (plan.calls * passes.get(phase, 1)) for phase, sums in times.items()}
        for phase, value in each.items():
            figures.setdefault(f"{phase}.{clock}", []).append(value)
        figures.setdefault(clock, []).append(sum(each.values()))


def _compare(each: _Each, request: PairRequest, folder: Path) -> None:
    """Compare the predictions of both sides, and judge them where they differ."""
    digests = each(SIDES, lambda _: {})
    if digests is None:
        return
    base, candidate = (digests[name]["digest"] for name in SIDES)
    each.pair.identical = bool(base) and base == candidate
    _note_divergence(each.pair, digests)
    # A judge that finds divergence by itself is not asked where both sides predict the same: they stopped together.
    if each.pair.identical and not request.judge:
        return
    paths = {name: folder / f"{name}.npz" for name in SIDES}
    judged = each(SIDES, lambda name: {"judge": "" if each.pair.identical else str(paths[name])})
    if judged is None:
        return
    for name in SIDES:
        each.pair.metrics[name] = judged[name]["metrics"]
    _note_divergence(each.pair, judged)
    if all(path.is_file() for path in paths.values()):
        # numpy reads no pickled object unless it is told to
        with np.load(paths["base"]) as base, np.load(paths["candidate"]) as candidate:
            try:
                each.pair.examples.update(differences(base, candidate, seed=request.trial.seeds.model))
            except ValueError as error:
                each.pair.failed["candidate"] = str(error)


def _note_divergence(pair: Pair, answers: Mapping[SideName, Mapping[str, Any]]) -> None:
    # A side of an earlier Bakeoff does not say it: training that diverges fails there.
    pair.diverged.update({name: step for name in SIDES if (step := answers[name].get("diverged")) is not None})


class Reading(msgspec.Struct, omit_defaults=True):
    """Memory of one trial on both sides, by figure in bytes, or the reason why a side did not finish.

    Attributes
    ----------
    sampled
        Whether a peak was sampled although it is of the memory pass, because children were killed or many.
    """

    base: dict[str, float] = {}
    candidate: dict[str, float] = {}
    failed: dict[SideName, str] = {}
    sampled: bool = False


class MemoryPass:
    """Measures memory in fork servers, which end when the ``with`` statement is left."""

    def __init__(self, sides: Mapping[SideName, SideEnvironment], timeout_s: float) -> None:
        self._sides = sides
        self._timeout_s = timeout_s
        self._servers: dict[tuple[SideName, str], Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.close()

    def measure(
        self,
        trial: Trial,
        cores: Sequence[int],
        setup: Collection[str] = (),
        choices: Mapping[SideName, dict[str, Scalar]] | None = None,
    ) -> Reading:
        """Run the trial once on each side, with the options that a pair on the same data has chosen there.

        The memory of set-up phases is left out.
        """
        reading = Reading()
        for name in self._sides:
            choice = choices.get(name, {}) if choices is not None else None
            request = Request(trial, list(cores), self._timeout_s, memory_budget(), choice=choice)
            try:
                record = self._server(name, trial.topic).run(request).record
            except BakeoffError as error:
                reading.failed[name] = str(error)
                continue
            if record.status == "ok":
                numbers = figures(without(record, setup))
                reading.sampled |= record.memory_source == "sampled"
                getattr(reading, name).update({name: numbers[name] for name in MEASURES if name in numbers})
            else:
                _refuse_full_disk(name, record.reason)
                reading.failed[name] = record.reason
        return reading

    def _server(self, name: SideName, topic: str) -> Server:
        if (name, topic) not in self._servers:
            side = self._sides[name]
            config = read_config(side.folder)
            if DATASETS in side.variables:
                config = msgspec.structs.replace(config, datasets=side.variables[DATASETS])
            variables = {**side.variables, ONE_CALL: "1"}
            self._servers[name, topic] = Server(topic, config, quiet=True, python=side.python, variables=variables)
        return self._servers[name, topic]
