"""Shared by policies with a detector: the check of their options, and the choice of an arm between alarms."""

from __future__ import annotations

import math

from numba import njit

from harness import UsageError
from harness.topics.bandits.engine.kernels.arms import largest, unseen
from harness.topics.bandits.engine.world import Floats, World


def check(world: World, warm: int, explore: float) -> None:
    """Refuse invalid options; `warm` is the number of rewards that a detector compares with."""
    if warm < 1:
        raise UsageError("a detector needs at least one reward to compare with")
    if not 0 <= explore <= 1:
        raise UsageError(f"the share of steps that explore must lie between 0 and 1, not {explore}")
    assert world.arms > 1


@njit(cache=True, inline="always")
def ucb(count: Floats, total: Floats, steps: float, xi: float, step: int, index: Floats) -> int:
    """Return the arm with the largest mean + sqrt(xi log(steps) / count); arms without a reward come first."""
    level = xi * math.log(max(steps, 1.0))
    for arm in range(len(count)):
        if count[arm] == 0:
            return unseen(count, step)
        index[arm] = total[arm] / count[arm] + math.sqrt(level / count[arm])
    return largest(index)


@njit(cache=True, inline="always")
def in_turn(step: int, count: int, explore: float) -> int:
    """Return the arm that is to be explored at a step; -1 for none."""
    if explore <= 0:
        return -1
    place = step % max(int(count / explore), count)
    return place if place < count else -1
