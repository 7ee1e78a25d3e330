"""A case while it is measured: its pairs so far, what they decide, and how many more it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.config import GatePolicy
from harness.gate.decision import Pair, SideName, Stage
from harness.gate.live.both_sides import Reading
from harness.gate.live.gated import GatedFigure, figures_of
from harness.gate.live.planned_cases import PlannedCase
from harness.gate.sequential import SequentialResult, looks

_TRIES = 2  # a case is given up when one of this many pairs failed


@dataclass
class MeasuredCase:
    """A case while it is measured.

    Attributes
    ----------
    screen, confirm
        Pairs that look for differences, and those that confirm what was flagged, in the order in which they ran.
    memory
        Readings of the memory pass.
    ended
        Stages that the budget leaves no more time for.
    """

    planned: PlannedCase
    policy: GatePolicy
    screen: list[Pair] = field(default_factory=list)
    confirm: list[Pair] = field(default_factory=list)
    memory: list[Reading] = field(default_factory=list)
    ended: set[Stage] = field(default_factory=set)
    _known: dict[tuple[Stage, int, int, bool, float], dict[GatedFigure, SequentialResult]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def add(self, result: Pair | Reading) -> None:
        """Append a pair to those of its stage, or a reading to those of memory."""
        if isinstance(result, Pair):
            self.pairs(result.stage).append(result)
        else:
            self.memory.append(result)

    def pairs(self, stage: Stage) -> list[Pair]:
        """Return the pairs of a stage."""
        return self.screen if stage == "screen" else self.confirm

    @property
    def failed(self) -> list[Pair]:
        """Pairs in which a side did not finish."""
        return [pair for pair in (*self.screen, *self.confirm) if pair.failed]

    def failed_readings(self, side: SideName) -> list[Reading]:
        """Return the readings of memory in which a side did not finish."""
        return [reading for reading in self.memory if side in reading.failed]

    @property
    def given_up(self) -> bool:
        """Whether no more pairs are taken because one of them failed."""
        return bool(self.failed) and len(self.screen) + len(self.confirm) >= _TRIES

    @property
    def cost_s(self) -> float:
        """Seconds that the next pair will probably take; 0 before the first."""
        return max((pair.elapsed_s for pair in (*self.screen, *self.confirm)), default=0.0)

    def figures(self) -> list[GatedFigure]:
        """Return the gated figures; none before the first pair."""
        whole = [pair for pair in self.screen if not pair.failed]
        return figures_of(self.planned, whole, self.policy) if whole else []

    def outcomes(self) -> dict[GatedFigure, SequentialResult]:
        """Judge the screening pairs."""
        return self._outcomes(self.figures(), "screen", self.policy.alpha)

    def flagged(self) -> list[GatedFigure]:
        """Return the figures that the screening pairs call regressed."""
        if self.failed:
            return []
        return [figure for figure, outcome in self.outcomes().items() if outcome.state == "regressed"]

    def confirmed(self, alpha: float) -> dict[GatedFigure, SequentialResult]:
        """Judge the flagged figures on the confirming pairs."""
        return self._outcomes(self.flagged(), "confirm", alpha)

    def wants(self, stage: Stage, alpha: float) -> int:
        """Return how many pairs a stage needs up to its next test; 0 when it is decided, given up or at its cap."""
        count = len(self.pairs(stage))
        if self.given_up or stage in self.ended:
            return 0
        if self.failed:
            return max(_TRIES - count, 0)
        if stage == "confirm" and not self.flagged():
            return 0
        outcomes = self.outcomes() if stage == "screen" else self.confirmed(alpha)
        if outcomes and all(outcome.state != "undecided" for outcome in outcomes.values()):
            return 0
        return next((look - count for look in looks(self.policy.pairs) if look > count), 0)

    def needs(self) -> float:
        """Return how many pairs will probably decide the slowest undecided figure of the screening."""
        undecided = [outcome for outcome in self.outcomes().values() if outcome.state == "undecided"]
        return max((outcome.needs or 1e9 for outcome in undecided), default=0.0)

    def _outcomes(
        self, figures: Sequence[GatedFigure], stage: Stage, alpha: float
    ) -> dict[GatedFigure, SequentialResult]:
        pairs, cap, ended = self.pairs(stage), self.policy.pairs, stage in self.ended
        # The schedule asks for the outcomes of all cases before each pair, and only one of them has a new pair.
        state = (stage, len(self.screen), len(self.confirm), ended, alpha)
        if state not in self._known:
            self._known[state] = {figure: figure.outcome(pairs, cap, alpha, ended=ended) for figure in figures}
        return self._known[state]


def confirming_alpha(suite: Sequence[MeasuredCase]) -> float:
    """Return the alpha for confirming one flagged figure: the suite's alpha over their number (Holm's first step)."""
    count = sum(len(progress.flagged()) for progress in suite)
    return suite[0].policy.alpha / max(count, 1) if suite else 1.0
