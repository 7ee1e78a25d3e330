"""Runs a live gate: which case gets the next pair, until all are decided or the time is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.config import GatePolicy
from harness.errors import UsageError
from harness.execute.executor import cores_for
from harness.gate.decision import Pair, SideName, Stage
from harness.gate.environments.build import SideEnvironment
from harness.gate.growth import suspicious
from harness.gate.live.memory_pass import MemoryPass, Reading
from harness.gate.live.pair import PairRequest, measure
from harness.gate.live.progress import Progress, confirming_alpha

READINGS = 3  # of the memory of a case whose first reading is suspicious
_PRECISION = 0.2  # of the margin: what a pair's own rounds should add to the spread of pairs at most
_CONFIRMING_PAIRS = 4  # that are kept back of the budget for each flagged case

#: Called with the place of the case in the suite and what was measured of it.
Listener = Callable[[int, Pair | Reading], None]


@dataclass(frozen=True)
class Setup:
    """What measures: both environments, the cores, and the limits."""

    sides: Mapping[SideName, SideEnvironment]
    cores: Sequence[int]
    timeout_s: float
    memory: MemoryPass
    policy: GatePolicy


def measure_all(suite: Sequence[Progress], bench: Setup, listen: Listener) -> str:
    """Measure until every case is decided, and return why it ended before; empty when it did not.

    Every case gets its first pairs and a reading of its memory; then the case that needs the fewest pairs more goes
    first, up to its next look. What was flagged is confirmed last, when it is known over how many figures alpha is
    shared; the budget keeps time back for that.

    Raises
    ------
    UsageError
        When the budget ends before any pair of processes did.
    """
    run = _Run(suite, bench, listen, time.monotonic())
    for place, progress in enumerate(suite):
        if not run.fits(progress, 0.0):
            run.end("screen")
            return run.stopped()
        run.first(place)
    whole = [run.stage("screen"), run.stage("confirm")]
    return "" if all(whole) else run.stopped()


@dataclass
class _Run:
    suite: Sequence[Progress]
    bench: Setup
    listen: Listener
    started: float

    def first(self, place: int) -> None:
        """Take the first two pairs of a case, and its memory."""
        progress = self.suite[place]
        while len(progress.screen) < 2:
            self._pair(place, "screen")
            self._refuse_too_little(progress)
        while not progress.failed and len(progress.memory) < (READINGS if self._suspicious(progress) else 1):
            self._read(place)

    def stage(self, stage: Stage) -> bool:
        """Take cases to their next looks until none wants more; return whether the budget allowed it."""
        while (place := self._next(stage)) is not None:
            progress = self.suite[place]
            kept = 0.0
            if stage == "screen":
                kept = sum(other.cost_s * _CONFIRMING_PAIRS for other in self.suite if other.flagged())
            for _ in range(progress.wants(stage, confirming_alpha(self.suite))):
                if not self.fits(progress, kept):
                    self.end(stage)
                    return False
                self._pair(place, stage)
                if progress.given_up:
                    break
        return True

    def fits(self, progress: Progress, kept: float) -> bool:
        """Return whether the budget holds another pair of a case beside what is kept back."""
        budget = self.bench.policy.budget_s
        cost = progress.cost_s or max(other.cost_s for other in self.suite)
        return budget is None or time.monotonic() - self.started + cost + kept <= budget

    def end(self, stage: Stage) -> None:
        """Have every case judged by the pairs it has."""
        for progress in self.suite:
            progress.ended.add(stage)

    def stopped(self) -> str:
        """Say that the budget is spent."""
        return f"the budget of {self.bench.policy.budget_s:g} s is spent"

    def _next(self, stage: Stage) -> int | None:
        """Return the case that is closest to a decision of those that want pairs."""
        alpha = confirming_alpha(self.suite)
        wanting = [place for place, progress in enumerate(self.suite) if progress.wants(stage, alpha)]
        return min(
            wanting, key=lambda place: (self.suite[place].needs() * self.suite[place].cost_s, place), default=None
        )

    def _refuse_too_little(self, progress: Progress) -> None:
        budget = self.bench.policy.budget_s
        if budget is not None and sum(len(other.screen) for other in self.suite) == 1 and progress.cost_s > budget:
            raise UsageError(
                f"a budget of {budget:g} s is less than the {progress.cost_s:.1f} s that a pair of "
                f"{progress.planned.case.name} takes: give more with --budget"
            )

    def _suspicious(self, progress: Progress) -> bool:
        return suspicious(progress.memory, self.bench.policy, progress.planned.case.topic)

    def _pair(self, place: int, stage: Stage) -> None:
        progress = self.suite[place]
        count = len(progress.pairs(stage))
        trial = progress.planned.trials[count + (self.bench.policy.pairs if stage == "confirm" else 0)]
        request = PairRequest(
            trial=trial,
            # Pairs take the cores in turn, and each pair of a core begins with the other side than the one before.
            cores=cores_for(count, int(trial.params["threads"]), self.bench.cores),
            first="base" if (count // 2) % 2 == 0 else "candidate",
            stage=stage,
            rounds=self.bench.policy.rounds,
            precision=self.bench.policy.margin(trial.topic, "cpu_s", {}) * _PRECISION,
            timeout_s=self.bench.timeout_s,
            judge=count == 0 and stage == "screen",
        )
        pair = measure(request, self.bench.sides)
        progress.add(pair)
        self.listen(place, pair)

    def _read(self, place: int) -> None:
        progress = self.suite[place]
        trial = progress.planned.trials[len(progress.memory)]
        cores = cores_for(0, int(trial.params["threads"]), self.bench.cores)
        reading = self.bench.memory.measure(trial, cores)
        progress.add(reading)
        self.listen(place, reading)
