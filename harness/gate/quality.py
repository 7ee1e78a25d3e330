"""Whether a candidate's quality is worse than its base's: paired seeds, and paired examples where a judge returns them.

Inside of this module the signs of effects are such that more is worse. With two seeds or more the effect is the mean
over seeds, its variance is ``max(S^2, W) / k``, and the test is Student's t with k - 1 degrees of freedom. S^2 is the
variance between seeds, W the mean squared standard error of the examples. W only guards against seeds that agree by
chance. The degrees of freedom of the examples are not used, because each seed is only one draw of the training: with
Satterthwaite's degrees of freedom, the level of two seeds would be twelve times too high (by numerical integration).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from harness.stats.examples import Difference
from harness.stats.inferiority import EffectEstimate
from harness.stats.paired import CONFIDENCE

Verdict = Literal["pass", "regressed", "improved", "undecided"]

#: Two differences count as equal if they are this close, relative to the size of the metric.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class PairedSeed:
    """A metric on both sides, on the same data and seed.

    Attributes
    ----------
    identical
        Whether both sides predicted the same, bit for bit.
    difference
        Candidate minus base, estimated from the examples of the test set.
    """

    base: float
    candidate: float
    identical: bool = False
    difference: Difference | None = None


@dataclass(frozen=True)
class QualityOutcome:
    """The verdict on one metric.

    Attributes
    ----------
    reason
        Why, in words without the unit.
    estimate, low, high
        Candidate minus base with its 95 % interval, in the metric's unit; bounds are infinite where the spread is
        unknown, the estimate is NaN where there is none.
    p
        One-sided p-value of the test that decided, or of "not worse" if none did.
    needs
        Number of seeds, or of examples if there is one seed, with which the estimate would be decided with a power of
        80 %; ``None`` if it is decided, or if no number would be enough.
    seeds
        Number of seeds.
    """

    verdict: Verdict
    reason: str
    estimate: float
    low: float
    high: float
    p: float
    needs: int | None
    seeds: int


def judge_quality(
    seeds: Sequence[PairedSeed],
    direction: Literal["higher", "lower"],
    margin: float,
    *,
    alpha: float = 0.01,
    pass_alpha: float = 0.025,
    last: bool = True,
) -> QualityOutcome:
    """Judge one metric of one case.

    In this order:

    1. *pass* when all predictions are identical;
    2. *regressed* when the test of "not worse" rejects at `alpha` and the estimate exceeds half of the margin;
    3. *improved* when the same holds in the other direction;
    4. *pass* when the test shifted to the margin rejects "worse by the margin or more" at `pass_alpha`;
    5. *undecided* otherwise.

    One seed is judged by its examples, and the verdict is about these two fitted models only: where training is random,
    a difference between two fits need not be a difference between two programs. If all seeds share a test set, the
    verdict is about that test set. With margin 0 every difference counts, and no sample proves that there is none: such
    a metric passes if it is exactly the same in so many seeds (or examples) that a sign test would reject, and stays
    undecided otherwise.

    Parameters
    ----------
    seeds
        One pair for each seed.
    direction
        Which way is better.
    margin
        Largest change for the worse that does not matter, in the metric's unit.
    alpha, pass_alpha
        Levels of *this* test: a caller that tests several times, or several metrics, divides its levels itself.
    last
        Whether no more seeds will come; then an undecided metric is called underpowered.

    Raises
    ------
    ValueError
        When direction, margin or a level is invalid.
    """
    _check(direction, margin, alpha, pass_alpha)
    trouble = _trouble(seeds)
    if trouble:
        return QualityOutcome("undecided", trouble, math.nan, -math.inf, math.inf, 1.0, None, len(seeds))
    if all(seed.identical for seed in seeds):
        return QualityOutcome("pass", "identical predictions", 0.0, 0.0, 0.0, 0.0, None, len(seeds))
    change = _effect(seeds)
    low, high = change.bounds(CONFIDENCE)
    effect = change if direction == "lower" else change.turned()
    verdict, p = _verdict(effect, margin, alpha, pass_alpha)
    needs = effect.needed(margin, alpha, pass_alpha) if verdict == "undecided" else None
    words = _words(verdict, effect, margin, p, needs, last=last, single=len(seeds) == 1)
    return QualityOutcome(verdict, words, change.estimate, low, high, p, needs, len(seeds))


def _check(direction: str, margin: float, *levels: float) -> None:
    if direction not in ("higher", "lower"):
        raise ValueError(f"direction is {direction!r}; it must be 'higher' or 'lower'")
    if not (margin >= 0 and math.isfinite(margin)):
        raise ValueError(f"margin is {margin}; it must be a finite number from 0 on")
    if not all(0 < level < 0.5 for level in levels):
        raise ValueError(f"levels are {levels}; they must lie between 0 and 0.5")


def _trouble(seeds: Sequence[PairedSeed]) -> str:
    """Return why the seeds cannot be compared; empty if they can."""
    if not seeds:
        return "there is no seed that both sides finished"
    wrong = sum(not (math.isfinite(seed.base) and math.isfinite(seed.candidate)) for seed in seeds)
    if wrong:
        return f"in {wrong} of {len(seeds)} seeds the metric is not finite"
    for seed in seeds:
        rounding = _ROUNDING * max(1.0, abs(seed.base), abs(seed.candidate))
        if seed.identical and abs(seed.candidate - seed.base) > rounding:
            return "the predictions are identical but the metric is not: the judge or its data changed"
        difference = seed.difference
        if difference and not abs(difference.estimate - (seed.candidate - seed.base)) <= rounding:
            return "the metric differs from that of its examples (their mean, or their area under the ROC curve)"
    if len(seeds) == 1 and seeds[0].difference is None and not seeds[0].identical:
        return "the spread is unknown from one seed without per-example values: measure two seeds or more"
    return ""


def _effect(seeds: Sequence[PairedSeed]) -> EffectEstimate:
    """Return candidate minus base."""
    quantile = float(ndtri(0.5 + CONFIDENCE / 2))
    difference = seeds[0].difference
    if len(seeds) == 1 and difference:
        below, above = (
            (difference.estimate - difference.low) / quantile,
            (difference.high - difference.estimate) / quantile,
        )
        return EffectEstimate(
            difference.estimate, below, above, math.inf, difference.examples, (difference.p_above, difference.p_below)
        )
    values = np.array([0.0 if seed.identical else seed.candidate - seed.base for seed in seeds])
    size = max(max(abs(seed.base), abs(seed.candidate)) for seed in seeds)
    between = 0.0 if np.ptp(values) <= 1e-12 * size else float(values.var(ddof=1))
    known = [seed.difference for seed in seeds if seed.difference]
    # A seed with identical predictions, or without examples, adds nothing to the variance within.
    within = [
        sum((side / quantile) ** 2 for side in sides) / len(seeds)
        for sides in ([one.estimate - one.low for one in known], [one.high - one.estimate for one in known])
    ]
    below, above = (math.sqrt(max(between, part) / len(seeds)) for part in within)
    return EffectEstimate(float(values.mean()), below, above, len(seeds) - 1, len(seeds))


def _verdict(effect: EffectEstimate, margin: float, alpha: float, pass_alpha: float) -> tuple[Verdict, float]:
    worse, better, passes = effect.p_above(0.0), effect.p_below(0.0), effect.p_margin(margin)
    if worse <= alpha and effect.estimate > margin / 2:
        return "regressed", worse
    if better <= alpha and effect.estimate < -margin / 2:
        return "improved", better
    if passes <= pass_alpha:
        return "pass", passes
    return "undecided", worse


def _words(
    verdict: Verdict, effect: EffectEstimate, margin: float, p: float, needs: int | None, *, last: bool, single: bool
) -> str:
    unit = "examples" if single else "seeds"
    over = f"over {effect.units:,} {unit}" + (" of these two fitted models" if single else "")
    size, test = f"{abs(effect.estimate):.3g}", f"p = {p:.2g}"
    limit = f"more than half of the margin {margin:g}" if margin else "where every difference counts"
    if verdict in ("regressed", "improved"):
        return f"{'worse' if verdict == 'regressed' else 'better'} by {size} {over}, {limit} ({test})"
    if verdict == "pass":
        return f"not worse by the margin {margin:g} {over} ({test})" if margin else f"exactly the same {over}"
    if needs is None:
        return f"no difference at all cannot be shown {over}: declare a margin above 0 for the metric"
    return f"{'underpowered' if last else 'not decided yet'}: needs {needs:,} {unit}"
