"""The judge of binary classification: how well probabilities rank, and whether they are calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness import Chart, Curve, Examples, InvalidOutputError, Judgement, Metric, UsageError

if TYPE_CHECKING:
    from harness.data.tabular import Split

BINS = 15

METRICS = (
    Metric(
        "auc", direction="higher", unit="1", margin=0.005, summary="Probability that a positive ranks above a negative."
    ),
    Metric(
        "log_loss", direction="lower", unit="nat", margin=0.005, summary="Mean negative log-likelihood of the labels."
    ),
    Metric("brier", direction="lower", unit="1", margin=0.002, summary="Mean squared error of the probabilities."),
    Metric(
        "calibration_error",
        direction="lower",
        unit="1",
        margin=0.01,
        summary=f"Expected calibration error over {BINS} bins of equal mass.",
    ),
)
FIGURES = (
    Chart(
        "reliability",
        title="Reliability",
        x="mean predicted probability",
        y="observed rate",
        diagonal=True,
        reading="A calibrated model lies on the diagonal. Above it, events are more frequent than predicted.",
    ),
)

Floats = npt.NDArray[np.float64]


def judge(split: Split, output: npt.ArrayLike) -> Judgement:
    """Judge predicted probabilities against the labels of the test set.

    Parameters
    ----------
    split
        The whole data; labels in ``split.test.y`` are 0 or 1.
    output
        Probability of class 1 for each row of the test set, shape (n_test,).

    Returns
    -------
    Judgement
        The values of `METRICS`, and the curve ``reliability``: observed rate over mean prediction, with one point
        per bin. There are no examples of the calibration error, because it is not a mean over examples.

    Raises
    ------
    InvalidOutputError
        When the output is not an array of n_test finite numbers from 0 to 1.
    UsageError
        When the test set has only one class.
    """
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    labels = np.asarray(split.test.y, dtype=np.float64)
    if labels.min() == labels.max():
        raise UsageError(f"all {labels.size} rows of the test set are of class {labels[0]:.0f}; ask for more rows")
    scores = _probabilities(output, labels.size)
    predicted, observed, weight = reliability(labels, scores)
    return Judgement(
        metrics={
            "auc": float(roc_auc_score(labels, scores)),
            "log_loss": float(log_loss(labels, scores)),
            "brier": float(brier_score_loss(labels, scores)),
            "calibration_error": float(weight @ np.abs(predicted - observed)),
        },
        curves={"reliability": Curve(predicted.tolist(), observed.tolist())},
        examples={
            "auc": Examples(scores, labels),
            "log_loss": Examples(_log_losses(labels, scores)),
            "brier": Examples((scores - labels) ** 2),
        },
    )


def constant_rate(split: Split) -> Mapping[str, float]:
    """Return the metrics of the rate of class 1 in the training set, predicted for every row: a guess."""
    return judge(split, np.full(len(split.test), split.train.y.mean(), dtype=np.float64)).metrics


def reliability(labels: Floats, scores: Floats, bins: int = BINS) -> tuple[Floats, Floats, Floats]:
    """Compare predicted with observed rates in bins of equal mass.

    Equal predictions share a bin, so a coarse model fills fewer bins. The weighted mean of the absolute differences is
    the expected calibration error (Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian
    binning"); bins of equal mass estimate it with less bias (Roelofs et al. 2022, "Mitigating bias in calibration error
    estimation").

    Parameters
    ----------
    labels, scores
        Classes 0 or 1 and probabilities of class 1, shape (n,).

    Returns
    -------
    predicted, observed, weight
        Mean probability, rate of class 1 and share of the rows, for each bin that is not empty, in the order of
        probability; each of shape (filled bins,).
    """
    edges = np.quantile(scores, np.arange(1, bins) / bins)
    members = np.searchsorted(edges, scores, side="right")
    counts = np.bincount(members)
    filled = counts > 0
    predicted, observed = (np.bincount(members, values)[filled] / counts[filled] for values in (scores, labels))
    return predicted, observed, counts[filled] / scores.size


def _log_losses(labels: Floats, scores: Floats) -> Floats:
    # scikit-learn's log_loss clips to the same bounds.
    tiny = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(np.where(labels == 1, scores, 1 - scores), tiny, 1 - tiny))
    return losses


def _probabilities(output: npt.ArrayLike, rows: int) -> Floats:
    try:
        scores = np.asarray(output, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidOutputError(f"expected {rows} probabilities, not a {type(output).__name__}") from None
    if scores.shape != (rows,):
        raise InvalidOutputError(f"expected probabilities of shape ({rows},), not {scores.shape}")
    if not np.isfinite(scores).all():
        raise InvalidOutputError(f"{np.count_nonzero(~np.isfinite(scores))} of {rows} probabilities are not finite")
    if scores.min() < 0 or scores.max() > 1:
        raise InvalidOutputError(f"probabilities must lie in [0, 1], not in [{scores.min():.3g}, {scores.max():.3g}]")
    return scores
