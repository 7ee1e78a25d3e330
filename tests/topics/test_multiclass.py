"""Judge of several classes against closed forms and scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn")

from sklearn.metrics import accuracy_score, f1_score, log_loss

from harness.errors import InvalidOutputError
from harness.topics._shared.multiclass import METRICS, judge, log_losses, majority


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def drawn(n: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from known probabilities, and these."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(rng.normal(0, 2, (n, classes)))
    return (rng.random((n, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1), probabilities


def test_every_declared_metric_is_judged() -> None:
    judged = judge(np.array([0, 1]), 2, np.full((2, 2), 0.5))
    assert list(judged.metrics) == [metric.name for metric in METRICS]
    assert judged.n == {"accuracy": 2}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 1_000))
def test_scores_are_scikit_learns(n: int, classes: int, seed: int) -> None:
    labels, probabilities = drawn(n, classes, seed)
    found = judge(labels, classes, probabilities).metrics
    chosen = probabilities.argmax(axis=1)
    assert found["accuracy"] == accuracy_score(labels, chosen)
    assert found["log_loss"] == pytest.approx(log_loss(labels, probabilities, labels=range(classes)))
    present = sorted(set(labels.tolist()))
    assert found["macro_f1"] == pytest.approx(
        np.mean(f1_score(labels, chosen, labels=present, average=None, zero_division=0))
    )


def test_macro_f1_by_hand() -> None:
    # Class 0: 2 right, 1 false; class 1: 1 right of 2; class 2 is predicted once and has no example.
    labels, chosen = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    found = judge(labels, 3, np.eye(3)[chosen]).metrics
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["accuracy"] == 0.75


def test_a_rare_class_counts_as_much_as_a_frequent_one() -> None:
    labels = np.repeat([0, 1], [99, 1])
    found = judge(labels, 2, np.tile([0.9, 0.1], (100, 1))).metrics
    assert found["accuracy"] == 0.99
    assert found["macro_f1"] == pytest.approx(2 * 0.99 / 1.99 / 2)


def test_certain_and_wrong_is_worst() -> None:
    found = judge(np.array([0, 1, 1, 0]), 2, np.eye(2)[[1, 0, 0, 1]]).metrics
    assert (found["accuracy"], found["macro_f1"], found["calibration_rms"]) == (0, 0, 1)
    assert found["log_loss"] == pytest.approx(-math.log(np.finfo(float).eps))


def test_planted_miscalibration_is_found() -> None:
    labels, honest = drawn(20_000, 5)
    # Powers of the probabilities make them too sure, and leave the likeliest class as it is.
    sure = softmax(3 * np.log(honest))
    before, after = (judge(labels, 5, part) for part in (honest, sure))
    assert before.metrics["calibration_rms"] < 0.01
    top = sure.max(axis=1)
    planted = math.sqrt(np.mean((top - honest.max(axis=1)) ** 2))
    assert after.metrics["calibration_rms"] == pytest.approx(planted, abs=0.02)
    assert after.metrics["accuracy"] == before.metrics["accuracy"]
    curve = after.curves["reliability"]
    assert np.all(np.array(curve.y)[:-1] < np.array(curve.x)[:-1])


def test_the_band_of_reliability_covers() -> None:
    covered = []
    for seed in range(20):
        labels, honest = drawn(400, 3, seed)
        curve = judge(labels, 3, honest).curves["reliability"]
        assert curve.low is not None
        assert curve.high is not None
        covered += [low <= x <= high for x, low, high in zip(curve.x, curve.low, curve.high, strict=True)]
    assert 0.93 <= np.mean(covered) <= 1


def test_examples_average_to_their_metrics() -> None:
    labels, probabilities = drawn(50, 4)
    judged = judge(labels, 4, probabilities)
    assert set(judged.examples) == {"accuracy", "log_loss"}
    for name, examples in judged.examples.items():
        assert examples.values.mean() == pytest.approx(judged.metrics[name])


def test_losses_are_those_of_the_right_class() -> None:
    losses = log_losses(np.array([1, 0]), np.array([[0.75, 0.25], [0.5, 0.5]]))
    assert losses == pytest.approx([math.log(4), math.log(2)])


def test_majority_guesses_the_rates_of_training() -> None:
    found = majority(np.array([0, 0, 0, 1]), np.array([0, 1]), 2)
    assert found["accuracy"] == 0.5
    assert found["log_loss"] == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)


def test_what_32_bits_lose_is_accepted() -> None:
    labels, probabilities = drawn(100, 50)
    assert judge(labels, 50, probabilities.astype(np.float32)).metrics["log_loss"] == pytest.approx(
        judge(labels, 50, probabilities).metrics["log_loss"], rel=1e-5
    )


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (np.zeros((2, 2)), r"shape \(3, 2\), not \(2, 2\)"),
        (np.zeros((3, 3)), r"shape \(3, 2\), not \(3, 3\)"),
        (np.zeros(3), r"shape \(3, 2\), not \(3,\)"),
        (None, r"shape \(3, 2\), not \(\)"),
        ({}, "not a dict"),
        ("often", "not a str"),
        ([[0.5, 0.5], [0.5], [1, 0]], "not a list"),
        ([[0.5, 0.5], [math.nan, math.nan], [math.inf, 0]], "2 of 3 examples are not finite"),
        ([[0.5, 0.5], [1.5, -0.5], [1, 0]], "at least 0, and one is -0.5"),
        ([[0.5, 0.5], [0.5, 0.4], [1, 0]], "example 1 sum to 0.9, not to 1"),
    ],
)
def test_what_cannot_be_judged_is_refused(output: Any, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=sentence):
        judge(np.array([0, 1, 1]), 2, output)
