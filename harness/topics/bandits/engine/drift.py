"""Worlds of Bernoulli arms whose means change over time, so that the best arm changes too.

Means depend on the step and not on the choices (restless, not rested bandits). Abrupt worlds draw different means in
every replication; smooth worlds have the same means in all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness import Scalar
from harness.topics.bandits.engine.chance import Floats, key_of
from harness.topics.bandits.engine.world import World

STAGE_STEPS = 10  # steps over which smooth means are constant
LOWEST, HIGHEST = 0.05, 0.95  # bounds of a random walk


def abrupt(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make means that are drawn again at ``changes`` evenly spaced steps, uniform in (0, 1).

    A draw is repeated until the best arm differs from the one before and leads the second by 1 / (2 arms).
    """
    arms, horizon, changes = int(params["arms"]), int(params["horizon"]), int(params["changes"])
    means = np.stack([_apart(int(params["replications"]), arms, rng) for _ in range(changes + 1)])
    for stage in range(1, changes + 1):
        while len(same := np.flatnonzero(means[stage].argmax(axis=1) == means[stage - 1].argmax(axis=1))):
            means[stage, same] = _apart(len(same), arms, rng)
    steps = np.unique(np.arange(1, changes + 1) * horizon // (changes + 1))
    stage_of = np.searchsorted(steps, np.arange(horizon), side="right").astype(np.int64)
    return World(means, stage_of, int(params["replications"]), key_of(rng), changes=tuple(steps.tolist()))


def _apart(rows: int, arms: int, rng: np.random.Generator) -> Floats:
    """Draw rows of means in which the best arm leads the second by 1 / (2 arms)."""
    means = rng.random((rows, arms))
    while True:
        ordered = np.sort(means, axis=1)
        close = np.flatnonzero(ordered[:, -1] - ordered[:, -2] < 0.5 / arms)
        if not len(close):
            return means
        means[close] = rng.random((len(close), arms))


def sinusoidal(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make means that follow sine waves between 0.1 and 0.9, ``periods`` times; each arm in turn is the best one."""
    times, order = _times(params), _order(params, rng)
    turns = float(params["periods"]) * times[:, None] - order / int(params["arms"])
    return _smooth(0.5 + 0.4 * np.sin(2 * np.pi * turns), params, rng)


def random_walk(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make means that follow Gaussian random walks, reflected at 0.05 and 0.95.

    They start uniform; without the bounds their standard deviation at the horizon would be 0.4.
    """
    stages, arms, width = len(_times(params)), int(params["arms"]), HIGHEST - LOWEST
    steps = rng.normal(0, 0.4 / np.sqrt(stages), (stages, arms))
    steps[0] = width * rng.random(arms)
    # A walk reflected at two bounds is the unbounded walk, folded.
    folded = np.abs((np.cumsum(steps, axis=0) + width) % (2 * width) - width)
    return _smooth(LOWEST + folded, params, rng)


def rotting(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make means that are constant and then fall to 0, the best first.

    With K arms, arm i has mean 0.9 - 0.8 i/K until (i + 1)/K of the horizon, when it begins to fall exponentially, to
    1/e of it in 2 % of the horizon; the last arm does not fall. Means that only fall are the setting of Levine et al.
    2017, "Rotting bandits"; there they fall with each choice of the arm.
    """
    arms, order = int(params["arms"]), _order(params, rng)
    age = np.maximum(_times(params)[:, None] - (order + 1) / arms, 0)
    return _smooth((0.9 - 0.8 * order / arms) * np.exp(-age / 0.02), params, rng)


def _times(params: Mapping[str, Scalar]) -> Floats:
    """Return the centres of the stages as shares of the horizon, shape (stages,)."""
    stages = -(-int(params["horizon"]) // STAGE_STEPS)
    times: Floats = (np.arange(stages) + 0.5) / stages
    return times


def _order(params: Mapping[str, Scalar], rng: np.random.Generator) -> Floats:
    """Draw an order of the arms, shape (arms,)."""
    return rng.permutation(np.arange(float(params["arms"])))


def _smooth(means: Floats, params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make a world of means shaped (stages, arms)."""
    stage = np.arange(int(params["horizon"])) // STAGE_STEPS
    return World(means[:, None, :], stage, int(params["replications"]), key_of(rng))
