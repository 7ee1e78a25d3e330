"""Policies that forget old rewards, whether or not there was a change.

The defaults of windows, discounts and constants are tuned for 4 abrupt changes in 10,000 steps; they do not depend on
the horizon.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.topics.bandits.drifting import changes_of, drifting

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.bandits.engine.play import Actions
    from harness.topics.bandits.engine.world import World

ENGINE = ("harness.topics.bandits.engine.windows", "harness.topics.bandits.engine.play")
WINDOWS = (250, 500, 1_000, 2_000, 4_000)
DISCOUNTS = (0.99, 0.995, 0.998, 0.999, 0.9995)
XI = (0.1, 0.5, 2.0)
THEORY = "With theory it uses the constants of Garivier & Moulines 2011, for the horizon T and the number of changes:"


@drifting.strategy(
    "sliding-ucb",
    needs=ENGINE,
    sweep={"window": WINDOWS, "xi": XI, "theory": [True]},
    note=f"{THEORY} the window 2 sqrt(T log(T) / changes), and xi 0.6, as their theory requires more than 0.5.",
)
def sliding_ucb(
    problem: Problem, phase: PhaseClock, window: int = 1_000, xi: float = 0.2, *, theory: bool = False
) -> Actions:
    """Play the largest mean over a window plus sqrt(xi log(min(step, window)) / count)."""
    from harness.topics.bandits.engine import windows
    from harness.topics.bandits.engine.play import measure_compiled

    if theory:
        world: World = problem.data
        window, xi = math.ceil(2 * math.sqrt(world.horizon * math.log(world.horizon) / changes_of(world))), 0.6
    return measure_compiled(problem, phase, lambda world: windows.sliding_ucb(world, window, xi))


@drifting.strategy(
    "discounted-ucb",
    needs=ENGINE,
    sweep={"discount": DISCOUNTS, "xi": XI, "theory": [True]},
    note=f"{THEORY} the discount 1 - sqrt(changes / T) / 4, and xi 2, which is 0.5 in their notation.",
)
def discounted_ucb(
    problem: Problem, phase: PhaseClock, discount: float = 0.999, xi: float = 0.2, *, theory: bool = False
) -> Actions:
    """Play the largest discounted mean plus sqrt(xi log(discounted steps) / discounted count)."""
    from harness.topics.bandits.engine import windows
    from harness.topics.bandits.engine.play import measure_compiled

    if theory:
        world: World = problem.data
        discount, xi = 1 - math.sqrt(changes_of(world) / world.horizon) / 4, 2.0
    return measure_compiled(problem, phase, lambda world: windows.discounted_ucb(world, discount, xi))


@drifting.strategy("sliding-thompson", needs=ENGINE, sweep={"window": WINDOWS})
def sliding_thompson(problem: Problem, phase: PhaseClock, window: int = 1_000) -> Actions:
    """Play the largest draw from beta posteriors of the rewards in a window."""
    from harness.topics.bandits.engine import windows

    return _drawing(problem, phase, windows.sliding_thompson, window)


@drifting.strategy("discounted-thompson", needs=ENGINE, sweep={"discount": DISCOUNTS})
def discounted_thompson(problem: Problem, phase: PhaseClock, discount: float = 0.998) -> Actions:
    """Play the largest draw from beta posteriors whose counts are discounted at every step."""
    from harness.topics.bandits.engine import windows

    return _drawing(problem, phase, windows.discounted_thompson, discount)


def _drawing(problem: Problem, phase: PhaseClock, kernel: Callable[..., Actions], memory: float) -> Actions:
    import numpy as np

    from harness.topics.bandits.engine.chance import key_of
    from harness.topics.bandits.engine.play import measure_compiled

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, memory, key))
