"""Chosen thresholds: the best of all by scikit-learn's metrics, and where theory says the best one lies."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.topics.logistic.engine.costs import Floats, mean_cost
from harness.topics.logistic.engine.thresholds import best_f1, least_cost, recall_at_precision, youden

Score = Callable[[Floats, Floats], float]
RATIO = 7.0


def _f1(labels: Floats, flagged: Floats) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(labels, flagged, zero_division=0))


def _youden(labels: Floats, flagged: Floats) -> float:
    from sklearn.metrics import balanced_accuracy_score

    return float(2 * balanced_accuracy_score(labels, flagged) - 1)


def _cost(labels: Floats, flagged: Floats) -> float:
    return -mean_cost(labels, flagged.astype(bool), RATIO)


def _recall(labels: Floats, flagged: Floats) -> float:
    from sklearn.metrics import precision_score, recall_score

    precision = precision_score(labels, flagged, zero_division=0)
    return float(1 + recall_score(labels, flagged) if precision >= 0.4 - 1e-12 else precision)


CHOICES = [
    pytest.param(best_f1, _f1, id="f1"),
    pytest.param(youden, _youden, id="youden"),
    pytest.param(lambda labels, scores: least_cost(labels, scores, RATIO), _cost, id="cost"),
    pytest.param(lambda labels, scores: recall_at_precision(labels, scores, 0.4), _recall, id="recall"),
]
rows = st.lists(st.tuples(st.booleans(), st.sampled_from(np.linspace(0, 1, 6).tolist())), min_size=1, max_size=20)


@pytest.mark.parametrize(("choose", "score"), CHOICES)
@given(rows=rows)
@settings(deadline=None, max_examples=25)
def test_no_threshold_is_better_on_the_validation_set(
    choose: Score, score: Score, rows: list[tuple[bool, float]]
) -> None:
    labels, scores = np.array([*rows, (True, 0.4), (False, 0.4)], dtype=float).T
    chosen = score(labels, (scores >= choose(labels, scores)).astype(float))
    for threshold in (*np.unique(scores), math.inf):
        assert score(labels, (scores >= threshold).astype(float)) <= chosen + 1e-12


def test_thresholds_lie_between_scores_and_flag_few_rows() -> None:
    labels, scores = np.array([1.0, 1, 0, 0]), np.array([0.9, 0.8, 0.4, 0.1])
    for choose in (youden, best_f1):
        assert choose(labels, scores) == pytest.approx(0.6)
    assert least_cost(labels, scores, 3.0) == pytest.approx(0.6)
    assert least_cost(1 - labels, scores, 1e-3) == math.inf
    assert least_cost(1 - labels, scores, 1e3) == 0


def test_without_the_precision_that_is_asked_for_the_most_precise_threshold_is_taken() -> None:
    labels, scores = np.array([0.0, 1, 0, 0]), np.array([0.9, 0.8, 0.4, 0.1])
    assert recall_at_precision(labels, scores, 0.9) == pytest.approx(0.6)


def test_thresholds_of_true_probabilities_are_where_theory_says() -> None:
    rng = np.random.default_rng(0)
    truth = rng.beta(0.5, 3.0, 400_000)
    labels = (rng.random(truth.size) < truth).astype(float)
    # Youden's index weighs errors by the rates of the classes, so its threshold is the rate of events.
    assert youden(labels, truth) == pytest.approx(labels.mean(), abs=0.02)
    assert least_cost(labels, truth, 9.0) == pytest.approx(0.1, abs=0.01)
    # Lipton, Elkan & Naryanaswamy 2014, "Optimal thresholding of classifiers to maximize F1 measure": half of F1.
    threshold = best_f1(labels, truth)
    assert threshold == pytest.approx(_f1(labels, (truth >= threshold).astype(float)) / 2, abs=0.02)
