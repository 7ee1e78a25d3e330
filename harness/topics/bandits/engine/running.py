"""Monitors that compare with the mean of all numbers so far: Page-Hinkley and ADWIN.

Neither has a formula for the probability of a false alarm; `calibration` sets their thresholds by simulation.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.chance import Floats, Ints

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
