"""The judge of classification with several classes: how often the likeliest class is right, and whether it is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from harness import Chart, Curve, Examples, InvalidOutputError, Judgement, Metric
from harness.topics._shared.binned import BINS, calibration_rms, observed_interval, reliability

METRICS = (
    Metric(
        "accuracy",
        direction="higher",
        unit="1",
        margin=0.01,
        rate=True,
        summary="Share of the test examples whose likeliest class is the right one.",
    ),
    Metric(
        "macro_f1",
        direction="higher",
        unit="1",
        margin=0.01,
        summary="F1 of each class that the test examples have, averaged: rare classes count as much as frequent ones.",
    ),
    Metric(
        "log_loss", direction="lower", unit="nat", margin=0.02, summary="Mean negative log-likelihood of the classes."
    ),
    Metric(
        "calibration_rms",
        direction="lower",
        unit="1",
        margin=0.02,
        summary=f"Root-mean-square calibration error of the likeliest class, {BINS} bins of equal mass, debiased.",
    ),
)
RELIABILITY = Chart(
    "reliability",
    title="Reliability of the likeliest class",
    x="mean predicted probability",
    y="share that is right",
    diagonal=True,
    reading="A calibrated model lies on the diagonal; below it, the model is too sure. The band is the exact 95 % "
    "interval of each bin's share.",
)

Floats = npt.NDArray[np.float64]
#: How far from 1 the probabilities of an example may sum: what 32 bits lose.
ROUNDING = 1e-5


def judge(labels: npt.NDArray[np.integer], classes: int, output: npt.ArrayLike) -> Judgement:
    """Judge predicted probabilities.

    Parameters
    ----------
    labels
        Classes from 0 on, shape (n,).
    output
        Probability of each class, shape (n, classes).

    Returns
    -------
    Judgement
        The values of `METRICS`, the curve of `RELIABILITY`, and the examples of accuracy and log loss.

    Raises
    ------
    InvalidOutputError
        When the output is not an array of probabilities that sum to 1 for each example.
    """
    from sklearn.metrics import f1_score

    probabilities = checked(output, len(labels), classes)
    chosen = probabilities.argmax(axis=1)
    right = (chosen == labels).astype(np.float64)
    losses = log_losses(labels, probabilities)
    bins = reliability(right, probabilities.max(axis=1))
    low, high = observed_interval(bins)
    return Judgement(
        metrics={
            "accuracy": float(right.mean()),
            "macro_f1": float(f1_score(labels, chosen, labels=np.unique(labels), average="macro", zero_division=0)),
            "log_loss": float(losses.mean()),
            "calibration_rms": calibration_rms(bins),
        },
        curves={"reliability": Curve(bins.predicted.tolist(), bins.observed.tolist(), low.tolist(), high.tolist())},
        examples={"accuracy": Examples(right), "log_loss": Examples(losses)},
        n={"accuracy": len(labels)},
    )


def log_losses(labels: npt.NDArray[np.integer], probabilities: Floats) -> Floats:
    """Return the negative log-likelihood of each class, in nats, shape (n,); a probability of 0 counts as 2.2e-16.

    Parameters
    ----------
    labels
        Classes, shape (n,).
    probabilities
        Shape (n, classes).
    """
    right = probabilities[np.arange(len(labels)), labels]
    losses: Floats = -np.log(np.maximum(right, np.finfo(np.float64).eps))  # the bound of scikit-learn's log_loss
    return losses


def checked(output: npt.ArrayLike, rows: int, classes: int) -> Floats:
    """Return an output as probabilities.

    Raises
    ------
    InvalidOutputError
        See `judge`.
    """
    try:
        probabilities = np.asarray(output, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidOutputError(
            f"expected probabilities of shape ({rows}, {classes}), not a {type(output).__name__}"
        ) from None
    if probabilities.shape != (rows, classes):
        raise InvalidOutputError(f"expected probabilities of shape ({rows}, {classes}), not {probabilities.shape}")
    if not np.isfinite(probabilities).all():
        wrong = np.count_nonzero(~np.isfinite(probabilities).all(axis=1))
        raise InvalidOutputError(f"the probabilities of {wrong} of {rows} examples are not finite")
    if probabilities.min() < 0:
        raise InvalidOutputError(f"probabilities must be at least 0, and one is {probabilities.min():.3g}")
    sums = probabilities.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > ROUNDING:
        raise InvalidOutputError(f"the probabilities of example {worst} sum to {sums[worst]:.6g}, not to 1")
    return probabilities


def majority(train: npt.NDArray[np.integer], test: npt.NDArray[np.integer], classes: int) -> Mapping[str, float]:
    """Return the metrics of the rates of the classes in the training set, predicted for every example: a guess."""
    rates = np.bincount(train, minlength=classes) / len(train)
    return judge(test, classes, np.tile(rates, (len(test), 1))).metrics
