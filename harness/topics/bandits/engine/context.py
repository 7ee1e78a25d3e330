"""Worlds in which rewards depend on a context that policies see before they choose.

At every step every replication draws its context from the rows of a table; the first feature is the constant 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness import Scalar
from harness.topics._shared.digits import digits as read_digits
from harness.topics.bandits.engine.world import Floats, World, key_of

ROWS = 2_000  # contexts of a generated table
STEEPNESS = 4.0  # of the logistic world: the standard deviation of a logit is about 1.3 with ten features
FLIGHTS = 20_000


def linear(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make arms that pay 1 with a probability that is linear in the context.

    The probability is 0.5 + 0.45 x'theta. The context x (without the constant) and the theta of the arm have length 1
    and directions drawn uniformly.
    """
    features, slopes = _directions(params, rng)
    return _world(0.5 + 0.45 * features[:, 1:] @ slopes.T, features, params, rng)


def logistic(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make arms that pay 1 with probability 1 / (1 + exp(1 - 4 x'theta)), x and theta as in `linear`."""
    features, slopes = _directions(params, rng)
    return _world(1 / (1 + np.exp(1 - STEEPNESS * features[:, 1:] @ slopes.T)), features, params, rng)


def digits(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make one arm for each digit, which pays 1 if the image shows that digit.

    The features are the first principal components of the pixels, divided by their common standard deviation.
    """
    images, labels = read_digits()
    centred = images - images.mean(axis=0)
    parts = centred @ np.linalg.svd(centred, full_matrices=False)[2][: int(params["features"]) - 1].T
    return _world(np.eye(10)[labels], _with_constant(parts / parts.std()), params, rng)


def flights(params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    """Make two arms, "on time" and "late", which pay 1 if that is true of the flight.

    The features are the columns of the data set, standardised; categories enter as integer codes, missing values as
    the mean.
    """
    from harness.data.cards import builtin_card, dataset

    table = dataset(builtin_card("flights")).load({"rows": FLIGHTS}, rng).train
    centred = table.X.astype(np.float64)
    centred -= np.nanmean(centred, axis=0)
    centred[np.isnan(centred)] = 0
    return _world(np.eye(2)[table.y], _with_constant(centred / centred.std(axis=0)), params, rng)


def swapped(world: World, rng: np.random.Generator) -> World:
    """Permute the arms at half of the horizon, so that every arm has the rewards of another one from then on."""
    order = rng.permutation(world.arms)
    moved = np.empty(world.arms, dtype=np.int64)
    moved[order] = np.roll(order, 1)  # every arm moves
    half = world.horizon // 2
    stage = world.stage + len(world.means) * (np.arange(world.horizon) >= half)
    means = np.concatenate([world.means, world.means[:, :, moved]])
    return replace(world, means=means, stage=stage, changes=(half,))


def _directions(params: Mapping[str, Scalar], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw contexts and the arms' slopes, shapes (rows, features) and (arms, features - 1)."""
    many = int(params["features"]) - 1
    contexts, slopes = rng.normal(size=(ROWS, many)), rng.normal(size=(int(params["arms"]), many))
    contexts /= np.linalg.norm(contexts, axis=1, keepdims=True)
    return _with_constant(contexts), slopes / np.linalg.norm(slopes, axis=1, keepdims=True)


def _with_constant(columns: npt.NDArray[np.float64]) -> Floats:
    return np.column_stack([np.ones(len(columns)), columns])


def _world(means: Floats, features: Floats, params: Mapping[str, Scalar], rng: np.random.Generator) -> World:
    stage = np.zeros(int(params["horizon"]), dtype=np.int64)
    return World(means[None], stage, int(params["replications"]), key_of(rng), features=features)
