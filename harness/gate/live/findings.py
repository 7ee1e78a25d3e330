"""From the results of a case to its findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from harness.gate.decision import SIDES, Case, Finding, Pair, Verdict
from harness.gate.growth import growth
from harness.gate.live.gated import GatedFigure
from harness.gate.live.measured_case import MeasuredCase, confirming_alpha
from harness.gate.sequential import SequentialResult
from harness.stats.paired import holm

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
        margin=measured.policy.margin(
            measured.planned.case.topic,
            figure.name,
            {name: metric.margin for name, metric in measured.planned.metrics.items()},
        ),
        verdict=verdict,
        reason=reason,
        effect=figure.effect(outcome, pairs[: outcome.pairs]),
        pairs=outcome.pairs,
        p=outcome.p_worse,
        needs=outcome.needs if verdict == "inconclusive" else None,
    )
