"""What all outputs show of a decision: its cases from the worst on, their main figures, what differs and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from harness.analysis import wording
from harness.gate.decision import SIDES, VERDICTS, Case, Decision, Finding, Verdict
from harness.report.gate import words
from harness.text import one_line

_ALLOW = "[[tool.bakeoff.gate.allowed]]"
_MEANING: dict[Verdict, str] = {
    "pass": "As far as these cases go, the candidate can be merged.",
    "improved": "As far as these cases go, the candidate can be merged.",
    "inconclusive": "Whether the candidate is worse is not known: the noise is too large to exclude it.",
    "not measured": "What was not measured is not known to be as good as before.",
    "failed": "The candidate must not be merged before all cases run.",
    "regressed": "The candidate must not be merged as it is.",
}
_ADVICE: dict[Verdict, str] = {
    "regressed": f"find what changed, or accept it for a while in {_ALLOW}, with a reason and a last day",
    "failed": f"make the failed cases run again, or accept the failure for a while in {_ALLOW}",
    "not measured": f"make both sides able to run what was not measured, or acknowledge a removal in {_ALLOW}",
}


class CaseRow(NamedTuple):
    """A case on one line.

    Attributes
    ----------
    name
        Name of the case, with its parameters if another case differs in them only.
    cpu, wall, memory, quality
        The finding that is shown for each; ``None`` if there is none.
    """

    case: Case
    name: str
    cpu: Finding | None
    wall: Finding | None
    memory: Finding | None
    quality: Finding | None
    pairs: int

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Return headings with the figures below them, in words."""
        return (
            ("CPU", words.named(self.cpu, "cpu_s")),
            ("wall", words.named(self.wall, "wall_s")),
            ("memory", words.named(self.memory, "peak_bytes")),
            ("worst metric", words.named(self.quality)),
            ("pairs", f"{self.pairs:,}" if self.pairs else words.NONE),
        )


def rows(decision: Decision) -> list[CaseRow]:
    """Return the cases from the worst to the best; equal ones in their order."""
    shared = Counter(case.name for case in decision.cases)
    made = [_row(case, shared[case.name] > 1) for case in decision.cases]
    return sorted(made, key=lambda row: -VERDICTS.index(row.case.verdict))


def counts(decision: Decision) -> list[tuple[Verdict, int]]:
    """Count the cases by verdict, the worst first."""
    number = Counter(case.verdict for case in decision.cases)
    return [(verdict, number[verdict]) for verdict in reversed(VERDICTS) if number[verdict]]


