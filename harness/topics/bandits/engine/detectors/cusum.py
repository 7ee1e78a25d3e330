"""CUSUM-UCB: an alarm is raised when the cumulative sum of an arm's deviations from its first rewards is large.

Liu, Lee & Shroff 2018, "A change-detection based framework for piecewise-stationary multi-armed bandit problem".
"""

from __future__ import annotations

import numpy as np
from numba import njit

from harness.topics.bandits.engine.detectors.shared import check, ucb
from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, paid, seen
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, World, uniform

_EXPLORE, _WHICH = 1_000_000, 1_000_001  # places of the draws whether to explore, and which arm


def cusum_ucb(
    world: World,
    warm: int,
    slack: float,
    threshold: float,
    explore: float,
    xi: float,
    key: np.uint64,
    *,
    everything: bool = False,
) -> Actions:
    """Play UCB, and restart an arm, or all, when the cumulative sum of its deviations exceeds a threshold.

    Liu, Lee & Shroff 2018, "A change-detection based framework for piecewise-stationary multi-armed bandit problem";
    ``warm``, ``slack``, ``threshold`` and ``explore`` are their M, epsilon, h and alpha.
    """
    check(world, warm=warm, explore=explore)
    actions = blank(world)
    _cusum_ucb(arms_of(world), warm, slack, threshold, explore, xi, int(everything), key, actions)
    return actions.T


@njit(cache=True)
def alarm(rewards: Floats, warm: int, slack: float, threshold: float) -> int:
    """Return the number of rewards until a two-sided CUSUM raises its alarm; 0 for never."""
    base, up, down = 0.0, 0.0, 0.0
    for place in range(len(rewards)):
        if place < warm:
            base += rewards[place] / warm
            continue
        up = max(0.0, up + rewards[place] - base - slack)
        down = max(0.0, down + base - rewards[place] - slack)
        if max(up, down) > threshold:
            return place + 1
    return 0


@njit(cache=True)
def _cusum_ucb(
    arms: Arms,
    warm: int,
    slack: float,
    threshold: float,
    explore: float,
    xi: float,
    everything: int,
    key: np.uint64,
    actions: Actions,
) -> None:
    many = arms.means.shape[2]
    state, index = np.empty((5, many)), np.empty(many)
    count, total, base, up, down = state[0], state[1], state[2], state[3], state[4]
    for replication in range(actions.shape[0]):
        state[:] = 0.0
        learned, steps = 0, 0.0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                reward = paid(arms, learned, replication, arm)
                learned += 1
                steps += 1
                count[arm] += 1
                total[arm] += reward
                if count[arm] <= warm:
                    base[arm] += reward / warm
                    continue
                up[arm] = max(0.0, up[arm] + reward - base[arm] - slack)
                down[arm] = max(0.0, down[arm] + base[arm] - reward - slack)
                if max(up[arm], down[arm]) > threshold:
                    first, last = (0, many) if everything else (arm, arm + 1)
                    steps -= count[first:last].sum()
                    state[:, first:last] = 0.0
            if uniform(key, step, replication, _EXPLORE) < explore:
                actions[replication, step] = int(uniform(key, step, replication, _WHICH) * many)
            else:
                actions[replication, step] = ucb(count, total, steps, xi, step, index)
