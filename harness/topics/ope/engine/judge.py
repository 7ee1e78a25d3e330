"""Judges estimates, intervals and choices of policies against the true values."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.topics.ope.engine.log import Floats
from harness.topics.ope.engine.worlds import Replications

LEVEL = 0.95
TAIL = 0.1
#: Metrics that divide by the true value.
RELATIVE = ("relative_error", "relative_error_tail")
_POINTS = 21


def value(data: Replications, output: npt.ArrayLike) -> Judgement:
    """Judge estimates of the value of one policy.

    Parameters
    ----------
    output
        One estimate per replication, shape (replications,).

    Returns
    -------
    Judgement
        Metrics ``mse``, ``bias`` (absolute value of the mean error), ``variance``, ``relative_error`` (mean of
        |error| / |truth|) and ``relative_error_tail`` (its mean over the worst tenth, CVaR: Rockafellar & Uryasev
        2000), both undefined where a true value is 0. Metrics of the data: ``effective_sample_size`` and
        ``support_violations``, see `World.overlap`. Curve ``errors``: quantiles of the relative error. Examples of
        ``mse`` and ``relative_error``, one per replication.

    Raises
    ------
    InvalidOutputError
        When the output has another shape or a value that is not finite.
    """
    truth = data.truth[:, 0]
    error = numbers(output, truth.shape, "estimates") - truth
    effective, unsupported = data.overlap()
    metrics = {
        "mse": float((error**2).mean()),
        "bias": abs(float(error.mean())),
        "variance": float(error.var()),
        "effective_sample_size": effective,
        "support_violations": unsupported,
    }
    if not truth.all():
        return Judgement(metrics, examples={"mse": Examples(error**2)}, undefined=RELATIVE)
    relative = np.abs(error) / np.abs(truth)
    worst = np.sort(relative)[-math.ceil(TAIL * len(relative)) :]
    shares = np.linspace(0, 1, _POINTS)
    return Judgement(
        metrics={
            **metrics,
            "relative_error": float(relative.mean()),
            "relative_error_tail": float(worst.mean()),
        },
        curves={"errors": Curve(shares.tolist(), np.quantile(relative, shares).tolist())},
        examples={"mse": Examples(error**2), "relative_error": Examples(relative)},
    )


def interval(data: Replications, output: npt.ArrayLike) -> Judgement:
    """Judge intervals of the value of one policy with a nominal coverage of 0.95.

    Parameters
    ----------
    output
        Lower and upper end in each replication, shape (replications, 2).

    Returns
    -------
    Judgement
        Metrics ``coverage_error`` (how far the coverage falls short of 0.95; 0 if it does not), mean ``width``, mean
        ``interval_score`` (width plus 2 / 0.05 times the distance of the true value from the interval: Gneiting &
        Raftery 2007, "Strictly proper scoring rules, prediction, and estimation") and ``coverage``, the share of
        intervals that contain the true value. Examples of all but the first, one per replication.

    Raises
    ------
    InvalidOutputError
        When the output has another shape, a value that is not finite, or a lower end above the upper one.
    """
    truth = data.truth[:, 0]
    low, high = numbers(output, (len(truth), 2), "intervals").T
    if (low > high).any():
        at = int(np.argmax(low > high))
        raise InvalidOutputError(
            f"the interval of replication {at} ends at {high[at]:.6g}, before its start {low[at]:.6g}"
        )
    outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    covered, width = outside == 0, high - low
    score = width + 2 / (1 - LEVEL) * outside
    return Judgement(
        metrics={
            "coverage_error": max(0.0, LEVEL - float(covered.mean())),
            "width": float(width.mean()),
            "interval_score": float(score.mean()),
            "coverage": float(covered.mean()),
        },
        n={"coverage": len(truth)},
        examples={
            "width": Examples(width),
            "interval_score": Examples(score),
            "coverage": Examples(covered.astype(np.float64)),
        },
    )


def selection(data: Replications, output: npt.ArrayLike) -> Judgement:
    """Judge the choice of the candidate policy with the highest estimate.

    Parameters
    ----------
    output
        Estimates, shape (replications, candidates).

    Returns
    -------
    Judgement
        Metrics ``rank_correlation`` (Spearman's, of estimates and true values; 0 if all estimates are equal) and
        ``regret`` (value of the best candidate minus that of the chosen one): means, with one example per replication.

    Raises
    ------
    InvalidOutputError
        When the output has another shape or a value that is not finite.
    """
    truth = data.truth
    estimates = numbers(output, truth.shape, "estimates")
    ranks = _rank_correlations(estimates, truth)
    chosen = estimates.argmax(axis=1)
    regret = truth.max(axis=1) - truth[np.arange(len(truth)), chosen]
    return Judgement(
        metrics={"rank_correlation": float(ranks.mean()), "regret": float(regret.mean())},
        examples={"rank_correlation": Examples(ranks), "regret": Examples(regret)},
    )


def numbers(output: npt.ArrayLike, shape: tuple[int, ...], what: str) -> Floats:
    """Return an output as an array.

    Raises
    ------
    InvalidOutputError
        When it has another shape or a value that is not finite.
    """
    try:
        values = np.asarray(output, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidOutputError(f"expected {what} of shape {shape}, not a {type(output).__name__}") from None
    if values.shape != shape:
        raise InvalidOutputError(f"expected {what} of shape {shape}, not {values.shape}")
    if not np.isfinite(values).all():
        raise InvalidOutputError(f"{np.count_nonzero(~np.isfinite(values))} of {values.size} {what} are not finite")
    return values


def _rank_correlations(one: Floats, other: Floats) -> Floats:
    from scipy.stats import rankdata

    first, second = (rankdata(values, axis=1) for values in (one, other))
    first, second = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (first, second))
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    product = (first * second).sum(axis=1)
    correlations: Floats = np.divide(product, size, out=np.zeros_like(product), where=size > 0)
    return correlations
