"""Exponential weights: policies with guarantees for any rewards, at the price of more regret on random ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.stationary import task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

KERNEL = "harness.topics.bandits.engine.kernels.exponential"
NOTE = "For rewards in [0, 1]. With gamma 0 the rate is computed from the horizon."


@drifting.strategy("exp3", needs=KERNEL, note=NOTE)
@task.strategy("exp3", needs=KERNEL, sweep={"gamma": [0.01, 0.05, 0.2]}, note=NOTE)
def exp3(problem: Problem, phase: PhaseClock, gamma: float = 0.0) -> Any:
    """Weigh arms exponentially (Auer, Cesa-Bianchi, Freund & Schapire 2002).

    "The nonstochastic multiarmed bandit problem".

    Parameters
    ----------
    gamma
        Rate; 0 for the rate of their bound at a known horizon: min(1, sqrt(arms log(arms) / ((e - 1) horizon))).
    """
    from harness.topics.bandits.engine.kernels import exponential
    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    world = problem.data
    best = math.sqrt(world.arms * math.log(world.arms) / ((math.e - 1) * world.horizon))
    rate = gamma or min(1.0, best)
    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: exponential.exp3(world, rate, key))


@drifting.strategy("exp3-s", needs=KERNEL, note=NOTE)
@task.strategy("exp3-s", needs=KERNEL, sweep={"gamma": [0.01, 0.05, 0.2]}, note=NOTE)
def exp3_s(problem: Problem, phase: PhaseClock, gamma: float = 0.0, switches: int = 4) -> Any:
    """Weigh arms exponentially and add uniform weights at every step, to follow changes of the best arm.

    Auer, Cesa-Bianchi, Freund & Schapire 2002, section 8: EXP3.S.

    Parameters
    ----------
    gamma
        Rate; 0 for the rate of their corollary 8.3 at a known horizon.
    switches
        Changes of the best arm that the rate of corollary 8.3 is made for.
    """
    from harness.topics.bandits.engine.kernels import exponential
    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    world = problem.data
    hardness = (switches + 1) * math.log(world.arms * world.horizon) + math.e
    best = math.sqrt(world.arms * hardness / ((math.e - 1) * world.horizon))
    rate, alpha = gamma or min(1.0, best), 1 / world.horizon
    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: exponential.exp3_s(world, rate, alpha, key))
