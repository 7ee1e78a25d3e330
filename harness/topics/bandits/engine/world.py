"""The world of a bandit: known means of the arms, and rewards drawn around them, the same for all policies of a block.

A draw is a hash of a key and of its place (step, replication, arm). So no table of rewards is stored, a reward can be
computed again when it is revealed late, and the rewards of one policy do not depend on what another one did: common
random numbers (Law 2015, "Simulation modeling and analysis", chapter 11). The hash is the finaliser of SplitMix64
(Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, vectorize

_STEP = np.uint64(0x9E3779B97F4A7C15)
_REPLICATION = np.uint64(0xD1B54A32D192ED03)
_ARM = np.uint64(0x8CB92BA72F3D8DD7)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_HALF = 0.5


@njit(cache=True, inline="always")
def bits(key: np.uint64, step: int, replication: int, arm: int) -> np.uint64:
    """Return 64 random bits of a place."""
    word = key + np.uint64(step) * _STEP + np.uint64(replication) * _REPLICATION + np.uint64(arm) * _ARM
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return word ^ (word >> np.uint64(31))


@njit(cache=True, inline="always")
def uniform(key: np.uint64, step: int, replication: int, arm: int) -> float:
    """Return a number in (0, 1); it has 52 bits, because with 53 the largest would be rounded to 1."""
    return (float(bits(key, step, replication, arm) >> np.uint64(12)) + _HALF) * 2.0**-52


@njit(cache=True, inline="always")
def normal(key: np.uint64, step: int, replication: int, arm: int) -> float:
    """Return a standard normal number (Box & Muller 1958)."""
    first = uniform(key, step, replication, arm)
    second = uniform(key ^ _SECOND, step, replication, arm)
    return math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)


@vectorize(["float64(uint64, int64, int64, int64)"], cache=True)  # type: ignore[no-untyped-call, untyped-decorator]
def uniforms(key: np.uint64, step: int, replication: int, arm: int) -> float:
    """Return numbers in (0, 1) for arrays of places."""
    number: float = uniform(key, step, replication, arm)
    return number


@vectorize(["float64(uint64, int64, int64, int64)"], cache=True)  # type: ignore[no-untyped-call, untyped-decorator]
def normals(key: np.uint64, step: int, replication: int, arm: int) -> float:
    """Return standard normal numbers for arrays of places."""
    number: float = normal(key, step, replication, arm)
    return number


def key_of(rng: np.random.Generator) -> np.uint64:
    """Draw a key."""
    return rng.integers(2**64, dtype=np.uint64)


Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


ROWS = np.uint64(0xA0761D6478BD642F)  # keeps the draw of rows apart from that of rewards


@dataclass(frozen=True, eq=False)
class World:
    """Arms in many replications.

    Attributes
    ----------
    means
        Expected reward, shape (stages, rows, arms). A row is one instance of the arms; in contextual worlds it is one
        context.
    stage
        Index of the stage at each step, shape (horizon,).
    replications
        Number of independent repetitions.
    key
        Key of the random draws of rewards and rows.
    sigma
        Standard deviation of Gaussian rewards; 0 for Bernoulli rewards.
    features
        Contexts, shape (rows, d), one of which every replication draws at every step. ``None`` without contexts: then
        replication r has row ``r % rows`` at all steps.
    delay, batch
        A reward is revealed `delay` steps late, and rewards are revealed in batches of `batch` steps.
    changes
        Steps at which means change abruptly.
    """

    means: Floats
    stage: Ints
    replications: int
    key: np.uint64
    sigma: float = 0.0
    features: Floats | None = None
    delay: int = 0
    batch: int = 1
    changes: tuple[int, ...] = ()

    @property
    def arms(self) -> int:
        """Number of arms."""
        count: int = self.means.shape[2]
        return count

    @property
    def horizon(self) -> int:
        """Number of steps."""
        return len(self.stage)

    def seen(self, step: int) -> int:
        """Return the number of steps whose rewards are known before an arm is chosen."""
        return max(step - self.delay, 0) // self.batch * self.batch

    def rows(self, step: int | Ints) -> Ints:
        """Return the row of each replication at a step, shape (replications,).

        For steps of shape (n, 1) the rows may have shape (n, replications); they broadcast against it either way.
        """
        replication = np.arange(self.replications)
        if self.features is None:
            fixed: Ints = replication % self.means.shape[1]
            return fixed
        places = uniforms(self.key ^ ROWS, step, replication, 0)
        rows: Ints = (places * self.means.shape[1]).astype(np.int64)
        return rows

    def contexts(self, step: int) -> Floats:
        """Return the context of each replication at a step, shape (replications, d)."""
        assert self.features is not None
        return self.features[self.rows(step)]

    def rewards(self, step: int, arms: Ints) -> Floats:
        """Return the rewards of the arms chosen at a step, one per replication, shape (replications,)."""
        replication = np.arange(self.replications)
        means = self.means[self.stage[step], self.rows(step), arms]
        if self.sigma == 0:
            paid: Floats = (uniforms(self.key, step, replication, arms) < means).astype(np.float64)
        else:
            paid = means + self.sigma * normals(self.key, step, replication, arms)
        return paid
