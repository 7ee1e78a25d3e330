"""Exponential weights: EXP3 and EXP3.S.

Auer, Cesa-Bianchi, Freund & Schapire 2002, "The nonstochastic multiarmed bandit problem". An arm is chosen with
probability (1 - gamma) times its share of all weight, plus gamma / arms. Its weight is then multiplied by the
exponential of gamma / arms times its reward, divided by the probability with which it was chosen.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, paid, seen
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, World, uniform

_LARGE = 1e200  # weights are rescaled before their sum leaves the range of floats


def exp3(world: World, gamma: float, key: np.uint64) -> Actions:
    """Play EXP3.

    Parameters
    ----------
    gamma
        Share of the steps at which the choice is random, and the learning rate.
    """
    actions = blank(world)
    _exp3(arms_of(world), gamma, key, actions)
    return actions.T


def exp3_s(world: World, gamma: float, alpha: float, key: np.uint64) -> Actions:
    """Play EXP3.S, which adds e alpha / arms times the sum of all weights to every weight at each update.

    Parameters
    ----------
    gamma
        As for `exp3`.
    alpha
        Above 0.
    """
    actions = blank(world)
    _exp3_s(arms_of(world), gamma, alpha, key, actions)
    return actions.T


@njit(cache=True)
def _exp3(arms: Arms, gamma: float, key: np.uint64, actions: Actions) -> None:
    count = arms.means.shape[2]
    # A weight that underflows to 0 may become large again, so logarithms are stored.
    logs, weights, heights = np.empty(count), np.empty(count), np.empty(count)
    chances = np.empty(actions.shape[1])
    for replication in range(actions.shape[0]):
        logs[:], weights[:] = 0.0, 1.0
        learned = 0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                logs[arm] += gamma / count * paid(arms, learned, replication, arm) / chances[learned]
                weights[arm] = math.exp(logs[arm])
                learned += 1
            total = _sums(weights, heights)
            if not 1 / _LARGE < total < _LARGE:
                logs -= logs.max()
                weights[:] = np.exp(logs)
                total = _sums(weights, heights)
            arm = _drawn(heights, gamma, uniform(key, step, replication, 0))
            chances[step] = (1 - gamma) * weights[arm] / total + gamma / count
            actions[replication, step] = arm


@njit(cache=True)
def _exp3_s(arms: Arms, gamma: float, alpha: float, key: np.uint64, actions: Actions) -> None:
    count = arms.means.shape[2]
    weights, heights = np.empty(count), np.empty(count)
    chances = np.empty(actions.shape[1])
    for replication in range(actions.shape[0]):
        weights[:] = 1.0
        learned, total = 0, _sums(weights, heights)
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                weights[arm] *= math.exp(gamma / count * paid(arms, learned, replication, arm) / chances[learned])
                weights += math.e * alpha / count * total
                total = _sums(weights, heights)
                if not 1 / _LARGE < total < _LARGE:
                    weights /= total
                    total = _sums(weights, heights)
                learned += 1
            arm = _drawn(heights, gamma, uniform(key, step, replication, 0))
            chances[step] = (1 - gamma) * weights[arm] / total + gamma / count
            actions[replication, step] = arm


@njit(cache=True, inline="always")
def _sums(weights: Floats, heights: Floats) -> float:
    """Compute the sum of the weights up to each arm, and return the sum of all."""
    total = 0.0
    for arm in range(len(weights)):
        total += weights[arm]
        heights[arm] = total
    return total


@njit(cache=True, inline="always")
def _drawn(heights: Floats, gamma: float, place: float) -> int:
    """Return the arm whose part of the unit interval contains a place; its part is as long as its probability."""
    scale, least = (1 - gamma) / heights[-1], gamma / len(heights)
    passed = 0
    for arm in range(len(heights) - 1):  # without a branch, which the processor could not predict
        passed += scale * heights[arm] + least * (arm + 1) <= place
    return passed
