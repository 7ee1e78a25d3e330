"""The judge of odds ratios: how often intervals contain the true value, on which side they miss, how wide they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Curve, InvalidOutputError, Judgement
from harness.topics.logistic.engine.inference import LEVEL
from harness.topics.logistic.engine.likelihoods import Flags, Floats
from harness.topics.logistic.engine.replications import Replications

WIDEST = 1e6  # what the median width is reported as if half of the intervals or more are infinite


def judge(data: Replications, output: Any) -> Judgement:
    """Judge estimates and 95 % intervals of the exposure's log odds ratio.

    Parameters
    ----------
    output
        Estimates, shape (replications,), and lower and upper ends, shape (replications, 2). Infinite numbers are
        values; NaN says that there is none.

    Returns
    -------
    Judgement
        The metrics of the task, and the curve ``coverage`` over the true log odds ratios if there are several.

    Raises
    ------
    InvalidOutputError
        When the output has another form, one end of an interval without the other, or ends in the wrong order.
    """
    truth = data.truth
    estimates, low, high = _checked(output, len(truth))
    given, finite = ~np.isnan(low), np.isfinite(low) & np.isfinite(high)
    covered = given & (low <= truth) & (truth <= high)
    width = np.where(given, np.where(finite, high, np.inf) - np.where(finite, low, 0.0), np.inf)
    known = np.isfinite(estimates)
    coverage = float(covered.mean())
    return Judgement(
        metrics={
            "miscoverage": abs(coverage - LEVEL),
            "coverage": coverage,
            "finite_coverage": float(covered[finite].mean()) if finite.any() else 0.0,
            "too_high": float((low > truth).mean()),
            "too_low": float((high < truth).mean()),
            "unbounded": float((~finite).mean()),
            "no_interval": float((~given).mean()),
            "median_width": min(float(np.median(width)), WIDEST),
            "bias": abs(float((estimates - truth)[known].mean())) if known.any() else WIDEST,
            "median_bias": _median_bias(estimates - truth),
        },
        curves=_by_truth(truth, covered),
        n={
            **dict.fromkeys(("coverage", "too_high", "too_low", "unbounded", "no_interval"), len(truth)),
            "finite_coverage": max(int(finite.sum()), 1),
        },
    )


def _median_bias(errors: Floats) -> float:
    """Return the absolute value of the median error; data sets without an estimate are left out."""
    known = np.sort(errors[~np.isnan(errors)])
    # Not numpy's median, which is NaN between minus and plus infinity.
    return min(abs(float(known[len(known) // 2])), WIDEST) if known.size else WIDEST


def _by_truth(truth: Floats, covered: Flags) -> dict[str, Curve]:
    values = np.unique(truth)
    if len(values) == 1:
        return {}
    return {"coverage": Curve(np.exp(values).tolist(), [float(covered[truth == value].mean()) for value in values])}


def _checked(output: Any, replications: int) -> tuple[Floats, Floats, Floats]:
    try:
        estimates, intervals = (np.asarray(part, dtype=np.float64) for part in output)
    except (TypeError, ValueError):
        raise InvalidOutputError("expected a pair of estimates and intervals, both of numbers") from None
    _check_shape("estimates", estimates, (replications,))
    _check_shape("intervals", intervals, (replications, 2))
    low, high = intervals.T
    for wrong, what in ((np.isnan(low) != np.isnan(high), "has only one end"), (low > high, "ends before it starts")):
        if wrong.any():
            raise InvalidOutputError(f"the interval of replication {int(np.argmax(wrong))} {what}")
    return estimates, low, high


def _check_shape(what: str, values: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise InvalidOutputError(f"expected {what} of shape {shape}, not {values.shape}")
