"""Thompson sampling: choose the arm that is best in a draw from the posterior.

Thompson 1933, "On the likelihood that one unknown probability exceeds another"; Chapelle & Li 2011, "An empirical
evaluation of Thompson sampling", algorithm 2.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, paid, seen
from harness.topics.bandits.engine.kernels.draws import beta, constants, gaussian
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import World, bits, uniform

_COIN = 1_000_000  # place of the draw that rounds a reward between 0 and 1; it is beyond all arms


def thompson_beta(world: World, key: np.uint64) -> Actions:
    """Play with Beta(1, 1) priors; a reward r between 0 and 1 counts as 1 with probability r, else as 0."""
    actions = blank(world)
    _play_beta(arms_of(world), key, actions)
    return actions.T


def thompson_gaussian(world: World, sigma: float, key: np.uint64) -> Actions:
    """Play with the posterior N(sum / (n + 1), sigma^2 / (n + 1)) of a mean."""
    actions = blank(world)
    _play_gaussian(arms_of(world), sigma, key, actions)
    return actions.T


@njit(cache=True)
def _play_beta(arms: Arms, key: np.uint64, actions: Actions) -> None:
    count = arms.means.shape[2]
    a, b, first, second = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for replication in range(actions.shape[0]):
        a[:] = 1.0
        b[:] = 1.0
        first[:], second[:] = constants(1.0, 1.0)
        learned = 0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                reward = paid(arms, learned, replication, arm)
                if 0 < reward < 1:
                    reward = 1.0 if uniform(key, learned, replication, _COIN) < reward else 0.0
                if reward >= 1:
                    a[arm] += 1
                else:
                    b[arm] += 1
                first[arm], second[arm] = constants(a[arm], b[arm])
                learned += 1
            best, top = 0, -1.0
            for arm in range(count):
                value = beta(a[arm], b[arm], first[arm], second[arm], bits(key, step, replication, arm))
                if value > top:
                    best, top = arm, value
            actions[replication, step] = best


@njit(cache=True)
def _play_gaussian(arms: Arms, sigma: float, key: np.uint64, actions: Actions) -> None:
    count = arms.means.shape[2]
    sums, pulls = np.empty(count), np.empty(count)
    centre, spread = np.empty(count), np.empty(count)
    for replication in range(actions.shape[0]):
        pulls[:] = 0.0
        sums[:] = 0.0
        centre[:] = 0.0
        spread[:] = sigma
        learned = 0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                sums[arm] += paid(arms, learned, replication, arm)
                pulls[arm] += 1
                centre[arm] = sums[arm] / (pulls[arm] + 1)
                spread[arm] = sigma / math.sqrt(pulls[arm] + 1)
                learned += 1
            best, top = 0, -np.inf
            for arm in range(count):
                value = centre[arm] + spread[arm] * gaussian(bits(key, step, replication, arm))
                if value > top:
                    best, top = arm, value
            actions[replication, step] = best
