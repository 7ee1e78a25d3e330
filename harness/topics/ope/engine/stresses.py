"""Scenarios as operations on populations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness import Generator
from harness.topics.ope.engine.log import Floats
from harness.topics.ope.engine.worlds import Population, Replications, populations


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


def _normalised(weights: Floats) -> Floats:
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares
