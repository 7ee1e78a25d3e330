"""Comparison of two outputs on the same test set, example by example."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from harness.stats.paired import CONFIDENCE

if TYPE_CHECKING:
    from harness.declare import Examples

Floats = npt.NDArray[np.float64]

_TAIL = 0.5 + CONFIDENCE / 2
_RESAMPLES = 1999
#: If there are more examples, they are summed in so many random groups before resampling.
_GROUPS = 1000


@dataclass(frozen=True)
class Difference:
    """Candidate minus base in the unit of the metric, from the examples of one test set.

    It compares these two outputs; the variation between fits of the same model is not included.

    Attributes
    ----------
    estimate
        Estimated difference.
    se
        Its standard error.
    low, high
        Its 95 % interval.
    p_above, p_below
        One-sided p of "the candidate's value is not above the base's", and of "not below".
    examples
        Number of examples.
    """

    estimate: float
    se: float
    low: float
    high: float
    p_above: float
    p_below: float
    examples: int

    @property
    def p(self) -> float:
        """Two-sided p of "there is no difference"."""
        return min(1.0, 2 * min(self.p_above, self.p_below))


def difference(base: Examples, candidate: Examples, seed: int = 0) -> Difference | None:
    """Compare two outputs with the test that fits their examples.

    This is DeLong's test for scores with labels, McNemar's test if all values are 0 or 1, else the paired bootstrap.

    Parameters
    ----------
    base, candidate
        Examples of both outputs, with values of shape (n,) in the unit of the metric.
    seed
        Seed of the bootstrap.

    Returns
    -------
    Difference or None
        ``None`` if there are too few examples: fewer than two, or with labels fewer than two of a class.

    Raises
    ------
    ValueError
        When the two are not about the same examples, or a value is not finite.
    """
    if (base.labels is None) != (candidate.labels is None):
        raise ValueError("only one of the two sides has examples with labels")
    if base.labels is not None and candidate.labels is not None:
        if not np.array_equal(base.labels, candidate.labels):
            raise ValueError("base and candidate have different labels: they were not judged on the same test set")
        counts = np.bincount(np.asarray(base.labels, dtype=np.intp), minlength=2)
        return None if counts.min() < 2 else delong(base.labels, base.values, candidate.values)
    one, other = _pair(base.values, candidate.values)
    if one.size < 2:
        return None
    binary = all(bool(np.isin(side, (0.0, 1.0)).all()) for side in (one, other))
    return mcnemar(one, other) if binary else paired_bootstrap(one, other, seed)


def mcnemar(base: npt.ArrayLike, candidate: npt.ArrayLike) -> Difference:
    """Compare two rates on the same examples by McNemar's test.

    The p-values are exact (McNemar 1947, conditional on the examples in which the two differ: a sign test). The
    interval is Tango's score interval (Tango 1998, "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design", Statistics in Medicine 17), which has a width even if no example
    differs.

    Parameters
    ----------
    base, candidate
        0 or 1 for each example, shape (n,); for an error rate 1 means an error.
    """
    from scipy.stats import binomtest

    one, other = _pair(base, candidate)
    up, down = int(np.count_nonzero(other > one)), int(np.count_nonzero(one > other))
    count, apart = one.size, up + down
    p_above, p_below = (
        float(binomtest(up, apart, 0.5, alternative=side).pvalue) if apart else 1.0 for side in ("greater", "less")
    )
    se = math.sqrt(max(0.0, apart - (up - down) ** 2 / count)) / count
    high, low = _tango(up, down, count), -_tango(down, up, count)
    return Difference((up - down) / count, se, low, high, p_above, p_below, count)


def delong(labels: npt.ArrayLike, base_scores: npt.ArrayLike, candidate_scores: npt.ArrayLike) -> Difference:
    """Compare two areas under the ROC curve on the same examples by DeLong's test; ties count half.

    DeLong, DeLong & Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver operating
    characteristic curves", with the midranks of Sun & Xu 2014 ("Fast implementation of DeLong's algorithm"), in
    O(n log n). Student's t with Satterthwaite's degrees of freedom replaces the normal distribution, which matters if a
    class has few examples.

    Parameters
    ----------
    labels
        Classes 0 or 1, shape (n,).
    base_scores, candidate_scores
        Scores, higher for class 1, shape (n,).

    Raises
    ------
    ValueError
        When a class has fewer than two examples.
    """
    one, other = _pair(base_scores, candidate_scores)
    positive = np.asarray(labels) == 1
    if positive.shape != one.shape:
        raise ValueError(f"there are {positive.size} labels for {one.size} scores")
    if not 2 <= np.count_nonzero(positive) <= one.size - 2:
        raise ValueError("DeLong's test needs two examples of each class")
    parts = [new - old for old, new in zip(_placements(positive, one), _placements(positive, other), strict=True)]
    shares = np.array([part.var(ddof=1) / part.size for part in parts])
    variance = float(shares.sum())
    df = variance**2 / float(shares**2 @ [1 / (part.size - 1) for part in parts]) if variance else math.inf
    return _student(float(parts[0].mean()), math.sqrt(variance), df, one.size)


def paired_bootstrap(base_losses: npt.ArrayLike, candidate_losses: npt.ArrayLike, seed: int = 0) -> Difference:
    """Compare two means over the same examples by the bootstrap and Student's paired t test.

    The interval is the BCa bootstrap interval (Efron 1987, "Better bootstrap confidence intervals"), which follows the
    skewness of losses. The p-values are those of the t test, because the number of resamples would limit them. More
    than 1000 examples are first summed in 1000 random groups, which preserves the mean, its standard error and its
    skewness.

    Parameters
    ----------
    base_losses, candidate_losses
        One value per example, shape (n,).
    seed
        Seed of the resamples.

    Raises
    ------
    ValueError
        When there are fewer than two examples, or a value is not finite.
    """
    one, other = _pair(base_losses, candidate_losses)
    if one.size < 2:
        raise ValueError("a paired bootstrap needs two examples")
    values = other - one
    rounding = np.ptp(values) <= 1e-12 * np.abs(values).max()
    se = 0.0 if rounding else float(values.std(ddof=1)) / math.sqrt(one.size)
    by_t = _student(float(values.mean()), se, one.size - 1, one.size)
    if by_t.se == 0:
        return by_t
    low, high = _bca(_grouped(values, np.random.default_rng(seed)), np.random.default_rng([seed, 1]))
    if not (
        math.isfinite(low) and math.isfinite(high)
    ):  # so few values differ that a resample may contain none of them
        return by_t
    return replace(by_t, low=min(low, by_t.estimate), high=max(high, by_t.estimate))


def _pair(base: npt.ArrayLike, candidate: npt.ArrayLike) -> tuple[Floats, Floats]:
    one, other = np.asarray(base, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"expected one value per example on both sides, not shapes {one.shape} and {other.shape}")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("the value of an example is not finite")
    return one, other


def _student(estimate: float, se: float, df: float, examples: int) -> Difference:
    if se == 0:
        # All examples differ by the same amount. p is that of the sign test: all of n coins fall on one side.
        above, below = (0.5**examples if moved else 1.0 for moved in (estimate > 0, estimate < 0))
        return Difference(estimate, 0.0, estimate, estimate, above, below, examples)
    half, t = float(stdtrit(df, _TAIL)) * se, estimate / se
    return Difference(
        estimate, se, estimate - half, estimate + half, float(stdtr(df, -t)), float(stdtr(df, t)), examples
    )


def _tango(up: int, down: int, count: int) -> float:
    """Return the upper bound of (up - down) / count, where Tango's score statistic equals the normal quantile."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    estimate = (up - down) / count
    if estimate == 1:
        return 1.0

    def beyond(bound: float) -> float:
        b = (2 * count - up + down) * bound - up - down
        c = -down * bound * (1 - bound)
        likely = (math.sqrt(max(0.0, b * b - 8 * count * c)) - b) / (4 * count)
        spread = math.sqrt(max(0.0, count * (2 * likely + bound * (1 - bound))))
        return count * (bound - estimate) - float(ndtri(_TAIL)) * spread

    # At the estimate itself the spread may be zero, which gives a root that is not the bound.
    return float(brentq(beyond, min(estimate + 1e-12, 1.0), 1.0, xtol=1e-12))


def _placements(positive: npt.NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return for each positive the share of negatives below it, for each negative the share of positives above it."""
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    positives, negatives = scores[positive], scores[~positive]
    below = (ranks[positive] - rankdata(positives)) / negatives.size
    above = 1 - (ranks[~positive] - rankdata(negatives)) / positives.size
    return below, above


def _grouped(values: Floats, rng: np.random.Generator) -> Floats:
    if values.size <= _GROUPS:
        return values
    mean = values.mean()
    starts = np.linspace(0, values.size, _GROUPS, endpoint=False).astype(np.intp)
    sums: Floats = np.add.reduceat(rng.permutation(values - mean), starts)
    return np.asarray(mean + sums * (_GROUPS / values.size))


def _bca(values: Floats, rng: np.random.Generator) -> tuple[float, float]:
    from scipy.stats import bootstrap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result: Any = bootstrap(
            (values,),
            np.mean,
            vectorized=True,
            axis=-1,
            n_resamples=_RESAMPLES,
            batch=250,
            confidence_level=CONFIDENCE,
            method="BCa",
            random_state=rng,
        )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
