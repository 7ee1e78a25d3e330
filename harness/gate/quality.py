"""Whether a candidate's quality is worse than its base's: paired seeds, and paired examples where a task keeps them.

Effects are turned inside so that more is worse. With two seeds or more the effect is the mean over seeds, its variance
``max(S^2, W) / k`` with S^2 the variance between seeds and W the mean squared standard error of the examples, and
Student's t with k - 1 degrees of freedom. W only guards against seeds that agree by chance: the training of a model is
one draw a seed, and no test that stays at its level whatever the variance of training can use the many degrees of
freedom of the examples (by numerical integration, Satterthwaite's would raise the level of two seeds twelvefold).
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

#: A difference this close to another is the same, in units of the metric's size.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class PairedSeed:
    """A metric on both sides, on the same data and seed.

    Attributes
    ----------
    identical
        Whether both sides predicted the same, bit for bit.
    difference
        What the examples of the test set say, candidate minus base.
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
        Candidate minus base with its 95 % interval, in the metric's unit; infinite bounds where nothing tells the
        spread, NaN for the estimate where there is none.
    p
        One-sided, of the test that decided; of "not worse" where none did.
    needs
        Seeds, or examples where one seed speaks, with which the estimate would be decided with a power of 80 %;
        ``None`` when decided, or when no number would do.
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
    3. *improved* when the mirrored test does;
    4. *pass* when the test shifted to the margin rejects "worse by the margin or more" at `pass_alpha`;
    5. *undecided* otherwise.

    One seed alone speaks through its examples, of these two fitted models only: where training is random, a difference
    between two fits is no difference between two programs. Where all seeds share a test set, the verdict is about that
    test set. With margin 0 every difference counts, and no sample proves that there is none: such a metric passes when
    it is exactly the same in so many seeds (or examples) that as many coins would not all fall on one side, and stays
    undecided otherwise.

    Parameters
    ----------
    seeds
        One pair a seed.
    direction
        Which way is better.
    margin
        Largest change for the worse that makes no difference, in the metric's unit.
    alpha, pass_alpha
        Levels of *this* look: a caller that looks several times, or at several metrics, splits its levels itself.
    last
        Whether no more seeds will come; then what is undecided is called underpowered.

    Raises
    ------
    ValueError
        When direction, margin or a level makes no sense.
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
    """Return why the seeds cannot be compared; empty when they can."""
    if not seeds:
        return "there is no seed that both sides finished"
    wrong = sum(not (math.isfinite(seed.base) and math.isfinite(seed.candidate)) for seed in seeds)
    if wrong:
        return f"in {wrong} of {len(seeds)} seeds the metric is not finite"
    for seed in seeds:
        rounding = _ROUNDING * max(1.0, abs(seed.base), abs(seed.candidate))
        if seed.identical and abs(seed.candidate - seed.base) > rounding:
            return "the predictions are identical but the metric is not: the judge or its data changed"
        found = seed.difference
        if found and not abs(found.estimate - (seed.candidate - seed.base)) <= rounding:
            return "the metric is not what its examples say (their mean, or their area under the ROC curve)"
    if len(seeds) == 1 and seeds[0].difference is None and not seeds[0].identical:
        return "one seed without per-example values does not tell the spread: measure two seeds or more"
    return ""


def _effect(seeds: Sequence[PairedSeed]) -> EffectEstimate:
    """Return candidate minus base."""
    quantile = float(ndtri(0.5 + CONFIDENCE / 2))
    found = seeds[0].difference
    if len(seeds) == 1 and found:
        below, above = ((found.estimate - found.low) / quantile, (found.high - found.estimate) / quantile)
        return EffectEstimate(found.estimate, below, above, math.inf, found.examples, (found.p_above, found.p_below))
    values = np.array([0.0 if seed.identical else seed.candidate - seed.base for seed in seeds])
    size = max(max(abs(seed.base), abs(seed.candidate)) for seed in seeds)
    between = 0.0 if np.ptp(values) <= 1e-12 * size else float(values.var(ddof=1))
    kept = [seed.difference for seed in seeds if seed.difference]
    # A seed with identical predictions, or without examples, adds nothing to the variance within.
    within = [
        sum((side / quantile) ** 2 for side in sides) / len(seeds)
        for sides in ([one.estimate - one.low for one in kept], [one.high - one.estimate for one in kept])
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
        return f"a margin of 0 cannot be shown to be kept {over}: declare the metric's margin"
    return f"{'underpowered' if last else 'not decided yet'}: needs {needs:,} {unit}"
