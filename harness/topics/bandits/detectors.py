"""Policies that start again when they detect a change.

The defaults are tuned to 4 abrupt changes in 10,000 steps, whatever the horizon.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.topics.bandits.drifting import changes_of, drifting

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem
    from harness.topics.bandits.engine.play import Actions

ENGINE = "harness.topics.bandits.engine.detectors"
WINDOW = 200  # one of two that Besson et al. 2022 try, in the code of their experiments


@drifting.strategy(
    "cusum-ucb",
    needs=f"{ENGINE}.cusum",
    sweep={"everything": [True], "theory": [True], "threshold": (4.0, 16.0), "explore": (0.005, 0.1)},
    note=(
        "As published an alarm forgets its arm; with everything, all arms. With theory the threshold is "
        "log(T / changes) and the share of exploration sqrt(changes log(T / changes) / T), from the horizon T."
    ),
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
    """Play UCB; the cumulative sum of an arm's deviations from its first rewards raises the alarm.

    Liu, Lee & Shroff 2018, "A change-detection based framework for piecewise-stationary multi-armed bandit problem".
    """
    import numpy as np

    from harness.topics.bandits.engine.chance import key_of
    from harness.topics.bandits.engine.detectors import cusum
    from harness.topics.bandits.engine.play import measure_compiled

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
    needs=f"{ENGINE}.halves",
    sweep={"theory": [True], "threshold": (10.0, 16.0), "explore": (0.0, 0.05)},
    note=(
        "With theory the window w is 200, the threshold b sqrt(w log(2 K T^2) / 2), the share of exploration "
        "sqrt(changes K (2 b + 3 sqrt(w)) / (2 T)) and xi 2, from the arms K and the horizon T."
    ),
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
    """Play UCB; the two halves of an arm's last rewards raise the alarm when they differ, and all is forgotten.

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
    needs=f"{ENGINE}.glr",
    sweep={"theory": [True], "delta": (0.001, 0.1), "explore": (0.0, 0.05)},
    note=(
        "With theory delta is 1 / sqrt(T) and the share of exploration of the first episode sqrt(K log(T) / T), from "
        "the arms K and the horizon T. Restarts are global; tests are made every 10 steps at every 5th place."
    ),
)
def glr_kl_ucb(
    problem: Problem, phase: PhaseClock, delta: float = 0.01, explore: float = 0.01, *, theory: bool = False
) -> Actions:
    """Play KL-UCB; the likelihood ratio of one change against none raises the alarm, and all is forgotten.

    Besson et al. 2022, "Efficient change-point detection for tackling piecewise-stationary bandits".
    """
    import numpy as np

    from harness.topics.bandits.engine.chance import key_of
    from harness.topics.bandits.engine.detectors import glr
    from harness.topics.bandits.engine.play import measure_compiled

    if theory:
        horizon, arms = problem.data.horizon, problem.data.arms
        delta, explore = 1 / math.sqrt(horizon), min(math.sqrt(arms * math.log(horizon) / horizon), 1.0)
    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(
        problem, phase, lambda world: glr.glr_kl_ucb(world, delta, explore, every=10, thin=5, key=key)
    )
