"""Thresholds of monitors without a formula for them, set by resampling the reference of each stream.

The reference is the part of a stream before monitoring begins. A simulation draws a whole stream from it, with
replacement (Davison & Hinkley 1997, "Bootstrap methods and their application"). If nothing changes and the numbers are
independent, the largest value of a statistic until the horizon has about the same distribution in the stream and in the
simulations, unless it depends on extremes that are missing in the reference.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.chance import Floats, uniform
from harness.topics.bandits.engine.running import adwin_spent, page_hinkley_until


def page_hinkley_thresholds(z: Floats, reference: int, allowance: float, level: float, key: np.uint64) -> Floats:
    """Return for each stream the threshold of `page_hinkley` that is exceeded by the horizon with probability `level`.

    Returns
    -------
    numpy.ndarray
        Shape (replications,).
    """
    peaks = np.empty((len(z), simulations(level, 10)))
    _page_hinkley(z, reference, allowance, key, peaks)
    return quantile(peaks, level)


def adwin_levels(z: Floats, reference: int, every: int, level: float, key: np.uint64) -> Floats:
    """Return for each stream the level for `adwin` with which false alarms have the declared probability.

    Returns
    -------
    numpy.ndarray
        Shape (replications,).
    """
    peaks = np.empty((len(z), simulations(level, 1)))
    _adwin(z, reference, every, key, peaks)
    return np.exp(-quantile(peaks, level))


def simulations(level: float, times: int) -> int:
    """Return how many simulations to make, so that about `times` of them exceed the threshold."""
    return max(math.ceil(times / level - 1e-9) - 1, 1)


def quantile(peaks: Floats, level: float) -> Floats:
    """Return for each row the value that a further number of the same distribution exceeds with probability `level`."""
    count = peaks.shape[1]
    place = min(math.ceil((1 - level) * (count + 1) - 1e-9), count) - 1
    values: Floats = np.partition(peaks, place, axis=1)[:, place]
    return values


@njit(cache=True)
def resample(z: Floats, reference: int, row: int, simulation: int, key: np.uint64, drawn: Floats) -> None:
    """Fill an array with draws from a stream's reference, standardised by its first `reference` numbers."""
    total, squares = 0.0, 0.0
    for step in range(len(drawn)):
        drawn[step] = z[row, int(uniform(key, step, row, simulation) * reference)]
        if step < reference:
            total += drawn[step]
            squares += drawn[step] * drawn[step]
    mean = total / reference
    drawn -= mean
    drawn /= math.sqrt(max(squares / reference - mean * mean, 1e-300) * reference / (reference - 1))


@njit(cache=True)
def _page_hinkley(z: Floats, reference: int, allowance: float, key: np.uint64, peaks: Floats) -> None:
    drawn = np.empty(z.shape[1])
    for row in range(peaks.shape[0]):
        for simulation in range(peaks.shape[1]):
            resample(z, reference, row, simulation, key, drawn)
            peaks[row, simulation] = page_hinkley_until(drawn, reference, allowance, np.inf)[1]


@njit(cache=True)
def _adwin(z: Floats, reference: int, every: int, key: np.uint64, peaks: Floats) -> None:
    drawn = np.empty(z.shape[1])
    for row in range(peaks.shape[0]):
        for simulation in range(peaks.shape[1]):
            resample(z, reference, row, simulation, key, drawn)
            peaks[row, simulation] = adwin_spent(drawn, reference, every, np.inf)[1]
