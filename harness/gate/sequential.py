"""The paired test that a live gate looks at while pairs of processes come in."""

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


@dataclass(frozen=True)
class Outcome:
    """Where a figure stands after some pairs.

    Attributes
    ----------
    state
        ``undecided`` while more pairs may decide.
    estimate, low, high
        Mean log-ratio of candidate to base with its 95 % interval; the interval is infinite for one pair.
    p_worse, p_better
        Sequential p-values of "not worse" and "not better": the smallest of the looks so far, each over its share.
    pairs
        Pairs that it rests on: those up to the look that decided.
    needs
        Pairs after which the present estimate would be decided; ``None`` when it is.
    excluded
        Whether a look excluded the margin, though more pairs are wanted to tell how large the gain is.
    reason
        Why, in words of the figure's own; empty where the state says enough.
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
    """Return the numbers of pairs after which a figure is looked at: 2, 4, 8 ... and the cap."""
    found = [2]
    while found[-1] * 2 < cap:
        found.append(found[-1] * 2)
    return (*found, cap) if cap > found[-1] else tuple(found)


def spending(count: int, cap: int, *, ended: bool = False) -> list[tuple[int, float]]:
    """Return the looks that a number of pairs reaches, and the share of alpha that each spends.

    Linear spending (Lan & DeMets 1983, section 4, with the number of pairs for time): as many pairs as came since the
    look before, over the cap. That the looks depend on each other is not made use of, so that the shares hold whatever
    the distribution of the noise over time.

    Parameters
    ----------
    ended
        Whether no more pairs will come, for a reason that has nothing to do with what they say: then the last look is
        taken at the pairs there are, and spends what is left.
    """
    points = [look for look in looks(cap) if look <= count]
    if ended and count >= 2 and (not points or points[-1] < count):
        points.append(count)
    spent = [0, *points]
    if ended and points:
        return [(now, ((cap if now == points[-1] else now) - then) / cap) for then, now in pairwise(spent)]
    return [(now, (now - then) / cap) for then, now in pairwise(spent)]


def decide(
    ratios: Sequence[float] | Floats,
    margin: float,
    cap: int,
    *,
    alpha: float,
    pass_alpha: float,
    ended: bool = False,
) -> Outcome:
    """Judge the log-ratios of pairs at the last look that they reach.

    A figure is *regressed* when Student's one-sided t test rejects "not worse" at the look's share of `alpha` and the
    estimate exceeds half of the margin; else a *pass* when the test shifted to the margin rejects "worse by the margin"
    at the look's share of `pass_alpha`; *improved* is a pass that mirrors regressed, and what gains by the margin waits
    for it. A look that decided is final.

    Parameters
    ----------
    ratios
        Log of candidate over base, one a pair, in the order of the pairs. Shape (n,).
    margin
        Largest log-ratio that makes no difference.
    cap
        Pairs at which the last look is taken.
    ended
        Whether no more pairs will come, so that the last look is taken now.
    """
    values = np.asarray(ratios, dtype=float)
    p_worse = p_better = 1.0
    excluded, last = False, len(values) if ended else cap
    for look, part in spending(len(values), cap, ended=ended):
        seen = values[:look]
        p_worse = min(p_worse, p_not_above(seen, 0.0) / part)
        p_better = min(p_better, p_not_above(-seen, 0.0) / part)
        state: State = "undecided"
        if p_worse <= alpha and seen.mean() > margin / 2:
            state = "regressed"
        elif p_not_above(-seen, -margin) <= part * pass_alpha:
            gained = seen.mean() < -margin / 2
            state = "improved" if gained and p_better <= alpha else "pass"
            # A gain as large as the margin is worth some pairs more before it is told as a mere pass.
            if state == "pass" and seen.mean() < -margin and look < last:
                state, excluded = "undecided", True
        if state != "undecided":
            return Outcome(state, *_interval(seen), p_worse, p_better, look)
    needs = _needed(values, margin, alpha, pass_alpha)
    return Outcome("undecided", *_interval(values), p_worse, p_better, len(values), needs, excluded=excluded)


def p_not_above(values: Floats, bound: float) -> float:
    """Return Student's one-sided p of "the mean is at most the bound"; for values without spread 0 or 1."""
    if len(values) < 2:
        return 1.0
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    distance = float(values.mean()) - bound
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(len(values) - 1, -distance / error))


def _interval(values: Floats) -> tuple[float, float, float]:
    if len(values) == 0:
        return 0.0, -np.inf, np.inf
    middle = float(values.mean())
    if len(values) == 1:
        return middle, -np.inf, np.inf
    half = float(stdtrit(len(values) - 1, 0.975)) * float(values.std(ddof=1)) / len(values) ** 0.5
    return middle, middle - half, middle + half


def _needed(values: Floats, margin: float, alpha: float, pass_alpha: float) -> int | None:
    """Return the pairs that would settle the present estimate as regressed or as a pass, whichever takes fewer."""
    if len(values) < 2:
        return None
    middle, spread = float(values.mean()), float(values.std(ddof=1))
    for count in range(len(values) + 1, _MOST_NEEDED):
        error = spread / count**0.5
        worse = middle > margin / 2 and middle > stdtrit(count - 1, 1 - alpha / 2) * error
        passes = margin - middle > stdtrit(count - 1, 1 - pass_alpha / 2) * error
        if worse or passes:
            return count
    return None
