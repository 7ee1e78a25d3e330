"""How other tools call a candidate slower, applied to samples of wall time that were taken one side after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import mannwhitneyu, ttest_ind

#: Base and candidate samples in seconds -> whether the candidate is called slower.
Rule = Callable[[Sequence[float], Sequence[float]], bool]


def asv(factor: float) -> Rule:
    """Return the rule of ``asv continuous``: Mann-Whitney's U test (p < 0.002), and a median larger by the factor.

    The test is scipy's, because asv's own loops over all pairs of samples in Python.
    """

    def slower(base: Sequence[float], candidate: Sequence[float]) -> bool:
        different = mannwhitneyu(base, candidate).pvalue < 0.002
        return bool(different and np.median(base) < np.median(candidate) / factor)

    return slower


def pytest_benchmark(share: float) -> Rule:
    """Return the rule of ``pytest --benchmark-compare-fail=mean:5%``."""
    return lambda base, candidate: bool(np.mean(candidate) > (1 + share) * np.mean(base))


def pyperf(base: Sequence[float], candidate: Sequence[float]) -> bool:
    """Apply the rule of ``pyperf compare_to``: Student's two-sample t test at 95 %, and a larger mean."""
    return bool(ttest_ind(base, candidate).pvalue < 0.05 and np.mean(candidate) > np.mean(base))


def others() -> dict[str, Rule]:
    """Return the rules by the heads of their columns."""
    return {
        "asv, factor 1.1": asv(1.1),
        "asv, 1.05": asv(1.05),
        "pytest-benchmark, mean:5%": pytest_benchmark(0.05),
        "pyperf": pyperf,
    }
