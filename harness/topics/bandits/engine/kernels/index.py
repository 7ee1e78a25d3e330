"""Policies whose index is a mean plus a width: UCB1 and MOSS."""

from __future__ import annotations

import numpy as np
from numba import njit

from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, done, paid, seen
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, World


def ucb1(world: World, xi: float) -> Actions:
    """Play the index mean + sqrt(xi log(step) / n), where step is the number of steps before."""
    pulls = np.arange(1, world.horizon + 1)
    return _run(world, np.sqrt(xi * np.log(done(world))), 1 / np.sqrt(pulls))


def moss(world: World, horizon: int) -> Actions:
    """Play the index mean + sqrt(max(log(horizon / (arms n)), 0) / n)."""
    pulls = np.arange(1, world.horizon + 1)
    widths = np.sqrt(np.maximum(np.log(horizon / (world.arms * pulls)), 0) / pulls)
    return _run(world, np.ones(world.horizon), widths)


def _run(world: World, factors: Floats, widths: Floats) -> Actions:
    actions = blank(world)
    _play(arms_of(world), factors, widths, actions)
    return actions.T


@njit(cache=True)
def _play(arms: Arms, factors: Floats, widths: Floats, actions: Actions) -> None:
    """Choose the largest mean + factors[step] * widths[pulls - 1]."""
    count = arms.means.shape[2]
    pulls = np.empty(count, dtype=np.int64)
    sums, means, width = np.empty(count), np.empty(count), np.empty(count)
    for replication in range(actions.shape[0]):
        pulls[:] = 0
        sums[:] = 0.0
        learned, unseen = 0, count
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                unseen -= pulls[arm] == 0
                sums[arm] += paid(arms, learned, replication, arm)
                width[arm] = widths[pulls[arm]]
                pulls[arm] += 1
                means[arm] = sums[arm] / pulls[arm]
                learned += 1
            best = step % count
            if unseen == 0:
                factor = factors[step]
                best, top = 0, means[0] + factor * width[0]
                for arm in range(1, count):
                    value = means[arm] + factor * width[arm]
                    if value > top:
                        best, top = arm, value
            actions[replication, step] = best
