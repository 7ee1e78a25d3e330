"""How fast a policy adapts when the best arm changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness import Curve
from harness.topics.bandits.engine.chance import Floats
from harness.topics.bandits.engine.world import World

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
