"""The judge of binary classification: how well probabilities rank, and whether they are calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness import Chart, Curve, Examples, InvalidOutputError, Judgement, Metric, UsageError
from harness.topics._shared.binned import (
    BINS,
    Bins,
    brier_parts,
    calibration_interval,
    calibration_rms,
    observed_interval,
    reliability,
)

if TYPE_CHECKING:
    from harness.data.tabular import Split

BIN_COUNTS = (5, 10, 15, 20, 30, 50)

METRICS = (
    Metric(
        "auc", direction="higher", unit="1", margin=0.005, summary="Probability that a positive ranks above a negative."
    ),
    Metric(
        "log_loss", direction="lower", unit="nat", margin=0.005, summary="Mean negative log-likelihood of the labels."
    ),
    Metric("brier", direction="lower", unit="1", margin=0.002, summary="Mean squared error of the probabilities."),
    Metric(
        "calibration_rms",
        direction="lower",
        unit="1",
        margin=0.01,
        summary=f"Root-mean-square calibration error in {BINS} bins of equal mass, debiased.",
    ),
)
#: What a task may add: how well rare positives are ranked, and what the Brier score is made of.
MORE_METRICS = (
    Metric(
        "average_precision",
        direction="higher",
        unit="1",
        margin=0.005,
        summary="Mean precision over the ranks of the positives.",
    ),
    Metric(
        "brier_reliability",
        direction="lower",
        unit="1",
        margin=0.002,
        summary=f"Part of the Brier score: mean squared calibration error in {BINS} bins of equal mass, not debiased.",
    ),
    Metric(
        "brier_resolution",
        direction="higher",
        unit="1",
        margin=0.002,
        summary="Part of the Brier score, subtracted: what telling rows apart gains.",
    ),
    Metric(
        "brier_uncertainty",
        direction="lower",
        unit="1",
        summary="A property of the data: the Brier score of predicting the rate of class 1 for every row.",
    ),
)
FIGURES = (
    Chart(
        "reliability",
        title="Reliability",
        x="mean predicted probability",
        y="observed rate",
        diagonal=True,
        reading="A calibrated model lies on the diagonal. Above it, events are more frequent than predicted. The band "
        "is the exact 95 % interval of each bin's rate.",
    ),
    Chart(
        "calibration",
        title="Calibration error by number of bins",
        x="bins of equal mass",
        y="calibration_rms",
        reading="The debiased root-mean-square calibration error; the band is its 95 % interval within one data set.",
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
        The values of `METRICS` and `MORE_METRICS`, and the curves of `FIGURES`. The calibration error, the average
        precision and the parts of the Brier score have no examples, because they are not means over examples.

    Raises
    ------
    InvalidOutputError
        When the output is not an array of n_test finite numbers from 0 to 1.
    UsageError
        When the test set has only one class.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    labels = np.asarray(split.test.y, dtype=np.float64)
    if labels.min() == labels.max():
        raise UsageError(f"all {labels.size} rows of the test set are of class {labels[0]:.0f}; ask for more rows")
    scores = probabilities(output, labels.size)
    bins = reliability(labels, scores)
    return Judgement(
        metrics={
            "auc": float(roc_auc_score(labels, scores)),
            "log_loss": float(log_loss(labels, scores)),
            "brier": float(brier_score_loss(labels, scores)),
            "calibration_rms": calibration_rms(bins),
            "average_precision": float(average_precision_score(labels, scores)),
            **brier_parts(labels, scores, bins),
        },
        curves={"reliability": _reliability_curve(bins), "calibration": _calibration_curve(labels, scores)},
        examples={
            "auc": Examples(scores, labels),
            "log_loss": Examples(_log_losses(labels, scores)),
            "brier": Examples((scores - labels) ** 2),
        },
    )


def constant_rate(split: Split) -> Mapping[str, float]:
    """Return the metrics of the rate of class 1 in the training set, predicted for every row: a guess."""
    return judge(split, np.full(len(split.test), split.train.y.mean(), dtype=np.float64)).metrics


def _reliability_curve(bins: Bins) -> Curve:
    low, high = observed_interval(bins)
    return Curve(bins.predicted.tolist(), bins.observed.tolist(), low.tolist(), high.tolist())


def _calibration_curve(labels: Floats, scores: Floats) -> Curve:
    divided = [reliability(labels, scores, count) for count in BIN_COUNTS]
    low, high = zip(*map(calibration_interval, divided), strict=True)
    return Curve([float(count) for count in BIN_COUNTS], [calibration_rms(bins) for bins in divided], [*low], [*high])


def _log_losses(labels: Floats, scores: Floats) -> Floats:
    # scikit-learn's log_loss clips to the same bounds.
    tiny = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(np.where(labels == 1, scores, 1 - scores), tiny, 1 - tiny))
    return losses


def probabilities(output: npt.ArrayLike, rows: int) -> Floats:
    """Return an output as probabilities of shape (rows,).

    Raises
    ------
    InvalidOutputError
        When it is not an array of that many finite numbers from 0 to 1.
    """
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
