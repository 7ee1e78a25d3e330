"""The interval of a rate: a share of cases, counted in one block or more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtrit

from harness.stats.paired import CONFIDENCE, Interval, mean

Floats = npt.NDArray[np.float64]

_HALVINGS = 40


def exact(count: float, cases: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval of a rate.

    Clopper & Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26: the rates that neither one-sided binomial test rejects, as quantiles of beta distributions. A 95 %
    interval covers at least 95 % at every rate and number of cases.

    Parameters
    ----------
    count
        Number of the cases that have the property.
    cases
        Number of all cases; without any, the interval is [0, 1].
    """
    tail = 0.5 - confidence / 2
    low = float(betaincinv(count, cases - count + 1, tail)) if count > 0 else 0.0
    high = float(betaincinv(count + 1, cases - count, 1 - tail)) if count < cases else 1.0
    return low, high


def rate(
    values: npt.ArrayLike, cases: npt.ArrayLike, *, overlap: float = 0.0, confidence: float = CONFIDENCE
) -> Interval:
    """Estimate a rate from its value in each block.

    At either end the interval is the wider of two. One is exact, of the cases of all blocks together (see `exact`);
    alone it would be too narrow where the rate differs from block to block. The other is Student's t over blocks; alone
    it would be too narrow where few cases have the property, and there is none without spread.

    Where blocks differ, the exact interval is that of fewer cases with the same information: as many as have the
    variance that is observed between blocks, times the squared ratio of the quantiles of t (Korn & Graubard 1998,
    "Confidence intervals for proportions with small expected number of positive counts estimated from survey data",
    Survey Methodology 24, which adapts Clopper and Pearson's interval to clusters). In simulations it covers 94 % or
    more if the standard deviation of rates between blocks is half of their mean, and 93 % or more from three blocks on
    if it is as large as their mean (with two blocks 88 %). Rates that are 0 in most blocks and large in a rare one are
    not covered: a few blocks do not show that.

    Parameters
    ----------
    values
        The rate in each block, shape (blocks,).
    cases
        Number of cases in each block, shape (blocks,); a block without cases says nothing.
    overlap
        See `harness.stats.paired.mean`; cases that blocks have in common do not count twice.

    Returns
    -------
    Interval
        The estimate is the mean over blocks; `blocks` is the number of those with cases.
    """
    shares, numbers = np.asarray(values, dtype=float), np.asarray(cases, dtype=float)
    known = numbers > 0
    if not known.any():
        return Interval(float(shares.mean()), 0.0, 1.0, 0)
    shares, numbers = shares[known], numbers[known]
    over = mean(shares, overlap=overlap)
    total = float(numbers.sum()) / (1 + len(shares) * overlap)
    share = min(1.0, float(shares @ numbers / numbers.sum()))
    bounds = [exact(share * total, total, confidence)]
    if over.known:
        tail = 0.5 + confidence / 2
        error = (over.high - over.estimate) / float(stdtrit(over.df, 0.5 + CONFIDENCE / 2))
        half = error * float(stdtrit(over.df, tail))
        bounds.append((max(0.0, over.estimate - half), min(1.0, over.estimate + half)))
        ratio = float(stdtrit(total, tail)) / float(stdtrit(over.df, tail))
        fewer = min(total, share * (1 - share) / error**2 * ratio**2)
        bounds.append(exact(share * fewer, fewer, confidence))
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    return Interval(over.estimate, low, high, len(shares))


def p_of_rate(values: npt.ArrayLike, cases: npt.ArrayLike, bound: float, *, overlap: float = 0.0) -> float:
    """Return the two-sided p of a rate: one minus the largest confidence whose interval excludes the bound."""
    least, most = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        if rate(values, cases, overlap=overlap, confidence=1 - middle).excludes(bound):
            most = middle
        else:
            least = middle
    return most
