"""Worlds of Bernoulli arms whose means change over time, and how fast a policy adapts when the best arm changes.

Means depend on the step and not on the choices (restless, not rested bandits). Abrupt worlds draw different means in
every replication; smooth worlds have the same means in all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from harness import Curve, Scalar
from harness.topics.bandits.engine.world import Floats, World, key_of

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


LEAST_REIGN = 100  # steps; where means change smoothly, an arm that is best for fewer steps is not counted
BEFORE, AFTER, BIN = 100, 1_000, 20  # steps before and after a change in the curve, and steps per point of it

Hits = npt.NDArray[np.bool_]


def shares(world: World, hits: Hits) -> Iterator[tuple[int, Floats]]:
    """Give the share of replications on the best arm at each step of every reign but the first.

    A reign is the time from one change to the next. If the world has no abrupt changes, a change is a step at which the
    best arm of a row changes, and the share is taken over the replications of that row.

    Parameters
    ----------
    hits
        Whether the best arm was chosen, shape (horizon, replications).

    Yields
    ------
    int
        The step at which the reign begins.
    numpy.ndarray
        The shares from `BEFORE` steps before it to its end, shape (steps,).
    """
    if world.changes:
        yield from _reigns(hits.mean(axis=1), (*world.changes, world.horizon), 1)
        return
    best = world.means.argmax(axis=2)
    for row in range(min(best.shape[1], world.replications)):
        changes = np.flatnonzero(np.diff(best[:, row])) + 1
        steps = np.searchsorted(world.stage, changes)
        yield from _reigns(hits[:, row :: best.shape[1]].mean(axis=1), (*steps.tolist(), world.horizon), LEAST_REIGN)


def _reigns(share: Floats, steps: tuple[int, ...], least: int) -> Iterator[tuple[int, Floats]]:
    for start, stop in itertools.pairwise(steps):
        if stop - start >= least:
            yield start, share[max(start - BEFORE, 0) : stop]


def delay(world: World, hits: Hits) -> float:
    """Return the steps after a change until half of the replications choose the new best arm, mean over changes.

    If half of the replications never do, the whole time until the next change or the end counts. 0 without changes.
    """
    waits = []
    for start, share in shares(world, hits):
        since = share[min(start, BEFORE) :]
        reached = np.flatnonzero(since >= 0.5)
        waits.append(reached[0] if len(reached) else len(since))
    return float(np.mean(waits)) if waits else 0.0


def curve(world: World, hits: Hits) -> Curve:
    """Return the share of replications on the best arm over the steps since a change, mean over changes."""
    total, count = np.zeros(BEFORE + AFTER), np.zeros(BEFORE + AFTER)
    for start, share in shares(world, hits):
        first = BEFORE - min(start, BEFORE)
        part = share[: len(total) - first]
        total[first : first + len(part)] += part
        count[first : first + len(part)] += 1
    bins = np.add.reduceat(count, np.arange(0, len(count), BIN))
    filled = bins > 0
    means = np.add.reduceat(total, np.arange(0, len(total), BIN))[filled] / bins[filled]
    centres = np.arange(-BEFORE, AFTER, BIN)[filled] + (BIN - 1) / 2
    return Curve(centres.tolist(), means.tolist())
