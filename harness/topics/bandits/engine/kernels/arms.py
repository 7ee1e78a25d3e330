"""A world in the form that compiled kernels use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import ROWS, Floats, Ints, World, normal, uniform


class Arms(NamedTuple):
    """The fields of a `World`, in arrays of fixed types, so that a kernel is compiled only once."""

    means: Floats
    stage: Ints
    key: np.uint64
    sigma: float
    drawn: bool
    delay: int
    batch: int


def arms_of(world: World) -> Arms:
    """Return a world in the form that kernels use."""
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
    """Return an empty array of actions, shape (replications, horizon), as kernels fill one replication at a time."""
    return np.empty((world.replications, world.horizon), dtype=np.int16)


def done(world: World) -> Ints:
    """Return the number of steps before each step, at least 1 so that it has a logarithm; shape (horizon,)."""
    return np.maximum(np.arange(world.horizon, dtype=np.int64), 1)


@njit(cache=True, inline="always")
def row_of(arms: Arms, step: int, replication: int) -> int:
    """Return the row of one replication at a step, as `World.rows` does."""
    if arms.drawn:
        return int(uniform(arms.key ^ ROWS, step, replication, 0) * arms.means.shape[1])
    return replication % int(arms.means.shape[1])


@njit(cache=True, inline="always")
def paid(arms: Arms, step: int, replication: int, arm: int) -> float:
    """Return the reward of one place, as `World.rewards` does."""
    mean = float(arms.means[arms.stage[step], row_of(arms, step, replication), arm])
    if arms.sigma == 0:
        return 1.0 if uniform(arms.key, step, replication, arm) < mean else 0.0
    noise: float = normal(arms.key, step, replication, arm)
    return mean + arms.sigma * noise


@njit(cache=True, inline="always")
def seen(arms: Arms, step: int) -> int:
    """Return the number of steps whose rewards are known, as `World.seen` does."""
    limit = max(step - arms.delay, 0)
    if arms.batch > 1:
        limit -= limit % arms.batch
    return limit


@njit(cache=True, inline="always")
def unseen(count: Floats, step: int) -> int:
    """Return the first arm with count 0, from arm ``step % arms`` on; at least one arm must have count 0."""
    arm = step % len(count)
    while count[arm] > 0:
        arm = (arm + 1) % len(count)
    return arm


@njit(cache=True, inline="always")
def largest(values: Floats) -> int:
    """Return the position of the first largest value."""
    best = 0
    for place in range(1, len(values)):
        if values[place] > values[best]:
            best = place
    return best
