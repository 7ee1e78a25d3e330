"""From what was measured of a case to its findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from harness.gate.decision import SIDES, Case, Finding, Pair, Verdict
from harness.gate.growth import growth
from harness.gate.live.gated import GatedFigure
from harness.gate.live.progress import Progress, confirming_alpha
from harness.gate.sequential import SequentialResult
from harness.stats.paired import holm

#: Case (by its place in the suite) and figure to the p-value of the confirmation, after Holm over all flagged figures.
Confirmations = Mapping[tuple[int, str], float]


def cases(suite: Sequence[Progress], stopped: str) -> list[Case]:
    """Return the cases with their findings.

    Parameters
    ----------
    stopped
        Why measuring ended before everything was decided; empty when it did not.
    """
    adjusted = _confirmations(suite)
    alpha = confirming_alpha(suite)
    return [_case(progress, place, adjusted, alpha, stopped) for place, progress in enumerate(suite)]


def _confirmations(suite: Sequence[Progress]) -> dict[tuple[int, str], float]:
    alpha = confirming_alpha(suite)
    found = {
        (place, figure.name): outcome.p_worse
        for place, progress in enumerate(suite)
        for figure, outcome in progress.confirmed(alpha).items()
    }
    return dict(zip(found, holm(list(found.values())), strict=True))


def _case(progress: Progress, place: int, adjusted: Confirmations, alpha: float, stopped: str) -> Case:
    case = msgspec.structs.replace(progress.planned.case, pairs=[*progress.screen, *progress.confirm])
    if progress.failed and all(len(pair.unable) == len(SIDES) for pair in progress.failed):
        reason = f"skipped on both sides ({progress.failed[0].failed['candidate']})"
        return msgspec.structs.replace(case, verdict="pass", reason=reason)
    reason = _failure(progress) or ("" if progress.screen else stopped or "it was not measured")
    if reason:
        return msgspec.structs.replace(case, verdict="failed" if progress.failed else "inconclusive", reason=reason)
    confirmed = progress.confirmed(alpha)
    case.findings = [
        _flagged(progress, figure, confirmed[figure], adjusted[place, figure.name], stopped)
        if figure in confirmed
        else _screened(progress, figure, outcome, stopped)
        for figure, outcome in progress.outcomes().items()
    ]
    case.findings += growth(progress.memory, progress.policy, case.topic)
    return case


def _failure(progress: Progress) -> str:
    total = len(progress.screen) + len(progress.confirm)
    parts = []
    for side in SIDES:
        reasons = [pair.failed[side] for pair in progress.failed if side in pair.failed]
        if reasons:
            parts.append(f"the {side} failed in {len(reasons)} of {total} pairs: {reasons[0]}")
        parts += [f"the {side} failed in the memory pass: {reading.failed[side]}" for reading in progress.broken(side)]
    return "; ".join(parts)


def _screened(progress: Progress, figure: GatedFigure, outcome: SequentialResult, stopped: str) -> Finding:
    verdict: Verdict = outcome.state if outcome.state in ("pass", "improved") else "inconclusive"
    if outcome.excluded and outcome.state == "undecided":
        verdict = "pass"
    if verdict == "inconclusive":
        reason = _undecided(outcome, len(progress.screen)) + _because(stopped)
    elif outcome.reason:
        reason = outcome.reason
    elif verdict == "improved":
        reason = "better by more than half of the margin"
    else:
        reason = "a change for the worse by the margin is excluded"
    return _finding(progress, figure, outcome, verdict, reason, progress.screen)


def _flagged(progress: Progress, figure: GatedFigure, outcome: SequentialResult, p: float, stopped: str) -> Finding:
    count = len(progress.confirm)
    if count == 0:
        screened = progress.outcomes()[figure]
        reason = f"{len(progress.screen)} pairs call it worse, and no fresh pairs confirmed it{_because(stopped)}"
        return _finding(progress, figure, screened, "inconclusive", reason, progress.screen)
    # Holm rejects what the first step of its ladder did not, once others are rejected.
    worse = p <= progress.policy.alpha and outcome.estimate > figure.margin / 2
    if worse and outcome.state not in ("pass", "improved"):
        reason = f"worse in {len(progress.screen)} pairs, and in {count} fresh ones again"
        return _finding(progress, figure, replace(outcome, p_worse=p), "regressed", reason, progress.confirm)
    if outcome.state in ("pass", "improved"):
        reason = f"{len(progress.screen)} pairs called it worse, but {count} fresh ones exclude the margin"
        return _finding(progress, figure, outcome, "pass", reason, progress.confirm)
    reason = f"{len(progress.screen)} pairs call it worse, {count} fresh ones leave it open{_because(stopped)}"
    return _finding(progress, figure, outcome, "inconclusive", reason, progress.confirm)


def _undecided(outcome: SequentialResult, count: int) -> str:
    if outcome.reason:
        return f"{outcome.reason}, had {count}"
    wanted = f"needs about {outcome.needs} pairs" if outcome.needs else "too close to call by more pairs"
    return f"neither no change nor a change by the margin is excluded: {wanted}, had {count}"


def _because(stopped: str) -> str:
    return f" ({stopped})" if stopped else ""


def _finding(
    progress: Progress,
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
        margin=progress.policy.margin(
            progress.planned.case.topic,
            figure.name,
            {name: metric.margin for name, metric in progress.planned.metrics.items()},
        ),
        verdict=verdict,
        reason=reason,
        effect=figure.effect(outcome, pairs[: outcome.pairs]),
        pairs=outcome.pairs,
        p=outcome.p_worse,
        needs=outcome.needs if verdict == "inconclusive" else None,
    )
