"""Thompson sampling: an arm is chosen with the probability that it is the best one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.bandits import topic
from harness.topics.bandits.contextual import contextual
from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.replay import replay
from harness.topics.bandits.stationary import SIGMA, task

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem

KERNEL = "harness.topics.bandits.engine.kernels.thompson"
BETA = (
    "For rewards in [0, 1]: one in between counts as 1 with its own probability (Agrawal & Goyal 2012, algorithm 2), "
    "one outside as 0 or 1."
)


@topic.strategy("thompson-beta", tasks=[contextual, replay], needs=KERNEL, note=f"Sees no context. {BETA}")
@topic.strategy("thompson-beta", tasks=[task, drifting], needs=KERNEL, note=BETA)
def thompson_beta(problem: Problem, phase: PhaseClock) -> Any:
    """Draw from Beta(1 + successes, 1 + failures) and choose the largest (Chapelle & Li 2011, algorithm 2)."""
    from harness.topics.bandits.engine.chance import key_of
    from harness.topics.bandits.engine.kernels.thompson import thompson_beta as kernel
    from harness.topics.bandits.engine.play import measure_compiled

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, key))


@contextual.strategy("thompson-gaussian", needs=KERNEL, note="Sees no context.")
@task.strategy(
    "thompson-gaussian",
    needs=KERNEL,
    sweep={"sigma": [0.25, 1.0]},
    note="Agrawal & Goyal have sigma 1; rewards in [0, 1] deviate at most like Gaussian ones of sigma 0.5.",
)
def thompson_gaussian(problem: Problem, phase: PhaseClock, sigma: float = SIGMA) -> Any:
    """Draw from N(sum / (n + 1), sigma^2 / (n + 1)) and choose the largest.

    Agrawal & Goyal 2013, "Further optimal regret bounds for Thompson sampling".
    """
    from harness.topics.bandits.engine.chance import key_of
    from harness.topics.bandits.engine.kernels.thompson import thompson_gaussian as kernel
    from harness.topics.bandits.engine.play import measure_compiled

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, sigma, key))
