"""Monitors of streams: each returns the first monitored step with an alarm, or the horizon if there is none.

Streams have shape (replications, steps) and begin with the reference, the steps before monitoring; z stands for
standardised numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy.special import ndtri, stdtr

from harness.topics.bandits.engine.world import Floats, Ints, uniform

_LEAST = 1e-300  # smallest p that becomes a normal number


def standardised(stream: Floats, reference: int) -> Floats:
    """Return a stream minus the mean of its first `reference` steps, divided by their standard deviation."""
    before = stream[:, :reference]
    z: Floats = (stream - before.mean(axis=1, keepdims=True)) / before.std(axis=1, ddof=1, keepdims=True)
    return z


def self_starting(stream: Floats, reference: int) -> Floats:
    """Return the monitored steps, each standardised by all numbers before it: standard normal if nothing changes.

    A number minus the mean of the n before it, over their standard deviation times sqrt(1 + 1 / n), has Student's t
    distribution with n - 1 degrees of freedom, and those of different steps are independent (Quesenberry 1991, "SPC Q
    charts for start-up processes and short or long runs"; Hawkins 1987, "Self-starting CUSUM charts for location and
    scale"). So independent normal streams give exactly independent standard normal numbers. Those of `standardised`
    share the error of the reference, which raises false alarms: with 1,000 numbers in the reference a CUSUM for 5 %
    has 7 %.

    Returns
    -------
    numpy.ndarray
        Shape (replications, horizon).
    """
    seen = np.arange(1, stream.shape[1] + 1)
    means = np.cumsum(stream, axis=1) / seen
    # Each number adds to the sum of squares what the mean before it did not predict (Welford 1962).
    added = (stream[:, 1:] - means[:, :-1]) ** 2 * (seen[:-1] / seen[1:])
    squares = np.cumsum(added, axis=1)[:, reference - 2 : -1]
    count = seen[reference - 1 : -1]
    apart = stream[:, reference:] - means[:, reference - 1 : -1]
    t = apart / np.sqrt(squares / (count - 1) * (1 + 1 / count))
    z: Floats = np.copysign(ndtri(np.maximum(stdtr(count - 1, -np.abs(t)), _LEAST)), t)
    return z


def average_run(threshold: float, allowance: float) -> float:
    """Return the mean number of steps to a false alarm of a two-sided CUSUM of standard normal numbers.

    Siegmund 1985, "Sequential analysis": a one-sided CUSUM has (exp(2 k b) - 2 k b - 1) / (2 k^2),
    with the allowance k and the threshold b raised by 1.166; a two-sided one has half of it.
    """
    reach = 2 * allowance * (threshold + 1.166)
    return (math.exp(reach) - reach - 1) / (4 * allowance**2)


def threshold_of(run: float, allowance: float) -> float:
    """Return the threshold for which `average_run` is as given, by bisection."""
    low, high = 0.0, 1.0
    while average_run(high, allowance) < run:
        high *= 2
    for _ in range(60):
        centre = (low + high) / 2
        low, high = (centre, high) if average_run(centre, allowance) < run else (low, centre)
    return high


@njit(cache=True)
def cusum(z: Floats, allowance: float, threshold: float) -> Ints:
    """Sum deviations beyond an allowance in both directions: Page 1954, "Continuous inspection schemes"."""
    alarms = np.full(z.shape[0], z.shape[1])
    for row in range(z.shape[0]):
        up, down = 0.0, 0.0
        for step in range(z.shape[1]):
            up = max(0.0, up + z[row, step] - allowance)
            down = max(0.0, down - z[row, step] - allowance)
            if max(up, down) > threshold:
                alarms[row] = step
                break
    return alarms


@njit(cache=True)
def batches(z: Floats, size: int, limit: float) -> Ints:
    """Raise an alarm when the mean of a batch deviates from 0 by `limit` standard errors: Shewhart 1931."""
    alarms = np.full(z.shape[0], z.shape[1])
    for row in range(z.shape[0]):
        for end in range(size, z.shape[1] + 1, size):
            if abs(z[row, end - size : end].sum()) > limit * math.sqrt(size):
                alarms[row] = end - 1
                break
    return alarms


@njit(cache=True)
def distances(stream: Floats, reference: int, window: int, every: int) -> Floats:
    """Return the largest distance between the distribution functions of each window and of the reference.

    This is the two-sample statistic of Kolmogorov and Smirnov.

    Returns
    -------
    numpy.ndarray
        Shape (replications, looks): the first look is when the window is full, the next ones every `every` steps.
    """
    horizon = stream.shape[1] - reference
    looks = max((horizon - window) // every + 1, 0)
    statistics = np.zeros((stream.shape[0], looks))
    for row in range(stream.shape[0]):
        before = np.sort(stream[row, :reference])
        for look in range(looks):
            start = reference + look * every
            statistics[row, look] = _distance(before, np.sort(stream[row, start : start + window]))
    return statistics


@njit(cache=True)
def _distance(one: Floats, other: Floats) -> float:
    """Return the largest distance between the distribution functions of two sorted samples."""
    most, i, j = 0.0, 0, 0
    while i < len(one) and j < len(other):
        value = min(one[i], other[j])
        while i < len(one) and one[i] <= value:
            i += 1
        while j < len(other) and other[j] <= value:
            j += 1
        most = max(most, abs(i / len(one) - j / len(other)))
    return most


@njit(cache=True)
def ranks(stream: Floats, reference: int, key: np.uint64) -> Floats:
    """Return the share of all numbers so far that are larger than the current one, with ties broken at random.

    These are conformal p-values: independent and uniform if the numbers are exchangeable (Vovk, Gammerman &
    Shafer 2005, "Algorithmic learning in a random world").

    Returns
    -------
    numpy.ndarray
        Shape (replications, horizon).
    """
    horizon = stream.shape[1] - reference
    shares = np.empty((stream.shape[0], horizon))
    ordered = np.empty(stream.shape[1])
    for row in range(stream.shape[0]):
        ordered[:reference] = np.sort(stream[row, :reference])
        for step in range(horizon):
            count, value = reference + step, stream[row, reference + step]
            low, high = np.searchsorted(ordered[:count], value), np.searchsorted(ordered[:count], value, side="right")
            larger, ties = count - high, high - low + 1
            shares[row, step] = (larger + ties * uniform(key, step, row, 0)) / (count + 1)
            for place in range(count, high, -1):
                ordered[place] = ordered[place - 1]
            ordered[high] = value
    return shares


@njit(cache=True)
def conformal(shares: Floats, jump: float, bar: float) -> Ints:
    """Bet against uniform p-values, and raise an alarm when the capital reaches `bar` times its start.

    One half of the capital bets that p is small or large, the other that p is near 1/2 or far from it. Each half is the
    Simple Jumper of Vovk et al. 2021, "Retrain or not retrain: conformal test martingales for change-point
    detection" (arXiv 2102.10439): three bets, and at each step a share `jump` of the capital is redistributed
    among them.
    """
    alarms = np.full(shares.shape[0], shares.shape[1])
    for row in range(shares.shape[0]):
        capital = np.full((2, 3), 1 / 6)
        for step in range(shares.shape[1]):
            p = shares[row, step]
            for half in range(2):
                value = p - 0.5 if half == 0 else abs(2 * p - 1) - 0.5
                whole = capital[half].sum()
                for bet in range(3):
                    stake = (1 - jump) * capital[half, bet] + jump * whole / 3
                    capital[half, bet] = stake * (1 + (bet - 1) * value)
            if capital.sum() >= bar:
                alarms[row] = step
                break
    return alarms


@njit(cache=True)
def e_detector(z: Floats, drifts: Floats, bar: float) -> Ints:
    """Sum the evidence for a change over all steps at which it may have occurred.

    The e-SR detector of Shin, Ramdas & Rinaldo 2022, "E-detectors" (arXiv 2203.03532), with the evidence
    exp(b z - b^2 / 2), averaged over drifts b. If z is 1-sub-Gaussian and nothing changes, the sum has a
    mean of at most n at step n. So the mean time to a false alarm is at least `bar`, and the probability of a false
    alarm within n steps is at most n / bar.
    """
    alarms = np.full(z.shape[0], z.shape[1])
    sums = np.empty(len(drifts))
    for row in range(z.shape[0]):
        sums[:] = 0.0
        for step in range(z.shape[1]):
            sums = (1 + sums) * np.exp(drifts * z[row, step] - drifts**2 / 2)
            if sums.mean() >= bar:
                alarms[row] = step
                break
    return alarms
