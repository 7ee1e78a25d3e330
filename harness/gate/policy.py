"""Applies the policy to the findings, the last step of every gate, and checks the names of the policy's margins."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

import msgspec

from harness.config import GatePolicy
from harness.declare import Topic
from harness.errors import UsageError, did_you_mean
from harness.gate.decision import Case, Decision, Effect, Finding, Verdict, worst
from harness.records import TOTALS, Record

_BAD: tuple[Verdict, ...] = ("regressed", "failed", "not measured")
_WORDS = {"pass": "inconclusive, taken as a pass by policy", "regressed": "inconclusive, taken as regressed by policy"}
_TIMES = (("cpu_s", "CPU time"), ("wall_s", "wall time"))


def today_utc() -> datetime.date:
    """Return the day of UTC: what is allowed until a day ends at one moment, wherever the gate runs."""
    return datetime.datetime.now(datetime.UTC).date()


def apply_policy(decision: Decision, today: datetime.date) -> Decision:
    """Apply the policy to every case, and give the decision its verdict; applying it twice changes nothing.

    An entry of `GatePolicy.allowed` that has expired, and would cover a figure here, becomes a remark.
    """
    cases = [apply_to_case(case, decision.policy, today) for case in decision.cases]
    expired = [remark for remark in _expired_entries(decision, today) if remark not in decision.remarks]
    return msgspec.structs.replace(
        decision, cases=cases, remarks=[*decision.remarks, *expired], verdict=worst(case.verdict for case in cases)
    )


def apply_to_case(case: Case, policy: GatePolicy, today: datetime.date) -> Case:
    """Apply the policy to the findings of a case, and give the case the worst verdict that they then count as.

    The verdicts of findings do not change. A regressed, failed or not measured finding counts as a pass if the policy
    allows it; an inconclusive one counts as the policy says. For a case without findings the same is applied to its
    own verdict.
    """
    if not case.findings:
        allowed = case.allowed or _allowed(case, "", case.verdict, policy, today)
        reason = case.reason if allowed else _with_policy(case.reason, case.verdict, policy)
        return msgspec.structs.replace(
            case, allowed=allowed, reason=reason, verdict=_counted(case.verdict, allowed, policy)
        )
    findings = [_with_allowance(case, finding, policy, today) for finding in case.findings]
    verdict = worst(_counted(finding.verdict, finding.allowed, policy) for finding in findings)
    return msgspec.structs.replace(case, findings=findings, verdict=verdict, reason=_trade(findings) or case.reason)


def _with_allowance(case: Case, finding: Finding, policy: GatePolicy, today: datetime.date) -> Finding:
    allowed = _allowed(case, finding.figure, finding.verdict, policy, today)
    reason = finding.reason if allowed else _with_policy(finding.reason, finding.verdict, policy)
    return msgspec.structs.replace(finding, allowed=allowed, reason=reason)


def _counted(verdict: Verdict, allowed: str, policy: GatePolicy) -> Verdict:
    """Return what a verdict counts as."""
    if allowed:
        return "pass"
    return policy.inconclusive if verdict == "inconclusive" else verdict


def _allowed(case: Case, figure: str, verdict: Verdict, policy: GatePolicy, today: datetime.date) -> str:
    return policy.allows(case.name, case.params, figure, today) if _is_bad(verdict, policy) else ""


def _is_bad(verdict: Verdict, policy: GatePolicy) -> bool:
    return verdict in _BAD or (verdict == "inconclusive" and policy.inconclusive == "regressed")


def _with_policy(reason: str, verdict: Verdict, policy: GatePolicy) -> str:
    words = _WORDS.get(policy.inconclusive, "")
    if verdict != "inconclusive" or not words or words in reason:
        return reason
    return f"{reason}; {words}" if reason else words


def _trade(findings: list[Finding]) -> str:
    """Say what a case gained in time and lost in quality; empty if it did not do both."""
    lost = [
        f"{finding.figure} {'fell' if finding.effect.estimate < 0 else 'rose'} by {abs(finding.effect.estimate):.3g}"
        for finding in findings
        if finding.kind == "quality" and finding.verdict == "regressed" and not finding.allowed and finding.effect
    ]
    effects = {finding.figure: finding.effect for finding in findings if finding.kind == "time" and finding.effect}
    gained = next(
        (f"{effects[name].estimate:.2f}x of the {words}" for name, words in _TIMES if _less(effects, name)), ""
    )
    return f"{gained}, but {' and '.join(lost)}" if lost and gained else ""


def _less(effects: dict[str, Effect], name: str) -> bool:
    return name in effects and effects[name].high < 1


def _expired_entries(decision: Decision, today: datetime.date) -> Iterator[str]:
    bad = [(case, figure) for case in decision.cases for figure in _bad_figures(case, decision.policy)]
    for entry in decision.policy.allowed:
        # On its last day an entry covers what its patterns name.
        if entry.until < today and any(
            entry.covers(case.name, case.params, figure, entry.until) for case, figure in bad
        ):
            yield f"allowed until {entry.until} has run out: {entry.case}, figure {entry.figure} ({entry.reason})"


def _bad_figures(case: Case, policy: GatePolicy) -> list[str]:
    if not case.findings:
        return [""] if _is_bad(case.verdict, policy) else []
    return [finding.figure for finding in case.findings if _is_bad(finding.verdict, policy)]


def check_margins(policy: GatePolicy, topics: Iterable[Topic], records: Iterable[Record] = ()) -> None:
    """Check that every margin names a figure that a declared topic or one of the records has.

    Raises
    ------
    UsageError
        For the first margin that does not.
    """
    known: dict[str, set[str]] = {}
    for topic, figure in (*_declared(topics), *_recorded(records)):
        known.setdefault(topic, set(TOTALS)).add(figure)
    for name in policy.margins:
        topic, _, figure = name.rpartition(":")
        if topic and topic not in known:
            raise UsageError(
                f"margin {name} of the gate's policy: no topic is called {topic}{did_you_mean(topic, known)}"
            )
        names = known[topic] if topic else {figure for figures in known.values() for figure in figures}
        if figure not in names:
            whose = f"topic {topic} has" if topic else "no topic has"
            what = "no figure" if topic else "a figure"
            raise UsageError(
                f"margin {name} of the gate's policy: {whose} {what} {figure}{did_you_mean(figure, names)}"
            )


def _declared(topics: Iterable[Topic]) -> Iterator[tuple[str, str]]:
    for topic in topics:
        for task in topic.tasks.values():
            yield from _figures(topic.name, task.phases, [metric.name for metric in task.metrics])


def _recorded(records: Iterable[Record]) -> Iterator[tuple[str, str]]:
    for record in records:
        yield from _figures(record.trial.topic, record.phases, record.metrics)


def _figures(topic: str, phases: Iterable[str], metrics: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield from ((topic, f"{phase}.{time}") for phase in phases for time in ("cpu_s", "wall_s"))
    yield from ((topic, metric) for metric in metrics)
