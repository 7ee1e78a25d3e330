"""Paired comparison of two strategies over the same blocks: effects with their intervals and p-values."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values so that the probability of any false rejection in the family is at most the level.

    Holm 1979, "A simple sequentially rejective multiple test procedure"; it is valid for any dependence between the
    tests. A NaN does not count as a test: it remains NaN, and the family is smaller by one.

    Parameters
    ----------
    p
        p-values of the family.

    Returns
    -------
    list of float
        Adjusted p-values in the order given.
    """
    adjusted = list(p)
    tested = sorted((value, index) for index, value in enumerate(p) if not math.isnan(value))
    largest = 0.0
    for rank, (value, index) in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * value))
        adjusted[index] = largest
    return adjusted


CONFIDENCE = 0.95
_ROUNDS = 1000
_LEAST_MEDIAN = 5  # blocks; among fewer, chance often sets one apart
_FAR = 0.995
#: Values that differ by less than this, relative to the largest, differ by rounding only.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """An effect, its confidence interval, and the number of blocks behind it.

    With fewer than two blocks there is no interval, nor without spread, when the value is the same in all blocks: `low`
    and `high` are NaN.

    Attributes
    ----------
    estimate, low, high
        The effect and the ends of its 95 % interval.
    blocks
        Number of blocks.
    df
        Degrees of freedom of Student's t; NaN if the interval comes from another distribution.
    log
        Whether the interval is symmetric in logarithms, like that of a ratio.
    same
        Whether the value is the same in all of two blocks or more, and there is no interval for that reason.
    median
        Median over blocks where a few blocks, far from the others, move the mean away from it; else ``None``.
    """

    estimate: float
    low: float
    high: float
    blocks: int
    df: float = math.nan
    log: bool = False
    same: bool = False
    median: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is an interval: there were enough blocks, and they differ."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def equal(self, none: float) -> bool:
        """Return whether the value is `none`, that of no effect, in all of two blocks or more."""
        return self.same and self.estimate == none

    def plain(self) -> dict[str, float | int | None]:
        """Return the figures for programs; an unknown bound is ``None``."""
        low, high = (self.low, self.high) if self.known else (None, None)
        return {"estimate": self.estimate, "low": low, "high": high, "blocks": self.blocks, "same": self.same}

    def excludes(self, value: float) -> bool:
        """Return whether the interval is known and does not contain a value."""
        return self.known and not self.low <= value <= self.high

    def exp(self) -> Interval:
        """Return the interval of the exponentials of an interval of logarithms."""
        with np.errstate(over="ignore"):  # a bound beyond the range of floats is infinite
            low, estimate, high = (float(np.exp(value)) for value in (self.low, self.estimate, self.high))
            median = None if self.median is None else float(np.exp(self.median))
        return replace(self, estimate=estimate, low=low, high=high, median=median, log=True)

    def logarithm(self) -> Interval:
        """Return the interval of the logarithms of an interval of positive values."""
        low, estimate, high = (float(np.log(value)) for value in (self.low, self.estimate, self.high))
        median = None if self.median is None else float(np.log(self.median))
        return replace(self, estimate=estimate, low=low, high=high, median=median, log=False)


def at_level(interval: Interval, level: float) -> Interval:
    """Return an interval of Student's t with another error level than 5 %; an unknown one is returned as it is.

    Parameters
    ----------
    level
        Two-sided error level: 0.025 for an interval of 97.5 %.
    """
    if not interval.known or math.isnan(interval.df):
        return interval
    own = interval.logarithm() if interval.log else interval
    factor = float(stdtrit(interval.df, 1 - level / 2) / stdtrit(interval.df, 0.5 + CONFIDENCE / 2))
    half = (own.high - own.low) / 2 * factor
    wider = replace(own, low=own.estimate - half, high=own.estimate + half)
    return wider.exp() if interval.log else wider


def paired_difference(of: npt.ArrayLike, to: npt.ArrayLike) -> Interval:
    """Estimate the mean of ``of - to``, both of shape (blocks,), with Student's t interval."""
    return mean(np.asarray(of, dtype=float) - np.asarray(to, dtype=float))


