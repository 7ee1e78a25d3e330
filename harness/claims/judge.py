"""Verdicts on claims: supported, refuted, inconclusive or not measured, with the figure and the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from harness.claims.answer import answer
from harness.claims.question import Question
from harness.declare import Claim, Topic
from harness.errors import UsageError
from harness.evidence import Verdict
from harness.stats.cells import is_cost
from harness.stats.multiple import holm
from harness.stats.paired import CONFIDENCE, Interval, p_value
from harness.stats.standings import Standings
from harness.stats.verdicts import noise_floor
from harness.trial import Scalar

_RATIOS = ("ratio", "growth", "speedup")


class Judged(msgspec.Struct, frozen=True):
    """A claim with its verdict.

    Attributes
    ----------
    published
        The figure that the source gives.
    reason
        Why it is inconclusive or was not measured.
    expected, asked
        What the claim demands, and of which quantity, in words.
    cost
        Whether the quantity is a ratio of costs.
    estimate, low, high, blocks
        The quantity with its 95 % interval; ``None`` where there is none.
    p
        Two-sided p of the decision after Holm over the claims of the topic; ``None`` without one.
    scope
        Data, scenario, parameters and machine that the answer was found on.
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
    """Judge the claims of a topic; those that can be decided are one family for Holm's adjustment.

    Parameters
    ----------
    standings
        Of the topic, from any number of machines; each question is answered on one of them.
    noise
        Machine to the standard deviation of the log-ratio of two equal trials on it, where it was measured.
    """
    judged = [_judge(claim, topic, standings, noise or {}) for claim in topic.claims]
    decided = [
        claim.p if claim.p is not None and claim.verdict in ("supported", "refuted") else math.nan for claim in judged
    ]
    family = sum(not math.isnan(p) for p in decided)
    return [_adjusted(claim, p, family) for claim, p in zip(judged, holm(decided), strict=True)]


def _adjusted(claim: Judged, p: float, family: int) -> Judged:
    if math.isnan(p):
        return claim
    claim = msgspec.structs.replace(claim, p=p)
    if p < 1 - CONFIDENCE:
        return claim
    reason = f"no longer certain enough when all {family} decided claims are considered (Holm, p = {p:.2g})"
    return msgspec.structs.replace(claim, verdict="inconclusive", reason=reason)


def _judge(claim: Claim, topic: Topic, standings: Sequence[Standings], noise: Mapping[str, float]) -> Judged:
    evidence = _Evidence(topic, standings, noise)
    base = Judged(topic.name, claim.text, claim.source, claim.published, "not measured")
    try:
        verdict = claim.check(evidence)
    except Exception as error:
        reason = f"its check at {claim.where} failed: {type(error).__name__}: {error}"
        return msgspec.structs.replace(base, reason=reason)
    if not evidence.answers:
        return msgspec.structs.replace(base, reason=f"its check at {claim.where} asks for no evidence")
    told = next((found for found in reversed(evidence.answers) if found.verdict == verdict), evidence.answers[-1])
    interval = told.interval
    plain = interval.plain() if interval else {}
    return msgspec.structs.replace(
        base,
        verdict=verdict,
        reason=told.reason,
        expected=told.expected,
        asked=told.question.asked,
        cost=told.question.kind in _RATIOS,
        p=None if math.isnan(told.p) else told.p,
        scope=told.question.scope(told.cells),
        commands=tuple(dict.fromkeys(filter(None, (a.question.command(topic, a.cells) for a in evidence.answers)))),
        **plain,
    )


@dataclass(frozen=True)
class _Answer:
    """An answer, and what was made of it."""

    question: Question
    interval: Interval | None
    cells: list[Standings]
    expected: str = ""
    verdict: Verdict = "not measured"
    reason: str = ""
    p: float = math.nan


