"""Verdicts on claims (supported, refuted, inconclusive or not measured), each with its estimate and its reason."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

import msgspec

from harness.analysis.aggregates import CellAggregate
from harness.claims import contrasts
from harness.claims.answers import Answer, Contexts
from harness.claims.contrasts import order
from harness.claims.estimate import ClaimDecision, Estimated
from harness.claims.words import asked, command, missing, scope
from harness.declare import Claim, Topic
from harness.declare.evidence import Verdict
from harness.declare.questions import PLACES, Asking, Kind, Question, value_of
from harness.errors import BakeoffError
from harness.records import Cell
from harness.stats.paired import CONFIDENCE, holm

_ANSWERS: dict[Kind, Callable[[Question, Contexts], Answer]] = {
    "ratio": contrasts.compared,
    "difference": contrasts.compared,
    "mean": contrasts.averaged,
    "growth": contrasts.compared,
    "speedup": contrasts.speedup,
    "slope": contrasts.slope,
    "crossover": contrasts.crossover,
    "order": order,
}


class Judged(msgspec.Struct, frozen=True):
    """A claim with its verdict.

    Attributes
    ----------
    published
        The figure in the source.
    reason
        Why the claim is not decided; empty for most decided claims.
    declaration
        Digest of what the author wrote: the sentence with its source, and what its check asks and expects.
    expected, asked
        The bound that the claim expects, and the quantity that it is about, in words.
    at_least, at_most
        The bounds of `expected` as numbers; ``None`` where there is no bound, so that "between" has both.
    cost
        Whether the quantity is a ratio, to be written as 3.1x.
    estimate, low, high, blocks
        The quantity with its 95 % interval; ``None`` where there is none.
    same
        Whether there is no interval because the quantity is the same in all blocks.
    p
        Two-sided p of the expected bound, after Holm over the topic's claims that have one; ``None`` without one.
    scope
        Data, scenario, parameters, machine and device that the verdict is valid for.
    machine, runs
        Where the quantity was measured, and the ids of the runs; empty without an estimate.
    commands
        The commands that measure the claim.
    """

    topic: str
    text: str
    source: str
    published: str
    verdict: Verdict
    reason: str = ""
    declaration: str = ""
    expected: str = ""
    asked: str = ""
    at_least: float | None = None
    at_most: float | None = None
    cost: bool = False
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    blocks: int = 0
    same: bool = False
    p: float | None = None
    scope: str = ""
    machine: str = ""
    runs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def judge(topic: Topic, aggregates: Sequence[CellAggregate], noise: Mapping[str, float] | None = None) -> list[Judged]:
    """Judge the claims of a topic; the claims that have an interval are one family for Holm's adjustment.

    Parameters
    ----------
    aggregates
        Cells of any number of runs and machines; each question is answered on one machine. Other topics are ignored.
    noise
        Machine to the standard deviation of the log-ratio of two equal trials on it, if that was measured.
    """
    own = [cell for cell in aggregates if cell.cell.topic == topic.name]
    judged = [_judge(claim, topic, own, noise or {}) for claim in topic.claims]
    adjusted = holm([math.nan if claim.p is None else claim.p for claim in judged])
    family = sum(claim.p is not None for claim in judged)
    return [_adjusted(claim, p, family) for claim, p in zip(judged, adjusted, strict=True)]


def _adjusted(claim: Judged, p: float, family: int) -> Judged:
    if math.isnan(p):
        return claim
    claim = msgspec.structs.replace(claim, p=p)
    if p < 1 - CONFIDENCE or claim.verdict not in ("supported", "refuted"):
        return claim
    reason = f"certain enough alone, but not among the {family} claims measured (p = {p:.2g} after Holm)"
    return msgspec.structs.replace(claim, verdict="inconclusive", reason=reason)


def _judge(claim: Claim, topic: Topic, aggregates: Sequence[CellAggregate], noise: Mapping[str, float]) -> Judged:
    evidence = _Evidence(topic, aggregates, noise, claim.blocks or 0)
    base = Judged(topic.name, claim.text, claim.source, claim.published, "not measured")
    try:
        verdict = claim.check(evidence)
    except BakeoffError as error:
        return msgspec.structs.replace(base, reason=f"its check at {claim.where} is wrong: {error}")
    except Exception as error:
        reason = " ".join(f"its check at {claim.where} failed: {type(error).__name__}: {error}".split())
        return msgspec.structs.replace(base, reason=reason)
    if verdict not in get_args(Verdict) or not evidence.decisions:
        wrong = "asks for no evidence" if not evidence.decisions else f"returns {verdict!r}, which is not a verdict"
        return msgspec.structs.replace(base, reason=f"its check at {claim.where} {wrong}")
    base = msgspec.structs.replace(base, declaration=_declaration(claim, topic, evidence.decisions))
    return _decided(base, verdict, evidence.decisions, topic, claim.blocks)


def _decided(
    base: Judged, verdict: Verdict, decisions: Sequence[ClaimDecision], topic: Topic, blocks: int | None
) -> Judged:
    """Describe the decision that the verdict comes from; of several equal ones, the last."""
    decisive = next((decision for decision in reversed(decisions) if decision.verdict == verdict), decisions[-1])
    interval = decisive.found.interval
    plain = {} if interval is None else interval.plain()
    ps = [decision.p for decision in decisions if not math.isnan(decision.p)]
    commands = dict.fromkeys(command(decision.question, decision.found, topic, blocks) for decision in decisions)
    return msgspec.structs.replace(
        base,
        verdict=verdict,
        reason=decisive.reason,
        expected=decisive.expected,
        asked=asked(decisive.question),
        at_least=decisive.at_least,
        at_most=decisive.at_most,
        cost=decisive.question.is_ratio,
        # A claim of several parts is as certain as its least certain part.
        p=max(ps) if ps else None,
        scope=scope(decisive.question, decisive.found, topic),
        machine=decisive.found.machine,
        runs=tuple(dict.fromkeys(unit.run for unit in decisive.found.units)),
        commands=tuple(commands),
        **{
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in plain.items()
        },
    )


def _declaration(claim: Claim, topic: Topic, decisions: Sequence[ClaimDecision]) -> str:
    """Return a digest of a claim's declaration; trials, and where in a file the claim is, do not change it."""
    written = (topic.name, claim.text, claim.source, claim.published, claim.blocks)
    asked_for = [(decision.question, decision.at_least, decision.at_most) for decision in decisions]
    return hashlib.blake2b(msgspec.json.encode((written, asked_for), order="sorted"), digest_size=8).hexdigest()


