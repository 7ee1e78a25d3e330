"""Thompson sampling: an arm is chosen with the posterior probability that it is the best one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.bandits import topic
from harness.topics.bandits.contextual import contextual
from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.replay import replay
from harness.topics.bandits.stationary import SIGMA, task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

KERNEL = "harness.topics.bandits.engine.kernels.thompson"
BETA = (
    "For rewards in [0, 1]. A reward r between 0 and 1 counts as 1 with probability r, else as 0 (Agrawal & Goyal "
    "2012, algorithm 2); one outside counts as 0 or 1."
)


@topic.strategy("thompson-beta", tasks=[contextual, replay], needs=KERNEL, note=f"Sees no context. {BETA}")
@topic.strategy("thompson-beta", tasks=[task, drifting], needs=KERNEL, note=BETA)
def thompson_beta(problem: Problem, phase: PhaseClock) -> Any:
    """Draw from Beta(1 + successes, 1 + failures) and choose the largest (Chapelle & Li 2011, algorithm 2)."""
    from harness.topics.bandits.engine.kernels.thompson import thompson_beta as kernel
    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, key))


@contextual.strategy("thompson-gaussian", needs=KERNEL, note="Sees no context.")
@task.strategy(
    "thompson-gaussian",
    needs=KERNEL,
    sweep={"sigma": [0.25, 1.0]},
    note="Agrawal & Goyal use sigma 1; for rewards in [0, 1], which are sub-Gaussian with 0.5, sigma 0.5 is enough.",
)
def thompson_gaussian(problem: Problem, phase: PhaseClock, sigma: float = SIGMA) -> Any:
    """Draw from N(sum / (n + 1), sigma^2 / (n + 1)) and choose the largest.

    Agrawal & Goyal 2013, "Further optimal regret bounds for Thompson sampling".
    """
    from harness.topics.bandits.engine.kernels.thompson import thompson_gaussian as kernel
    from harness.topics.bandits.engine.play import measure_compiled
    from harness.topics.bandits.engine.world import key_of

    key = key_of(np.random.default_rng(problem.seed))
    return measure_compiled(problem, phase, lambda world: kernel(world, sigma, key))
