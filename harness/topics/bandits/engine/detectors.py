"""Policies that start again when a detector sees that an arm's mean has changed.

A detector watches what an arm paid since its last restart. Each is a kernel of its own on one stream of rewards
(`cusum_alarm`, `halves_alarm`, `glr_alarm`), where its false alarms and delays can be seen.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.errors import UsageError
from harness.topics.bandits.engine.chance import Floats, Ints, uniform
from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, largest, paid, seen, unseen
from harness.topics.bandits.engine.kernels.kl import entropy_of, largest_index
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.windows import bit
from harness.topics.bandits.engine.world import World

_EXPLORE, _WHICH = 1_000_000, 1_000_001  # places of the coin of exploration, and of the arm that it chooses


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
    """Play UCB, and forget an arm, or everything, when the cumulative sum of its deviations exceeds a threshold.

    Liu, Lee & Shroff 2018, "A change-detection based framework for piecewise-stationary multi-armed bandit problem";
    ``warm``, ``slack``, ``threshold`` and ``explore`` are their M, epsilon, h and alpha.
    """
    _check(world, warm=warm, explore=explore)
    actions = blank(world)
    _cusum_ucb(arms_of(world), warm, slack, threshold, explore, xi, int(everything), key, actions)
    return actions.T


def m_ucb(world: World, window: int, threshold: float, explore: float, xi: float) -> Actions:
    """Play UCB, and forget all when the two halves of an arm's last rewards differ by a threshold in sum.

    Cao et al. 2019, "Nearly optimal adaptive procedure with change detection for piecewise-stationary bandit";
    ``window``, ``threshold`` and ``explore`` are their w, b and gamma, xi is 2.
    """
    _check(world, warm=window // 2, explore=explore)
    actions = blank(world)
    _m_ucb(arms_of(world), window, threshold, explore, xi, actions)
    return actions.T


def glr_kl_ucb(world: World, delta: float, explore: float, every: int, thin: int, key: np.uint64) -> Actions:
    """Play KL-UCB, and forget all when a generalised likelihood ratio says that an arm has changed.

    Besson et al. 2022, "Efficient change-point detection for tackling piecewise-stationary bandits", with global
    restarts: in episode k every arm is explored at a share ``explore`` sqrt(k) / arms of the steps. The test is
    made at every so many steps, at every so many places of a change, as in the authors' code. A reward within (0, 1)
    counts as 1 with its own probability.
    """
    _check(world, warm=min(every, thin), explore=explore)
    if not 0 < delta < 1:
        raise UsageError(f"a probability of false alarm of {delta} is none; give one between 0 and 1")
    actions = blank(world)
    _glr_kl_ucb(arms_of(world), delta, explore, every, thin, key, actions)
    return actions.T


def _check(world: World, warm: int, explore: float) -> None:
    if warm < 1:
        raise UsageError("a detector needs at least one reward to compare with")
    if not 0 <= explore <= 1:
        raise UsageError(f"{explore} is no share of steps; give a number from 0 to 1")
    assert world.arms > 1


@njit(cache=True)
def cusum_alarm(rewards: Floats, warm: int, slack: float, threshold: float) -> int:
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
def halves_alarm(rewards: Floats, window: int, threshold: float) -> int:
    """Return the number of rewards until the halves of the last ones differ in sum by a threshold; 0 for never."""
    sums = np.zeros(len(rewards) + 1)
    for place in range(len(rewards)):
        sums[place + 1] = sums[place] + rewards[place]
        if _halves(sums, place + 1, window) > threshold:
            return place + 1
    return 0


@njit(cache=True)
def glr_alarm(rewards: Floats, delta: float, every: int, thin: int) -> int:
    """Return the number of rewards until the generalised likelihood ratio exceeds its threshold; 0 for never."""
    ones, table = np.zeros(len(rewards) + 1, dtype=np.int64), logs(len(rewards))
    for place in range(len(rewards)):
        ones[place + 1] = ones[place] + int(rewards[place])
        if (place + 1) % every == 0 and glr(ones, place + 1, thin, table) > glr_threshold(place + 1, delta):
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
def glr_threshold(count: int, delta: float) -> float:
    """Return log(n^(3/2) / delta), which the authors use in place of the larger one of their proofs."""
    return 1.5 * math.log(count) - math.log(delta)


@njit(cache=True)
def glr(ones: Ints, count: int, thin: int, table: Floats) -> float:
    """Return the largest log likelihood ratio of one change in 0-1 rewards against none.

    It is the largest s KL(mean before, mean) + (n - s) KL(mean after, mean) over s = 1, 1 + thin ... below n.

    Parameters
    ----------
    ones
        Number of ones among the first rewards, from 0 rewards on; shape (n + 1,) or more.
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


@njit(cache=True, inline="always")
def _halves(sums: Floats, count: int, window: int) -> float:
    half = window // 2
    if count < 2 * half:
        return 0.0
    return float(abs(sums[count] - 2 * sums[count - half] + sums[count - 2 * half]))


@njit(cache=True, inline="always")
def _ucb(count: Floats, total: Floats, steps: float, xi: float, step: int, index: Floats) -> int:
    level = xi * math.log(max(steps, 1.0))
    for arm in range(len(count)):
        if count[arm] == 0:
            return unseen(count, step)
        index[arm] = total[arm] / count[arm] + math.sqrt(level / count[arm])
    return largest(index)


@njit(cache=True, inline="always")
def _in_turn(step: int, count: int, explore: float) -> int:
    """Return the arm whose turn of exploration it is; -1 for none."""
    if explore <= 0:
        return -1
    place = step % max(int(count / explore), count)
    return place if place < count else -1


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
    count, total, index = np.empty(many), np.empty(many), np.empty(many)
    base, up, down = np.empty(many), np.empty(many), np.empty(many)
    for replication in range(actions.shape[0]):
        count[:], total[:], base[:], up[:], down[:] = 0.0, 0.0, 0.0, 0.0, 0.0
        told, steps = 0, 0.0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while told < limit:
                arm = int(actions[replication, told])
                reward = paid(arms, told, replication, arm)
                told += 1
                steps += 1
                count[arm] += 1
                total[arm] += reward
                if count[arm] <= warm:
                    base[arm] += reward / warm
                    continue
                up[arm] = max(0.0, up[arm] + reward - base[arm] - slack)
                down[arm] = max(0.0, down[arm] + base[arm] - reward - slack)
                if max(up[arm], down[arm]) > threshold:
                    for each in range(many):
                        if everything or each == arm:
                            steps -= count[each]
                            count[each], total[each], base[each], up[each], down[each] = 0.0, 0.0, 0.0, 0.0, 0.0
            if uniform(key, step, replication, _EXPLORE) < explore:
                actions[replication, step] = int(uniform(key, step, replication, _WHICH) * many)
            else:
                actions[replication, step] = _ucb(count, total, steps, xi, step, index)


@njit(cache=True)
def _m_ucb(arms: Arms, window: int, threshold: float, explore: float, xi: float, actions: Actions) -> None:
    many, horizon = arms.means.shape[2], actions.shape[1]
    count, total, index = np.empty(many), np.empty(many), np.empty(many)
    sums = np.zeros((many, horizon + 1))
    for replication in range(actions.shape[0]):
        count[:], total[:] = 0.0, 0.0
        told, since = 0, 0
        for step in range(horizon):
            limit = seen(arms, step)
            while told < limit:
                arm = int(actions[replication, told])
                total[arm] += paid(arms, told, replication, arm)
                count[arm] += 1
                told += 1
                sums[arm, int(count[arm])] = total[arm]
                if _halves(sums[arm], int(count[arm]), window) > threshold:
                    count[:], total[:] = 0.0, 0.0
                    since = told
            arm = _in_turn(step - since, many, explore)
            if arm < 0:
                arm = _ucb(count, total, float(step - since + 1), xi, step, index)
            actions[replication, step] = arm


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
        told, since, episode, without = 0, 0, 1, many
        for step in range(horizon):
            limit = seen(arms, step)
            while told < limit:
                arm = int(actions[replication, told])
                one = int(bit(key, told, replication, paid(arms, told, replication, arm)))
                told += 1
                without -= pulls[arm] == 0
                pulls[arm] += 1
                ones[arm, pulls[arm]] = ones[arm, pulls[arm] - 1] + one
                means[arm] = ones[arm, pulls[arm]] / pulls[arm]
                entropies[arm], solved[arm] = entropy_of(means[arm]), -1
                if (told - since) % every == 0 and glr(ones[arm], pulls[arm], thin, table) > glr_threshold(
                    pulls[arm], delta
                ):
                    pulls[:], index[:], solved[:] = 0, 0.5, -1
                    since, without = told, many
                    episode += 1
            arm = _in_turn(step - since, many, explore * math.sqrt(episode))
            if arm < 0 and without:
                arm = step % many
                while pulls[arm] > 0:
                    arm = (arm + 1) % many
            elif arm < 0:
                level = math.log(step - since + 1)
                arm = largest_index(means, entropies, pulls, index, at, slopes, solved, level, step)
            actions[replication, step] = arm
