"""Optimism in the face of uncertainty: the index of an arm is its mean plus a confidence width.

KL-UCB takes the largest mean that the rewards of an arm so far do not rule out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.bandits import topic
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


KL_KERNEL = "harness.topics.bandits.engine.kernels.kl"
NOTE = "For rewards in [0, 1]; a mean outside of them is taken as 0 or 1. Indices are exact to 1e-6."


@topic.strategy("kl-ucb", tasks=[contextual, replay], needs=KL_KERNEL, note=f"Sees no context. {NOTE}")
@drifting.strategy("kl-ucb", needs=KL_KERNEL, note=NOTE)
@task.strategy("kl-ucb", needs=KL_KERNEL, sweep={"c": [3.0]}, note=NOTE)
def kl_ucb(problem: Problem, phase: PhaseClock, c: float = 0.0) -> Any:
    """Choose the largest q with n KL(mean, q) <= log(step) + c log(log(step)), with the KL of Bernoulli rewards.

    Garivier & Cappe 2011, "The KL-UCB algorithm for bounded stochastic bandits and beyond"; their theorem uses
    c 3, and they recommend c 0.
    """
    from harness.topics.bandits.engine.kernels.kl import kl_ucb as kernel
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, lambda world: kernel(world, c))