class _Evidence(Asking[Estimated]):
    """The evidence that the check of a claim receives; it records every decision."""

    def __init__(
        self, topic: Topic, aggregates: Sequence[CellAggregate], noise: Mapping[str, float], least_blocks: int
    ) -> None:
        super().__init__(topic)
        self._least_blocks = least_blocks
        self._aggregates = aggregates
        self._noise = noise
        self.decisions: list[ClaimDecision] = []

    def answer(self, question: Question) -> Estimated:
        found = answer(question, self._aggregates)
        return Estimated(
            question,
            found,
            noise_sd=self._noise.get(found.machine),
            least_blocks=self._least_blocks,
            missing=missing(question, self._aggregates, self._topic) if found.interval is None else "",
            note=self.decisions.append,
        )


def answer(question: Question, aggregates: Sequence[CellAggregate]) -> Answer:
    """Answer a question on the machine, and for the task, that has the most blocks for it."""
    groups: dict[tuple[str, str], Contexts] = {}
    for cell in aggregates:
        if question.covers(cell.cell):
            contexts = groups.setdefault((cell.machine, cell.cell.task), {})
            value = value_of(cell.cell, question.over) if question.over else None
            contexts.setdefault(_context(cell.cell, question.over), {})[value] = cell
    found = []
    for (machine, _), contexts in groups.items():
        candidate = _ANSWERS[question.kind](question, contexts)
        if candidate.interval is not None:
            found.append((candidate.interval.blocks, len(candidate.contexts), replace(candidate, machine=machine)))
    _, _, best = max(found, key=lambda answer: answer[:2], default=(0, 0, Answer()))
    return replace(best, machines=len({candidate.machine for _, _, candidate in found}))


def _context(cell: Cell, over: str) -> Cell:
    """Return a cell without the parameter that varies."""
    if over in PLACES:
        return Cell(**{**vars(cell), over: ""})
    return replace(cell, params=tuple(pair for pair in cell.params if pair[0] != over))
