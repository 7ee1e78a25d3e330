"""Interactions of a card made into feedback: one for each pair of a user and an item, and features as a matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness import Generator, UsageError
from harness.data.readers.interactions import Interactions
from harness.topics.recommendation.engine.feedback import Feedback, Matrix, matrix
from harness.topics.recommendation.engine.protocols import divide, random_holdout


def prepared(interactions: Interactions, rng: Generator) -> Feedback:
    """Divide the interactions of a card at random; scenarios divide them anew.

    Raises
    ------
    UsageError
        A weight is not above 0, or too few interactions are there to divide.
    """
    check(interactions)
    return divide(merged(interactions), random_holdout, rng, features=features(interactions))


def check(interactions: Interactions) -> None:
    """Refuse weights that are not positive: an interaction that is there counts as positive.

    Raises
    ------
    UsageError
        A weight is 0, negative or not finite.
    """
    users, items, weights = interactions.users, interactions.items, interactions.weights
    if weights is None:
        return
    wrong = np.flatnonzero(~((weights > 0) & np.isfinite(weights)))
    if len(wrong):
        at = int(wrong[0])
        raise UsageError(
            f"{len(wrong):,} interactions have a weight that is not above 0, such as {weights[at]:g} of user "
            f"{interactions.user_names[users[at]]!r} and item {interactions.item_names[items[at]]!r}: leave them out"
        )


def merged(interactions: Interactions) -> Interactions:
    """Make one interaction of those of the same user and item: the sum of their weights, at the time of the first.

    If one came into training and another into the test set, an item would be known and to be found. Where nothing
    repeats, the interactions are returned as they are; where something does and there are no weights, each weighs 1.
    """
    pairs = interactions.users.astype(np.int64) * len(interactions.item_names) + interactions.items
    order = np.arange(len(pairs)) if interactions.time is None else np.argsort(interactions.time, kind="stable")
    _, first, place = np.unique(pairs[order], return_index=True, return_inverse=True)
    if len(first) == len(pairs):
        return interactions
    weights = np.ones(len(pairs)) if interactions.weights is None else interactions.weights
    kept = order[first]
    return replace(
        interactions,
        users=interactions.users[kept],
        items=interactions.items[kept],
        weights=np.bincount(place, weights[order]).astype(np.float64),
        time=None if interactions.time is None else interactions.time[kept],
    )


def features(interactions: Interactions) -> Matrix | None:
    """Return the features of the items as a matrix of ones, shape (items, features), with a column for each name."""
    named = interactions.item_features
    if named is None:
        return None
    columns = {name: column for column, name in enumerate(sorted({name for names in named for name in names}))}
    rows = np.repeat(np.arange(len(named)), [len(set(names)) for names in named])
    numbers = np.array([columns[name] for names in named for name in sorted(set(names))], dtype=np.int32)
    return matrix(rows, numbers, None, (len(named), len(columns)))[0]
