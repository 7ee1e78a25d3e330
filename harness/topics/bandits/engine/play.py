"""Plays policies: those written in numpy take each step in all replications at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from harness import InvalidOutputError
from harness.topics.bandits.engine.world import Floats, Ints, World

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

Actions = npt.NDArray[np.int16]


class Policy(Protocol):
    """A policy that chooses arms in R replications at once."""

    def choose(self, step: int, contexts: Floats | None) -> Ints:
        """Return an arm for each replication, shape (R,).

        Parameters
        ----------
        contexts
            Shape (R, d); ``None`` in worlds without them.
        """

    def update(self, step: int, arms: Ints, rewards: Floats, contexts: Floats | None) -> None:
        """Learn the rewards of the arms chosen at a step; in worlds with a delay they come late or in batches."""


def play(world: World, policy: Policy) -> Actions:
    """Return the arms that the policy chose, shape (horizon, replications).

    Raises
    ------
    InvalidOutputError
        The policy chose something else than the numbers of arms, one for each replication.
    """
    actions = np.empty((world.horizon, world.replications), dtype=np.int16)
    learned = 0
    for step in range(world.horizon):
        while learned < world.seen(step):
            arms = actions[learned].astype(np.int64)
            policy.update(learned, arms, world.rewards(learned, arms), _contexts(world, learned))
            learned += 1
        actions[step] = _arms(world, step, policy.choose(step, _contexts(world, step)))
    return actions


def _arms(world: World, step: int, chosen: Ints) -> Ints:
    """Return the arms chosen at a step if they are some, before the array of actions would round or wrap them."""
    arms = np.asarray(chosen)
    if arms.dtype.kind not in "iu" or arms.shape != (world.replications,):
        raise InvalidOutputError(
            f"step {step}: expected integers of shape ({world.replications},), an arm for each replication, "
            f"not {arms.dtype} of shape {arms.shape}"
        )
    # As unsigned numbers negative ones are large: one pass checks both ends.
    if arms.astype(np.uint64).max() >= world.arms:
        raise InvalidOutputError(
            f"step {step}: arms must lie in 0 to {world.arms - 1}, not in {arms.min()} to {arms.max()}"
        )
    return arms


def _contexts(world: World, step: int) -> Floats | None:
    return None if world.features is None else world.contexts(step)


def measure(problem: Problem, phase: PhaseClock, make: Callable[[World], Policy]) -> Actions:
    """Play a numpy policy in the problem's world, in the phase ``play``.

    Parameters
    ----------
    make
        Returns a new policy for a world.
    """
    for _ in phase("play"):
        actions = play(problem.data, make(problem.data))
    return actions


def measure_compiled(problem: Problem, phase: PhaseClock, kernel: Callable[[World], Actions]) -> Actions:
    """Play a compiled policy in the phase ``play``, after compiling or loading it in the phase ``compile``."""
    world: World = problem.data
    with phase("compile"):
        kernel(replace(world, stage=world.stage[:2], replications=1))
    for _ in phase("play"):
        actions = kernel(world)
    return actions
