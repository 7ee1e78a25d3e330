"""Page-Hinkley and ADWIN, which compare with the mean of all numbers so far, and their thresholds.

Neither has a formula for the probability of a false alarm, so thresholds are set by resampling the reference of each
stream: the part before monitoring begins. A simulation draws a whole stream from it, with replacement (Davison &
Hinkley 1997, "Bootstrap methods and their application"). If nothing changes and the numbers are independent, the
largest value of a statistic until the horizon has about the same distribution in the stream and in the simulations,
unless it depends on extremes that are missing in the reference.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.world import Floats, Ints, uniform

CUT = 5  # fewest steps in a part that ADWIN compares


@njit(cache=True)
def page_hinkley(z: Floats, reference: int, allowance: float, thresholds: Floats) -> Ints:
    """Sum deviations from the running mean, and compare the sum with its extremes so far.

    Page 1954; Hinkley 1971, "Inference about the change-point from cumulative sum tests"; with the running mean as in
    Gama et al. 2014, "A survey on concept drift adaptation". The reference only contributes to the mean.

    Parameters
    ----------
    thresholds
        Threshold of each stream, shape (replications,).
    """
    alarms = np.empty(z.shape[0], dtype=np.int64)
    for row in range(z.shape[0]):
        alarms[row] = page_hinkley_until(z[row], reference, allowance, thresholds[row])[0]
    return alarms


@njit(cache=True)
def page_hinkley_until(z: Floats, reference: int, allowance: float, threshold: float) -> tuple[int, float]:
    """Return the step at which the statistic of one stream exceeds a threshold, and its largest value up to then."""
    total = z[:reference].sum()
    up, down, least, most, peak = 0.0, 0.0, 0.0, 0.0, 0.0
    for step in range(len(z) - reference):
        value = z[reference + step]
        total += value
        mean = total / (reference + step + 1)
        up += value - mean - allowance
        down += value - mean + allowance
        least, most = min(least, up), max(most, down)
        peak = max(peak, up - least, most - down)
        if peak > threshold:
            return step, peak
    return len(z) - reference, peak


@njit(cache=True)
def adwin(z: Floats, reference: int, levels: Floats, every: int) -> Ints:
    """Split all numbers so far in two, in every possible way, and compare the means.

    Bifet & Gavalda 2007, "Learning from time-changing data with adaptive windowing", with their bound for large
    windows, which includes the variance. Only the first alarm counts here, so the window never shrinks.

    Parameters
    ----------
    levels
        Level of each stream, shape (replications,).
    every
        Steps between two tests.
    """
    alarms = np.empty(z.shape[0], dtype=np.int64)
    for row in range(z.shape[0]):
        alarms[row] = adwin_spent(z[row], reference, every, -math.log(levels[row]))[0]
    return alarms


@njit(cache=True)
def adwin_spent(z: Floats, reference: int, every: int, limit: float) -> tuple[int, float]:
    """Return the step at which a stream is split at level exp(-limit), and the largest limit of a split up to then."""
    sums, squares = np.cumsum(z), np.cumsum(z**2)
    parts = 1 / np.maximum(np.arange(len(z) + 1), 1)
    peak = -np.inf
    for step in range(every - 1, len(z) - reference, every):
        count = reference + step + 1
        free = math.log(2 * math.log(count))
        peak = max(peak, _spent(sums, squares[count - 1], parts, count, free + peak) - free)
        if peak > limit:
            return step, peak
    return len(z) - reference, peak


@njit(cache=True)
def _spent(sums: Floats, squares: float, parts: Floats, count: int, least: float) -> float:
    """Return the largest x for which some split of the first `count` steps is significant, if it is above `least`.

    A split is significant if the means of its parts differ by more than sqrt(2 m v x) + 2 m x / 3, with v the variance
    of all numbers and m the sum of 1 / length over both parts; `parts` has these reciprocals.
    """
    total, x = sums[count - 1], max(least, 0.0)
    variance = squares / count - (total / count) ** 2
    for first in range(CUT, count - CUT + 1):
        share = parts[first] + parts[count - first]
        apart = abs(sums[first - 1] * parts[first] - (total - sums[first - 1]) * parts[count - first])
        beyond = apart - 2 / 3 * share * x
        if beyond > 0 and beyond * beyond > 2 * share * variance * x:
            half = math.sqrt(2 * share * variance)
            root = (math.sqrt(half * half + 8 / 3 * share * apart) - half) / (4 / 3 * share)
            x = root * root
    return x


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
