"""Policies that fit a model of the reward of each arm, given the context.

The defaults are tuned for rewards of 0 and 1 at 10 arms, 10 features and 10,000 steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.topics.bandits.contextual import contextual
from harness.topics.bandits.replay import replay

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.bandits.engine.play import Actions

TUNED = "Its constants are tuned for 10 arms, 10 features and 10,000 steps."
ENGINE = ("harness.topics.bandits.engine.linear", "harness.topics.bandits.engine.play")


@replay.strategy("lin-ucb", needs=ENGINE, sweep={"alpha": (0.02, 0.1)}, note=TUNED)
@contextual.strategy("lin-ucb", needs=ENGINE, sweep={"alpha": (0.1, 0.25, 1.0, 2.4)}, note=TUNED, hand_tuned=True)
def lin_ucb(problem: Problem, phase: PhaseClock, alpha: float = 0.5, ridge: float = 1.0) -> Actions:
    """Play the largest prediction plus alpha standard deviations, by ridge regression of each arm's rewards.

    Li et al. 2010, "A contextual-bandit approach to personalized news article recommendation", algorithm 1; its
    bound requires alpha 1 + sqrt(log(2 / delta) / 2), which is 2.4 at delta 0.05.
    """
    from harness.topics.bandits.engine import linear
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, lambda world: linear.ucb(world, alpha, ridge))


@replay.strategy("lin-ts", needs=ENGINE, sweep={"scale": (0.02, 0.1)}, note=TUNED)
@contextual.strategy(
    "lin-ts",
    needs=ENGINE,
    sweep={"scale": (0.1, 0.5, 1.0)},
    note=f"{TUNED} The scale of the theory, sqrt(9 d log(T / delta)), is far larger.",
    hand_tuned=True,
)
def lin_ts(problem: Problem, phase: PhaseClock, scale: float = 0.25, ridge: float = 1.0) -> Actions:
    """Play the largest prediction with coefficients drawn around those of ridge regression.

    Agrawal & Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs", algorithm 1.
    """
    from harness.topics.bandits.engine import linear

    return _drawing(problem, phase, linear.thompson, scale, ridge)


@replay.strategy("ridge-epsilon-greedy", needs=ENGINE, note=TUNED)
@contextual.strategy(
    "ridge-epsilon-greedy", needs=ENGINE, sweep={"epsilon": (0.01, 0.1, 0.2)}, note=TUNED, hand_tuned=True
)
def ridge_epsilon_greedy(problem: Problem, phase: PhaseClock, epsilon: float = 0.05, ridge: float = 1.0) -> Actions:
    """Play the largest prediction of ridge regression, and a random arm at a share of the steps."""
    from harness.topics.bandits.engine import linear

    return _drawing(problem, phase, linear.greedy, epsilon, ridge)


@replay.strategy("logistic-ts", needs=ENGINE, note=TUNED)
@contextual.strategy("logistic-ts", needs=ENGINE, sweep={"scale": (0.1, 0.25, 1.0)}, note=TUNED, hand_tuned=True)
def logistic_ts(problem: Problem, phase: PhaseClock, scale: float = 0.5, ridge: float = 1.0) -> Actions:
    """Play the largest prediction with coefficients drawn around those of logistic regression, updated at each reward.

    Chapelle & Li 2011, "An empirical evaluation of Thompson sampling", algorithm 3 (a Laplace approximation with
    diagonal precision).
    """
    from harness.topics.bandits.engine import linear

    return _drawing(problem, phase, linear.logistic_thompson, scale, ridge)


def _drawing(
    problem: Problem, phase: PhaseClock, kernel: Callable[..., Actions], scale: float, ridge: float
) -> Actions:
    import numpy as np

    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, scale, ridge, key))
