"""A synthetic population of contexts, and scenarios as operations on populations.

Rewards depend on actions only through their embeddings.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness import Generator, UsageError
from harness.topics.ope.engine.log import Floats, Ints
from harness.topics.ope.engine.worlds import Population, Replications, populations

CONTEXTS = 2_000
DIMENSIONS = 5
CATEGORIES = (3, 3, 3)  # values of each feature of an action: 27 kinds of actions at most
BASE, KIND, TASTE = 0.5, 0.2, 0.3  # expected reward: 0.5 on average, by kind up to 0.2, by context up to 0.3
_SPREAD = 0.1  # standard deviation of the errors in the rewards that the first candidate believes in


def population(
    rng: Generator,
    *,
    actions: int,
    rounds: int,
    temperature: float,
    explore: float,
    nonlinear: bool,
    candidates: int = 1,
) -> Population:
    """Make a population of 2,000 contexts, uniform in a cube of five dimensions.

    The expected reward of an action is 0.5 + 0.2 b + 0.3 u. For each kind of action, b is uniform in -1 to 1. u is in
    -1 to 1 and linear in the context, or, if `nonlinear`, the sign of a product of two of its coordinates, which a
    model that is linear in the context cannot learn. Rewards depend on actions only through their kind, as in the
    experiments of Saito & Joachims 2022 (arXiv 2202.06317).

    Parameters
    ----------
    temperature
        The logging policy takes actions with probabilities proportional to exp(temperature z), where z is the
        standardised expected reward: 0 is uniform, and below 0 it avoids high rewards, which makes weights heavy.
    explore
        Share of rounds in which a candidate chooses at random; else it takes the action that it believes to be best.
    candidates
        Number of candidate policies: the first one's beliefs about rewards have errors with a standard deviation of
        0.1, and each further one has twice the errors of the one before.
    """
    contexts = rng.uniform(-1, 1, size=(CONTEXTS, DIMENSIONS))
    embeddings = np.column_stack([rng.integers(count, size=actions) for count in CATEGORIES]).astype(np.int64)
    kinds = np.ravel_multi_index(tuple(embeddings.T), CATEGORIES)
    rewards = _rewards(contexts, rng, nonlinear=nonlinear)[:, kinds]
    targets = [_greedy(rewards, explore, _SPREAD * 2**number, rng) for number in range(candidates)]
    return Population(
        contexts=contexts,
        rewards=rewards,
        logging=_softmax(temperature * (rewards - rewards.mean()) / rewards.std()),
        targets=np.stack(targets),
        rounds=rounds,
        embeddings=embeddings,
    )


def _rewards(contexts: Floats, rng: Generator, *, nonlinear: bool) -> Floats:
    """Return the expected reward of each kind of actions, shape (contexts, kinds)."""
    count = int(np.prod(CATEGORIES))
    kind = rng.uniform(-1, 1, size=count)
    weights = rng.normal(size=(DIMENSIONS, count))
    taste = contexts @ (weights / np.abs(weights).sum(axis=0))
    if nonlinear:
        taste = np.sign(contexts[:, :1] * contexts[:, 1:2]) * np.sign(weights[0])
    rewards: Floats = BASE + KIND * kind + TASTE * taste
    return rewards


def _greedy(rewards: Floats, explore: float, spread: float, rng: Generator) -> Floats:
    """Return a policy that takes the action it believes to be best, or explores."""
    count = rewards.shape[1]
    best: Ints = (rewards + rng.normal(scale=spread, size=rewards.shape)).argmax(axis=1)
    policy = np.full(rewards.shape, explore / count)
    policy[np.arange(len(rewards)), best] += 1 - explore
    return policy


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def heavy_weights(data: Replications, strength: float) -> Replications:
    """Make the logging policy avoid high rewards: its probabilities are multiplied by exp(-strength z).

    z is the expected reward of an action, standardised over the actions of a context.
    """

    def stressed(world: Population) -> Population:
        spread = world.rewards.std(axis=1, keepdims=True)
        z = (world.rewards - world.rewards.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
        return replace(world, logging=_normalised(world.logging * np.exp(-strength * z)))

    return replace(data, worlds=tuple(stressed(world) for world in populations(data, "heavy_weights")))


def wrong_propensities(data: Replications, share: float) -> Replications:
    """Make the log state wrong propensities: (1 - share) times the true ones plus `share` times uniform ones."""

    def stressed(world: Population) -> Population:
        return replace(world, recorded=(1 - share) * world.logging + share / world.logging.shape[1])

    return replace(data, worlds=tuple(stressed(world) for world in populations(data, "wrong_propensities")))


def missing_support(data: Replications, share: float, rng: Generator) -> Replications:
    """Make the logging policy never take some random actions: a share of them, at least one, but not all."""

    def stressed(world: Population) -> Population:
        count = world.logging.shape[1]
        never = rng.permutation(count)[: min(max(1, round(share * count)), count - 1)]
        logging = world.logging.copy()
        logging[:, never] = 0
        return replace(world, logging=_normalised(logging))

    return replace(data, worlds=tuple(stressed(world) for world in populations(data, "missing_support")))


def drift(data: Replications, share: float, rng: Generator) -> Replications:
    """Make rewards change during the log: at its beginning a share of them is that of other actions."""

    def stressed(world: Population) -> Population:
        other = world.rewards[:, rng.permutation(world.rewards.shape[1])]
        return replace(world, before=(1 - share) * world.rewards + share * other)

    return replace(data, worlds=tuple(stressed(world) for world in populations(data, "drift")))


def noisy_rewards(data: Replications, by: float) -> Replications:
    """Add or subtract `by` from every reward at random: the true value is unchanged, the reward range is wider."""
    return replace(data, noise=by)


def unobserved_features(data: Replications, count: int) -> Replications:
    """Remove the last `count` features of the actions from the log; rewards still depend on them.

    Actions then have a direct effect on rewards, which violates assumption 3.2 of Saito & Joachims 2022 (arXiv
    2202.06317); their section 4.1 removes features in the same way.
    """

    def stressed(world: Population) -> Population:
        if world.embeddings is None or world.embeddings.shape[1] <= count:
            raise UsageError(f"scenario unobserved_features({count}) needs actions with more than {count} features")
        return replace(world, embeddings=world.embeddings[:, :-count])

    return replace(data, worlds=tuple(stressed(world) for world in populations(data, "unobserved_features")))


def _normalised(weights: Floats) -> Floats:
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares
