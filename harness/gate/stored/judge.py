"""Figures of many cases, judged together so that the level holds for the whole suite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.gate.decision import Effect, Finding, Verdict
from harness.stats.inferiority import Effect as Tested
from harness.stats.multiple import holm
from harness.stats.paired import CONFIDENCE

#: Level of the test against the margin, by which a figure passes.
PASS_ALPHA = 0.025
_LARGEST_LOG = 700.0  # of a float


@dataclass(frozen=True)
class Levels:
    """Levels at which one figure is tested, so that the suite keeps its own.

    A raw p-value is at most its level exactly when the p-value after Holm is at most the suite's.
    """

    worse: float
    better: float


@dataclass(frozen=True)
class Draft:
    """A figure whose effect is known, but not yet the levels at which it is tested.

    Attributes
    ----------
    finish
        From the levels to the finding.
    p_worse, p_better
        One-sided p of "not worse" and "not better"; NaN where nothing is tested.
    """

    finish: Callable[[Levels], Finding]
    p_worse: float = math.nan
    p_better: float = math.nan


def certain(finding: Finding) -> Draft:
    """Return a draft whose finding is known without a test."""
    return Draft(lambda _levels: finding)


def finish(drafts: Sequence[Draft], alpha: float) -> list[Finding]:
    """Turn drafts into findings; the chance that any of them is falsely called regressed is at most `alpha`."""
    worse = _levels([draft.p_worse for draft in drafts], alpha)
    better = _levels([draft.p_better for draft in drafts], alpha)
    return [draft.finish(Levels(*own)) for draft, *own in zip(drafts, worse, better, strict=True)]


def verdict_of(effect: Tested, margin: float, levels: Levels, *, least: float) -> tuple[Verdict, float]:
    """Judge an effect of which more is worse.

    Parameters
    ----------
    margin
        Largest effect that makes no difference.
    least
        Estimate from which an effect counts as regressed, or, mirrored, as improved.

    Returns
    -------
    tuple of str and float
        The verdict, and the p-value of the test that decided; of "not worse" where none did.
    """
    worse, better, passes = effect.p_above(0.0), effect.p_below(0.0), effect.p_margin(margin)
    if worse <= levels.worse and effect.estimate > least:
        return "regressed", worse
    if better <= levels.better and effect.estimate < -least:
        return "improved", better
    if passes <= PASS_ALPHA:
        return "pass", passes
    return "inconclusive", worse


def ratio(tested: Tested, base: float, candidate: float) -> Effect:
    """Return an effect on logarithms as the ratio that people read."""
    low, high = tested.bounds(CONFIDENCE)
    return Effect(_exp(tested.estimate), _exp(low), _exp(high), base, candidate)


def _exp(value: float) -> float:
    return math.exp(value) if value < _LARGEST_LOG else math.inf


def _levels(p: Sequence[float], alpha: float) -> list[float]:
    adjusted = holm(p)
    return [alpha * raw / after if after > 0 else alpha for raw, after in zip(p, adjusted, strict=True)]
