"""Odds ratios by statsmodels, one data set after the other."""

from __future__ import annotations

import warnings

import numpy as np

from harness.topics.logistic.engine.inference import EXPOSURE, LEVEL, design
from harness.topics.logistic.engine.likelihoods import Floats
from harness.topics.logistic.engine.replications import Samples


def wald_intervals(samples: Samples) -> tuple[Floats, Floats]:
    """Return estimates, shape (data sets,), and Wald intervals, shape (data sets, 2), of the exposure.

    NaN where statsmodels warns (separation, no convergence, an overflow of the likelihood) or cannot invert the
    second derivatives.
    """
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    X, y = design(samples)
    estimates, intervals = np.full(len(X), np.nan), np.full((len(X), 2), np.nan)
    for number, (columns, outcomes) in enumerate(zip(X, y, strict=True)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                fitted = Logit(outcomes, columns).fit(disp=False)
                intervals[number] = fitted.conf_int(1 - LEVEL)[EXPOSURE]
                estimates[number] = fitted.params[EXPOSURE]
            except (Warning, PerfectSeparationError, np.linalg.LinAlgError):
                continue
    return estimates, intervals
