"""Judges calibrated probabilities: on labels, against the model's own scores, and against known probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness import Judgement
from harness.data.tabular import Split
from harness.topics._shared.binary import judge, probabilities
from harness.topics._shared.binned import reliability
from harness.topics.logistic.engine.lines import Floats
from harness.topics.logistic.engine.scored import Parts


def judge_scored(data: Parts, output: npt.ArrayLike) -> Judgement:
    """Judge probabilities of the rows of the test set, shape (n,).

    Returns
    -------
    Judgement
        What `harness.topics._shared.binary.judge` returns, and the metrics ``expected_calibration_error`` and
        ``improved``: 1 if the log loss is lower than that of the model's scores, else 0, a rate of one case.

    Raises
    ------
    InvalidOutputError, UsageError
        As that judge.
    """
    judged = judge(Split(data.calibration, data.test, ()), output)
    labels = data.test.y.astype(np.float64)
    before = log_losses(labels, data.scored.test).mean()
    metrics = {
        **judged.metrics,
        "expected_calibration_error": binned_error(labels, np.asarray(output, dtype=np.float64)),
        "improved": float(judged.metrics["log_loss"] < before - 1e-12),
    }
    return replace(judged, metrics=metrics, n={**judged.n, "improved": 1})


def log_losses(labels: Floats, scores: Floats) -> Floats:
    """Return -log of the probability of each row's class, cut as scikit-learn's log_loss does, shape (n,)."""
    tiny = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(np.where(labels == 1, scores, 1 - scores), tiny, 1 - tiny))
    return losses


def binned_error(labels: Floats, scores: Floats) -> float:
    """Return the mean absolute difference of prediction and rate over bins of equal mass, by their rows.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning". Noise of the rates adds to it:
    the fewer rows, the further it is from 0 for a perfect model (Roelofs et al. 2022).
    """
    bins = reliability(labels, scores)
    return float(bins.weight @ np.abs(bins.predicted - bins.observed))


def true_error(data: Parts, output: npt.ArrayLike) -> float:
    """Return the root-mean-square difference of predictions and the known probabilities of the test set."""
    assert data.truth is not None
    return float(np.sqrt(np.mean((probabilities(output, len(data.test)) - data.truth) ** 2)))
