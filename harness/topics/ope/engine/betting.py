"""Bounds by betting: whoever bets against a wrong value gets rich, and one who bets against the truth hardly ever does.

Lower and upper bound are each that of a mean of terms that are bounded from below alone, so that no largest weight is
needed (Waudby-Smith, Wu, Ramdas, Karampatziakis & Mineiro 2022, arXiv 2210.10768); the bets are the
predictable plug-in of Waudby-Smith & Ramdas (2024, arXiv 2010.09686).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.ope.engine.check import check_model
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.mips import marginal_weights
from harness.topics.ope.engine.weights import chosen, importance_weights

# Largest share of the capital that one bet may lose: a bet of 1 would risk ruin, a small one gains slowly.
STAKE = 0.5
GRID = 2000


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Terms with the mean of the scaled value, and with that of 1 less it.

    Attributes
    ----------
    up, down
        Shape (n,), none below ``-floor``; their means are at most v and at most 1 - v, where v is the value on the
        scale on which the reward range is 0 to 1.
    floor
        How far below 0 they may lie.
    """

    up: Floats
    down: Floats
    floor: float


def outcomes_of(log: Log, estimator: str = "ips", model: Floats | None = None, floor: float = 1.0) -> Outcomes:
    """Return the terms that bets are laid on.

    Parameters
    ----------
    log
        The log.
    estimator
        ips, mips, or dr.
    model
        For dr: estimated reward of every action within the reward range, shape (n, actions). It must not have been
        fitted to this log's later rounds; else the interval is only as good as an approximation.
    floor
        For dr: k of arXiv 2210.10768. The model counts at most k / w, so that a larger k uses more of it
        but allows smaller bets only.

    Raises
    ------
    UsageError
        Another estimator, or what the estimator needs is missing.
    """
    low, high = log.reward_range
    rewards = (log.rewards - low) / (high - low)
    if estimator in ("ips", "mips"):
        weights = importance_weights(log) if estimator == "ips" else marginal_weights(log)
        return Outcomes(weights * rewards, weights * (1 - rewards), 0.0)
    if estimator != "dr":
        raise UsageError(f"a betting interval is known for ips, mips and dr, not for {estimator}")
    expected = (check_model(log, model, "dr") - low) / (high - low)
    if expected.min() < 0 or expected.max() > 1:
        raise UsageError("a betting interval needs a reward model within the declared reward range: clip it")
    if not floor > 0:
        raise UsageError(f"floor must be above 0, not {floor:g}")
    return Outcomes(_corrected(log, rewards, expected, floor), _corrected(log, 1 - rewards, 1 - expected, floor), floor)


def betting(outcomes: Outcomes, level: float = 0.95, horizon: int | None = None) -> tuple[float, float]:
    """Return the interval of the scaled value after the last round; it holds at all earlier rounds as well.

    Parameters
    ----------
    outcomes
        Terms in the order in which they came.
    level
        Confidence, between 0 and 1.
    horizon
        Round for which the bets are tuned: ``None`` for the last, 0 for none in particular. It is valid either way.
    """
    error, rounds = (1 - level) / 2, len(outcomes.up) if horizon is None else horizon
    low = _bound(outcomes.up, _bets(outcomes.up, error, rounds), outcomes.floor, error)
    high = 1 - _bound(outcomes.down, _bets(outcomes.down, error, rounds), outcomes.floor, error)
    return min(low, high), max(low, high)


def betting_sequence(outcomes: Outcomes, level: float = 0.95, horizon: int = 0) -> tuple[Floats, Floats]:
    """Return the bounds of the scaled value after every round, valid at all of them at once; each of shape (n,).

    Parameters
    ----------
    outcomes, level
        As above.
    horizon
        Round for which the bets are tuned; 0 for none in particular.

    Notes
    -----
    Rounded outwards to a grid of 1 / 2000.
    """
    error = (1 - level) / 2
    low = _path(outcomes.up, _bets(outcomes.up, error, horizon), outcomes.floor, error)
    high = 1 - _path(outcomes.down, _bets(outcomes.down, error, horizon), outcomes.floor, error)
    return low, high


def _corrected(log: Log, rewards: Floats, expected: Floats, floor: float) -> Floats:
    """Return doubly robust terms that are at least -floor, on the scale of 0 to 1."""
    if log.logging is None:
        raise UsageError("a betting interval of dr needs the logging policy's probability of every action")
    with np.errstate(divide="ignore"):
        weights = np.where(log.target > 0, log.target / log.logging, 0.0)
        counted = np.minimum(expected, floor / weights)
    own = importance_weights(log)
    at_most = np.minimum(chosen(expected, log), np.divide(floor, own, out=np.full(len(own), np.inf), where=own > 0))
    terms: Floats = np.einsum("ij,ij->i", log.target, counted) + own * (rewards - at_most)
    return terms


@njit(cache=True)
def _bets(outcomes: Floats, error: float, horizon: int) -> Floats:
    """Return what is bet in each round, from the rounds before it alone."""
    bets = np.empty(len(outcomes))
    gain = 2 * np.log(1 / error)
    total, squares = 0.5, 0.25
    variance = 0.25
    for i in range(len(outcomes)):
        seen = i + 1.0
        pace = float(horizon) if horizon > 0 else seen * np.log(seen + 1)
        bets[i] = np.sqrt(gain / (variance * pace))
        total += outcomes[i]
        mean = min(max(total / (seen + 1), 0.0), 1.0)
        squares += (outcomes[i] - mean) ** 2
        variance = squares / (seen + 1)
    return bets


@njit(cache=True)
def _rich(outcomes: Floats, bets: Floats, floor: float, error: float, value: float) -> bool:
    """Whether a bet that the mean is above ``value`` ever multiplies its capital by 1 / error."""
    capital, most = 1.0, STAKE / (floor + value)
    for i in range(len(outcomes)):
        capital *= 1 + min(bets[i], most) * (outcomes[i] - value)
        if capital * error >= 1:
            return True
    return False


@njit(cache=True)
def _bound(outcomes: Floats, bets: Floats, floor: float, error: float) -> float:
    """Return the largest value that is refused: capital falls as the value rises, so that it can be halved."""
    refused, kept = 0.0, 1.0
    if _rich(outcomes, bets, floor, error, kept):
        return kept
    for _ in range(40):
        middle = (refused + kept) / 2
        if _rich(outcomes, bets, floor, error, middle):
            refused = middle
        else:
            kept = middle
    return refused


@njit(cache=True)
def _path(outcomes: Floats, bets: Floats, floor: float, error: float) -> Floats:
    """Return the largest value refused so far, after every round, on a grid."""
    bounds = np.empty(len(outcomes))
    capital = np.ones(GRID + 1)
    refused = 0
    for i in range(len(outcomes)):
        for k in range(refused + 1, GRID + 1):
            value = k / GRID
            capital[k] *= 1 + min(bets[i], STAKE / (floor + value)) * (outcomes[i] - value)
        while refused < GRID and capital[refused + 1] * error >= 1:
            refused += 1
        bounds[i] = refused / GRID
    return bounds
