"""What is to be explained of a case, in one sentence a change: times that move together are one change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from harness.gate.decision import Decision, Finding, Verdict
from harness.report.gate import words
from harness.report.gate.cases import CaseRow, by_verdict, rows
from harness.text import one_line

_VERBS: dict[tuple[str, Verdict], str] = {
    ("time", "regressed"): "is slower",
    ("time", "improved"): "is faster",
    ("memory", "regressed"): "needs more memory",
    ("memory", "improved"): "needs less memory",
    ("quality", "regressed"): "is worse",
    ("quality", "improved"): "is better",
}
_STATES: dict[Verdict, str] = {
    "pass": "passes",
    "improved": "is better",
    "inconclusive": "is not decided",
    "not measured": "is not measured",
    "failed": "did not finish",
    "regressed": "is not decided",  # a case without findings is regressed only by a policy on what is inconclusive
}
#: From these shares of a change on, a phase has all of it, or most of it.
_ALL, _MOST = 0.95, 0.5


class Change(NamedTuple):
    """A change of a case that is not simply a pass, or a case that was not judged.

    Attributes
    ----------
    text
        What follows the name of the case: ``is slower: CPU time 1.290x [1.265, 1.316], 500 ms to 645 ms``.
    grounds
        Reason, p-value, margin; empty for a case that was not judged.
    allowed
        Why the policy lets it pass, and until when; empty if it does not.
    """

    verdict: Verdict
    case: str
    text: str
    grounds: str
    allowed: str

    @property
    def word(self) -> str:
        """The verdict, and whether the policy allows it."""
        if not self.allowed:
            return self.verdict
        return "allowed" if self.verdict == "pass" else f"{self.verdict}, allowed"

    @property
    def told(self) -> str:
        """The change with its grounds, without the name of the case."""
        grounds = f". Reason: {self.grounds}" if self.grounds else ""
        return f"{self.text}{grounds}" + (f". Allowed: {self.allowed}" if self.allowed else "")

    @property
    def sentence(self) -> str:
        """The change with its grounds."""
        return f"{self.case} {self.told}"


def changes(decision: Decision) -> Iterator[Change]:
    """Yield the changes of all cases: the worst cases first."""
    for row in rows(decision):
        yield from changes_of(row)


def changes_of(row: CaseRow) -> Iterator[Change]:
    """Yield the changes of a case, the worst first; for a case without findings, why it has none."""
    case = row.case
    if case.unchanged:
        return
    if not case.findings and (case.verdict != "pass" or case.reason or case.allowed):
        reason = one_line(case.reason) or "no reason is recorded"
        yield Change(case.verdict, row.name, f"{_STATES[case.verdict]}: {reason}", "", one_line(case.allowed))
    open_times = _left_open(case.findings)
    for group in _groups(finding for finding in case.findings if finding not in open_times):
        yield _change(row, group, open_times)


def _groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Group the findings that are one change: all times, each kind of memory, each metric; by verdict."""
    grouped: dict[tuple[str, Verdict, str], list[Finding]] = {}
    for finding in by_verdict(findings):
        if finding.verdict != "pass" or finding.allowed:
            figure = finding.figure.rpartition(".")[2] if finding.kind == "memory" else finding.figure
            subject = "time" if finding.kind == "time" else figure
            grouped.setdefault((subject, finding.verdict, finding.allowed), []).append(finding)
    return list(grouped.values())


def _left_open(findings: Sequence[Finding]) -> list[Finding]:
    """Return the times that another one, which is regressed, leaves open."""
    times = [finding for finding in findings if finding.kind == "time" and not finding.allowed]
    if not any(finding.verdict == "regressed" for finding in times):
        return []
    return [finding for finding in times if finding.verdict == "inconclusive"]


