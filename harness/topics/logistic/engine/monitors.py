"""Monitors of a deployed model: a statistic for each stream and period, divided by its limit.

Each compares a period with the reference, so that a model that was not calibrated there raises no alarm for it. The
limits are for the probability `level` of an alarm in any period if nothing changes. For T periods and a test of each,
a test has the level 1 - (1 - level)^(1/T), which is enough for normal statistics whatever their correlation (Šidák
1967, "Rectangular confidence regions for the means of multivariate normal distributions"): all periods share the noise
of the reference.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import hypergeom, skew

from harness.topics.logistic.engine.judge_calibration import log_losses
from harness.topics.logistic.engine.lines import Floats, fit_lines, log_odds
from harness.topics.logistic.engine.periods import Watched

BINS = 10
FLAGGED = 0.2  # share of the reference with a score above the threshold of recall
SIGMAS = 3.0
ALLOWANCE = 0.5  # of the CUSUM, in standard deviations
SIMULATED = 10_000  # streams without a change
LEAST = 1e-300  # smallest p whose logarithm is taken


def each(level: float, periods: int) -> float:
    """Return the level of the test of one period (Šidák)."""
    return float(-np.expm1(np.log1p(-level) / periods))


def ratio_of_logs(p: Floats, level: float) -> Floats:
    """Return log(p) / log(level): at least 1 where p is at most the level."""
    ratio: Floats = np.log(np.maximum(p, LEAST)) / np.log(level)
    return ratio


def p_chart(data: Watched) -> Floats:
    """Compare the event rate with that of the reference: Shewhart's chart with limits at three standard deviations.

    Wheeler & Chambers 1992, "Understanding statistical process control". It ignores the scores, the declared level and
    the noise of the reference.
    """
    rate = data.reference_labels.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.maximum(rate * (1 - rate), LEAST) / data.labels.shape[2])
    statistic: Floats = np.abs(data.labels.mean(axis=2) - rate) / (SIGMAS * deviation)
    return statistic


def stability_index(data: Watched, bins: int = BINS) -> Floats:
    """Return the population stability index of the scores: sum of (q - p) log(q / p), shape (streams, periods).

    p and q are the shares of the reference and of the period in bins that are tenths of the reference. An empty bin
    counts as half a row.
    """
    m, n = data.reference_scores.shape[1], data.scores.shape[2]
    result = np.empty(data.scores.shape[:2])
    for stream, (reference, scores) in enumerate(zip(data.reference_scores, data.scores, strict=True)):
        edges = np.quantile(reference, np.arange(1, bins) / bins)
        p = _shares(edges, reference[None], m)
        q = _shares(edges, scores, n)
        result[stream] = ((q - p) * np.log(q / p)).sum(axis=1)
    return result


def _shares(edges: Floats, scores: Floats, rows: int) -> Floats:
    """Return the shares of rows in bins, shape (periods, bins)."""
    bins = len(edges) + 1
    members = np.searchsorted(edges, scores, side="right") + bins * np.arange(len(scores))[:, None]
    counts = np.bincount(members.ravel(), minlength=bins * len(scores)).reshape(len(scores), bins)
    return np.maximum(counts, 0.5) / rows


def simulated_index(data: Watched, bins: int = BINS) -> Floats:
    """Simulate the index where nothing changes, shape (simulated streams, periods).

    It depends on ranks alone, so that the scores' distribution does not matter as long as it is continuous: between
    the tenths of m rows, the true shares have a Dirichlet distribution, and the counts of a period given them a
    multinomial one. The chi-square approximation with the scale 1/n + 1/m (Yurdakul & Naranjo 2020, "Statistical
    properties of the population stability index") is too low for bins of few rows.
    """
    m, n = data.reference_scores.shape[1], data.scores.shape[2]
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(bins, m / bins), SIMULATED)
    counts = rng.multinomial(n, shares[:, None, :], (SIMULATED, data.periods))
    q = np.maximum(counts, 0.5) / n
    index: Floats = ((q - 1 / bins) * np.log(q * bins)).sum(axis=2)
    return index


def psi(data: Watched, level: float, limit: float = 0.0) -> Floats:
    """Compare the distribution of the scores with that of the reference, without labels.

    Parameters
    ----------
    limit
        Fixed limit of the index, such as 0.1 or 0.25; 0 for the quantile of the largest index of simulated streams.
    """
    return stability_index(data) / (limit or float(np.quantile(simulated_index(data).max(axis=1), 1 - level)))


def large_z(data: Watched) -> Floats:
    """Compare observed minus expected events with that of the reference: standard normal if nothing changes."""
    return _difference(data.labels - data.scores, data.reference_labels - data.reference_scores)


def _difference(periods: Floats, reference: Floats) -> Floats:
    """Divide the differences of means, shape (streams, periods), by their standard errors.

    The variance is that of the reference.
    """
    spread = reference.var(axis=1, ddof=1)[:, None] * (1 / periods.shape[2] + 1 / reference.shape[1])
    z: Floats = (periods.mean(axis=2) - reference.mean(axis=1)[:, None]) / np.sqrt(np.maximum(spread, LEAST))
    return z


def two_sided(z: Floats, level: float) -> Floats:
    """Divide the size of z by its limit."""
    return np.abs(z) / float(-ndtri(each(level, z.shape[1]) / 2))


def slope_z(data: Watched) -> Floats:
    """Compare the calibration slope with that of the reference: standard normal if nothing changes.

    The slope is that of the labels on the log odds of the scores (Cox 1958, "Two further applications of a model for
    binary regression"). Where it is not finite, because the scores separate the classes or there is only one, z is 0.
    """
    period = fit_lines(log_odds(data.scores), data.labels)
    reference = fit_lines(log_odds(data.reference_scores), data.reference_labels)
    error = np.hypot(period.slope_error, reference.slope_error[:, None])
    known = period.finite & reference.finite[:, None]
    return np.where(known, (period.slope - reference.slope[:, None]) / np.where(known, error, 1.0), 0.0)


def recall_p(data: Watched) -> Floats:
    """Return the p of recall at a threshold being as high as in the reference: Fisher's exact test, one-sided.

    The threshold is the score that a fifth of the reference exceeds.
    """
    threshold = np.quantile(data.reference_scores, 1 - FLAGGED, axis=1)
    found_before = ((data.reference_scores > threshold[:, None]) & (data.reference_labels == 1)).sum(axis=1)[:, None]
    positives_before = data.reference_labels.sum(axis=1, dtype=np.int64)[:, None]
    found = ((data.scores > threshold[:, None, None]) & (data.labels == 1)).sum(axis=2)
    positives = data.labels.sum(axis=2, dtype=np.int64)
    p: Floats = hypergeom.cdf(found, positives + positives_before, found + found_before, positives)
    return p


def log_loss(data: Watched, level: float) -> Floats:
    """Compare the log loss with that of the reference, in one direction: below the reference there is no alarm.

    Losses are skewed, so the normal limit c of the difference of means is raised by (c^2 - 1) / 6 times its skewness
    (Cornish & Fisher 1938, "Moments and cumulants in the specification of distributions", first term). The variance is
    estimated from the reference as well, and is small where the reference has few large losses, hence a small mean.
    This correlation adds to the mean of the statistic and to its skewness, as it takes from them for Student's t of a
    mean (Hall 1992, "The bootstrap and Edgeworth expansion", chapter 2).
    """
    losses = log_losses(data.labels.astype(np.float64), data.scores)
    reference = log_losses(data.reference_labels.astype(np.float64), data.reference_scores)
    m, n = reference.shape[1], losses.shape[2]
    skewness = skew(reference, axis=1)
    linked = skewness / (m * (1 / n + 1 / m) ** 0.5)  # minus the covariance with the estimated variance
    cumulant = skewness * (1 / n**2 - 1 / m**2) / (1 / n + 1 / m) ** 1.5 + 3 * linked
    normal = -ndtri(each(level, data.periods))
    limit = normal + linked / 2 + (normal**2 - 1) / 6 * cumulant
    statistic: Floats = _difference(losses, reference) / limit[:, None]
    return statistic


def cusum(data: Watched, level: float) -> Floats:
    """Sum what `large_z` exceeds half a standard deviation by, in both directions (Page 1954).

    The limit is the quantile of the largest sum over 10,000 simulated streams of normal numbers without a change, which
    share the noise of a reference as z does.
    """
    m, n = data.reference_scores.shape[1], data.scores.shape[2]
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((SIMULATED, data.periods)) / np.sqrt(n)
    shared = rng.standard_normal((SIMULATED, 1)) / np.sqrt(m)
    simulated = sums((noise - shared) / np.sqrt(1 / n + 1 / m)).max(axis=1)
    return sums(large_z(data)) / float(np.quantile(simulated, 1 - level))


def sums(z: Floats) -> Floats:
    """Return the larger of the upper and the lower CUSUM after each period, shape (streams, periods)."""
    result, up, down = np.empty_like(z), np.zeros(len(z)), np.zeros(len(z))
    for period in range(z.shape[1]):
        up = np.maximum(0, up + z[:, period] - ALLOWANCE)
        down = np.maximum(0, down - z[:, period] - ALLOWANCE)
        result[:, period] = np.maximum(up, down)
    return result


def combined(data: Watched, level: float) -> Floats:
    """Return the largest of three statistics, each with the limit of a third of the level (Bonferroni).

    They are calibration in the large, calibration slope and stability index: of these, each shift moves one at least.
    """
    part = level / 3
    statistics = (two_sided(large_z(data), part), two_sided(slope_z(data), part), psi(data, part))
    largest: Floats = np.maximum.reduce(statistics)
    return largest
