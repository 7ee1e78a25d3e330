"""The verdict on memory: a threshold is enough, because the memory pass repeats so well."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Protocol

from harness.config import GatePolicy
from harness.gate.decision import Effect, Finding, Verdict

#: Share within which the memory pass repeats itself; growth this close to the margin counts as beyond it.
REPEATABLE = 0.0005
SAMPLED = "memory was sampled, which misses short peaks"
FIGURES = ("peak_bytes", "device_bytes")


class HasBothSides(Protocol):
    """Memory of one trial on both sides, by figure in bytes, and whether some of it was sampled."""

    base: dict[str, float]
    candidate: dict[str, float]
    sampled: bool


def suspicious(readings: Sequence[HasBothSides], policy: GatePolicy, topic: str) -> bool:
    """Return whether a reading shows growth beyond the margin, so that more readings are needed."""
    return any(
        _beyond(reading, figure, policy.margin(topic, figure, {}), policy.memory_floor_bytes)
        for figure in FIGURES
        for reading in readings
        if _both(reading, figure)
    )


def growth(readings: Sequence[HasBothSides], policy: GatePolicy, topic: str) -> list[Finding]:
    """Judge the growth of memory, with one finding for each figure that both sides have.

    *Regressed* when every reading is above the margin and above the floor, *inconclusive* when only some are, or when
    memory was sampled.
    """
    findings = []
    for figure in FIGURES:
        both = [reading for reading in readings if _both(reading, figure)]
        if both:
            findings.append(_judge(both, figure, policy.margin(topic, figure, {}), policy.memory_floor_bytes))
    return findings


def _judge(readings: Sequence[HasBothSides], figure: str, margin: float, floor: int) -> Finding:
    worse = sum(_beyond(reading, figure, margin, floor) for reading in readings)
    better = sum(_below(reading, figure, margin, floor) for reading in readings)
    verdict: Verdict = "pass"
    reason = f"grows by less than {margin:.1%} or {floor / 1000:,.0f} kB"
    if worse:
        verdict = "regressed" if worse == len(readings) else "inconclusive"
        reason = f"grows by {margin:.1%} and {floor / 1000:,.0f} kB or more in {worse} of {len(readings)} readings"
    elif better == len(readings):
        verdict, reason = "improved", f"shrinks by {margin:.1%} and {floor / 1000:,.0f} kB or more"
    if verdict != "pass" and figure != "device_bytes" and any(reading.sampled for reading in readings):
        verdict, reason = "inconclusive", f"{reason}, but {SAMPLED}"
    ratios = [reading.candidate[figure] / reading.base[figure] for reading in readings]
    return Finding(
        figure=figure,
        kind="memory",
        unit="byte",
        better="lower",
        margin=margin,
        verdict=verdict,
        reason=reason,
        effect=Effect(
            median(ratios),
            min(ratios),
            max(ratios),
            median(reading.base[figure] for reading in readings),
            median(reading.candidate[figure] for reading in readings),
        ),
        pairs=len(readings),
    )


def _both(reading: HasBothSides, figure: str) -> bool:
    return all(side.get(figure, 0) > 0 for side in (reading.base, reading.candidate))


def _beyond(reading: HasBothSides, figure: str, margin: float, floor: int) -> bool:
    base, candidate = reading.base[figure], reading.candidate[figure]
    return candidate - base > floor and candidate / base - 1 >= margin - REPEATABLE


def _below(reading: HasBothSides, figure: str, margin: float, floor: int) -> bool:
    base, candidate = reading.base[figure], reading.candidate[figure]
    return base - candidate > floor and 1 - candidate / base >= margin - REPEATABLE
