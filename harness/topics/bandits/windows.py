"""Policies that forget old rewards always, or restart when they detect a change.

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


TUNED = "Its constants are tuned on abrupt with 4 changes in 10,000 steps."
DETECTORS = "harness.topics.bandits.engine.detectors"
WINDOW = 200  # one of two values in the experiments of Besson et al. 2022


@drifting.strategy(
    "cusum-ucb",
    needs=f"{DETECTORS}.cusum",
    sweep={"everything": [True], "theory": [True], "threshold": (4.0, 16.0), "explore": (0.005, 0.1)},
    note=(
        f"{TUNED} "
        "As published an alarm resets its arm; with everything it resets all arms. With theory the threshold is "
        "log(T / changes) and the share of exploration sqrt(changes log(T / changes) / T), T being the horizon."
    ),
    hand_tuned=True,
)
def cusum_ucb(
    problem: Problem,
    phase: PhaseClock,
    warm: int = 50,
    slack: float = 0.1,
    threshold: float = 8.0,
    explore: float = 0.02,
    xi: float = 0.2,
    *,
    everything: bool = False,
    theory: bool = False,
) -> Actions:
    """Play UCB, and restart when the cumulative sum of an arm's deviations from its first rewards is large.

    Liu, Lee & Shroff 2018, "A change-detection based framework for piecewise-stationary multi-armed bandit problem".
    """
    import numpy as np

    from harness.topics.bandits.engine.detectors import cusum
    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    if theory:
        horizon, changes = problem.data.horizon, changes_of(problem.data)
        threshold = math.log(horizon / changes)
        explore = min(math.sqrt(changes * threshold / horizon), 1.0)
    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(
        problem,
        phase,
        lambda world: cusum.cusum_ucb(world, warm, slack, threshold, explore, xi, key, everything=everything),
    )


@drifting.strategy(
    "m-ucb",
    needs=f"{DETECTORS}.halves",
    sweep={"theory": [True], "threshold": (10.0, 16.0), "explore": (0.0, 0.05)},
    note=(
        f"{TUNED} "
        "With theory the window w is 200, the threshold b sqrt(w log(2 K T^2) / 2), the share of exploration "
        "sqrt(changes K (2 b + 3 sqrt(w)) / (2 T)) and xi 2, for K arms and the horizon T."
    ),
    hand_tuned=True,
)
def m_ucb(
    problem: Problem,
    phase: PhaseClock,
    window: int = 100,
    threshold: float = 13.0,
    explore: float = 0.01,
    xi: float = 0.2,
    *,
    theory: bool = False,
) -> Actions:
    """Play UCB, and restart all arms when the two halves of an arm's last rewards differ.

    Cao et al. 2019, "Nearly optimal adaptive procedure with change detection for piecewise-stationary bandit".
    """
    from harness.topics.bandits.engine.detectors import halves
    from harness.topics.bandits.engine.play import measure_compiled

    if theory:
        horizon, arms = problem.data.horizon, problem.data.arms
        window, threshold, xi = WINDOW, math.sqrt(WINDOW / 2 * math.log(2 * arms * horizon**2)), 2.0
        share = changes_of(problem.data) * arms * (2 * threshold + 3 * math.sqrt(window)) / (2 * horizon)
        explore = min(math.sqrt(share), 1.0)
    return measure_compiled(problem, phase, lambda world: halves.m_ucb(world, window, threshold, explore, xi))


@drifting.strategy(
    "glr-kl-ucb",
    needs=f"{DETECTORS}.glr",
    sweep={"theory": [True], "delta": (0.001, 0.1), "explore": (0.0, 0.05)},
    note=(
        f"{TUNED} "
        "With theory delta is 1 / sqrt(T) and the share of exploration in the first episode sqrt(K log(T) / T), for K "
        "arms and the horizon T. An alarm restarts all arms. Tests run every 10 steps, at every 5th possible change."
    ),
    hand_tuned=True,
)
def glr_kl_ucb(
    problem: Problem, phase: PhaseClock, delta: float = 0.01, explore: float = 0.01, *, theory: bool = False
) -> Actions:
    """Play KL-UCB, and restart all arms when the likelihood ratio of one change against none is large.

    Besson et al. 2022, "Efficient change-point detection for tackling piecewise-stationary bandits".
    """
    import numpy as np

    from harness.topics.bandits.engine.detectors import glr
    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    if theory:
        horizon, arms = problem.data.horizon, problem.data.arms
        delta, explore = 1 / math.sqrt(horizon), min(math.sqrt(arms * math.log(horizon) / horizon), 1.0)
    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(
        problem, phase, lambda world: glr.glr_kl_ucb(world, delta, explore, every=10, thin=5, key=key)
    )


ENGINE = ("harness.topics.bandits.engine.windows", "harness.topics.bandits.engine.play")
WINDOWS = (250, 500, 1_000, 2_000, 4_000)
DISCOUNTS = (0.99, 0.995, 0.998, 0.999, 0.9995)
XI = (0.1, 0.5, 2.0)
THEORY = f"{TUNED} With theory it uses those of Garivier & Moulines 2011, for the horizon T and the number of changes:"


@drifting.strategy(
    "sliding-ucb",
    needs=ENGINE,
    sweep={"window": WINDOWS, "xi": XI, "theory": [True]},
    note=f"{THEORY} the window 2 sqrt(T log(T) / changes), and xi 0.6, as their theory requires more than 0.5.",
    hand_tuned=True,
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
    hand_tuned=True,
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


@drifting.strategy("sliding-thompson", needs=ENGINE, sweep={"window": WINDOWS}, note=TUNED, hand_tuned=True)
def sliding_thompson(problem: Problem, phase: PhaseClock, window: int = 1_000) -> Actions:
    """Play the largest draw from beta posteriors of the rewards in a window."""
    from harness.topics.bandits.engine import windows

    return _drawing(problem, phase, windows.sliding_thompson, window)


@drifting.strategy("discounted-thompson", needs=ENGINE, sweep={"discount": DISCOUNTS}, note=TUNED, hand_tuned=True)
def discounted_thompson(problem: Problem, phase: PhaseClock, discount: float = 0.998) -> Actions:
    """Play the largest draw from beta posteriors whose counts are discounted at every step."""
    from harness.topics.bandits.engine import windows

    return _drawing(problem, phase, windows.discounted_thompson, discount)


def _drawing(problem: Problem, phase: PhaseClock, kernel: Callable[..., Actions], memory: float) -> Actions:
    import numpy as np

    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, memory, key))