def paired_ratio(of: npt.ArrayLike, to: npt.ArrayLike) -> Interval:
    """Estimate the geometric mean of ``of / to``, both of shape (blocks,), from the t interval of their log-ratios.

    Raises
    ------
    ValueError
        When a value is not positive.
    """
    one, other = np.asarray(of, dtype=float), np.asarray(to, dtype=float)
    if min(one.min(), other.min()) <= 0:
        raise ValueError("a ratio needs positive values")
    return mean(np.log(one) - np.log(other)).exp()


def pooled_ratio(logs: npt.ArrayLike, runs: npt.ArrayLike, sessions: npt.ArrayLike | None = None) -> Interval:
    """Estimate a ratio from the log-ratios of blocks, some of which share a session of measuring.

    A run is a session, unless it goes on where another run left off: `one_session` says which of those are one.

    With one session this is Student's t over blocks. With several, a session has a random effect on all of its blocks:
    its variance comes from the analysis of variance (Searle, Casella & McCulloch 1992, "Variance components", section
    3.6), the degrees of freedom from Satterthwaite 1946. If the sessions differ no more than the blocks within them,
    all blocks are pooled. In simulations the 95 % interval covers 92 to 98 % with three sessions or more, and 91 % in
    the worst case of sessions with very unequal numbers of blocks. With two sessions that differ a lot it covers 87 %.

    Parameters
    ----------
    logs
        Log-ratios, shape (blocks,).
    runs
        Number of the run of each block, from 0; shape (blocks,).
    sessions
        A number for each block, equal for runs of which one goes on where the other left off; by default that of the
        run.
    """
    values = np.asarray(logs, dtype=float)
    members = np.asarray(runs) if sessions is None else one_session(values, np.asarray(runs), np.asarray(sessions))
    counts = np.bincount(members)
    counts = counts[counts > 0]
    pooled = mean(values)
    within_df = len(values) - len(counts)
    if len(counts) < 2 or within_df < 1:
        return pooled.exp()
    _, members = np.unique(members, return_inverse=True)
    means = np.bincount(members, values) / counts
    between = float(counts @ (means - values.mean()) ** 2) / (len(counts) - 1)
    within = float(np.sum((values - means[members]) ** 2)) / within_df
    if between <= within:
        return pooled.exp()
    # The variance of the mean over all blocks is a between + b within; b is 0 if all sessions have equally many blocks.
    share = float(counts @ counts) / len(values) ** 2
    a = share * (len(counts) - 1) / (len(values) - float(counts @ counts) / len(values))
    b = 1 / len(values) - a
    variance = a * between + b * within
    df = variance**2 / ((a * between) ** 2 / (len(counts) - 1) + (b * within) ** 2 / within_df)
    return replace(_around(pooled.estimate, variance, max(1.0, df), len(values)), median=pooled.median).exp()