class _Evidence:
    """The evidence that a claim's check is given; it notes every answer."""

    def __init__(self, topic: Topic, standings: Sequence[Standings], noise: Mapping[str, float]) -> None:
        self._topic = topic
        self._standings = standings
        self._noise = noise
        self.answers: list[_Answer] = []

    def ratio(self, measure: str, of: str, to: str, **where: Scalar) -> _Estimate:
        return self._ask(Question("ratio", measure, (of, to), where))

    def difference(self, measure: str, of: str, to: str, **where: Scalar) -> _Estimate:
        return self._ask(Question("difference", measure, (of, to), where))

    def tied(self, measure: str, of: str, to: str, margin: float, **where: Scalar) -> Verdict:
        ask = self.ratio if is_cost(measure) else self.difference
        return ask(measure, of, to, **where).within(margin)

    def growth(self, measure: str, of: str, to: str, over: tuple[str, Scalar, Scalar], **where: Scalar) -> _Estimate:
        return self._ask(Question("growth", measure, (of, to), where, over[0], over[1:]))

    def speedup(self, measure: str, of: str, over: tuple[str, Scalar, Scalar], **where: Scalar) -> _Estimate:
        return self._ask(Question("speedup", measure, (of,), where, over[0], over[1:]))

    def slope(self, measure: str, of: str, over: str, **where: Scalar) -> _Estimate:
        return self._ask(Question("slope", measure, (of,), where, over))

    def crossover(self, measure: str, of: str, to: str, over: str, **where: Scalar) -> _Estimate:
        return self._ask(Question("crossover", measure, (of, to), where, over))

    def order(self, measure: str, over: tuple[str, Scalar, Scalar], **where: Scalar) -> _Estimate:
        return self._ask(Question("order", measure, (), where, over[0], over[1:]))

    def _ask(self, question: Question) -> _Estimate:
        if question.kind not in ("difference", "order") and not is_cost(question.measure):
            raise UsageError(f"{question.kind} is for costs; ask for the difference in {question.measure}")
        if question.kind == "difference" and is_cost(question.measure):
            raise UsageError(f"difference is for metrics; ask for the ratio of {question.measure}")
        interval, cells = answer(question, self._standings)
        return _Estimate(_Answer(question, interval, cells), self.answers, self._noise)


class _Estimate:
    """An answer waiting for what the claim expects."""

    def __init__(self, found: _Answer, answers: list[_Answer], noise: Mapping[str, float]) -> None:
        self._found = found
        self._answers = answers
        self._noise = noise

    def at_least(self, bound: float) -> Verdict:
        return self._judge(
            f"at least {bound:g}", (bound,), lambda low, _high: low >= bound, lambda _low, high: high < bound
        )

    def at_most(self, bound: float) -> Verdict:
        return self._judge(
            f"at most {bound:g}", (bound,), lambda _low, high: high <= bound, lambda low, _high: low > bound
        )

    def within(self, margin: float) -> Verdict:
        low_end, high_end = (1 / (1 + margin), 1 + margin) if self._is_ratio else (-margin, margin)
        return self._judge(
            f"within {margin:g}",
            (low_end, high_end),
            lambda low, high: low_end <= low and high <= high_end,
            lambda low, high: high < low_end or low > high_end,
        )

    @property
    def _is_ratio(self) -> bool:
        return self._found.question.kind in _RATIOS

    def _judge(
        self,
        expected: str,
        bounds: tuple[float, ...],
        supports: Callable[[float, float], bool],
        refutes: Callable[[float, float], bool],
    ) -> Verdict:
        found, interval = replace(self._found, expected=expected), self._found.interval
        if interval is None:
            return self._note(found, "not measured", _missing(found))
        if not interval.known:
            return self._note(found, "inconclusive", _without_interval(found, interval))
        if self._drowned(interval, bounds):
            return self._note(found, "inconclusive", "closer to the bound than the noise floor of the machine")
        verdict: Verdict = (
            "supported"
            if supports(interval.low, interval.high)
            else "refuted"
            if refutes(interval.low, interval.high)
            else "inconclusive"
        )
        if verdict == "inconclusive":
            return self._note(found, verdict, "the interval holds the bound: more blocks may decide it")
        # Inside two bounds both must be ruled out, outside the nearer one; either way the larger p is the one to beat.
        tests = [p_value(interval, bound) for bound in bounds]
        p = max(tests)
        return self._note(replace(found, p=p), verdict, "")

    def _drowned(self, interval: Interval, bounds: tuple[float, ...]) -> bool:
        sd = self._noise.get(self._found.cells[0].machine)
        if sd is None or not self._is_ratio:
            return False
        floor = noise_floor(sd, interval.blocks)
        return any(abs(math.log(interval.estimate / bound)) < floor for bound in bounds)

    def _note(self, found: _Answer, verdict: Verdict, reason: str) -> Verdict:
        self._answers.append(replace(found, verdict=verdict, reason=reason))
        return verdict


def _without_interval(found: _Answer, interval: Interval) -> str:
    if interval.blocks < 2:
        return "one block gives no interval: run more blocks"
    return f"{found.question.asked}: the lines are too nearly parallel to say where they meet"


def _missing(found: _Answer) -> str:
    """Say what was looked for in vain."""
    question = found.question
    if not found.cells:
        return f"no trial on {question.scope([])}" + (f" with {question.over} as asked" if question.over else "")
    for label in question.labels:
        entries = [cell.entries[label] for cell in found.cells if label in cell.entries]
        if not entries:
            return f"{label} was not run there"
        if not any(question.measure in entry.values for entry in entries):
            (status, why), _ = max((entry.troubles for entry in entries), key=len).most_common(1)[0]
            return f"{label}: {status}" + (f", {why}" if why else "")
    values = " and ".join(str(value) for value in question.values)
    return "no block holds all that is asked" + (f", {question.over} {values}" if values else "")