def by_verdict(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings from the worst to the best."""
    return sorted(findings, key=lambda finding: -VERDICTS.index(finding.verdict))


def by_policy(case: Case) -> bool:
    """Return whether a case is regressed only because the policy counts what is inconclusive as such."""
    if case.verdict != "regressed":
        return False
    if not case.findings:
        return "inconclusive" in case.reason
    return not any(finding.verdict == "regressed" and not finding.allowed for finding in case.findings)


def let_pass(case: Case) -> bool:
    """Return whether a case passes only because the policy takes what is inconclusive as a pass."""
    if case.verdict not in ("pass", "improved"):
        return False
    inconclusive = any(finding.verdict == "inconclusive" for finding in case.findings)
    return inconclusive or (not case.findings and "inconclusive" in case.reason)


def _row(case: Case, ambiguous: bool) -> CaseRow:  # noqa: FBT001 - private, named where it is called
    name = one_line(case.name)
    pairs = max((finding.pairs for finding in case.findings if finding.kind != "memory"), default=0)
    return CaseRow(
        case,
        f"{name} ({words.params(case.params)})" if ambiguous and case.params else name,
        _shown(case, "cpu_s"),
        _shown(case, "wall_s"),
        _shown(case, "peak_bytes") or _shown(case, "device_bytes"),
        _worst(finding for finding in case.findings if finding.kind == "quality"),
        len(case.pairs) or pairs,
    )


def _shown(case: Case, total: str) -> Finding | None:
    """Return the finding on a cost over all phases; without it the worst one on a phase."""
    whole = next((finding for finding in case.findings if finding.figure == total), None)
    return whole or _worst(finding for finding in case.findings if finding.figure.endswith(f".{total}"))


def _worst(findings: Iterable[Finding]) -> Finding | None:
    return max(findings, key=lambda finding: (VERDICTS.index(finding.verdict), _loss(finding)), default=None)


def _loss(finding: Finding) -> float:
    """Return how far a finding goes for the worse, in margins."""
    if finding.effect is None or finding.effect.estimate != finding.effect.estimate:
        return float("-inf")
    change = finding.effect.estimate - (0.0 if finding.kind == "quality" else 1.0)
    return (change if finding.better == "lower" else -change) / (finding.margin or 1e-12)


def headline(decision: Decision) -> str:
    """Say how many cases have the verdict, and what the policy let pass."""
    total = len(decision.cases)
    if not total:
        return "nothing was compared: there is no case"
    counted = dict(counts(decision))
    number = counted.get(decision.verdict, 0)
    of = f"{number} of {wording.count(total, 'case')}"
    if decision.verdict == "pass":
        summary = "no case changed"
        if not all(case.unchanged for case in decision.cases):
            summary = f"none of {wording.count(total, 'case')} is worse than its margins allow"
    elif decision.verdict == "improved":
        summary = f"{of} {'is' if number == 1 else 'are'} better, and none is worse"
    else:
        summary = of
    rest = [f"{count} {verdict}" for verdict, count in counted.items() if verdict not in (decision.verdict, "pass")]
    if decision.verdict == "improved":
        rest = []
    told = [", ".join(rest)] if rest else []
    return "; ".join([f"{decision.verdict}: {summary}", *told, *_unchanged(decision), *_policy(decision)])


def meaning(decision: Decision) -> str:
    """Say what the verdict means for a pull request."""
    return _MEANING[decision.verdict] if decision.cases else "Nothing is known about the candidate."


def advice(decision: Decision) -> str:
    """Say what to do next; empty if there is nothing to do."""
    if not decision.cases:
        return "select cases that both sides have"
    if decision.verdict == "inconclusive":
        return _decide(decision)
    regressed = [case for case in decision.cases if case.verdict == "regressed"]
    if regressed and all(map(by_policy, regressed)):
        return f'{_decide(decision)}; or set [tool.bakeoff.gate] inconclusive = "inconclusive"'
    return _ADVICE.get(decision.verdict, "")


def _decide(decision: Decision) -> str:
    if not decision.live:
        return "measure both sides in more blocks and in more sessions, or side by side with --base"
    if decision.policy.budget_s is not None:
        return "give more time with --budget, or raise [tool.bakeoff.gate] pairs"
    return "raise [tool.bakeoff.gate] pairs, or widen the margins"


def _unchanged(decision: Decision) -> list[str]:
    """Say how many cases were left out because they load the same on both sides."""
    left_out = sum(case.unchanged for case in decision.cases)
    measured = sum(bool(case.pairs) for case in decision.cases)
    return [f"{wording.count(left_out, 'case')} unchanged, {measured} measured"] if left_out else []


def differences(decision: Decision) -> list[str]:
    """Say what differs between the sides: commits, changes that are not committed, packages."""
    changed = " and ".join(name for name in SIDES if getattr(decision, name).dirty)
    packages = words.packages(decision.base, decision.candidate)
    named = ", ".join(f"{name} {old} to {new}" for name, old, new in packages)
    known = (
        _commits(decision),
        f"changes of the {changed} that are not committed" if changed else "",
        f"{'package' if len(packages) == 1 else 'packages'} {named}" if packages else "",
    )
    return list(filter(None, known)) or ["nothing that is recorded: neither commits nor packages differ"]


def _commits(decision: Decision) -> str:
    """Name the commits between the sides: ``3 commits, 4ed559bb12..7bffaaa012``; empty if there are none."""
    base, candidate = (one_line((side.commit or "")[:10]) for side in (decision.base, decision.candidate))
    if not base or not candidate or base == candidate:
        return ""
    if decision.commits is None:
        return f"commits {base}..{candidate}"
    ahead, behind = decision.commits.ahead, decision.commits.behind
    subject = f" ({one_line(decision.commits.subject)})" if decision.commits.subject else ""
    lacking = f"; the candidate lacks {wording.count(behind, 'commit')} of the base" if behind else ""
    return f"{wording.count(ahead, 'commit')}, {base}..{candidate}{subject}{lacking}"


def took(decision: Decision) -> str:
    """Say how long each part of a live gate took: ``check out 2 s, install 0 s``; empty where it is not known."""
    return ", ".join(f"{name} {wording.duration(seconds)}" for name, seconds in decision.parts.items())


def _policy(decision: Decision) -> list[str]:
    """Say what the policy changed."""
    notes = []
    counted = sum(map(by_policy, decision.cases))
    if counted:
        notes.append(f"{counted} of them inconclusive, counted as regressed by policy")
    taken = sum(map(let_pass, decision.cases))
    if taken:
        notes.append(f"{taken} inconclusive, taken as a pass by policy")
    accepted = sum(bool(case.allowed or any(one.allowed for one in case.findings)) for case in decision.cases)
    if accepted:
        notes.append(f"{accepted} allowed for a while")
    return notes
