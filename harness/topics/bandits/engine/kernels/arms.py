"""A world as kernels take it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from harness.topics.bandits.engine.chance import Floats, Ints, normal, uniform
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import ROWS, World


class Arms(NamedTuple):
    """The fields of a `World`, in arrays of one type however the world's were made."""

    means: Floats
    stage: Ints
    key: np.uint64
    sigma: float
    drawn: bool
    delay: int
    batch: int


def arms_of(world: World) -> Arms:
    """Return a world as kernels take it."""
    return Arms(
        np.array(world.means, dtype=np.float64, order="C"),
        np.array(world.stage, dtype=np.int64, order="C"),
        np.uint64(world.key),
        float(world.sigma),
        world.features is not None,
        int(world.delay),
        int(world.batch),
    )


def blank(world: World) -> Actions:
    """Return room for actions, shape (replications, horizon): a kernel walks through the steps of a replication."""
    return np.empty((world.replications, world.horizon), dtype=np.int16)


def done(world: World) -> Ints:
    """Return the number of steps before each, 1 at least so that it has a logarithm; shape (horizon,)."""
    return np.maximum(np.arange(world.horizon, dtype=np.int64), 1)


@njit(cache=True, inline="always")
def row_of(arms: Arms, step: int, replication: int) -> int:
    """Return what `World.rows` says of one place."""
    if arms.drawn:
        return int(uniform(arms.key ^ ROWS, step, replication, 0) * arms.means.shape[1])
    return replication % int(arms.means.shape[1])


@njit(cache=True, inline="always")
def paid(arms: Arms, step: int, replication: int, arm: int) -> float:
    """Return what `World.rewards` says of one place."""
    mean = float(arms.means[arms.stage[step], row_of(arms, step, replication), arm])
    if arms.sigma == 0:
        return 1.0 if uniform(arms.key, step, replication, arm) < mean else 0.0
    noise: float = normal(arms.key, step, replication, arm)
    return mean + arms.sigma * noise


@njit(cache=True, inline="always")
def seen(arms: Arms, step: int) -> int:
    """Return what `World.seen` says."""
    limit = max(step - arms.delay, 0)
    if arms.batch > 1:
        limit -= limit % arms.batch
    return limit


@njit(cache=True, inline="always")
def unseen(count: Floats, step: int) -> int:
    """Return the first arm without a count, from the step's own arm on; all arms must not have one."""
    arm = step % len(count)
    while count[arm] > 0:
        arm = (arm + 1) % len(count)
    return arm


@njit(cache=True, inline="always")
def largest(values: Floats) -> int:
    """Return the first of the largest values."""
    best = 0
    for place in range(1, len(values)):
        if values[place] > values[best]:
            best = place
    return best
