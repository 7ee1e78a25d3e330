"""Feedback drawn from known preferences: a softmax of popularity and factors, both of which drift in time.

At time t, from 0 to 1, a user u takes an item that it does not have yet with a probability proportional to

    exp(min(s cos(x_u(t), y_i), c)) p_i(0)^(1 - w) p_i(1)^w,    w = drift t,

where x_u(t) = (1 - w) x_u(0) + w x_u(1), and p(0), p(1) follow Zipf's law in two independent orders of the items. The
factors have independent normal entries; s is 2 times the root of their number, so that affinities have a standard
deviation of about 2, and c = 4 bounds them. Popularity alone explains some of the choices, factors explain more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from harness import Generator
from harness.data.readers.interactions import Interactions
from harness.topics.recommendation.engine.chance import Key, new_key, uniform
from harness.topics.recommendation.engine.feedback import Matrix, Preference, matrix

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SPAN = 365 * 86_400  # seconds from the first to the last possible interaction
SPREAD, MOST = 2.0, 4.0  # standard deviation of affinities, and the largest one
WORDS, WORDS_OF_ITEM = 64, 8  # features in all and of each item
ACTIVITY = 0.8  # standard deviation of the logarithm of a user's number of interactions
PATIENCE = 10_000  # rejected draws after which a user has nothing more to take


@dataclass(frozen=True, eq=False)
class Factors:
    """What generates feedback. Users' factors and popularity have two states, at the times 0 and 1.

    Attributes
    ----------
    users
        Two arrays of shape (users, d).
    items
        Unit vectors, shape (items, d).
    popularity
        Two arrays of shape (items,), each with the sum 1.
    drift
        Share of the second state at the time 1.
    """

    users: tuple[Floats, Floats]
    items: Floats
    popularity: tuple[Doubles, Doubles]
    drift: float

    @property
    def scale(self) -> float:
        """Factor of the cosine in an affinity."""
        return SPREAD * float(np.sqrt(self.items.shape[1]))

    def preference(self, users: npt.NDArray[np.int32], time: float) -> Floats:
        """Return the logarithm of the preference of users for all items, up to a constant; `time` is in seconds."""
        w = self.drift * time / SPAN
        factors = (1 - w) * self.users[0][users] + w * self.users[1][users]
        factors *= self.scale / np.linalg.norm(factors, axis=1, keepdims=True)
        popular = (1 - w) * np.log(self.popularity[0]) + w * np.log(self.popularity[1])
        affinity = np.minimum(factors @ self.items.T, np.float32(MOST))
        return np.asarray(affinity + popular.astype(np.float32))


@dataclass(frozen=True, eq=False)
class World:
    """Feedback with what generated it.

    Attributes
    ----------
    features
        Words of the items, CSR of ones, shape (items, words): those that point most in the direction of its factors,
        up to noise.
    """

    interactions: Interactions
    factors: Factors
    features: Matrix

    @property
    def preference(self) -> Preference:
        """What users truly prefer."""
        return self.factors.preference


def draw(
    rng: Generator,
    *,
    users: int,
    items: int,
    density: float,
    skew: float,
    drift: float,
    dimensions: int,
    stay: float = 1.0,
) -> World:
    """Draw a world and its feedback.

    Parameters
    ----------
    density
        Expected share of the pairs of users and items that interact. A user's number is log-normal, from 5 to a quarter
        of the items.
    skew
        Exponent of Zipf's law of popularity.
    drift
        Share of tastes and popularity that is replaced from the first to the last interaction.
    dimensions
        Dimensions of the factors.
    stay
        Share of the whole time in which one user's interactions are, which begins at a uniform time.
    """
    factors = Factors(
        (_normal(rng, users, dimensions), _normal(rng, users, dimensions)),
        _unit(_normal(rng, items, dimensions)),
        (_zipf(rng, items, skew), _zipf(rng, items, skew)),
        drift,
    )
    features = _words(rng, factors.items)
    most = max(1, items // 4)
    mean = rng.lognormal(np.log(density * items) - ACTIVITY**2 / 2, ACTIVITY, users)
    counts = np.clip(np.rint(mean), min(5, most), most).astype(np.int64)
    owners = np.repeat(np.arange(users, dtype=np.int32), counts)
    moments = stay * rng.random(len(owners)) + (1 - stay) * rng.random(users)[owners]
    moments = moments[np.lexsort((moments, owners))]
    taken = _choose(
        new_key(rng),
        owners,
        moments * drift,
        factors.users,
        factors.items,
        factors.popularity,
        (np.cumsum(factors.popularity[0]), np.cumsum(factors.popularity[1])),
        factors.scale,
    )
    there = taken >= 0
    return World(
        Interactions(
            users=owners[there],
            items=taken[there],
            weights=None,
            time=np.floor(moments[there] * SPAN).astype(np.int64),
            user_names=tuple(range(users)),
            item_names=tuple(range(items)),
        ),
        factors,
        features,
    )


def _normal(rng: Generator, rows: int, columns: int) -> Floats:
    return rng.standard_normal((rows, columns), dtype=np.float32)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _zipf(rng: Generator, items: int, skew: float) -> Doubles:
    """Return popularities that follow Zipf's law, in random order."""
    popularity = np.arange(1, items + 1, dtype=np.float64) ** -skew
    return rng.permutation(popularity / popularity.sum())


