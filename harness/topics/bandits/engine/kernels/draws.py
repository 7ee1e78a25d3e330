"""Fast draws from the normal, gamma and beta distributions, each a function of 64 random bits.

A rejected draw hashes its bits to get new ones, so that a draw depends on nothing but its first bits.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.world import Floats, bits

LAYERS = 256
# Where the tail begins and the area of a layer, for 256 layers: Marsaglia & Tsang 2000, "The ziggurat method for
# generating random variables".
_TAIL, _AREA = 3.6541528853610088, 0.00492867323399
_UNIT = 2.0**-52


def _density(x: float) -> float:
    return math.exp(-0.5 * x * x)


def _widths() -> Floats:
    """Return the right ends of the layers, shape (257,); the base is as wide as its area requires, the last is 0."""
    widths = np.zeros(LAYERS + 1)
    widths[0], widths[1] = _AREA / _density(_TAIL), _TAIL
    for layer in range(1, LAYERS - 1):
        widths[layer + 1] = math.sqrt(-2 * math.log(_AREA / widths[layer] + _density(widths[layer])))
    return widths


_WIDTHS = _widths()
_HEIGHTS = np.exp(-0.5 * _WIDTHS**2)


@njit(cache=True, inline="always")
def fraction(word: np.uint64) -> float:
    """Return a number in (0, 1), from the upper 52 bits."""
    return (float(word >> np.uint64(12)) + 0.5) * _UNIT


@njit(cache=True, inline="always")
def gaussian(word: np.uint64) -> float:
    """Draw a standard normal number by the ziggurat: lower 8 bits for the layer, upper 52 for the place in it."""
    while True:
        layer = word & np.uint64(0xFF)
        side = 2 * fraction(word) - 1
        x: float = side * _WIDTHS[layer]
        if abs(x) < _WIDTHS[layer + np.uint64(1)]:
            return x
        if layer == 0:
            return math.copysign(_tail(word), x)
        height = fraction(bits(word, 1, 0, 0))
        base, top = _HEIGHTS[layer], _HEIGHTS[layer + np.uint64(1)]
        if base + height * (top - base) < math.exp(-0.5 * x * x):
            return x
        word = bits(word, 2, 0, 0)


@njit(cache=True)
def _tail(word: np.uint64) -> float:
    """Draw a normal number above the start of the tail (Marsaglia 1964)."""
    while True:
        word = bits(word, 3, 0, 0)
        beyond = -math.log(fraction(word)) / _TAIL
        if -2 * math.log(fraction(bits(word, 1, 0, 0))) > beyond * beyond:
            return _TAIL + beyond


@njit(cache=True, inline="always")
def gamma_constant(shape: float) -> float:
    """Return the constant that `gamma` needs for a shape; computing it is the costly part."""
    return 1 / math.sqrt(9 * shape - 3)


@njit(cache=True, inline="always")
def gamma(shape: float, constant: float, word: np.uint64) -> float:
    """Draw from the gamma distribution with scale 1 and a shape of at least 1.

    Marsaglia & Tsang 2000, "A simple method for generating gamma variables".
    """
    scaled = shape - 1 / 3
    while True:
        x: float = gaussian(word)
        root = 1 + constant * x
        cubed: float = root * root * root
        word = bits(word, 4, 0, 0)
        if cubed > 0:
            height = fraction(word)
            square = x * x
            if height < 1 - 0.0331 * square * square:
                return scaled * cubed
            if math.log(height) < 0.5 * square + scaled * (1 - cubed + math.log(cubed)):
                return scaled * cubed
        word = bits(word, 5, 0, 0)


@njit(cache=True, inline="always")
def constants(a: float, b: float) -> tuple[float, float]:
    """Return the constants that `beta` needs for its parameters."""
    return gamma_constant(a), gamma_constant(b)


@njit(cache=True, inline="always")
def beta(a: float, b: float, first: float, second: float, word: np.uint64) -> float:
    """Draw from Beta(a, b), for a and b of at least 1: the share of the first of two gamma draws in their sum.

    Parameters
    ----------
    first, second
        The values of `constants`.
    word
        64 random bits.
    """
    one: float = gamma(a, first, word)
    other: float = gamma(b, second, bits(word, 6, 0, 0))
    return one / (one + other)


@njit(cache=True)
def fill(a: float, b: float, key: np.uint64, draws: Floats, normals: Floats) -> None:
    """Fill arrays with draws from Beta(a, b) and from the normal distribution."""
    first, second = constants(a, b)
    for place in range(len(draws)):
        draws[place] = beta(a, b, first, second, bits(key, place, 0, 0))
        normals[place] = gaussian(bits(key, place, 0, 1))
