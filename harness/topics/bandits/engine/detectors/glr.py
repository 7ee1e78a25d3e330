"""GLR-klUCB: an alarm is raised when the likelihood ratio of one change against none is large.

Besson et al. 2022, "Efficient change-point detection for tackling piecewise-stationary bandits".
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.bandits.engine.detectors.shared import check, in_turn
from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, paid, seen
from harness.topics.bandits.engine.kernels.kl import entropy_of, largest_index
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.windows import bit
from harness.topics.bandits.engine.world import Floats, Ints, World


def glr_kl_ucb(world: World, delta: float, explore: float, every: int, thin: int, key: np.uint64) -> Actions:
    """Play KL-UCB, and restart all arms when a generalised likelihood ratio test signals a change of an arm.

    Besson et al. 2022, "Efficient change-point detection for tackling piecewise-stationary bandits", with global
    restarts. In episode k every arm is explored at a share ``explore`` sqrt(k) / arms of the steps. As in the authors'
    code, a test is made only at every ``every``-th step, and for every ``thin``-th possible change. A reward r between
    0 and 1 counts as 1 with probability r, else as 0.
    """
    check(world, warm=min(every, thin), explore=explore)
    if not 0 < delta < 1:
        raise UsageError(f"delta, the probability of a false alarm, must lie between 0 and 1, not {delta}")
    actions = blank(world)
    _glr_kl_ucb(arms_of(world), delta, explore, every, thin, key, actions)
    return actions.T


@njit(cache=True)
def alarm(rewards: Floats, delta: float, every: int, thin: int) -> int:
    """Return the number of rewards until the generalised likelihood ratio exceeds its threshold; 0 for never."""
    ones, table = np.zeros(len(rewards) + 1, dtype=np.int64), logs(len(rewards))
    for place in range(len(rewards)):
        ones[place + 1] = ones[place] + int(rewards[place])
        if (place + 1) % every == 0 and ratio(ones, place + 1, thin, table) > threshold(place + 1, delta):
            return place + 1
    return 0


@njit(cache=True)
def logs(most: int) -> Floats:
    """Return n log n for n from 0 to `most`."""
    table = np.zeros(most + 1)
    for n in range(2, most + 1):
        table[n] = n * math.log(n)
    return table


@njit(cache=True, inline="always")
def threshold(count: int, delta: float) -> float:
    """Return log(n^(3/2) / delta), which the authors use instead of the larger threshold of their proofs."""
    return 1.5 * math.log(count) - math.log(delta)


@njit(cache=True)
def ratio(ones: Ints, count: int, thin: int, table: Floats) -> float:
    """Return the largest log likelihood ratio of one change in 0-1 rewards against none.

    It is the largest s KL(mean before, mean) + (n - s) KL(mean after, mean) over s = 1, 1 + thin ... below n.

    Parameters
    ----------
    ones
        Number of ones among the first 0, 1, 2 ... rewards; shape (n + 1,) or more.
    count
        Number of rewards n.
    table
        Of `logs`, up to n or more.
    """
    total = ones[count]
    whole = table[total] + table[count - total] - table[count]
    most = 0.0
    for s in range(1, count, thin):
        before, after, rest = ones[s], total - ones[s], count - s
        split = table[before] + table[s - before] - table[s] + table[after] + table[rest - after] - table[rest]
        most = max(most, split - whole)
    return most


@njit(cache=True)
def _glr_kl_ucb(
    arms: Arms, delta: float, explore: float, every: int, thin: int, key: np.uint64, actions: Actions
) -> None:
    many, horizon = arms.means.shape[2], actions.shape[1]
    pulls, solved = np.empty(many, dtype=np.int64), np.empty(many, dtype=np.int64)
    means, entropies = np.empty(many), np.empty(many)
    index, at, slopes = np.empty(many), np.empty(many), np.empty(many)
    ones, table = np.zeros((many, horizon + 1), dtype=np.int64), logs(horizon)
    for replication in range(actions.shape[0]):
        pulls[:], index[:], solved[:] = 0, 0.5, -1
        learned, since, episode, without = 0, 0, 1, many
        for step in range(horizon):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                one = int(bit(key, learned, replication, paid(arms, learned, replication, arm)))
                learned += 1
                without -= pulls[arm] == 0
                pulls[arm] += 1
                ones[arm, pulls[arm]] = ones[arm, pulls[arm] - 1] + one
                means[arm] = ones[arm, pulls[arm]] / pulls[arm]
                entropies[arm], solved[arm] = entropy_of(means[arm]), -1
                if (learned - since) % every == 0 and ratio(ones[arm], pulls[arm], thin, table) > threshold(
                    pulls[arm], delta
                ):
                    pulls[:], index[:], solved[:] = 0, 0.5, -1
                    since, without = learned, many
                    episode += 1
            arm = in_turn(step - since, many, explore * math.sqrt(episode))
            if arm < 0 and without:
                arm = step % many
                while pulls[arm] > 0:
                    arm = (arm + 1) % many
            elif arm < 0:
                level = math.log(step - since + 1)
                arm = largest_index(means, entropies, pulls, index, at, slopes, solved, level, step)
            actions[replication, step] = arm