def _words(rng: Generator, items: Floats) -> Matrix:
    words = _unit(_normal(rng, WORDS, items.shape[1]))
    likely = items @ words.T * np.float32(np.sqrt(items.shape[1])) + _normal(rng, len(items), WORDS)
    chosen = np.argpartition(-likely, WORDS_OF_ITEM, axis=1)[:, :WORDS_OF_ITEM].astype(np.int32)
    return matrix(np.repeat(np.arange(len(items)), WORDS_OF_ITEM), chosen.ravel(), None, (len(items), WORDS))[0]


@njit(inline="always")
def _find(sums: Doubles, value: float) -> int:
    """Return the first place whose sum exceeds a value."""
    low, high = 0, len(sums) - 1
    while low < high:
        middle = (low + high) // 2
        if sums[middle] > value:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True)
def _choose(
    key: Key,
    owners: npt.NDArray[np.int32],
    weights: Doubles,
    users: tuple[Floats, Floats],
    items: Floats,
    popularity: tuple[Doubles, Doubles],
    sums: tuple[Doubles, Doubles],
    scale: float,
) -> npt.NDArray[np.int32]:
    """Choose the item of each interaction, -1 for none, by rejection.

    An item is proposed by (1 - w) p(0) + w p(1), which is at least p(0)^(1 - w) p(1)^w, and accepted by the ratio of
    the two, times exp(affinity - MOST).
    """
    taken = np.full(len(owners), -1, dtype=np.int32)
    last_owner = np.full(len(items), -1, dtype=np.int32)
    taste = np.empty(items.shape[1], dtype=np.float32)
    for n in range(len(owners)):
        owner, w = owners[n], weights[n]
        norm = 0.0
        for d in range(len(taste)):
            taste[d] = (1 - w) * users[0][owner, d] + w * users[1][owner, d]
            norm += taste[d] * taste[d]
        size = scale / math.sqrt(norm)
        for _ in range(PATIENCE):
            proposed = sums[1] if uniform(key) < w else sums[0]
            item = _find(proposed, uniform(key) * proposed[-1])
            if last_owner[item] == owner:
                continue
            affinity = 0.0
            for d in range(len(taste)):
                affinity += size * taste[d] * items[item, d]
            p, q = popularity[0][item], popularity[1][item]
            ratio = p ** (1 - w) * q**w / ((1 - w) * p + w * q)
            if uniform(key) < ratio * math.exp(min(affinity, MOST) - MOST):
                taken[n] = item
                last_owner[item] = owner
                break
    return taken
