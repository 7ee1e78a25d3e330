"""KL-UCB: the index of an arm is the largest mean that its rewards so far do not rule out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.bandits import topic
from harness.topics.bandits.contextual import contextual
from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.replay import replay
from harness.topics.bandits.stationary import task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

KERNEL = "harness.topics.bandits.engine.kernels.kl"
NOTE = "For rewards in [0, 1]; a mean outside of them is taken as 0 or 1. Indices are exact to 1e-6."


@topic.strategy("kl-ucb", tasks=[contextual, replay], needs=KERNEL, note=f"Sees no context. {NOTE}")
@drifting.strategy("kl-ucb", needs=KERNEL, note=NOTE)
@task.strategy("kl-ucb", needs=KERNEL, sweep={"c": [3.0]}, note=NOTE)
def kl_ucb(problem: Problem, phase: PhaseClock, c: float = 0.0) -> Any:
    """Choose the largest q with n KL(mean, q) <= log(step) + c log(log(step)), with the KL of Bernoulli rewards.

    Garivier & Cappe 2011, "The KL-UCB algorithm for bounded stochastic bandits and beyond"; their theorem uses
    c 3, and they recommend c 0.
    """
    from harness.topics.bandits.engine.kernels.kl import kl_ucb as kernel
    from harness.topics.bandits.engine.play import measure_compiled

    return measure_compiled(problem, phase, lambda world: kernel(world, c))
