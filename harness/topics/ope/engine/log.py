"""The log of a policy, with the probabilities of a target policy in each of its rounds.

Rounds can be selected and drawn, and their rewards replaced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, types

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


def draw_actions(probabilities: Floats, uniform: Floats) -> Ints:
    """Draw an action in each round by inverting the distribution function.

    Parameters
    ----------
    probabilities, uniform
        Shapes (n, actions) and (n,), the latter in [0, 1).
    """
    actions: Ints = _drawn(np.ascontiguousarray(probabilities), uniform)
    return actions


# With a signature, so that it is loaded before a trial begins.
@njit(types.int64[::1](types.Array(types.float64, 2, "C", readonly=True), types.float64[::1]), cache=True)
def _drawn(probabilities: Floats, uniform: Floats) -> Ints:
    actions = np.empty(len(uniform), dtype=np.int64)
    for i in range(len(uniform)):
        # Scaling by the sum ensures that rounding never draws an action of probability 0 at the end.
        total = 0.0
        for j in range(probabilities.shape[1]):
            total += probabilities[i, j]
        wanted, reached, action = uniform[i] * total, 0.0, 0
        while action < probabilities.shape[1]:
            reached += probabilities[i, action]
            if reached > wanted:
                break
            action += 1
        actions[i] = action
    return actions


def taken(log: Log, rows: Ints) -> Log:
    """Return a log of the given rounds."""
    return Log(
        actions=log.actions[rows],
        rewards=log.rewards[rows],
        propensities=log.propensities[rows],
        target=log.target[rows],
        reward_range=log.reward_range,
        contexts=None if log.contexts is None else log.contexts[rows],
        logging=None if log.logging is None else log.logging[rows],
        embeddings=log.embeddings,
    )


def with_rewards(log: Log, rewards: Floats, reward_range: tuple[float, float]) -> Log:
    """Return the log with other rewards."""
    return Log(
        log.actions,
        rewards,
        log.propensities,
        log.target,
        reward_range,
        log.contexts,
        log.logging,
        log.embeddings,
    )
