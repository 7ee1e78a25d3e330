"""Random numbers as a function of the place where they are used, so that all policies of a block get the same rewards.

A draw is a hash of a key and of its place (step, replication, arm). So no table of rewards is stored, a reward can be
computed again when it is revealed late, and the rewards of one policy do not depend on what another one did: common
random numbers (Law 2015, "Simulation modeling and analysis", chapter 11). The hash is the finaliser of SplitMix64
(Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators").
"""

from __future__ import annotations

import math

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
