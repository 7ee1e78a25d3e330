"""The whole decision in a sentence, and what to do about it."""

from __future__ import annotations

from harness.gate.decision import Decision, Verdict
from harness.gate.outputs import cases
from harness.report import wording

_ALLOW = "[[tool.bakeoff.gate.allowed]]"
_MEANING: dict[Verdict, str] = {
    "pass": "As far as these cases go, the candidate can be merged.",
    "improved": "As far as these cases go, the candidate can be merged.",
    "inconclusive": "Whether the candidate is worse is not known: the noise is larger than what was to be seen.",
    "not measured": "What was not measured is not known to be as good as before.",
    "failed": "The candidate must not be merged before all cases run.",
    "regressed": "The candidate must not be merged as it is.",
}
_ADVICE: dict[Verdict, str] = {
    "regressed": f"find what changed, or accept it for a while in {_ALLOW}, with a reason and a last day",
    "failed": f"make the failed cases run again, or accept the failure for a while in {_ALLOW}",
    "not measured": f"make both sides able to run what was not measured, or acknowledge a removal in {_ALLOW}",
}


def headline(decision: Decision) -> str:
    """Say how many cases have the verdict, and what hides behind a pass."""
    total = len(decision.cases)
    if not total:
        return "nothing was compared: there is no case"
    counted = dict(cases.counts(decision))
    number = counted.get(decision.verdict, 0)
    of = f"{number} of {wording.count(total, 'case')}"
    if decision.verdict == "pass":
        told = f"none of {wording.count(total, 'case')} is worse than its margins allow"
    elif decision.verdict == "improved":
        told = f"{of} {'is' if number == 1 else 'are'} better, and none is worse"
    else:
        told = of
    rest = [f"{count} {verdict}" for verdict, count in counted.items() if verdict not in (decision.verdict, "pass")]
    if decision.verdict == "improved":
        rest = []
    return "; ".join([f"{decision.verdict}: {told}", *([", ".join(rest)] if rest else []), *_policy(decision)])


def meaning(decision: Decision) -> str:
    """Say what the verdict means for a pull request."""
    return _MEANING[decision.verdict] if decision.cases else "Nothing is known about the candidate."


def advice(decision: Decision) -> str:
    """Say what to do next; empty where there is nothing to do."""
    if not decision.cases:
        return "select cases that both sides have"
    if decision.verdict == "inconclusive":
        return _decide(decision)
    regressed = [case for case in decision.cases if case.verdict == "regressed"]
    if regressed and all(map(cases.by_policy, regressed)):
        return f'{_decide(decision)}; or set [tool.bakeoff.gate] inconclusive = "inconclusive"'
    return _ADVICE.get(decision.verdict, "")


def _decide(decision: Decision) -> str:
    if not decision.live:
        return "measure both sides in more blocks and at more moments, or side by side with --base"
    if decision.policy.budget_s is not None:
        return "give more time with --budget, or raise [tool.bakeoff.gate] pairs"
    return "raise [tool.bakeoff.gate] pairs, or widen the margins"


def _policy(decision: Decision) -> list[str]:
    """Say what the policy made of findings."""
    said = []
    counted = sum(map(cases.by_policy, decision.cases))
    if counted:
        said.append(f"{counted} of them inconclusive, counted as regressed by policy")
    taken = sum(map(cases.let_pass, decision.cases))
    if taken:
        said.append(f"{taken} inconclusive, taken as a pass by policy")
    accepted = sum(1 for _ in cases.allowed(decision))
    if accepted:
        said.append(f"{accepted} allowed for a while")
    return said
