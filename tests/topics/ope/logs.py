"""Small logs whose truth is known."""

from __future__ import annotations

from itertools import product

import numpy as np

from harness.topics.ope.engine.log import Floats, Log

# Two contexts with equal chance, three actions, rewards of 0 or 1.
LOGGING = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
TARGET = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
CHANCE = np.array([[0.2, 0.5, 0.9], [0.4, 0.7, 0.1]])
TRUTH = float((TARGET * CHANCE).sum(axis=1).mean())


def tiny() -> Log:
    """Return four rounds of three actions, small enough to work out by hand: the weights are .5, 2, 1 and 0."""
    target = np.array([[0.25, 0.75, 0.0], [0.0, 0.5, 0.5], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]])
    logging = np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.25, 0.5, 0.25]])
    actions = np.array([0, 1, 2, 1])
    return Log(
        actions=actions,
        rewards=np.array([1.0, 1.0, 0.0, 1.0]),
        propensities=logging[np.arange(4), actions],
        target=target,
        reward_range=(0.0, 1.0),
        contexts=np.array([[0.0], [1.0], [2.0], [3.0]]),
        logging=logging,
        embeddings=np.array([[0], [0], [1]]),
    )


def drawn(
    rounds: int, seed: int, *, actions: int = 5, dimension: int = 3, sharpness: float = 1.0, linear: bool = False
) -> tuple[Log, Floats]:
    """Return a log with contexts, and the true mean reward of every action, shape (rounds, actions)."""
    rng = np.random.default_rng(seed)
    contexts = rng.normal(size=(rounds, dimension))
    world = np.random.default_rng(7)
    logging = softmax(contexts @ world.normal(size=(dimension, actions)) / 2)
    target = softmax(sharpness * contexts @ world.normal(size=(dimension, actions)))
    score = contexts @ world.normal(size=(dimension, actions)) / 2 + world.normal(size=actions)
    chance = np.clip(0.5 + score / 8, 0.02, 0.98) if linear else 1 / (1 + np.exp(-score))
    chosen = (logging.cumsum(axis=1) < rng.random(rounds)[:, np.newaxis]).sum(axis=1).clip(0, actions - 1)
    rows = np.arange(rounds)
    rewards = (rng.random(rounds) < chance[rows, chosen]).astype(np.float64)
    return Log(chosen, rewards, logging[rows, chosen], target, (0.0, 1.0), contexts, logging), chance


def uniform(rounds: int, seed: int, *, favour: float = 0.7, actions: int = 10) -> tuple[Log, float]:
    """Return a log of a uniform policy, a target that favours the first action, and its value."""
    rng = np.random.default_rng(seed)
    target = np.full(actions, (1 - favour) / actions)
    target[0] += favour
    chance = np.linspace(0.7, 0.1, actions)
    chosen = rng.integers(0, actions, rounds)
    rewards = (rng.random(rounds) < chance[chosen]).astype(np.float64)
    share = np.full((rounds, actions), 1 / actions)
    log = Log(chosen, rewards, share[:, 0], np.tile(target, (rounds, 1)), (0.0, 1.0), None, share)
    return log, float(target @ chance)


def softmax(scores: Floats) -> Floats:
    """Return rows of probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def all_outcomes(rounds: int, embeddings: list[list[int]] | None = None) -> list[tuple[float, Log]]:
    """Return every log of so many rounds that the small problem can leave, each with its probability."""
    outcomes = list(product(range(2), range(3), (0.0, 1.0)))
    logs = []
    for rows in product(outcomes, repeat=rounds):
        contexts, actions, rewards = (np.array(column) for column in zip(*rows, strict=True))
        paid = np.where(rewards > 0, CHANCE[contexts, actions], 1 - CHANCE[contexts, actions])
        chance = float(np.prod(0.5 * LOGGING[contexts, actions] * paid))
        log = Log(
            actions=actions,
            rewards=rewards,
            propensities=LOGGING[contexts, actions],
            target=TARGET[contexts],
            reward_range=(0.0, 1.0),
            contexts=contexts[:, np.newaxis].astype(np.float64),
            logging=LOGGING[contexts],
            embeddings=None if embeddings is None else np.array(embeddings),
        )
        logs.append((chance, log))
    return logs
