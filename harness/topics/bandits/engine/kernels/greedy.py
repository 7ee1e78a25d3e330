"""Policies that choose the largest mean so far, except for a share of steps with a random choice."""

from __future__ import annotations

import numpy as np
from numba import njit

from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, paid, seen
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, World, uniform


def epsilon_greedy(world: World, shares: Floats, key: np.uint64) -> Actions:
    """Choose at random with probability ``shares[step]``, shape (horizon,), else the largest mean so far."""
    actions = blank(world)
    _play(arms_of(world), np.array(shares, dtype=np.float64), key, actions)
    return actions.T


@njit(cache=True)
def _play(arms: Arms, shares: Floats, key: np.uint64, actions: Actions) -> None:
    count = arms.means.shape[2]
    pulls = np.empty(count, dtype=np.int64)
    sums, means = np.empty(count), np.empty(count)
    for replication in range(actions.shape[0]):
        pulls[:] = 0
        sums[:] = 0.0
        means[:] = -np.inf
        learned, unseen, best = 0, count, 0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                unseen -= pulls[arm] == 0
                sums[arm] += paid(arms, learned, replication, arm)
                pulls[arm] += 1
                means[arm] = sums[arm] / pulls[arm]
                best = _first_largest(means, best, arm)
                learned += 1
            chosen = best if unseen == 0 else step % count
            if uniform(key, step, replication, 0) < shares[step]:
                chosen = int(uniform(key, step, replication, 1) * count)
            actions[replication, step] = chosen


@njit(cache=True, inline="always")
def _first_largest(means: Floats, best: int, changed: int) -> int:
    """Return the arm with the first largest mean after one mean has changed, given the best arm before."""
    if changed != best:
        ahead = means[changed] > means[best] or (means[changed] == means[best] and changed < best)
        return changed if ahead else best
    largest = 0
    for arm in range(1, len(means)):
        if means[arm] > means[largest]:
            largest = arm
    return largest
