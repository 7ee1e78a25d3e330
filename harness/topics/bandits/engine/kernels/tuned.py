"""UCB-tuned: a mean plus a width that depends on the variance so far.

Auer, Cesa-Bianchi & Fischer 2002, "Finite-time analysis of the multiarmed bandit problem": UCB1-tuned.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, done, largest, paid, seen
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, World

_MOST = 0.25  # largest variance of rewards in [0, 1]


def ucb_tuned(world: World) -> Actions:
    """Play the index mean + sqrt(log(step) / n min(1/4, variance so far + sqrt(2 log(step) / n)))."""
    actions = blank(world)
    _play(arms_of(world), np.sqrt(np.log(done(world))), actions)
    return actions.T


@njit(cache=True)
def _play(arms: Arms, roots: Floats, actions: Actions) -> None:
    """Play; `roots` are the square roots of the logarithms of the steps."""
    count = arms.means.shape[2]
    pulls, sums, squares = np.empty(count), np.empty(count), np.empty(count)
    means, variances, width, index = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for replication in range(actions.shape[0]):
        pulls[:], sums[:], squares[:] = 0.0, 0.0, 0.0
        learned, unseen = 0, count
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                reward = paid(arms, learned, replication, arm)
                unseen -= pulls[arm] == 0
                pulls[arm] += 1
                sums[arm] += reward
                squares[arm] += reward * reward
                means[arm] = sums[arm] / pulls[arm]
                variances[arm] = squares[arm] / pulls[arm] - means[arm] * means[arm]
                width[arm] = 1 / math.sqrt(pulls[arm])
                learned += 1
            best = step % count
            if unseen == 0:
                _indices(means, variances, width, roots[step], index)
                best = largest(index)
            actions[replication, step] = best


@njit(cache=True, inline="always")
def _indices(means: Floats, variances: Floats, width: Floats, root: float, index: Floats) -> None:
    """Compute all indices before comparing them, so that one instruction takes the square roots of several arms."""
    for arm in range(len(index)):
        wide = root * width[arm]
        index[arm] = means[arm] + wide * math.sqrt(min(_MOST, variances[arm] + math.sqrt(2.0) * wide))
