"""Confidence bounds for the mean of bounded terms, valid at every sample size."""

from __future__ import annotations

from math import log, sqrt

import numpy as np

from harness import UsageError
from harness.topics.ope.engine.log import Floats


def hoeffding(terms: Floats, low: float, high: float, level: float = 0.95) -> tuple[float, float]:
    """Return Hoeffding's two-sided interval (1963, "Probability inequalities for sums of bounded random variables").

    Parameters
    ----------
    terms
        Independent terms, shape (n,), whose mean is to be bounded.
    low, high
        Smallest and largest possible value of a term.
    level
        Confidence, between 0 and 1.
    """
    half = (high - low) * sqrt(log(2 / (1 - level)) / (2 * len(terms)))
    return float(terms.mean()) - half, float(terms.mean()) + half


def empirical_bernstein(terms: Floats, low: float, high: float, level: float = 0.95) -> tuple[float, float]:
    """Return the two-sided interval from the bound of Maurer & Pontil (2009, theorem 4, arXiv 0907.3740) on each side.

    Parameters
    ----------
    terms, low, high, level
        As for `hoeffding`.

    Raises
    ------
    UsageError
        Fewer than two terms.
    """
    count = len(terms)
    if count < 2:
        raise UsageError("an empirical Bernstein bound needs at least 2 rounds")
    # Half of the error on each side, and theorem 4 itself takes log(2 / delta).
    confidence = log(4 / (1 - level))
    spread = sqrt(2 * float(np.var(terms, ddof=1)) * confidence / count)
    half = spread + (high - low) * 7 * confidence / (3 * (count - 1))
    return float(terms.mean()) - half, float(terms.mean()) + half
