"""Baselines that a policy has to beat: random choice, the best mean so far, and a mixture of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.topics.bandits import topic
from harness.topics.bandits.contextual import contextual
from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.replay import replay
from harness.topics.bandits.stationary import task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

KERNEL = "harness.topics.bandits.engine.kernels.greedy"

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@topic.strategy("random", tasks=[contextual, replay], needs=KERNEL, note="Sees no context.")
@topic.strategy("random", tasks=[task, drifting], needs=KERNEL)
def uniformly_random(problem: Problem, phase: PhaseClock) -> Any:
    """Choose an arm at random at every step."""
    return _greedy(problem, phase, np.ones(problem.data.horizon))


@task.strategy("greedy", needs=KERNEL)
def greedy(problem: Problem, phase: PhaseClock) -> Any:
    """Choose the arm with the largest mean so far, after each was tried once."""
    return _greedy(problem, phase, np.zeros(problem.data.horizon))


@topic.strategy("epsilon-greedy", tasks=[contextual, replay], needs=KERNEL, note="Sees no context.")
@drifting.strategy("epsilon-greedy", needs=KERNEL)
@task.strategy("epsilon-greedy", needs=KERNEL, sweep={"epsilon": [0.01, 0.05, 0.2]})
def epsilon_greedy(problem: Problem, phase: PhaseClock, epsilon: float = 0.1) -> Any:
    """Choose at random at a share of the steps, else the largest mean so far (Sutton & Barto 2018, section 2.2).

    Parameters
    ----------
    epsilon
        Share of the steps at which the choice is random, 0 to 1.
    """
    return _greedy(problem, phase, np.full(problem.data.horizon, epsilon))


@task.strategy("epsilon-decayed", needs=KERNEL, sweep={"scale": [1.0, 2.0, 10.0, 20.0]})
def epsilon_decayed(problem: Problem, phase: PhaseClock, scale: float = 5.0) -> Any:
    """Choose at random with the falling probability min(1, scale * arms / step), else the largest mean so far.

    Auer, Cesa-Bianchi & Fischer 2002, "Finite-time analysis of the multiarmed bandit problem", figure 3, where the
    scale is c / d^2 with d at most the gap between the best two arms.
    """
    world = problem.data
    return _greedy(problem, phase, np.minimum(1, scale * world.arms / np.arange(1, world.horizon + 1)))


def _greedy(problem: Problem, phase: PhaseClock, shares: Floats) -> Any:
    from harness.topics.bandits.engine.kernels.greedy import epsilon_greedy as kernel
    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, shares, key))
