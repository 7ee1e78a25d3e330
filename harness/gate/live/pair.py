"""One pair: a fresh process on each side, pinned to the same cores, called in alternating order."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from harness.errors import BakeoffError, CannotRunError
from harness.gate.decision import SIDES, Pair, SideName, Stage
from harness.gate.environments.build import SideEnvironment
from harness.gate.live.gated import differences
from harness.gate.live.process import SideError, SideProcess
from harness.gate.live.side import PairTask
from harness.records import Trial

_SHORT_S = 0.02  # a round lasts at least this long, so that the clock and a single interrupt are small beside it
_MOST_CALLS = 200
_MOST_S = 20.0  # longer pairs get fewer rounds, which then no longer see the same weather anyway
_LEAST_ROUNDS, _MOST_ROUNDS = 4, 64
_CLOCK = "cpu_s"  # whose spread says when there are rounds enough


@dataclass(frozen=True)
class PairRequest:
    """What a pair is to measure.

    Attributes
    ----------
    trial
        The same for both sides, block and seeds included.
    rounds
        At least so many, unless a call takes seconds.
    precision
        Standard error of the median log-ratio of CPU time at which there are rounds enough.
    judge
        Whether metrics are wanted even if both predict the same.
    """

    trial: Trial
    cores: list[int]
    first: SideName
    stage: Stage
    rounds: int
    precision: float
    timeout_s: float
    judge: bool


def measure(request: PairRequest, sides: Mapping[SideName, SideEnvironment]) -> Pair:
    """Measure a pair; whatever a side does, the pair says so."""
    started = time.monotonic()
    pair = Pair(request.trial.block, request.stage, request.first, request.cores)
    order = SIDES if request.first == "base" else SIDES[::-1]
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="bakeoff-") as folder:
        seed = request.trial.seeds.order % 2**32
        processes = {name: stack.enter_context(SideProcess(sides[name], "pair", seed=seed)) for name in order}
        for process in processes.values():
            process.send(PairTask(request.trial, request.cores))
        each = _Each(processes, pair, request.timeout_s)
        if each(SIDES, None) is not None:
            _rounds(each, request, order)
        if not pair.failed:
            _compare(each, request, Path(folder))
    return msgspec.structs.replace(pair, elapsed_s=time.monotonic() - started)


@dataclass(frozen=True)
class _Each:
    """Asks both sides the same, one after the other; notes who fails, and then answers nothing."""

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
                self.pair.failed[name] = str(error)
                if isinstance(error, CannotRunError):
                    self.pair.unable.append(name)
        return None if self.pair.failed else answers


def _rounds(each: _Each, request: PairRequest, order: Sequence[SideName]) -> None:
    """Warm both up, and take rounds until their median is known well enough."""
    started = time.monotonic()
    if each(order, lambda _: {"calls": 1}) is None:
        return
    call_s = (time.monotonic() - started) / 2
    calls = min(_MOST_CALLS, max(1, math.ceil(_SHORT_S / max(call_s, 1e-6))))
    most = max(_LEAST_ROUNDS, min(_MOST_ROUNDS, int(_MOST_S / (2 * call_s * calls))))
    least = min(request.rounds, most)
    done = 0
    # An even number of rounds, so that both sides go first equally often.
    while done < least or done % 2 or (done < most and _error(each.pair) > request.precision):
        answers = each(order if done % 2 == 0 else order[::-1], lambda _: {"calls": calls})
        if answers is None:
            return
        for name in SIDES:
            _add(getattr(each.pair, name), answers[name]["times"], calls)
        done += 1


def _error(pair: Pair) -> float:
    """Return the standard error of the median of the rounds' log-ratios, from their median absolute deviation."""
    base, candidate = np.array(pair.base[_CLOCK]), np.array(pair.candidate[_CLOCK])
    if min(base.min(), candidate.min()) <= 0:
        return 0.0
    ratios = np.log(candidate / base)
    spread = 1.4826 * float(np.median(np.abs(ratios - np.median(ratios))))
    return math.sqrt(math.pi / 2 / len(ratios)) * spread


def _add(figures: dict[str, list[float]], times: Mapping[str, Sequence[float]], calls: int) -> None:
    for index, clock in enumerate(("wall_s", "cpu_s")):
        for phase, sums in times.items():
            figures.setdefault(f"{phase}.{clock}", []).append(sums[index] / calls)
        figures.setdefault(clock, []).append(sum(sums[index] for sums in times.values()) / calls)


def _compare(each: _Each, request: PairRequest, folder: Path) -> None:
    """Compare what both predicted; judge it where they differ."""
    digests = each(SIDES, lambda _: {})
    if digests is None:
        return
    base, candidate = (digests[name]["digest"] for name in SIDES)
    each.pair.identical = bool(base) and base == candidate
    if each.pair.identical and not request.judge:
        return
    paths = {name: folder / f"{name}.npz" for name in SIDES}
    found = each(SIDES, lambda name: {"judge": "" if each.pair.identical else str(paths[name])})
    if found is None:
        return
    for name in SIDES:
        each.pair.metrics[name] = found[name]["metrics"]
    if all(path.is_file() for path in paths.values()):
        # numpy reads no pickled object unless it is told to
        with np.load(paths["base"]) as base, np.load(paths["candidate"]) as candidate:
            try:
                each.pair.examples.update(differences(base, candidate, seed=request.trial.seeds.model))
            except ValueError as error:
                each.pair.failed["candidate"] = str(error)
