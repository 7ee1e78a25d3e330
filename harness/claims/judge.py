"""Verdicts on claims: supported, refuted, inconclusive or not measured, with the figure and the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import get_args

import msgspec

from harness.claims.answer import answer
from harness.claims.estimate import Decision, Estimated
from harness.claims.question import Kind, Question, put
from harness.claims.words import asked, command, missing, scope
from harness.declare import Claim, Topic
from harness.errors import BakeoffError
from harness.evidence import Change, Sizes, Verdict
from harness.stats.cells import is_cost
from harness.stats.multiple import holm
from harness.stats.paired import CONFIDENCE
from harness.stats.standings import Standings
from harness.trial import Scalar


class Judged(msgspec.Struct, frozen=True):
    """A claim with its verdict.

    Attributes
    ----------
    published
        The figure that the source gives.
    reason
        Why it is not decided; empty for most that are.
    expected, asked
        What the claim demands, and of which quantity, in words.
    cost
        Whether the quantity is a ratio, to be written as 3.1x.
    estimate, low, high, blocks
        The quantity with its 95 % interval; ``None`` where there is none.
    p
        Two-sided p of the expected bound, after Holm over the topic's claims that have one; ``None`` without one.
    scope
        Data, scenario, parameters, machine and device that the verdict holds for.
    commands
        What measures it (again).
    """

    topic: str
    text: str
    source: str
    published: str
    verdict: Verdict
    reason: str = ""
    expected: str = ""
    asked: str = ""
    cost: bool = False
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    blocks: int = 0
    p: float | None = None
    scope: str = ""
    commands: tuple[str, ...] = ()


def judge(topic: Topic, standings: Sequence[Standings], noise: Mapping[str, float] | None = None) -> list[Judged]:
    """Judge the claims of a topic; all that have an interval are one family for Holm's adjustment.

    Parameters
    ----------
    standings
        Of any number of runs and machines; each question is answered on one machine. Those of other topics are ignored.
    noise
        Machine to the standard deviation of the log-ratio of two equal trials on it, where it was measured.
    """
    own = [cell for cell in standings if cell.cell.topic == topic.name]
    judged = [_judge(claim, topic, own, noise or {}) for claim in topic.claims]
    adjusted = holm([math.nan if claim.p is None else claim.p for claim in judged])
    family = sum(claim.p is not None for claim in judged)
    return [_adjusted(claim, p, family) for claim, p in zip(judged, adjusted, strict=True)]


def questions(topic: Topic) -> list[Question]:
    """Return what the claims of a topic ask, in their order; a claim whose check fails asks nothing more."""
    asked: list[Question] = []
    for claim in topic.claims:
        evidence = _Evidence(topic, (), {})
        # What is wrong with a check is said where the claim is judged.
        with suppress(Exception):
            claim.check(evidence)
        asked += [decision.question for decision in evidence.decisions]
    return asked


def _adjusted(claim: Judged, p: float, family: int) -> Judged:
    if math.isnan(p):
        return claim
    claim = msgspec.structs.replace(claim, p=p)
    if p < 1 - CONFIDENCE or claim.verdict not in ("supported", "refuted"):
        return claim
    reason = f"certain enough alone, but not among the {family} claims measured (p = {p:.2g} after Holm)"
    return msgspec.structs.replace(claim, verdict="inconclusive", reason=reason)


def _judge(claim: Claim, topic: Topic, standings: Sequence[Standings], noise: Mapping[str, float]) -> Judged:
    evidence = _Evidence(topic, standings, noise)
    base = Judged(topic.name, claim.text, claim.source, claim.published, "not measured")
    try:
        verdict = claim.check(evidence)
    except BakeoffError as error:
        return msgspec.structs.replace(base, reason=f"its check at {claim.where} is wrong: {error}")
    except Exception as error:
        reason = " ".join(f"its check at {claim.where} failed: {type(error).__name__}: {error}".split())
        return msgspec.structs.replace(base, reason=reason)
    if verdict not in get_args(Verdict) or not evidence.decisions:
        wrong = "asks for no evidence" if not evidence.decisions else f"gives {verdict!r}, which is no verdict"
        return msgspec.structs.replace(base, reason=f"its check at {claim.where} {wrong}")
    return _told(base, verdict, evidence.decisions, topic)


def _told(base: Judged, verdict: Verdict, decisions: Sequence[Decision], topic: Topic) -> Judged:
    """Tell the decision that the verdict is due to; of several alike, the last."""
    told = next((decision for decision in reversed(decisions) if decision.verdict == verdict), decisions[-1])
    interval = told.found.interval
    plain = {} if interval is None else interval.plain()
    ps = [decision.p for decision in decisions if not math.isnan(decision.p)]
    commands = dict.fromkeys(command(decision.question, decision.found, topic) for decision in decisions)
    return msgspec.structs.replace(
        base,
        verdict=verdict,
        reason=told.reason,
        expected=told.expected,
        asked=asked(told.question),
        cost=told.question.is_ratio,
        # A claim of several parts is as sure as the part that is least so.
        p=max(ps) if ps else None,
        scope=scope(told.question, told.found, topic),
        commands=tuple(commands),
        **{
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in plain.items()
        },
    )


class _Evidence:
    """The evidence that a claim's check is given; it keeps every decision."""

    def __init__(self, topic: Topic, standings: Sequence[Standings], noise: Mapping[str, float]) -> None:
        self._topic = topic
        self._standings = standings
        self._noise = noise
        self.decisions: list[Decision] = []

    def ratio(self, measure: str, of: str, to: str, **where: Scalar) -> Estimated:
        return self._ask("ratio", measure, (of, to), where)

    def difference(self, measure: str, of: str, to: str, **where: Scalar) -> Estimated:
        return self._ask("difference", measure, (of, to), where)

    def tied(self, measure: str, of: str, to: str, margin: float, **where: Scalar) -> Verdict:
        return (self.ratio if is_cost(measure) else self.difference)(measure, of, to, **where).within(margin)

    def growth(self, measure: str, of: str, to: str, over: Change, **where: Scalar) -> Estimated:
        return self._ask("growth", measure, (of, to), where, over)

    def speedup(self, measure: str, of: str, over: Change, **where: Scalar) -> Estimated:
        return self._ask("speedup", measure, (of,), where, over)

    def slope(
        self, measure: str, of: str, to: str | None = None, /, *, over: Sizes = "rows", **where: Scalar
    ) -> Estimated:
        return self._ask("slope", measure, (of,) if to is None else (of, to), where, over)

    def crossover(self, measure: str, of: str, to: str, *, over: Sizes = "rows", **where: Scalar) -> Estimated:
        return self._ask("crossover", measure, (of, to), where, over)

    def order(self, measure: str, over: Change, **where: Scalar) -> Estimated:
        return self._ask("order", measure, (), where, over)

    def _ask(
        self, kind: Kind, measure: str, labels: tuple[str, ...], where: dict[str, Scalar], over: Sizes = ""
    ) -> Estimated:
        question = put(self._topic, kind, measure, labels, where, over)
        found = answer(question, self._standings)
        return Estimated(
            question,
            found,
            noise_sd=self._noise.get(found.machine),
            missing=missing(question, self._standings, self._topic) if found.interval is None else "",
            note=self.decisions.append,
        )
