"""Small feedback for tests of the topic recommendation."""

from __future__ import annotations

import numpy as np

from harness.data.readers.interactions import Interactions


def interactions(
    pairs: list[tuple[int, int]], time: list[int] | None = None, weights: list[float] | None = None
) -> Interactions:
    """Make interactions of pairs of a user and an item; all numbers up to the largest occur as names."""
    users, items = (np.array(column, dtype=np.int32) for column in zip(*pairs, strict=True))
    return Interactions(
        users,
        items,
        None if weights is None else np.array(weights, dtype=np.float64),
        None if time is None else np.array(time, dtype=np.int64),
        tuple(range(int(users.max()) + 1)),
        tuple(range(int(items.max()) + 1)),
    )


def drawn(seed: int = 0, users: int = 60, items: int = 40, share: float = 0.3, *, timed: bool = True) -> Interactions:
    """Draw interactions at random, in random order, with few different times."""
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(rng.random((users, items)) < share)
    pairs = rng.permutation(np.vstack([pairs, [[users - 1, items - 1]]]))
    pairs = np.unique(pairs, axis=0)[rng.permutation(len(np.unique(pairs, axis=0)))]
    times = rng.integers(0, 50, len(pairs))
    return interactions([(int(u), int(i)) for u, i in pairs], times.tolist() if timed else None)
