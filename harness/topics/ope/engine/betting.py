"""Bounds by betting: bets against a wrong value multiply their capital, bets against the true value rarely do.

The lower and the upper bound each use terms that need only a bound from below, so the largest weight need not be
known (Waudby-Smith, Wu, Ramdas, Karampatziakis & Mineiro 2022, arXiv 2210.10768); the bets are the
predictable plug-in of Waudby-Smith & Ramdas (2024, arXiv 2010.09686).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.ope.engine.check import check_model
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.weights import chosen, importance_weights, marginal_weights

# Largest share of the capital that one bet may lose: with 1 all could be lost, and a small share gains slowly.
STAKE = 0.5
GRID = 2000


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Terms whose means bound the scaled value v from below and from above.

    Attributes
    ----------
    up, down
        Shape (n,), at least ``-floor``. Their means are at most v and at most 1 - v, where v is the value scaled so
        that the reward range is 0 to 1.
    floor
        How far below 0 the terms may lie.
    """

    up: Floats
    down: Floats
    floor: float


def outcomes_of(log: Log, estimator: str = "ips", model: Floats | None = None, floor: float = 1.0) -> Outcomes:
    """Return the terms that the bets are about.

    Parameters
    ----------
    log
        The log.
    estimator
        ips, mips, or dr.
    model
        For dr: estimated reward of every action within the reward range, shape (n, actions). The model of a round must
        not be fitted to later rounds; otherwise the interval is only approximate.
    floor
        For dr: k of arXiv 2210.10768. The model is capped at k / w, so that a larger k uses more of the model, but
        only allows smaller bets.

    Raises
    ------
    UsageError
        The estimator is another one, or something that it needs is missing.
    """
    low, high = log.reward_range
    rewards = (log.rewards - low) / (high - low)
    if estimator in ("ips", "mips"):
        weights = importance_weights(log) if estimator == "ips" else marginal_weights(log)
        return Outcomes(weights * rewards, weights * (1 - rewards), 0.0)
    if estimator != "dr":
        raise UsageError(f"a betting interval exists for ips, mips and dr, not for {estimator}")
    expected = (check_model(log, model, "dr") - low) / (high - low)
    if expected.min() < 0 or expected.max() > 1:
        raise UsageError("a betting interval needs a reward model within the declared reward range: clip it")
    if not floor > 0:
        raise UsageError(f"floor must be above 0, not {floor:g}")
    return Outcomes(_corrected(log, rewards, expected, floor), _corrected(log, 1 - rewards, 1 - expected, floor), floor)


def betting(outcomes: Outcomes, level: float = 0.95, horizon: int | None = None) -> tuple[float, float]:
    """Return the interval of the scaled value after the last round.

    Parameters
    ----------
    outcomes
        Terms in the order of the rounds.
    level
        Confidence, between 0 and 1.
    horizon
        Round for which the bets are tuned: ``None`` for the last, 0 for no particular one. Every choice is valid.
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
        As for `betting`.
    horizon
        Round for which the bets are tuned; 0 for no particular one.

    Notes
    -----
    Bounds are rounded outwards to multiples of 1 / 2000.
    """
    error = (1 - level) / 2
    low = _path(outcomes.up, _bets(outcomes.up, error, horizon), outcomes.floor, error)
    high = 1 - _path(outcomes.down, _bets(outcomes.down, error, horizon), outcomes.floor, error)
    return low, high


def _corrected(log: Log, rewards: Floats, expected: Floats, floor: float) -> Floats:
    """Return doubly robust terms that are at least -floor, with rewards scaled to 0 to 1."""
    if log.logging is None:
        raise UsageError("a betting interval of dr needs the logging policy's probability of every action")
    with np.errstate(divide="ignore"):
        weights = np.where(log.target > 0, log.target / log.logging, 0.0)
        counted = np.minimum(expected, floor / weights)
    weight = importance_weights(log)
    cap = np.divide(floor, weight, out=np.full(len(weight), np.inf), where=weight > 0)
    predicted = np.minimum(chosen(expected, log), cap)
    terms: Floats = np.einsum("ij,ij->i", log.target, counted) + weight * (rewards - predicted)
    return terms


@njit(cache=True)
def _bets(outcomes: Floats, error: float, horizon: int) -> Floats:
    """Return the bet of each round, which depends on earlier rounds only."""
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
    """Return whether bets that the mean exceeds ``value`` ever multiply their capital by 1 / error."""
    capital, most = 1.0, STAKE / (floor + value)
    for i in range(len(outcomes)):
        capital *= 1 + min(bets[i], most) * (outcomes[i] - value)
        if capital * error >= 1:
            return True
    return False


@njit(cache=True)
def _bound(outcomes: Floats, bets: Floats, floor: float, error: float) -> float:
    """Return the largest rejected value by bisection: the capital falls as the value rises."""
    rejected, accepted = 0.0, 1.0
    if _rich(outcomes, bets, floor, error, accepted):
        return accepted
    for _ in range(40):
        centre = (rejected + accepted) / 2
        if _rich(outcomes, bets, floor, error, centre):
            rejected = centre
        else:
            accepted = centre
    return rejected


@njit(cache=True)
def _path(outcomes: Floats, bets: Floats, floor: float, error: float) -> Floats:
    """Return the largest value on a grid that was rejected up to each round."""
    bounds = np.empty(len(outcomes))
    capital = np.ones(GRID + 1)
    rejected = 0
    for i in range(len(outcomes)):
        for k in range(rejected + 1, GRID + 1):
            value = k / GRID
            capital[k] *= 1 + min(bets[i], STAKE / (floor + value)) * (outcomes[i] - value)
        while rejected < GRID and capital[rejected + 1] * error >= 1:
            rejected += 1
        bounds[i] = rejected / GRID
    return bounds
