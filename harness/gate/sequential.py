"""The paired test of times that a live gate repeats while pairs of processes come in.

A *look* is one test of the sequence: after 3, 4, 5, 6, 8 ... pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]
State = Literal["regressed", "pass", "improved", "undecided"]

_MOST_NEEDED = 10_000
_POWER = 0.6
_CUT = 8  # of this many pairs, one is cut off at each end


@dataclass(frozen=True)
class SequentialResult:
    """The result for one figure after some pairs.

    Attributes
    ----------
    state
        ``undecided`` while more pairs may decide.
    estimate, low, high
        Trimmed mean log-ratio of candidate to base with its 95 % interval; the interval is infinite for one pair.
    p_worse, p_better
        Sequential p-values of "not worse" and "not better": the smallest of the looks so far, each divided by its
        look's share of alpha.
    pairs
        Number of pairs that were tested: those up to the look that decided.
    needs
        Number of pairs with which the present estimate would be decided; ``None`` when it is decided.
    excluded
        Whether a look excluded the margin, but more pairs are wanted to measure the gain.
    reason
        Why, for a metric; empty if the state says enough.
    """

    state: State
    estimate: float
    low: float
    high: float
    p_worse: float
    p_better: float
    pairs: int
    needs: int | None = None
    reason: str = ""
    excluded: bool = False


def looks(cap: int) -> tuple[int, ...]:
    """Return the numbers of pairs after which a figure is tested: 3, 4, 5, 6, 8, 10, 12, 16, 20 ... and the cap.

    Each is at most a third more than the one before, so that a pair that decides is followed by few others.
    """
    steps = (step * 2**power for power in range(cap.bit_length()) for step in (4, 5, 6) if step * 2**power < cap)
    return (*(look for look in (3,) if look < cap), *steps, cap)


def spending(count: int, cap: int, *, ended: bool = False) -> list[tuple[int, float]]:
    """Return the looks that a number of pairs reaches, and the share of alpha that each spends.

    With a share t of the cap, a share of t to the power of 0.6 is spent (the power family of Kim & DeMets 1987, section
    2, with the number of pairs as time): more of it early than in proportion, since a large change needs the first
    looks and a small one has all of them. The shares are valid for any distribution of the noise over time, because
    they do not use how the looks depend on each other.

    Parameters
    ----------
    ended
        Whether no more pairs will come, for a reason that does not depend on their values. Then the last look is taken
        at the present number of pairs, and spends the rest.
    """
    points = [look for look in looks(cap) if look <= count]
    if ended and count >= 2 and (not points or points[-1] < count):
        points.append(count)
    spent = [0.0, *((look / cap) ** _POWER for look in points)]
    if ended and points:
        spent[-1] = 1.0
    return [(look, after - before) for look, (before, after) in zip(points, pairwise(spent), strict=True)]


def decide(
    ratios: Sequence[float] | Floats,
    margin: float,
    cap: int,
    *,
    alpha: float,
    pass_alpha: float,
    gain_alpha: float,
    ended: bool = False,
) -> SequentialResult:
    """Judge the log-ratios of pairs at the last look that they reach.

    A figure is *regressed* when Student's one-sided t test of the trimmed mean rejects "not worse" at the look's share
    of `alpha` and the estimate exceeds half of the margin; else a *pass* when the test shifted to the margin rejects
    "worse by the margin" at the look's share of `pass_alpha`. *Improved* is a pass that is better by more than half of
    the margin, with the test at the look's share of `gain_alpha`; a pass with a gain above the margin waits for it. A
    look that decided is final.

    Parameters
    ----------
    ratios
        Log of candidate over base, one a pair, in the order of the pairs. Shape (n,).
    margin
        Largest log-ratio that does not matter.
    cap
        Number of pairs at which the last look is taken.
    ended
        Whether no more pairs will come, so that this look is the last.
    """
    values = np.asarray(ratios, dtype=float)
    p_worse = p_better = 1.0
    excluded, last = False, len(values) if ended else cap
    for look, part in spending(len(values), cap, ended=ended):
        seen = values[:look]
        mean = centre(seen).mean
        p_worse = min(p_worse, p_not_above(seen, 0.0) / part)
        p_better = min(p_better, p_not_above(-seen, 0.0) / part)
        state: State = "undecided"
        if p_worse <= alpha and mean > margin / 2:
            state = "regressed"
        elif p_not_above(-seen, -margin) <= part * pass_alpha:
            gained = mean < -margin / 2
            state = "improved" if gained and p_better <= gain_alpha else "pass"
            # More pairs may show that a gain as large as the margin is an improvement and not only a pass.
            if state == "pass" and mean < -margin and look < last:
                state, excluded = "undecided", True
        if state != "undecided":
            return SequentialResult(state, *_interval(seen), p_worse, p_better, look)
    needs = _needed(values, margin, alpha, pass_alpha)
    return SequentialResult("undecided", *_interval(values), p_worse, p_better, len(values), needs, excluded=excluded)


@dataclass(frozen=True)
class CentreEstimate:
    """Trimmed mean of pairs, its standard error, and the degrees of freedom of its t."""

    mean: float
    error: float
    freedom: int


def centre(values: Floats) -> CentreEstimate:
    """Return the mean without the smallest and the largest of every eight values, with its standard error.

    A process may be slow for as long as it lives, because of the place of its memory, and one such process would move
    the mean of sixteen pairs. Below eight pairs nothing is cut. The standard error is that of the winsorised values
    (Tukey & McLaughlin 1963, "Less vulnerable confidence and significance procedures for location"; Yuen 1974). In a
    simulation of all looks it keeps a level of 0.025, and takes 0.011 of 0.01 where pairs are normal, less where their
    tails are heavier.

    Parameters
    ----------
    values
        Shape (n,), n >= 2.
    """
    count, ordered = len(values), np.sort(values)
    cut = count // _CUT
    winsorised = np.clip(ordered, ordered[cut], ordered[count - cut - 1])
    error = float(winsorised.std(ddof=1)) / ((1 - 2 * cut / count) * count**0.5)
    return CentreEstimate(float(ordered[cut : count - cut].mean()), error, count - 2 * cut - 1)


def p_not_above(values: Floats, bound: float) -> float:
    """Return Student's one-sided p of "the centre is at most the bound"; for values without spread 0 or 1."""
    if len(values) < 2:
        return 1.0
    estimate = centre(values)
    distance = estimate.mean - bound
    if estimate.error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(estimate.freedom, -distance / estimate.error))


def _interval(values: Floats) -> tuple[float, float, float]:
    if len(values) < 2:
        return float(values.sum()), -np.inf, np.inf
    estimate = centre(values)
    half = float(stdtrit(estimate.freedom, 0.975)) * estimate.error
    return estimate.mean, estimate.mean - half, estimate.mean + half


def _needed(values: Floats, margin: float, alpha: float, pass_alpha: float) -> int | None:
    """Return how many pairs would decide the present estimate as regressed or as a pass, whichever is fewer."""
    if len(values) < 2:
        return None
    estimate = centre(values)
    mean, spread = estimate.mean, estimate.error * len(values) ** 0.5
    for count in range(len(values) + 1, _MOST_NEEDED):
        error = spread / count**0.5
        worse = mean > margin / 2 and mean > stdtrit(count - 1, 1 - alpha / 2) * error
        passes = margin - mean > stdtrit(count - 1, 1 - pass_alpha / 2) * error
        if worse or passes:
            return count
    return None
