"""The log of a policy that ran, with what another policy would have done in each of its rounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Log:
    """n rounds of logged bandit feedback, and a target policy.

    Attributes
    ----------
    actions, rewards, propensities
        What was chosen, what it paid, and with which probability it was chosen; shape (n,).
    target
        Probability of each action under the target policy in each round, shape (n, actions).
    reward_range
        Least and largest possible reward, as declared: bounds rest on it, never on the sample.
    contexts
        Shape (n, d); ``None`` where there are none.
    logging
        Probability of each action under the logging policy, shape (n, actions); ``None`` where only that of the
        chosen action is known.
    embeddings
        Features of each action, shape (actions, e), integer codes of categories; ``None`` where there are none.
    """

    actions: Ints
    rewards: Floats
    propensities: Floats
    target: Floats
    reward_range: tuple[float, float]
    contexts: Floats | None = None
    logging: Floats | None = None
    embeddings: Ints | None = None
