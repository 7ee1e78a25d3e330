"""Writes a finding and its parts in words."""

from __future__ import annotations

import math
import re

from harness.analysis import wording
from harness.analysis.aggregates import LEAST_MEMORY
from harness.gate.decision import Effect, Finding, Pair, Side, Verdict
from harness.records import Scalar
from harness.text import one_line

NONE = wording.NONE
#: Shown beside the colour of a verdict, for readers who do not see the colour.
MARKS: dict[Verdict, str] = {
    "pass": "=",
    "improved": "▲",
    "inconclusive": "?",
    "not measured": "○",
    "failed": "✕",
    "regressed": "▼",
}
_TITLES = {"cpu_s": "CPU time", "wall_s": "wall time", "peak_bytes": "peak memory", "device_bytes": "device memory"}
_LEAST_RATIO = 0.01


def title(figure: str) -> str:
    """Name a figure in words: ``CPU time of fit``, ``log loss``."""
    phase, _, total = figure.rpartition(".")
    if total not in _TITLES:
        return one_line(figure.replace("_", " "))
    phase = one_line(phase)
    return f"{_TITLES[total]} of {phase}" if phase else _TITLES[total]


def ratio(value: float) -> str:
    """Write a ratio with as many digits as a margin of one per cent needs: ``1.083x``."""
    if not math.isfinite(value):
        return "∞" if value > 0 else NONE
    if value < _LEAST_RATIO:
        return f"<{_LEAST_RATIO}x"
    return f"{value:.3f}x" if value < 9.9995 else f"{wording.digits(value)}x"


def effect(finding: Finding, *, interval: bool = True) -> str:
    """Write an effect with its 95 % interval: ``1.083x [1.061, 1.105]``, ``+0.013 [+0.012, +0.013] nat``.

    Memory that cannot be measured on either side has no ratio: ``<0.1 MB``.
    """
    change = finding.effect
    if change is None or math.isnan(change.estimate):
        return NONE
    if finding.kind == "memory" and max(change.base, change.candidate) < LEAST_MEMORY:
        return wording.figure(max(change.base, change.candidate), finding.unit)
    if finding.kind == "quality":
        known = _finite(change)
        parts = [wording.effect(known, cost=False), wording.interval(known, cost=False) if interval else ""]
        unit = "" if finding.unit in ("", "1") else one_line(finding.unit)
        return " ".join(filter(None, (*parts, unit)))
    bounds = ", ".join(ratio(bound).removesuffix("x") for bound in (change.low, change.high))
    known_bounds = math.isfinite(change.high) and math.isfinite(change.low)
    return f"{ratio(change.estimate)} [{bounds}]" if interval and known_bounds else ratio(change.estimate)


def named(finding: Finding | None, usual: str = "") -> str:
    """Write an effect with the name of its figure, unless that is the usual one; a dash if there is no finding."""
    if finding is None:
        return NONE
    return ("" if finding.figure == usual else f"{title(finding.figure)} ") + effect(finding)


def medians(finding: Finding) -> str:
    """Write the values of both sides: ``911 ms to 987 ms``; empty without them."""
    if finding.effect is None:
        return ""
    both = (finding.effect.base, finding.effect.candidate)
    if not all(map(math.isfinite, both)):
        return ""
    # Plain spaces, so that a search in a log finds it.
    return " to ".join(one_line(wording.figure(value, finding.unit)) for value in both)


def margin(finding: Finding) -> str:
    """Write a margin: ``5 %`` of a cost, ``0.002 nat`` of a metric."""
    if finding.kind == "quality":
        return f"{finding.margin:g}" + ("" if finding.unit in ("", "1") else f" {one_line(finding.unit)}")
    return f"{100 * finding.margin:g} %"


def p_value(finding: Finding) -> str:
    """Write the p of the test that decided; empty without one."""
    if finding.p is None or not math.isfinite(finding.p):
        return ""
    return "p < 0.0001" if finding.p < 1e-4 else f"p = {finding.p:.2g}"


def needs(finding: Finding) -> str:
    """Write how many pairs would probably decide a finding; empty if the reason says it or it is unknown."""
    if finding.needs is None or re.search(rf"\b{finding.needs}\b|needs", finding.reason):
        return ""
    return f"needs about {finding.needs:,} {'seeds' if finding.kind == 'quality' else 'pairs'}"


def grounds(finding: Finding) -> str:
    """Write what a verdict is based on: its reason, p, margin, and how many pairs would decide."""
    parts = (one_line(finding.reason), p_value(finding), f"margin {margin(finding)}", needs(finding))
    return "; ".join(filter(None, parts))


def details(finding: Finding) -> str:
    """Write everything about a finding except its name and verdict."""
    parts = (effect(finding), medians(finding), grounds(finding))
    return "; ".join(part for part in parts if part and part != NONE)


def params(values: dict[str, Scalar]) -> str:
    """Write parameters as on the command line: ``rows=1000 threads=1``."""
    return one_line(" ".join(f"{name}={wording.scalar(value)}" for name, value in sorted(values.items())))


def side(compared: Side) -> str:
    """Name a side: ``origin/main (commit 4ed559b, with changes)``."""
    if compared.commit is None:
        return one_line(compared.name)
    commit = f"commit {one_line(compared.commit[:10])}"
    return f"{one_line(compared.name)} ({commit}{', with changes' if compared.dirty else ''})"


def packages(base: Side, candidate: Side) -> list[tuple[str, str, str]]:
    """List the packages that differ: name, the base's version, the candidate's."""
    names = sorted(set(base.packages) | set(candidate.packages))
    rows = ((name, base.packages.get(name, "none"), candidate.packages.get(name, "none")) for name in names)
    return [(one_line(name), one_line(old), one_line(new)) for name, old, new in rows if old != new]


def cores(pair: Pair) -> str:
    """Write the cores of a pair."""
    return ", ".join(map(str, pair.cores)) or "not pinned"


def _finite(change: Effect) -> dict[str, float | None]:
    values = {"estimate": change.estimate, "low": change.low, "high": change.high}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
