"""Rounds of logs: actions drawn, rounds taken, rewards replaced."""

from __future__ import annotations

import numpy as np

from harness.topics.ope.engine.log import Floats, Ints, Log


def draw_actions(probabilities: Floats, uniform: Floats) -> Ints:
    """Draw an action in each round by inverting the distribution function.

    Parameters
    ----------
    probabilities, uniform
        Shapes (n, actions) and (n,), the latter in [0, 1).
    """
    reached = probabilities.cumsum(axis=1)
    # An action of probability 0 at the end must not be drawn because a sum falls short of 1 by rounding.
    actions: Ints = (reached <= (uniform * reached[:, -1])[:, None]).sum(axis=1).astype(np.int64)
    return actions


def taken(log: Log, rows: Ints) -> Log:
    """Return the log made of some of its rounds."""
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
