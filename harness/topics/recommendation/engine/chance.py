"""Chance for compiled functions: uniform numbers from a counter, and items drawn among those that a user never took."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, types

from harness import Generator

Key = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int64]


def new_key(rng: Generator) -> Key:
    """Return the state of a sequence of uniform numbers, shape (1,)."""
    return rng.integers(2**63, size=1, dtype=np.uint64)


# splitmix64: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators". With numpy's generators, numba
# takes several times as long to compile a function.
@njit(inline="always")
def uniform(key: Key) -> float:
    """Return the next number of a sequence, from 0 to 1, and advance its state."""
    key[0] += np.uint64(0x9E3779B97F4A7C15)
    z = key[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return float((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


_ITEMS = types.Array(types.int32, 1, "C", readonly=True)


# With a signature it is loaded when this module is imported, before a trial begins.
@njit(types.int32[:, ::1](types.int64[::1], _ITEMS, types.int32[::1], types.int64, types.uint64[::1]), cache=True)
def untaken(ends: Ends, items: Ints, allowed: Ints, count: int, key: Key) -> Ints:
    """Draw `count` different items of `allowed` for each user, none of which the user took; reorders `allowed`.

    The first steps of a shuffle (Fisher & Yates), in which items that the user took are passed over. Any order of
    `allowed` will do to begin with, so that the next user begins with the order that the last one left.

    Parameters
    ----------
    ends, items
        Where the items of each user begin and end, and the items that users took.
    """
    users = len(ends) - 1
    drawn = np.empty((users, count), dtype=np.int32)
    owner = np.full(max(allowed.max(), items.max()) + 1, -1, dtype=np.int64)
    for user in range(users):
        for at in range(ends[user], ends[user + 1]):
            owner[items[at]] = user
        have, at = 0, 0
        while have < count:
            other = at + int(uniform(key) * (len(allowed) - at))
            allowed[at], allowed[other] = allowed[other], allowed[at]
            if owner[allowed[at]] != user:
                drawn[user, have] = allowed[at]
                have += 1
            at += 1
    return drawn
