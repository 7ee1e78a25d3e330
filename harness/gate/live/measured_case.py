"""A case while it is measured: its pairs so far, what they decide, how many more it needs, and its findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from harness.analysis import wording
from harness.config import GatePolicy
from harness.gate.decision import SIDES, Case, Finding, Pair, SideName, Stage, Verdict
from harness.gate.growth import growth
from harness.gate.live.both_sides import Reading, spread_between
from harness.gate.live.gated import SCREEN_ALPHA, GatedFigure, figures_of, times_of, too_short, total_of
from harness.gate.live.planned_cases import PlannedCase
from harness.gate.policy import today_utc
from harness.gate.sequential import SequentialResult, looks
from harness.stats.paired import holm

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

    def between(self) -> float:
        """Return by how much pairs differ beyond the noise of their rounds: the standard deviation of log-ratios."""
        return spread_between([pair for pair in (*self.screen, *self.confirm) if not pair.failed and pair.base])

    def figures(self) -> list[GatedFigure]:
        """Return the gated figures; none before the first pair, and only metrics where times are not compared."""
        whole = [pair for pair in self.screen if not pair.failed]
        found = figures_of(self.planned, whole, self.policy) if whole else []
        costs = self.planned.measured and not self.diverged() and self.too_short() == 0
        return found if costs else [figure for figure in found if figure.kind == "quality"]

    def too_short(self) -> float:
        """Return the CPU seconds of a call whose phases are too short for ``with`` statements; 0 if they are not."""
        return next((too_short(pair) for pair in self.screen if not pair.failed), 0.0)

    def diverged(self) -> str:
        """Say in which pairs a side diverged; empty where none did."""
        pairs = [*self.screen, *self.confirm]
        steps = {side: [pair.diverged[side] for pair in pairs if side in pair.diverged] for side in SIDES}
        return " and ".join(
            f"the {side} {wording.diverged(own, len(pairs), 'pair')}" for side, own in steps.items() if own
        )

    def outcomes(self) -> dict[GatedFigure, SequentialResult]:
        """Judge the screening pairs."""
        return self._outcomes(self.figures(), "screen", SCREEN_ALPHA)

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
        undecided = [figure for figure, outcome in outcomes.items() if outcome.state == "undecided"]
        if self._slower(stage, alpha):
            undecided = [figure for figure in undecided if figure.kind != "time"]
        if outcomes and not undecided:
            return 0
        return next((look - count for look in looks(self.policy.pairs) if look > count), 0)

    def _slower(self, stage: Stage, alpha: float) -> bool:
        """Return whether a time is regressed, or flagged and to be confirmed: the case's other times then stay open.

        They mostly move together, and none of them can make the case pass. A time that the policy allows decides
        nothing.
        """
        waiting = stage == "screen" and len(self.confirm) < self.policy.pairs
        states = ("regressed", "undecided") if waiting else ("regressed",)
        return any(
            figure.kind == "time" and outcome.state in states and not self.allows(figure.name)
            for figure, outcome in self.confirmed(alpha).items()
        )

    def allows(self, figure: str) -> bool:
        """Return whether the policy allows a figure of this case to be worse."""
        case = self.planned.case
        return bool(self.policy.allows(case.name, case.params, figure, today_utc()))

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
            gain_alpha = self.policy.alpha
            self._known[state] = {
                figure: figure.outcome(pairs, cap, alpha, gain_alpha, ended=ended) for figure in figures
            }
        return self._known[state]


def confirming_alpha(suite: Sequence[MeasuredCase]) -> float:
    """Return the alpha for confirming one flagged figure: the suite's alpha over their number (Holm's first step)."""
    count = sum(len(progress.flagged()) for progress in suite)
    return suite[0].policy.alpha / max(count, 1) if suite else 1.0


def divergences(suite: Sequence[MeasuredCase]) -> list[str]:
    """Say of which cases only metrics are compared, because a side diverged."""
    return [
        f"{case.planned.case.name}: {diverged}, so its times and memory are not compared"
        for case in suite
        if (diverged := case.diverged())
    ]


#: The p-value of each confirmation, adjusted by Holm over all flagged figures; by place of the case and figure.
Confirmations = Mapping[tuple[int, str], float]


def cases(suite: Sequence[MeasuredCase], stopped: str) -> list[Case]:
    """Return the cases with their findings.

    Parameters
    ----------
    stopped
        Why measuring ended before everything was decided; empty if everything was.
    """
    adjusted = _confirmations(suite)
    alpha = confirming_alpha(suite)
    return [_case(case, place, adjusted, alpha, stopped) for place, case in enumerate(suite)]


def _confirmations(suite: Sequence[MeasuredCase]) -> dict[tuple[int, str], float]:
    alpha = confirming_alpha(suite)
    p_values = {
        (place, figure.name): outcome.p_worse
        for place, case in enumerate(suite)
        for figure, outcome in case.confirmed(alpha).items()
    }
    return dict(zip(p_values, holm(list(p_values.values())), strict=True))


def _case(measured: MeasuredCase, place: int, adjusted: Confirmations, alpha: float, stopped: str) -> Case:
    case = msgspec.structs.replace(measured.planned.case, pairs=[*measured.screen, *measured.confirm])
    if measured.failed and all(len(pair.unable) == len(SIDES) for pair in measured.failed):
        reason = f"skipped on both sides ({measured.failed[0].failed['candidate']})"
        return msgspec.structs.replace(case, verdict="pass", reason=reason)
    reason = _failure(measured) or ("" if measured.screen else stopped or "it was not measured")
    if reason:
        return msgspec.structs.replace(case, verdict="failed" if measured.failed else "inconclusive", reason=reason)
    confirmed = measured.confirmed(alpha)
    case.findings = [
        _flagged(measured, figure, confirmed[figure], adjusted[place, figure.name], stopped)
        if figure in confirmed
        else _screened(measured, figure, outcome, stopped)
        for figure, outcome in measured.outcomes().items()
    ]
    case.findings = _left_open(measured, case.findings)
    if measured.planned.measured and (call_s := measured.too_short()) > 0:
        case.findings.append(_untimed(measured, call_s))
    if measured.planned.measured and not measured.diverged():
        case.findings += growth(measured.memory, measured.policy, case.topic)
    return case


def _failure(measured: MeasuredCase) -> str:
    total = len(measured.screen) + len(measured.confirm)
    parts = []
    for side in SIDES:
        reasons = [pair.failed[side] for pair in measured.failed if side in pair.failed]
        if reasons:
            parts.append(f"the {side} failed in {len(reasons)} of {total} pairs: {reasons[0]}")
        parts += [
            f"the {side} failed in the memory pass: {reading.failed[side]}"
            for reading in measured.failed_readings(side)
        ]
    return "; ".join(parts)


def _screened(measured: MeasuredCase, figure: GatedFigure, outcome: SequentialResult, stopped: str) -> Finding:
    verdict: Verdict = outcome.state if outcome.state in ("pass", "improved") else "inconclusive"
    if outcome.excluded and outcome.state == "undecided":
        verdict = "pass"
    if verdict == "inconclusive":
        reason = _undecided(outcome, len(measured.screen)) + _because(stopped)
    elif outcome.reason:
        reason = outcome.reason
    elif verdict == "improved":
        reason = "better by more than half of the margin"
    else:
        reason = "a change for the worse by the margin is excluded"
    return _finding(measured, figure, outcome, verdict, reason, measured.screen)


def _flagged(measured: MeasuredCase, figure: GatedFigure, outcome: SequentialResult, p: float, stopped: str) -> Finding:
    count = len(measured.confirm)
    if count == 0:
        screened = measured.outcomes()[figure]
        reason = f"{len(measured.screen)} pairs call it worse, and no fresh pairs confirmed it{_because(stopped)}"
        return _finding(measured, figure, screened, "inconclusive", reason, measured.screen)
    # The adjusted p-value may be small enough although the test at Holm's first step did not reject.
    worse = p <= measured.policy.alpha and outcome.estimate > figure.margin / 2
    if worse and outcome.state not in ("pass", "improved"):
        reason = f"worse in {len(measured.screen)} pairs, and in {count} fresh ones again"
        return _finding(measured, figure, replace(outcome, p_worse=p), "regressed", reason, measured.confirm)
    if outcome.state in ("pass", "improved"):
        reason = f"{len(measured.screen)} pairs called it worse, but {count} fresh ones exclude the margin"
        return _finding(measured, figure, outcome, "pass", reason, measured.confirm)
    reason = f"{len(measured.screen)} pairs call it worse, {count} fresh ones leave it open{_because(stopped)}"
    return _finding(measured, figure, outcome, "inconclusive", reason, measured.confirm)


def _left_open(measured: MeasuredCase, findings: Sequence[Finding]) -> list[Finding]:
    """Say of undecided times why no more pairs were taken for them."""
    times = [finding for finding in findings if finding.kind == "time"]
    slower = [one.figure for one in times if one.verdict == "regressed" and not measured.allows(one.figure)]
    return [
        msgspec.structs.replace(finding, reason=f"left open, because {slower[0]} is regressed", needs=None)
        if slower and finding in times and finding.verdict == "inconclusive"
        else finding
        for finding in findings
    ]


def _untimed(measured: MeasuredCase, call_s: float) -> Finding:
    (pair, *_) = (pair for pair in measured.screen if not pair.failed)
    phase = next(name for name in times_of(pair) if name != total_of(name)).partition(".")[0]
    return Finding(
        "cpu_s",
        "time",
        "s",
        "lower",
        measured.policy.margin(measured.planned.case.topic, "cpu_s", {}),
        "not measured",
        f"a call takes {wording.figure(call_s, 's')}, too little for a 'with' statement, whose clock takes about a "
        f"microsecond: write 'for _ in phase({phase!r}):', whose passes are timed in batches",
    )


def _undecided(outcome: SequentialResult, count: int) -> str:
    if outcome.reason:
        return f"{outcome.reason}, had {count}"
    wanted = f"needs about {outcome.needs} pairs" if outcome.needs else "too close to call by more pairs"
    return f"neither no change nor a change by the margin is excluded: {wanted}, had {count}"


def _because(stopped: str) -> str:
    return f" ({stopped})" if stopped else ""


def _finding(
    measured: MeasuredCase,
    figure: GatedFigure,
    outcome: SequentialResult,
    verdict: Verdict,
    reason: str,
    pairs: Sequence[Pair],
) -> Finding:
    return Finding(
        figure=figure.name,
        kind=figure.kind,
        unit=figure.unit,
        better=figure.better,
        margin=figure.margin
        if figure.kind == "quality"
        else measured.policy.margin(measured.planned.case.topic, figure.name, {}),
        verdict=verdict,
        reason=reason,
        effect=figure.effect(outcome, pairs[: outcome.pairs]),
        pairs=outcome.pairs,
        p=outcome.p_worse,
        needs=outcome.needs if verdict == "inconclusive" else None,
    )
