"""Optimism in the face of uncertainty: the arm that may be best, judged by a mean plus a width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.bandits.baselines import Floats, Ints, Tally
from harness.topics.bandits.contextual import contextual
from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.stationary import task

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem

KERNEL = "harness.topics.bandits.engine.kernels.index"


@contextual.strategy("ucb1", needs=KERNEL, sweep={"xi": [0.5]}, note="Sees no context.")
@drifting.strategy("ucb1", needs=KERNEL, sweep={"xi": [0.2, 0.5]})
@task.strategy("ucb1", needs=KERNEL, sweep={"xi": [0.125, 0.25, 0.5, 1.0]})
def ucb1(problem: Problem, phase: PhaseClock, xi: float = 2.0) -> Any:
    """Choose the largest mean + sqrt(xi log(step) / n), with the number of steps done.

    Auer, Cesa-Bianchi & Fischer 2002, "Finite-time analysis of the multiarmed bandit problem", figure 1, has xi 2;
    the theorems of Garivier & Moulines 2011 ask for xi above 0.5.
    """
    from harness.topics.bandits.engine.kernels import index
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, lambda world: index.ucb1(world, xi))


@task.strategy("moss", needs=KERNEL, note="Knows the horizon.")
def moss(problem: Problem, phase: PhaseClock) -> Any:
    """Choose the largest mean + sqrt(max(log(horizon / (arms n)), 0) / n).

    Audibert & Bubeck 2009, "Minimax policies for adversarial and stochastic bandits", section 2.
    """
    from harness.topics.bandits.engine.kernels import index
    from harness.topics.bandits.engine.play import measure_compiled

    horizon = problem.data.horizon
    return measure_compiled(problem, phase, lambda world: index.moss(world, horizon))


class UCBTuned:
    """The largest mean + sqrt(log(step) / n min(1/4, V)), with V the variance seen + sqrt(2 log(step) / n)."""

    def __init__(self, replications: int, arms: int) -> None:
        self._tally = Tally(replications, arms)

    def choose(self, step: int, _contexts: Floats | None) -> Ints:
        """Return an arm for each replication."""
        tally = self._tally
        pulls = np.maximum(tally.pulls, 1)
        means = tally.sums / pulls
        share = np.log(max(step, 1)) / pulls
        most = tally.squares / pulls - means**2 + np.sqrt(2 * share)
        return tally.or_untried(step, means + np.sqrt(share * np.minimum(0.25, most)))

    def update(self, _step: int, arms: Ints, rewards: Floats, _contexts: Floats | None) -> None:
        """Learn what the arms paid."""
        self._tally.add(arms, rewards)


@task.strategy("ucb-tuned", needs="harness.topics.bandits.engine.play")
def ucb_tuned(problem: Problem, phase: PhaseClock) -> Any:
    """Narrow the width of UCB1 by the variance seen (Auer, Cesa-Bianchi & Fischer 2002, section 4)."""
    from harness.topics.bandits.engine.play import measure

    return measure(problem, phase, lambda world: UCBTuned(world.replications, world.arms))
