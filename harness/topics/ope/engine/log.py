"""The log of a policy, with the probabilities of a target policy in each of its rounds."""

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
        Chosen action, its reward, and the probability with which it was chosen; shape (n,).
    target
        Probability of each action under the target policy in each round, shape (n, actions).
    reward_range
        Smallest and largest possible reward, as declared: bounds use it and not the sample.
    contexts
        Features of the rounds, shape (n, d); ``None`` without contexts.
    logging
        Probability of each action under the logging policy, shape (n, actions); ``None`` if only that of the chosen
        action is known.
    embeddings
        Features of each action as integer codes of categories, shape (actions, e); ``None`` without features.
    """

    actions: Ints
    rewards: Floats
    propensities: Floats
    target: Floats
    reward_range: tuple[float, float]
    contexts: Floats | None = None
    logging: Floats | None = None
    embeddings: Ints | None = None