def one_session(
    values: npt.NDArray[np.float64], runs: npt.NDArray[np.int64], sessions: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Find the sessions of blocks: runs of one session are one, unless their values differ.

    Each run is compared with the ones before it in its session, by an F test at 5 %; one that differs is a session of
    its own. Parameters are those of `pooled_ratio`.

    Returns
    -------
    array
        Number of the run that the session of each block began with; shape (blocks,).
    """
    members = runs.copy()
    if len(set(runs.tolist())) < 2:
        return members
    for session in np.unique(sessions):
        first, *others = dict.fromkeys(runs[sessions == session].tolist())
        for run in others:
            if not _differ(values[members == first], values[runs == run]):
                members[runs == run] = first
    return members


def _differ(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> bool:
    """Return whether the means of two groups differ by an F test at 5 %, which is the square of a t test."""
    df = len(one) + len(other) - 2
    if df < 1:
        return False
    within = (len(one) * float(np.var(one)) + len(other) * float(np.var(other))) / df
    between = (float(np.mean(one)) - float(np.mean(other))) ** 2 / (1 / len(one) + 1 / len(other))
    return between > within * float(stdtrit(df, 0.5 + CONFIDENCE / 2)) ** 2


def pooled_difference(
    values: npt.ArrayLike, seeds: npt.ArrayLike, *, overlap: float = 0.0, step: float = 0.0
) -> Interval:
    """Estimate a difference in quality from the differences of blocks, some of which share the seed of their data.

    Blocks with the same data are not independent evidence on quality, so they are averaged first.

    Parameters
    ----------
    values
        Differences in the unit of the metric, shape (blocks,).
    seeds
        Seed of the data of each block, shape (blocks,).
    overlap, step
        See `mean`.
    """
    return mean(by_seed(values, seeds), overlap=overlap, step=step)


def by_seed(values: npt.ArrayLike, seeds: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Average the values of blocks that share the seed of their data: shape (seeds,)."""
    if len(set(np.asarray(seeds).tolist())) == np.size(seeds):
        return np.asarray(values, dtype=float)
    _, members = np.unique(seeds, return_inverse=True)
    return np.asarray(np.bincount(members, np.asarray(values, dtype=float)) / np.bincount(members))


def p_value(interval: Interval, none: float) -> float:
    """Return the two-sided p of Student's t for the true effect `none`; NaN if the interval does not come from it."""
    if not interval.known or math.isnan(interval.df) or (interval.log and interval.low <= 0):
        return math.nan
    scale: Callable[[float], float] = math.log if interval.log else float
    half = (scale(interval.high) - scale(interval.low)) / 2
    if not half:  # so narrow that rounding leaves nothing of it
        return math.nan
    apart = abs(scale(interval.estimate) - scale(none))
    return float(2 * stdtr(interval.df, -apart / half * stdtrit(interval.df, 0.5 + CONFIDENCE / 2)))


def bootstrap(rows: npt.NDArray[np.float64], statistic: Callable[[npt.NDArray[np.float64]], float]) -> Interval:
    """Estimate a statistic other than a mean, with the percentile interval over resampled blocks.

    Parameters
    ----------
    rows
        One entry per block, shape (blocks, ...).
    statistic
        Function of an array of that shape.
    """
    count = len(rows)
    estimate = statistic(rows)
    if count < 2 or not np.ptp(rows, axis=0).any():
        return Interval(estimate, math.nan, math.nan, count, same=count > 1)
    drawn = np.random.default_rng(0).integers(count, size=(_ROUNDS, count))
    low, high = np.quantile([statistic(rows[chosen]) for chosen in drawn], [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return Interval(estimate, float(low), float(high), count)


def mean(values: npt.NDArray[np.float64], *, overlap: float = 0.0, step: float = 0.0) -> Interval:
    """Estimate the mean of values of shape (blocks,) with Student's t interval.

    Blocks that draw training and test sets from the same rows have values that are alike, so their spread is too small
    for the usual interval. Its variance s^2 / J is then (1/J + n_test / n_train) s^2, where J is the number of blocks
    (Nadeau & Bengio 2003, "Inference for the generalization error", Machine Learning 52: the corrected resampled
    t-test, with J - 1 degrees of freedom). There n_train is the number of all rows that are not in the test set. It is
    so here too if a training set is only a part of these: two blocks have as much of their test sets in common. The
    correction approximates; in simulations in the tests the interval covers 93 % or more.

    Parameters
    ----------
    overlap
        n_test / n_train where blocks draw both sets from the same rows; else 0.
    step
        For differences between rates, by how much one case changes the value of a block. The standard deviation s is
        taken to be at least as much, because with rare cases most blocks agree by chance.
    """
    # Lists, because NumPy takes several times as long for the few values of most cells.
    own = values.tolist()
    count = len(own)
    if count < 2:
        return Interval(own[0] if own else math.nan, math.nan, math.nan, count)
    estimate = sum(own) / count
    least, most = min(own), max(own)
    same = most - least <= _ROUNDING * max(abs(least), abs(most))
    if same and (step == 0 or not any(own)):
        return Interval(own[0], math.nan, math.nan, count, same=True)
    variance = max(sum((off := value - estimate) * off for value in own) / (count - 1), step**2)
    return replace(_around(estimate, variance * (1 / count + overlap), count - 1, count), median=_median(own, estimate))


def _median(values: list[float], average: float) -> float | None:
    """Return the median where the mean differs from it by more than the spread of most values explains.

    That spread is the median absolute deviation, which a few outliers do not change. At most 3 in a hundred samples of
    normal values differ so.
    """
    if len(values) < _LEAST_MEDIAN:
        return None
    median = statistics.median(values)
    deviation = 1.4826 * statistics.median([abs(value - median) for value in values])
    reach = float(stdtrit(len(values) - 1, _FAR)) * deviation / math.sqrt(len(values))
    return median if abs(average - median) > reach else None


def _around(estimate: float, variance: float, df: float, blocks: int) -> Interval:
    half = float(stdtrit(df, 0.5 + CONFIDENCE / 2)) * math.sqrt(variance)
    return Interval(estimate, estimate - half, estimate + half, blocks, df)
