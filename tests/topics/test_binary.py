"""Judge of binary classification against closed forms and scikit-learn."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from harness.data.tabular import Split, Table
from harness.errors import InvalidOutputError, UsageError
from harness.topics._shared.binary import METRICS, judge, reliability


def split(labels: Any) -> Split:
    y = np.asarray(labels, dtype=np.int8)
    table = Table(np.zeros((len(y), 1), dtype=np.float32), y)
    return Split(table, table, ("x0",))


def metrics(labels: Any, scores: Any) -> dict[str, float]:
    return dict(judge(split(labels), scores).metrics)


@pytest.mark.parametrize("positives", [1, 20, 50, 99])
def test_constant_prediction_has_closed_forms(positives: int) -> None:
    p = positives / 100
    labels = np.arange(100) < positives
    assert metrics(labels, np.full(100, p)) == pytest.approx(
        {
            "auc": 0.5,
            "log_loss": -p * math.log(p) - (1 - p) * math.log(1 - p),
            "brier": p * (1 - p),
            "calibration_error": 0,
        }
    )


def test_certain_and_right_is_perfect() -> None:
    labels = np.array([0, 1, 1, 0])
    found = metrics(labels, labels.astype(float))
    assert found["auc"] == 1
    assert [found["log_loss"], found["brier"], found["calibration_error"]] == pytest.approx([0, 0, 0], abs=1e-12)


def test_certain_and_wrong_is_worst() -> None:
    labels = np.array([0, 1, 1, 0])
    found = metrics(labels, 1.0 - labels)
    assert (found["auc"], found["brier"], found["calibration_error"]) == (0, 1, 1)


def test_calibration_error_of_two_bins() -> None:
    # 60 rows predicted 0.2 of which 30 are positive, 40 predicted 0.9 of which 30 are: .6 * .3 + .4 * .15
    scores = np.repeat([0.2, 0.9], [60, 40])
    labels = np.concatenate([np.arange(60) < 30, np.arange(40) < 30])
    judged = judge(split(labels), scores)
    assert judged.metrics["calibration_error"] == pytest.approx(0.24)
    assert judged.curves["reliability"].x == pytest.approx([0.2, 0.9])
    assert judged.curves["reliability"].y == pytest.approx([0.5, 0.75])


def test_calibrated_by_construction() -> None:
    # Ten distinct predictions k/10, each true for k of 10 rows.
    scores = np.repeat(np.arange(1, 10) / 10, 10)
    labels = np.concatenate([np.arange(10) < k for k in range(1, 10)])
    assert metrics(labels, scores)["calibration_error"] == pytest.approx(0, abs=1e-12)


def test_reliability_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(3_000)
    labels = (rng.random(3_000) < scores**2).astype(float)
    predicted, observed, weight = reliability(labels, scores)
    expected = calibration_curve(labels, scores, n_bins=15, strategy="quantile")
    np.testing.assert_allclose((observed, predicted), expected)
    np.testing.assert_allclose(weight, 1 / 15)


def test_binned_error_of_a_calibrated_model_shrinks_with_rows() -> None:
    # Roelofs et al. 2022, figure 1: the binned estimate is biased upwards on small samples.
    rng = np.random.default_rng(0)

    def error(rows: int) -> float:
        scores = rng.random(rows)
        return metrics(rng.random(rows) < scores, scores)["calibration_error"]

    small, large = error(200), error(200_000)
    assert small > 0.03
    assert large < 0.01


probabilities = st.lists(st.tuples(st.booleans(), st.sampled_from(np.linspace(0, 1, 21).tolist())), min_size=2)


@given(rows=probabilities, order=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_rows_does_not_matter(rows: list[tuple[bool, float]], order: Any) -> None:
    rows = [*rows, (True, 0.5), (False, 0.5)]
    shuffled = order.sample(rows, len(rows))
    first, second = (metrics(*zip(*some, strict=True)) for some in (rows, shuffled))
    assert first == pytest.approx(second)
    assert 0 <= first["calibration_error"] <= 1
    assert first["calibration_error"] ** 2 <= first["brier"] + 1e-12  # Jensen, bin by bin


@given(rows=probabilities)
@settings(deadline=None)
def test_examples_are_what_their_metric_is_made_of(rows: list[tuple[bool, float]]) -> None:
    labels, scores = zip(*rows, (True, 0.5), (False, 0.5), strict=True)
    judged = judge(split(labels), scores)
    assert set(judged.examples) == {"auc", "log_loss", "brier"}
    for name in ("log_loss", "brier"):
        assert judged.examples[name].labels is None
        assert judged.examples[name].values.mean() == pytest.approx(judged.metrics[name], abs=1e-12)
    auc = judged.examples["auc"]
    assert auc.labels is not None
    assert roc_auc_score(auc.labels, auc.values) == judged.metrics["auc"]


def test_every_declared_metric_is_judged() -> None:
    assert list(metrics([0, 1], [0.5, 0.5])) == [metric.name for metric in METRICS]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (np.zeros((4, 2)), r"shape \(4,\), not \(4, 2\)"),
        (np.zeros(3), r"shape \(4,\), not \(3,\)"),
        (0.5, r"shape \(4,\), not \(\)"),
        (None, r"shape \(4,\), not \(\)"),
        ({}, "not a dict"),
        ("often", "not a str"),
        ([0.1, math.nan, math.inf, 0.2], "2 of 4 probabilities are not finite"),
        ([-0.1, 0, 0, 1], r"not in \[-0.1, 1\]"),
        ([2.5, 0, 0, 1], r"not in \[0, 2.5\]"),
    ],
)
def test_what_cannot_be_judged_is_refused(output: npt.ArrayLike, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=sentence):
        judge(split([0, 1, 1, 0]), output)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_refused(label: int) -> None:
    with pytest.raises(UsageError, match=f"all 5 rows of the test set are of class {label}"):
        judge(split([label] * 5), np.full(5, 0.5))
