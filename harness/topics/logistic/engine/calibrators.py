"""Calibrators: functions from scores and labels of a calibration set to a map from scores to probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit

from harness.topics.logistic.engine.lines import Floats, fit_lines, log_odds

Labels = npt.NDArray[np.int8]
Map = Callable[[Floats], Floats]
LARGEST_LOG_TEMPERATURE = 10.0


def identity(_scores: Floats, _labels: Labels) -> Map:
    """Leave the scores as they are."""
    return lambda scores: scores


def prior(_scores: Floats, labels: Labels) -> Map:
    """Predict the event rate of the calibration set for every row."""
    rate = float(labels.mean())
    return lambda scores: np.full(scores.shape, rate)


def platt(scores: Floats, labels: Labels) -> Map:
    """Fit a sigmoid of the log odds to Platt's targets.

    Platt 1999, "Probabilistic outputs for support vector machines": instead of 1 and 0, the targets are
    (N1 + 1) / (N1 + 2) and 1 / (N0 + 2), the posterior means of the classes with N1 and N0 rows under a uniform prior.
    They keep the slope finite where the scores separate the classes.
    """
    positives = int(labels.sum())
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    line = fit_lines(log_odds(scores), targets)
    return lambda new: expit(line.intercept + line.slope * log_odds(new))


def temperature(scores: Floats, labels: Labels) -> Map:
    """Divide the log odds by one number, the temperature that maximises the likelihood.

    Guo et al. 2017, "On calibration of modern neural networks", section 4.2. The search is bounded, for scores that
    separate the classes: exp(-10) to exp(10).
    """
    odds = log_odds(scores)
    signed = np.where(labels == 1, -odds, odds)

    def loss(log_inverse: float) -> float:
        return float(np.logaddexp(0, np.exp(log_inverse) * signed).mean())

    bounds = (-LARGEST_LOG_TEMPERATURE, LARGEST_LOG_TEMPERATURE)
    inverse = np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x)
    return lambda new: expit(inverse * log_odds(new))


def histogram(scores: Floats, labels: Labels, bins: int = 15) -> Map:
    """Predict the event rate of a score's bin, with bins of equal mass.

    Zadrozny & Elkan 2001, "Obtaining calibrated probability estimates from decision trees and naive Bayesian
    classifiers". Equal scores share a bin, so there may be fewer bins. An empty bin has the rate of all rows.
    """
    edges = np.unique(np.quantile(scores, np.arange(1, bins) / bins))
    members = np.searchsorted(edges, scores, side="right")
    counts = np.bincount(members, minlength=len(edges) + 1)
    events = np.bincount(members, labels, minlength=len(edges) + 1)
    rates = np.where(counts > 0, events / np.maximum(counts, 1), labels.mean())
    return lambda new: rates[np.searchsorted(edges, new, side="right")]


def isotonic(scores: Floats, labels: Labels) -> Map:
    """Fit the non-decreasing function with the least squared error: scikit-learn's, which pools adjacent violators.

    Zadrozny & Elkan 2002, "Transforming classifier scores into accurate multiclass probability estimates". It may
    predict exactly 0 and 1, and between two scores of the calibration set it interpolates.
    """
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, labels)
    return lambda new: np.asarray(model.predict(new), dtype=np.float64)


def beta(scores: Floats, labels: Labels) -> Map:
    """Fit log odds a log(p) - b log(1 - p) + c with a and b of at least 0: the package betacal.

    Kull, Silva Filho & Flach 2017, "Beta calibration: a well-founded and easily implemented improvement on logistic
    calibration for binary classifiers".
    """
    from betacal import BetaCalibration

    with warnings.catch_warnings():  # the package switches warnings off for the whole process
        model = BetaCalibration("abm").fit(scores, labels)
    return lambda new: np.asarray(model.predict(new), dtype=np.float64)


def venn_abers(scores: Floats, labels: Labels) -> Map:
    """Fit isotonic regression with the new row as a 0 and as a 1, and merge both predictions: the package venn-abers.

    Vovk, Petej & Fedorova 2015, "Large-scale probabilistic predictors with and without guarantees of validity"
    (arXiv 1511.00213), inductive, merged as p1 / (1 - p0 + p1), which minimises the largest regret in log loss.
    """
    with np.errstate():  # the package changes it for the whole process when it is imported
        from venn_abers import VennAbers

    model = VennAbers()
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # it divides zero by zero and drops the results
        model.fit(_two_columns(scores), labels)
    return lambda new: np.asarray(model.predict_proba(_two_columns(new))[0][:, 1], dtype=np.float64)


def _two_columns(scores: Floats) -> Floats:
    return np.column_stack([1 - scores, scores])
