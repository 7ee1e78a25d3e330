"""Policies that forget: upper confidence bounds and Thompson sampling over a window, or with discounted counts.

With a window as long as the horizon, or a discount of 1, they equal the plain policies. An arm without a remembered
reward is played first. Windows and discounts count the steps whose rewards are known, in the order of the steps.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, largest, paid, seen, unseen
from harness.topics.bandits.engine.kernels.draws import beta, constants
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import World, bits, uniform

_LARGE = 1e100  # when the weight of a new observation exceeds it, all weights are scaled down
_COIN = 1_000_000  # place of the draw that rounds a reward between 0 and 1; it is beyond all arms


def sliding_ucb(world: World, window: int, xi: float) -> Actions:
    """Play the largest mean over the window plus sqrt(xi log(min(step, window)) / count in the window).

    Garivier & Moulines 2011, "On upper-confidence bound policies for switching bandit problems" (SW-UCB).
    """
    _check(window=window)
    actions = blank(world)
    _sliding_ucb(arms_of(world), window, xi, actions)
    return actions.T


def discounted_ucb(world: World, discount: float, xi: float) -> Actions:
    """Play the largest discounted mean plus sqrt(xi log(discounted steps) / discounted count).

    D-UCB of the same article, which writes 2 sqrt(xi ...), so that its xi is a quarter of this one.
    """
    _check(discount=discount)
    actions = blank(world)
    _discounted_ucb(arms_of(world), discount, xi, actions)
    return actions.T


def sliding_thompson(world: World, window: int, key: np.uint64) -> Actions:
    """Play the largest draw of Beta(1 + ones, 1 + zeros), both counted in the window.

    Trovò et al. 2020, "Sliding-window Thompson sampling for non-stationary settings".
    """
    _check(window=window)
    actions = blank(world)
    _sliding_thompson(arms_of(world), window, key, actions)
    return actions.T


def discounted_thompson(world: World, discount: float, key: np.uint64) -> Actions:
    """Play the largest draw of Beta(1 + ones, 1 + zeros), both discounted at every step.

    Raj & Kalyani 2017, "Taming non-stationary bandits: a Bayesian approach", arXiv 1707.09727.
    """
    _check(discount=discount)
    actions = blank(world)
    _discounted_thompson(arms_of(world), discount, key, actions)
    return actions.T


def _check(window: int = 1, discount: float = 1.0) -> None:
    if window < 1:
        raise UsageError(f"the window must be at least 1 step, not {window}")
    if not 0 < discount <= 1:
        raise UsageError(f"the discount must be above 0 and at most 1, not {discount}")


@njit(cache=True, error_model="numpy")
def _sliding_ucb(arms: Arms, window: int, xi: float, actions: Actions) -> None:
    horizon, many = actions.shape[1], arms.means.shape[2]
    rewards, count, total, index = np.empty(horizon), np.empty(many), np.empty(many), np.empty(many)
    for replication in range(actions.shape[0]):
        count[:], total[:], index[:] = 0.0, 0.0, np.inf
        learned, without = 0, many
        for step in range(horizon):
            limit = seen(arms, step)
            level = xi * math.log(min(max(step, 1), window))
            while learned < limit:
                arm = int(actions[replication, learned])
                rewards[learned] = paid(arms, learned, replication, arm)
                without -= count[arm] == 0
                count[arm] += 1
                total[arm] += rewards[learned]
                if learned >= window:
                    gone = int(actions[replication, learned - window])
                    count[gone] -= 1
                    total[gone] -= rewards[learned - window]
                    without += count[gone] == 0
                    index[gone] = total[gone] / count[gone] + math.sqrt(level / count[gone])
                index[arm] = total[arm] / count[arm] + math.sqrt(level / count[arm])
                learned += 1
            if step <= window:  # the level has changed, and with it all indices
                for arm in range(many):
                    index[arm] = total[arm] / count[arm] + math.sqrt(level / count[arm])
            actions[replication, step] = unseen(count, step) if without else largest(index)


@njit(cache=True, error_model="numpy")
def _discounted_ucb(arms: Arms, discount: float, xi: float, actions: Actions) -> None:
    many = arms.means.shape[2]
    count, total, mean, root = np.empty(many), np.empty(many), np.empty(many), np.empty(many)
    index = np.empty(many)
    for replication in range(actions.shape[0]):
        count[:], total[:] = 0.0, 0.0
        learned, without, weight, steps = 0, many, 1.0, 0.0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                # Instead of multiplying all old weights by the discount, the new one is divided by it.
                weight /= discount
                steps = steps * discount + 1
                without -= count[arm] == 0
                count[arm] += weight
                total[arm] += weight * paid(arms, learned, replication, arm)
                mean[arm], root[arm] = total[arm] / count[arm], 1 / math.sqrt(count[arm])
                learned += 1
                if weight > _LARGE:
                    without = 0
                    for each in range(many):
                        count[each] /= weight
                        total[each] /= weight
                        root[each] = 1 / math.sqrt(count[each])
                        without += count[each] == 0
                    weight = 1.0
            scale = math.sqrt(xi * math.log(max(steps, 1.0)) * weight)
            for arm in range(many):
                index[arm] = mean[arm] + scale * root[arm]
            actions[replication, step] = unseen(count, step) if without else largest(index)


@njit(cache=True, inline="always")
def bit(key: np.uint64, step: int, replication: int, reward: float) -> float:
    """Return 1 with the reward as the probability, else 0, so that beta posteriors take any reward from 0 to 1."""
    if 0 < reward < 1:
        return 1.0 if uniform(key, step, replication, _COIN) < reward else 0.0
    return 1.0 if reward >= 1 else 0.0


@njit(cache=True)
def _sliding_thompson(arms: Arms, window: int, key: np.uint64, actions: Actions) -> None:
    horizon, many = actions.shape[1], arms.means.shape[2]
    ones, a, b, value = np.empty(horizon), np.empty(many), np.empty(many), np.empty(many)
    first, second = np.empty(many), np.empty(many)
    for replication in range(actions.shape[0]):
        a[:], b[:] = 1.0, 1.0
        first[:], second[:] = constants(1.0, 1.0)
        learned = 0
        for step in range(horizon):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                ones[learned] = bit(key, learned, replication, paid(arms, learned, replication, arm))
                a[arm] += ones[learned]
                b[arm] += 1 - ones[learned]
                if learned >= window:
                    gone = int(actions[replication, learned - window])
                    a[gone] -= ones[learned - window]
                    b[gone] -= 1 - ones[learned - window]
                    first[gone], second[gone] = constants(a[gone], b[gone])
                first[arm], second[arm] = constants(a[arm], b[arm])
                learned += 1
            for arm in range(many):
                value[arm] = beta(a[arm], b[arm], first[arm], second[arm], bits(key, step, replication, arm))
            actions[replication, step] = largest(value)


@njit(cache=True)
def _discounted_thompson(arms: Arms, discount: float, key: np.uint64, actions: Actions) -> None:
    many = arms.means.shape[2]
    ones, zeros, value = np.empty(many), np.empty(many), np.empty(many)
    for replication in range(actions.shape[0]):
        ones[:], zeros[:] = 0.0, 0.0
        learned = 0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                one = bit(key, learned, replication, paid(arms, learned, replication, arm))
                for each in range(many):
                    ones[each] *= discount
                    zeros[each] *= discount
                ones[arm] += one
                zeros[arm] += 1 - one
                learned += 1
            for arm in range(many):
                a, b = 1 + ones[arm], 1 + zeros[arm]
                first, second = constants(a, b)
                value[arm] = beta(a, b, first, second, bits(key, step, replication, arm))
            actions[replication, step] = largest(value)