def _change(row: CaseRow, group: Sequence[Finding], open_times: Sequence[Finding]) -> Change:
    lead = _lead(group)
    verb = _VERBS.get((lead.kind, lead.verdict), _STATES[lead.verdict])
    shown = words.effect(lead)
    first = words.title(lead.figure) + ("" if shown == words.NONE else f" {shown}")
    parts = [", ".join(filter(None, (first, words.medians(lead), _where(lead, row.case.findings))))]
    if lead.kind == "time":
        parts += _other_times(lead, group, row.case.findings)
    text, grounds = f"{verb}: {'; '.join(parts)}", words.grounds(lead)
    unsaid = [words.title(finding.figure) for finding in open_times if _named(finding) not in text]
    if lead.kind == "time" and lead.verdict == "regressed" and unsaid and not lead.allowed:
        grounds += f"; left open: {', '.join(unsaid)}"
    return Change(lead.verdict, row.name, text, grounds, one_line(lead.allowed))


def _lead(group: Sequence[Finding]) -> Finding:
    """Return the finding that speaks for its group: CPU time before wall time, a total before its phases."""
    return min(group, key=lambda finding: (_clock(finding) != "cpu_s", bool(_phase(finding)), -_size(finding)))


def _where(lead: Finding, findings: Sequence[Finding]) -> str:
    """Say which phases the change of a total time lies in; empty where that is unknown, and for all other figures."""
    if lead.kind != "time" or _phase(lead) or not _certain(lead):
        return ""
    whole = _added(lead)
    phases = [one for one in findings if _phase(one) and _clock(one) == _clock(lead) and _certain(one)]
    shares = {one_line(_phase(one)): _added(one) / whole for one in phases if _added(one) * whole > 0}
    if not shares:
        return ""
    largest = max(shares, key=shares.__getitem__)
    if shares[largest] >= _ALL:
        return f"all of the change in phase {largest}"
    if shares[largest] >= _MOST:
        return f"most of the change in phase {largest}"
    return f"the change in {'phase' if len(shares) == 1 else 'phases'} {' and '.join(shares)}"


def _other_times(lead: Finding, group: Sequence[Finding], findings: Sequence[Finding]) -> Iterator[str]:
    """Say of the other clock whether it moved likewise, and name what else moved that no total speaks for."""
    phase = _phase(lead)
    other = next((one for one in findings if one.kind == "time" and _phase(one) == phase and one != lead), None)
    if other is not None and words.effect(other) != words.NONE:
        if other.verdict == lead.verdict:
            yield f"{words.title(other.figure)} likewise" if _overlap(lead, other) else _named(other)
        else:
            left_open = other.verdict == "inconclusive" and lead.verdict == "regressed"
            yield f"{_named(other)} ({'left open' if left_open else other.verdict})"
    for one in group:
        spoken_for = not phase and (_clock(one) == _clock(lead) or (other is not None and other.verdict == one.verdict))
        if one not in (lead, other) and not spoken_for:
            yield _named(one)


def _named(finding: Finding) -> str:
    return f"{words.title(finding.figure)} {words.effect(finding)}"


def _phase(finding: Finding) -> str:
    return finding.figure.rpartition(".")[0] if finding.kind != "quality" else ""


def _clock(finding: Finding) -> str:
    return finding.figure.rpartition(".")[2]


def _size(finding: Finding) -> float:
    """Return how far an effect is from no change; minus infinity if it is unknown."""
    change = finding.effect
    return -math.inf if change is None or math.isnan(change.estimate) else abs(change.estimate - 1)


def _added(finding: Finding) -> float:
    """Return by how many seconds a time changed."""
    change = finding.effect
    return 0.0 if change is None else change.base * (change.estimate - 1)


def _certain(finding: Finding) -> bool:
    """Return whether the interval of a ratio excludes that nothing changed."""
    change = finding.effect
    return change is not None and math.isfinite(_added(finding)) and (change.low > 1 or change.high < 1)


def _overlap(one: Finding, other: Finding) -> bool:
    """Return whether the intervals of two effects overlap."""
    if one.effect is None or other.effect is None:
        return False
    return one.effect.low <= other.effect.high and other.effect.low <= one.effect.high
