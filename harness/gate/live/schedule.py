"""Which case gets the next pair, until all cases are decided or the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.config import GatePolicy
from harness.errors import UsageError
from harness.execute.executor import Share, cores_for
from harness.gate.decision import Pair, SideName, Stage
from harness.gate.environments.build import SideEnvironment
from harness.gate.growth import suspicious
from harness.gate.live.both_sides import MemoryPass, PairRequest, Reading, measure
from harness.gate.live.forecast import first_looks
from harness.gate.live.measured_case import MeasuredCase, confirming_alpha
from harness.gate.sequential import looks

READINGS = 3  # readings of memory of a case whose first one shows growth
_PRECISION = 0.3  # share of the margin: the largest standard error that the rounds within a pair should leave
_CONFIRMING_PAIRS = 4  # pairs for each flagged case for which the budget reserves time

#: Called with the place of the case in the suite and its new result.
Listener = Callable[[int, Pair | Reading], None]


@dataclass(frozen=True)
class Setup:
    """What a suite is measured with: both environments, the cores, and the limits.

    Attributes
    ----------
    share
        Called with a number of threads; returns the share of the machine that the gate has now.
    """

    sides: Mapping[SideName, SideEnvironment]
    share: Callable[[int], Share]
    timeout_s: float
    memory: MemoryPass
    policy: GatePolicy


def measure_all(suite: Sequence[MeasuredCase], setup: Setup, listen: Listener) -> str:
    """Measure until every case is decided; return why measuring ended earlier, or an empty text.

    Every case gets its first pairs and a reading of its memory. Then the case that needs the least time to be decided
    goes first, up to its next test. Flagged figures are confirmed last, when their number is known, among which alpha
    is divided; the budget reserves time for that. Once a time of a case is flagged, its other times wait for the
    confirmation.

    Raises
    ------
    UsageError
        When the budget is less than the first pair takes.
    """
    run = _Run(suite, setup, listen, time.monotonic())
    for number, (place, case) in enumerate(first_looks(suite, setup.policy)):
        # What a pair takes is known after the first one, which refuses a budget that is less.
        if number and not run.fits(case, 0.0):
            run.end("screen")
            return run.stopped()
        run.first(place)
    # What a confirmation refutes may leave other times of its case to be screened on.
    while run.wanted():
        screened, confirmed = run.stage("screen"), run.stage("confirm")
        if not (screened and confirmed):
            return run.stopped()
    return ""


@dataclass
class _Run:
    suite: Sequence[MeasuredCase]
    setup: Setup
    listen: Listener
    started: float

    def first(self, place: int) -> None:
        """Take the pairs up to the first test of a case, and read its memory."""
        case = self.suite[place]
        while len(case.screen) < looks(self.setup.policy.pairs)[0] and not case.given_up:
            self._pair(place, "screen")
            self._refuse_too_little(case)
        while not case.failed and len(case.memory) < (READINGS if self._suspicious(case) else 1):
            self._read(place)

    def stage(self, stage: Stage) -> bool:
        """Take pairs until no case wants more in this stage; return whether the budget allowed it."""
        while (place := self._next(stage)) is not None:
            case = self.suite[place]
            reserved = 0.0
            if stage == "screen":
                reserved = sum(other.cost_s * _CONFIRMING_PAIRS for other in self.suite if other.flagged())
            for _ in range(case.wants(stage, confirming_alpha(self.suite))):
                if not self.fits(case, reserved):
                    self.end(stage)
                    return False
                self._pair(place, stage)
                if case.given_up:
                    break
        return True

    def wanted(self) -> bool:
        """Return whether a case wants pairs."""
        return any(self._next(stage) is not None for stage in ("screen", "confirm"))

    def fits(self, case: MeasuredCase, reserved: float) -> bool:
        """Return whether the budget has time for another pair of a case beside what is reserved."""
        budget = self.setup.policy.budget_s
        cost = case.cost_s or max(other.cost_s for other in self.suite)
        return budget is None or time.monotonic() - self.started + cost + reserved <= budget

    def end(self, stage: Stage) -> None:
        """Let every case be judged on the pairs that it has."""
        for case in self.suite:
            case.ended.add(stage)

    def stopped(self) -> str:
        """Say that the budget is spent."""
        return f"the budget of {self.setup.policy.budget_s:g} s is spent"

    def _next(self, stage: Stage) -> int | None:
        """Return the place of the case that will probably be decided soonest, of those that want pairs."""
        alpha = confirming_alpha(self.suite)
        wanting = [place for place, case in enumerate(self.suite) if case.wants(stage, alpha)]
        return min(
            wanting, key=lambda place: (self.suite[place].needs() * self.suite[place].cost_s, place), default=None
        )

    def _refuse_too_little(self, case: MeasuredCase) -> None:
        budget = self.setup.policy.budget_s
        if budget is not None and sum(len(other.screen) for other in self.suite) == 1 and case.cost_s > budget:
            raise UsageError(
                f"a budget of {budget:g} s is less than the {case.cost_s:.1f} s that a pair of "
                f"{case.planned.case.name} takes: give more with --budget"
            )

    def _suspicious(self, case: MeasuredCase) -> bool:
        return suspicious(case.memory, self.setup.policy, case.planned.case.topic)

    def _pair(self, place: int, stage: Stage) -> None:
        case = self.suite[place]
        count = len(case.pairs(stage))
        trial = case.planned.trials[count + (self.setup.policy.pairs if stage == "confirm" else 0)]
        threads = int(trial.params["threads"])
        part = self.setup.share(threads)
        request = PairRequest(
            trial=trial,
            # Pairs take the cores in turn; on each core every pair begins with another side than the one before.
            cores=cores_for(count, threads, part.cores),
            first="base" if (count // 2) % 2 == 0 else "candidate",
            stage=stage,
            rounds=self.setup.policy.rounds,
            precision=self.setup.policy.margin(trial.topic, "cpu_s", {}) * _PRECISION,
            between=case.between(),
            timeout_s=self.setup.timeout_s,
            judge=count == 0 and stage == "screen",
            setup=case.planned.setup,
        )
        pair = measure(request, self.setup.sides)
        # Others may have begun meanwhile.
        pair.others = max(part.others, self.setup.share(threads).others)
        case.add(pair)
        self.listen(place, pair)

    def _read(self, place: int) -> None:
        case = self.suite[place]
        trial = case.planned.trials[len(case.memory)]
        threads = int(trial.params["threads"])
        cores = cores_for(0, threads, self.setup.share(threads).cores)
        pair = next((pair for pair in case.screen if pair.block == trial.block and not pair.failed), None)
        choices = pair.choices if pair else None
        reading = self.setup.memory.measure(trial, cores, case.planned.setup, choices)
        case.add(reading)
        self.listen(place, reading)
