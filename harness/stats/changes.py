"""Change points in a series of one figure over runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

#: Of a longer series only so many of the last points are looked at: the time grows with their square.
MOST_POINTS = 5000
_LEAST = 2  # smallest number of points on each side of a change
_ALPHA = 0.05
_ALPHA_OF_DRIFT = 0.01
_USUAL = 0.5  # correlation of neighbours that is assumed unless the series shows another
_MOST_LINKED = 0.9
_LONG = 20  # with so many points or more, permutations can tell an outlier from a level at every split
_PERMUTATIONS = 999


@dataclass(frozen=True)
class Change:
    """A change of level.

    Attributes
    ----------
    index
        Index of the first point of the new level.
    before, after
        Mean of the points between the previous change and this one, and between this one and the next.
    p
        Probability that without a change the best split of these points would be as good as this one.
    """

    index: int
    before: float
    after: float
    p: float


def change_points(values: npt.ArrayLike) -> list[Change]:
    """Find where the level of a series changes.

    PELT (Killick, Fearnhead & Eckley 2012, "Optimal detection of changepoints with a linear computational cost")
    proposes segments of two points or more. Its penalty is 2 log n (BIC: a change adds two parameters, its place and a
    level) times the variance of the noise over many runs. This is that of first differences, on which a few steps have
    little influence, and three times as much as for independent runs, because runs close in time are often alike
    without a change. Then proposals are removed, the weakest first, until all are significant at 5 %.

    The test is Student's t with Bonferroni's correction over the places that the change could have. It takes noise for
    an autoregression of order 1: with its correlation, the difference of two means varies more, and the spread around
    them less, than with independent noise. A short series says little about the correlation, so it is the one closest
    to 0.5 within a standard error of the estimate. A drift looks like noise that is correlated: where no proposal is
    left, the last points are a change if the slope of the whole series is significant at 1 %. In long segments the
    largest CUSUM must also be significant under permutations, which heavy tails do not deceive; these come last.

    Of a series of more than `MOST_POINTS` only the last ones are examined.

    In simulation with 10, 20 and 40 points, a change is reported in at most 1 % of the series of independent noise and
    in 5 to 6 % of those with an autocorrelation of 0.5. A step by five standard deviations in the centre is found in 83
    and 82 % of them with ten points, and in 96 % or more from twenty on.

    Parameters
    ----------
    values
        One value per run in the order of time, costs as logarithms; shape (n,).

    Returns
    -------
    list of Change
        In the order of time; empty for fewer than four points, and for values that are not finite or all equal.
    """
    series = np.asarray(values, dtype=float)
    skipped = max(0, len(series) - MOST_POINTS)
    series = series[skipped:]
    if len(series) < 2 * _LEAST or not np.isfinite(series).all() or np.ptp(series) == 0:
        return []
    bounds = _proposed(series)
    found = _significant(series, bounds) or (_drifted(series) if len(bounds) > 2 else [])
    return [replace(change, index=change.index + skipped) for change in found]


def _proposed(series: Floats) -> Places:
    """Return the ends of the segments that PELT proposes, after the start of the series."""
    import ruptures

    # With the linear kernel the cost of a segment is its sum of squares around the mean, here in units of the noise. It
    # is the difference of two sums, whose digits suffice if these numbers are below a million or so.
    scaled = (series - series.mean()) / max(_noise(series), 1e-6 * float(np.ptp(series)))
    penalty = 2 * math.log(len(series)) * (1 + _USUAL) / (1 - _USUAL)
    return np.array([0, *ruptures.KernelCPD(kernel="linear", min_size=_LEAST).fit(scaled).predict(pen=penalty)])


def _significant(series: Floats, bounds: Places) -> list[Change]:
    """Remove proposals that are not significant, the weakest first, and return the others."""
    permuted = cache(lambda start, end: _permuted(series[start:end]))
    while len(bounds) > 2:
        means, rest = _around_means(series, bounds)
        p = _student(series, bounds, _autocorrelation(rest, len(means)))
        if p.max() < _ALPHA:  # permutations take long, and can only reject what is significant without them
            pairs = zip(bounds.tolist(), bounds[2:].tolist(), strict=False)
            p = np.maximum(p, [permuted(*pair) if pair[1] - pair[0] >= _LONG else 0.0 for pair in pairs])
        if p.max() < _ALPHA:
            return list(map(Change, bounds[1:-1].tolist(), means.tolist(), means[1:].tolist(), p.tolist()))
        bounds = np.delete(bounds, p.argmax() + 1)
    return []


def _noise(series: Floats) -> float:
    """Return the standard deviation of the noise, by the median of differences, which a few steps do not change."""
    steps = np.abs(np.diff(series))
    robust = 1.4826 * float(np.median(steps)) / np.sqrt(2)
    return float(robust or np.std(np.diff(series)) / np.sqrt(2))


def _around_means(series: Floats, bounds: Places) -> tuple[Floats, Floats]:
    """Return the mean of each segment, and the series without them."""
    counts = np.diff(bounds)
    means = np.add.reduceat(series, bounds[:-1]) / counts
    return means, series - np.repeat(means, counts)


def _autocorrelation(rest: Floats, fitted: int) -> float:
    """Return the correlation of neighbours among residuals: within a standard error, the most usual one.

    The estimate is corrected for the bias of about -(1 + 3 r) / n that a mean brings (Marriott & Pope 1954, "Bias in
    the estimation of autocorrelations"), for each number that was fitted.
    """
    count = len(rest)
    power = float(rest @ rest)
    if power == 0:
        return 0.0
    found = float(rest[1:] @ rest[:-1]) / power
    found += fitted * (1 + 3 * max(found, 0.0)) / count
    found = min(max(found, 0.0), _MOST_LINKED)
    error = math.sqrt((1 - found**2) / count)
    return min(max(_USUAL, found - error), found + error)


def _drifted(series: Floats) -> list[Change]:
    """Return the last points as a change if the slope of a line through the series is significant."""
    p, last = _slope(series), len(series) - _LEAST
    return [Change(last, float(series[:last].mean()), float(series[last:].mean()), p)] if p < _ALPHA_OF_DRIFT else []


def _slope(series: Floats) -> float:
    """Return p of Student's t for the slope of a line through the series, with the same allowance for correlation."""
    from scipy.linalg import matmul_toeplitz

    count = len(series)
    time = np.arange(count) - (count - 1) / 2
    long = float(time @ time)
    slope = float(time @ series) / long
    rest = series - series.mean() - slope * time
    if not rest.any():
        return 0.0
    linked = _autocorrelation(rest, 2)
    # The variance of the product with such noise of variance 1, whose covariances are powers of the correlation.
    product = float(time @ matmul_toeplitz(linked ** np.arange(count), time))
    # The expectation of the sum of squared residuals, for noise of variance 1.
    expected = count - count * float(_variance_of_mean(np.array(count), linked)) - product / long
    error = math.sqrt(float(rest @ rest) / expected * product) / long
    df = (count - 2) * (1 - linked**2) / (1 + linked**2)
    return 2 * float(stdtr(df, -abs(slope) / error))


def _student(series: Floats, bounds: Places, linked: float) -> Floats:
    """Return p of Student's t for the means of adjacent segments of noise with a correlation, times the places.

    The degrees of freedom are those of the variance of such noise: less by (1 - r^2) / (1 + r^2) (Bayley & Hammersley
    1946, "The effective number of independent observations in an autocorrelated time series").
    """
    counts = np.diff(bounds)
    means, rest = _around_means(series, bounds)
    squares = np.add.reduceat(rest**2, bounds[:-1])
    one, other, both = counts[:-1], counts[1:], squares[:-1] + squares[1:]
    places = one + other - 2 * _LEAST + 1
    df = (one + other - 2) * (1 - linked**2) / (1 + linked**2)
    apart = np.abs(np.diff(means))
    # Variances of means, their covariance, and the expectation of the squares, for noise of variance 1.
    variances = _variance_of_mean(counts, linked)
    shared = linked * (1 - linked**one) * (1 - linked**other) / ((1 - linked) ** 2 * one * other)
    expected = counts * (1 - variances)
    error = np.sqrt(both / (expected[:-1] + expected[1:]) * (variances[:-1] + variances[1:] - 2 * shared))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.minimum(1.0, places * 2 * stdtr(df, -apart / error))
    return np.where(both == 0, np.where(apart > 0, 0.0, 1.0), p)


def _variance_of_mean(counts: Places, linked: float) -> Floats:
    """Return the variances of the means of so many values of an autoregression of order 1 with variance 1."""
    long_run = (1 + linked) / (1 - linked)
    return (long_run - 2 * linked * (1 - linked**counts) / (counts * (1 - linked) ** 2)) / counts


def _permuted(stretch: Floats) -> float:
    """Return the share of permutations whose largest CUSUM over all places is at least the observed one."""
    shuffled = np.random.default_rng(0).permuted(np.tile(stretch, (_PERMUTATIONS, 1)), axis=1)
    largest = _cusum(np.vstack([stretch, shuffled]) - stretch.mean())
    return float(np.mean(largest >= largest[0] * (1 - 1e-9)))


def _cusum(centred: Floats) -> Floats:
    count = centred.shape[1]
    places = np.arange(_LEAST, count - _LEAST + 1)
    sums = np.cumsum(centred, axis=1)[:, _LEAST - 1 : count - _LEAST]
    return np.asarray((np.abs(sums) / np.sqrt(places * (count - places) / count)).max(axis=1))
