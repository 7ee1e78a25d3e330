"""What a live gate will cost before it measures, which cases come first, and what its budget does not reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Protocol, TypeVar

import msgspec

from harness.config import GatePolicy
from harness.errors import UsageError, some
from harness.gate.decision import Case, Forecast
from harness.gate.live import journal
from harness.gate.live.planned_cases import PlannedCase
from harness.gate.live.unchanged import Trees
from harness.gate.sequential import looks

_GATES = 10  # so many of the latest gates say what a pair takes
_MEMORY = 1  # the reading of memory takes about as long as a pair
_UNKNOWN_S = (10.0, 180.0)  # what a case takes of which nothing is known, see docs/ci.md


class HasPlanned(Protocol):
    """A case of a suite."""

    @property
    def planned(self) -> PlannedCase:
        """What was planned of it."""


Planned = TypeVar("Planned", bound=HasPlanned)


def first_looks(suite: Sequence[Planned], policy: GatePolicy) -> Iterator[tuple[int, Planned]]:
    """Yield the cases with their places in the suite, in the order in which they get their first pairs.

    First those whose strategy is declared in a file that changed, then the others; the cheapest of each first.
    """
    order = sorted(
        range(len(suite)), key=lambda place: (not suite[place].planned.touched, _first_s(suite[place].planned, policy))
    )
    return ((place, suite[place]) for place in order)


def prepared(cases: Iterable[PlannedCase], trees: Trees, results: Path, machine: str) -> list[PlannedCase]:
    """Return the cases with what is known of them: whether their file changed, and what their pairs took before."""
    costs = _pair_costs(results, machine)
    return [
        msgspec.structs.replace(
            planned,
            touched=bool(planned.declared) and trees.name(planned.declared) in trees.changed,
            pair_s=costs.get(_key(planned.case), 0.0),
        )
        for planned in cases
    ]


def forecast(cases: Sequence[PlannedCase], policy: GatePolicy) -> Forecast:
    """Say how long measuring will probably take, and which cases get no first look within the budget."""
    low = sum(_first_s(planned, policy) for planned in cases)
    high = sum(planned.pair_s * (policy.pairs + _MEMORY) or _UNKNOWN_S[1] for planned in cases)
    beyond, spent = [], 0.0
    for _, planned in first_looks([_Alone(planned) for planned in cases], policy):
        spent += _first_s(planned.planned, policy)
        if policy.budget_s is not None and spent > policy.budget_s:
            beyond.append(planned.planned.case.name)
    return Forecast(len(cases), low, high, sum(planned.pair_s > 0 for planned in cases), policy.budget_s, beyond)


def sentences(plan: Forecast) -> Iterator[str]:
    """Say a forecast in one or two sentences."""
    if not plan.cases:
        return
    known = "all of them" if plan.known == plan.cases else f"{plan.known} of them" if plan.known else "none of them"
    yield (
        f"measuring {plan.cases} {'case' if plan.cases == 1 else 'cases'} will take about {_minutes(plan.low_s)} to "
        f"{_minutes(plan.high_s)} min (earlier gates on this machine say it for {known})"
    )
    if plan.beyond:
        yield (
            f"the budget of {plan.budget_s:g} s will probably not reach {len(plan.beyond)} of them, which then stay "
            f"inconclusive: {some(plan.beyond)}; give more with --budget, or choose cases"
        )
    elif plan.budget_s is not None and plan.high_s > plan.budget_s:
        yield f"the budget of {plan.budget_s:g} s reaches all cases; figures that need more time stay inconclusive"


class _Alone(msgspec.Struct, frozen=True):
    planned: PlannedCase


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"


def _first_s(planned: PlannedCase, policy: GatePolicy) -> float:
    """Return the seconds that the first look at a case takes, at least."""
    return planned.pair_s * (looks(policy.pairs)[0] + _MEMORY) or _UNKNOWN_S[0]


def _key(case: Case) -> tuple[str, bytes]:
    return case.name, msgspec.json.encode(case.params, order="sorted")


def _pair_costs(results: Path, machine: str) -> dict[tuple[str, bytes], float]:
    """Return the median time of a case's pairs in the latest of a machine's gates that measured it, in seconds."""
    costs: dict[tuple[str, bytes], float] = {}
    for path in journal.files(results, machine)[-_GATES:]:
        try:
            head, lines, _ = journal.read(path)
        except (UsageError, OSError):  # a damaged file says nothing, and is refused where it is asked for
            continue
        taken: dict[int, list[float]] = {}
        for line in lines:
            if line.pair is not None and not line.pair.failed and line.case < len(head.cases):
                taken.setdefault(line.case, []).append(line.pair.elapsed_s)
        costs |= {_key(head.cases[place].case): median(seconds) for place, seconds in taken.items()}
    return costs
