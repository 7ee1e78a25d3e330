"""M-UCB: an alarm is raised when the two halves of an arm's last rewards differ.

Cao et al. 2019, "Nearly optimal adaptive procedure with change detection for piecewise-stationary bandit".
"""

from __future__ import annotations

import numpy as np
from numba import njit

from harness.topics.bandits.engine.detectors.shared import check, in_turn, ucb
from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, paid, seen
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, World


def m_ucb(world: World, window: int, threshold: float, explore: float, xi: float) -> Actions:
    """Play UCB, and restart all arms when the sums of the two halves of an arm's last rewards differ by a threshold.

    Cao et al. 2019, "Nearly optimal adaptive procedure with change detection for piecewise-stationary bandit";
    ``window``, ``threshold`` and ``explore`` are their w, b and gamma, xi is 2.
    """
    check(world, warm=window // 2, explore=explore)
    actions = blank(world)
    _m_ucb(arms_of(world), window, threshold, explore, xi, actions)
    return actions.T


@njit(cache=True)
def alarm(rewards: Floats, window: int, threshold: float) -> int:
    """Return the number of rewards until the halves of the last ones differ in sum by a threshold; 0 for never."""
    sums = np.zeros(len(rewards) + 1)
    for place in range(len(rewards)):
        sums[place + 1] = sums[place] + rewards[place]
        if _halves(sums, place + 1, window) > threshold:
            return place + 1
    return 0


@njit(cache=True, inline="always")
def _halves(sums: Floats, count: int, window: int) -> float:
    half = window // 2
    if count < 2 * half:
        return 0.0
    return float(abs(sums[count] - 2 * sums[count - half] + sums[count - 2 * half]))


@njit(cache=True)
def _m_ucb(arms: Arms, window: int, threshold: float, explore: float, xi: float, actions: Actions) -> None:
    many, horizon = arms.means.shape[2], actions.shape[1]
    count, total, index = np.empty(many), np.empty(many), np.empty(many)
    sums = np.zeros((many, horizon + 1))
    for replication in range(actions.shape[0]):
        count[:], total[:] = 0.0, 0.0
        learned, since = 0, 0
        for step in range(horizon):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                total[arm] += paid(arms, learned, replication, arm)
                count[arm] += 1
                learned += 1
                sums[arm, int(count[arm])] = total[arm]
                if _halves(sums[arm], int(count[arm]), window) > threshold:
                    count[:], total[:] = 0.0, 0.0
                    since = learned
            arm = in_turn(step - since, many, explore)
            if arm < 0:
                arm = ucb(count, total, float(step - since + 1), xi, step, index)
            actions[replication, step] = arm
