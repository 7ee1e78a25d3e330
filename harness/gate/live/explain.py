"""Why a live gate decided as it did: each look at each figure again, from its file and by the functions that decide."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from harness.gate.decision import Case, Effect, Kind, Stage
from harness.gate.live import journal
from harness.gate.live.gated import SCREEN_ALPHA, GatedFigure
from harness.gate.live.measured_case import MeasuredCase, cases, confirming_alpha
from harness.gate.policy import apply_to_case, today_utc
from harness.gate.sequential import SequentialResult, State, looks, spending


class Look(msgspec.Struct, frozen=True):
    """One test of a figure.

    Attributes
    ----------
    pairs
        Number of pairs that it sees.
    share
        Share of alpha that it spends.
    p, alpha
        P-value of "not worse": the smallest of the looks so far, each divided by its share; and the alpha that it must
        not exceed.
    effect
        As in a finding; ``None`` where predictions are identical.
    state
        What the look decided.
    asked
        Pairs that were asked for after it; 0 where it is the last.
    reason
        Why, for a metric; empty if the state says enough.
    """

    stage: Stage
    pairs: int
    share: float
    p: float
    alpha: float
    effect: Effect | None
    state: State
    asked: int
    reason: str = ""


class ExplainedFigure(msgspec.Struct, frozen=True):
    """The looks at one figure, its margin as a share of the base or in its unit, and its verdict."""

    figure: str
    kind: Kind
    unit: str
    margin: float
    verdict: str
    reason: str
    looks: list[Look]


class ExplainedCase(msgspec.Struct, frozen=True):
    """A case with its figures; without any, the reason says why there are none."""

    name: str
    verdict: str
    reason: str
    pairs: dict[Stage, int]
    figures: list[ExplainedFigure]


class Explanation(msgspec.Struct, frozen=True):
    """A live gate look by look.

    Attributes
    ----------
    stopped
        Why measuring ended before everything was decided; empty if it did not, or goes on.
    """

    gate: str
    command: str
    started: str
    stopped: str
    cases: list[ExplainedCase]
    remarks: list[str]


def explain(name: str, results: Path) -> Explanation:
    """Explain a live gate by its id, or the newest by ``latest``; one that is being measured, as far as it is.

    Raises
    ------
    UsageError
        When there is no such gate, or its file is damaged.
    """
    head, lines, _ = journal.read(journal.find(results, name))
    suite = [MeasuredCase(planned, head.request.policy) for planned in head.cases]
    for place, result in journal.results(lines):
        suite[place].add(result)
    # A gate that was resumed after it stopped has other lines behind that one.
    stop = lines[-1].stop if lines else None
    for measured in suite:
        measured.ended.update(stop.ended if stop else ())
    stopped = stop.reason if stop else ""
    alpha = confirming_alpha(suite)
    made = [
        _case(measured, apply_to_case(case, head.request.policy, today_utc()), alpha)
        for measured, case in zip(suite, cases(suite, stopped), strict=True)
    ]
    others = [ExplainedCase(case.name, case.verdict, case.reason, {}, []) for case in head.settled]
    return Explanation(head.gate, head.command, head.started, stopped, [*made, *others], list(head.remarks))


def _case(measured: MeasuredCase, case: Case, alpha: float) -> ExplainedCase:
    gated = {figure.name: figure for figure in measured.figures()}
    figures = [
        ExplainedFigure(
            finding.figure,
            finding.kind,
            finding.unit,
            finding.margin,
            finding.verdict,
            finding.reason,
            list(_looks(measured, gated[finding.figure], alpha)) if finding.figure in gated else [],
        )
        for finding in case.findings
    ]
    counts: dict[Stage, int] = {"screen": len(measured.screen), "confirm": len(measured.confirm)}
    return ExplainedCase(case.name, case.verdict, case.reason, counts, figures)


def _looks(measured: MeasuredCase, figure: GatedFigure, alpha: float) -> Iterator[Look]:
    yield from _stage(measured, figure, "screen", SCREEN_ALPHA, confirming=alpha)
    if figure in measured.flagged():
        yield from _stage(measured, figure, "confirm", alpha, confirming=alpha)


def _stage(
    measured: MeasuredCase, figure: GatedFigure, stage: Stage, alpha: float, *, confirming: float
) -> Iterator[Look]:
    """Yield the looks of a stage, up to the one that decides."""
    pairs, cap, ended = measured.pairs(stage), measured.policy.pairs, stage in measured.ended
    taken = spending(len(pairs), cap, ended=ended)
    for look, share in taken:
        # Only the last look knows that no more pairs come, and spends the rest.
        last = look == taken[-1][0]
        outcome = figure.outcome(pairs[:look], cap, alpha, measured.policy.alpha, ended=ended and last)
        effect = figure.effect(outcome, pairs[:look]) if _has_effect(outcome) else None
        undecided = outcome.state == "undecided"
        none = not undecided or (last and not measured.wants(stage, confirming))
        asked = 0 if none else _next(look, cap)
        yield Look(stage, look, share, outcome.p_worse, alpha, effect, outcome.state, asked, outcome.reason)
        if not undecided:
            return


def _has_effect(outcome: SequentialResult) -> bool:
    return outcome.reason != "identical predictions" and math.isfinite(outcome.estimate)


def _next(look: int, cap: int) -> int:
    following: Sequence[int] = [point for point in looks(cap) if point > look]
    return following[0] - look if following else 0
