"""Optimism in the face of uncertainty: the index of an arm is its mean plus a confidence width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.bandits.contextual import contextual
from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.replay import replay
from harness.topics.bandits.stationary import task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

KERNEL = "harness.topics.bandits.engine.kernels.index"


@replay.strategy("ucb1", needs=KERNEL, sweep={"xi": [0.04, 0.5]}, note="Sees no context.")
@contextual.strategy("ucb1", needs=KERNEL, sweep={"xi": [0.5]}, note="Sees no context.")
@drifting.strategy("ucb1", needs=KERNEL, sweep={"xi": [0.2, 0.5]})
@task.strategy("ucb1", needs=KERNEL, sweep={"xi": [0.125, 0.25, 0.5, 1.0]})
def ucb1(problem: Problem, phase: PhaseClock, xi: float = 2.0) -> Any:
    """Choose the largest mean + sqrt(xi log(step) / n), where step is the number of steps before.

    Auer, Cesa-Bianchi & Fischer 2002, "Finite-time analysis of the multiarmed bandit problem", figure 1, uses xi 2;
    the theorems of Garivier & Moulines 2011 require xi above 0.5.
    """
    from harness.topics.bandits.engine.kernels import index
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, lambda world: index.ucb1(world, xi))


@replay.strategy("moss", needs=KERNEL, note="Sees no context. Knows the horizon.")
@task.strategy("moss", needs=KERNEL, note="Knows the horizon.")
def moss(problem: Problem, phase: PhaseClock) -> Any:
    """Choose the largest mean + sqrt(max(log(horizon / (arms n)), 0) / n).

    Audibert & Bubeck 2009, "Minimax policies for adversarial and stochastic bandits".
    """
    from harness.topics.bandits.engine.kernels import index
    from harness.topics.bandits.engine.play import measure_compiled

    horizon = problem.data.horizon
    return measure_compiled(problem, phase, lambda world: index.moss(world, horizon))


@task.strategy("ucb-tuned", needs="harness.topics.bandits.engine.kernels.tuned")
def ucb_tuned(problem: Problem, phase: PhaseClock) -> Any:
    """Choose the largest mean + sqrt(log(step) / n min(1/4, variance so far + sqrt(2 log(step) / n))).

    Auer, Cesa-Bianchi & Fischer 2002 call it UCB1-tuned.
    """
    from harness.topics.bandits.engine.kernels.tuned import ucb_tuned as kernel
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, kernel)
