"""Judge of binary classification against closed forms and scikit-learn."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from harness.data.tabular import Split, Table
from harness.errors import InvalidOutputError, UsageError
from harness.topics._shared.binary import FIGURES, METRICS, MORE_METRICS, judge
from harness.topics._shared.binned import calibration_interval, calibration_square, observed_interval, reliability


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
            "calibration_rms": 0,
            "average_precision": p,
            "brier_reliability": 0,
            "brier_resolution": 0,
            "brier_uncertainty": p * (1 - p),
        },
        abs=1e-12,
    )


def test_certain_and_right_is_perfect() -> None:
    labels = np.array([0, 1, 1, 0])
    found = metrics(labels, labels.astype(float))
    assert found["auc"] == 1
    assert [found["log_loss"], found["brier"], found["calibration_rms"]] == pytest.approx([0, 0, 0], abs=1e-12)


def test_certain_and_wrong_is_worst() -> None:
    labels = np.array([0, 1, 1, 0])
    found = metrics(labels, 1.0 - labels)
    assert (found["auc"], found["brier"], found["calibration_rms"]) == (0, 1, 1)


def test_calibration_error_of_two_bins() -> None:
    # 60 rows predicted 0.2 of which 30 are positive, 40 predicted 0.9 of which 30 are.
    scores = np.repeat([0.2, 0.9], [60, 40])
    labels = np.concatenate([np.arange(60) < 30, np.arange(40) < 30])
    judged = judge(split(labels), scores)
    square = 0.6 * (0.3**2 - 0.25 / 59) + 0.4 * (0.15**2 - 0.1875 / 39)
    assert judged.metrics["calibration_rms"] == pytest.approx(math.sqrt(square))
    assert judged.curves["reliability"].x == pytest.approx([0.2, 0.9])
    assert judged.curves["reliability"].y == pytest.approx([0.5, 0.75])


def test_calibrated_by_construction() -> None:
    # Ten distinct predictions k/10, each true for k of 10 rows.
    scores = np.repeat(np.arange(1, 10) / 10, 10)
    labels = np.concatenate([np.arange(10) < k for k in range(1, 10)])
    assert metrics(labels, scores)["calibration_rms"] == 0
    assert calibration_square(reliability(labels.astype(float), scores)) < 0


def test_reliability_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(3_000)
    labels = (rng.random(3_000) < scores**2).astype(float)
    bins = reliability(labels, scores)
    expected = calibration_curve(labels, scores, n_bins=15, strategy="quantile")
    np.testing.assert_allclose((bins.observed, bins.predicted), expected)
    np.testing.assert_allclose(bins.weight, 1 / 15)


def test_bins_have_two_rows_or_more() -> None:
    rng = np.random.default_rng(0)
    assert reliability(np.tile([0.0, 1.0], 4), rng.random(8)).count.tolist() == [2, 2, 2, 2]
    lonely = reliability(np.array([0.0, 1.0, 1.0]), np.array([0.5, 0.5, 0.9]))
    assert (lonely.count.tolist(), lonely.gap.tolist()) == ([3], [pytest.approx(1.9 / 3 - 2 / 3)])


def test_a_bin_of_one_row_says_nothing() -> None:
    # Ties leave one row alone; whether its label is noise or an error is unknown.
    scores = np.repeat([0.1, 0.5], [1, 20])
    for label in (0.0, 1.0):
        bins = reliability(np.append(label, np.tile([0.0, 1.0], 10)), scores)
        assert bins.count.tolist() == [1, 20]
        assert calibration_square(bins) == pytest.approx(-20 / 21 * 0.25 / 19)


def debiased_square(labels: npt.NDArray[Any], scores: npt.NDArray[Any], groups: int) -> float:
    """Definition 5.2 of Kumar, Liang & Ma 2019, row by row, for scores without ties and groups of equal size."""
    order = np.argsort(scores)
    total = 0.0
    for rows in np.split(order, groups):
        rate, mean, n = labels[rows].mean(), scores[rows].mean(), len(rows)
        total += n / len(scores) * ((mean - rate) ** 2 - rate * (1 - rate) / (n - 1))
    return total


@pytest.mark.parametrize("power", [0.5, 1, 3])
def test_debiased_square_is_that_of_the_paper(power: float) -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(1_500)
    labels = (rng.random(1_500) < scores**power).astype(float)
    expected = debiased_square(labels, scores, 15)
    assert calibration_square(reliability(labels, scores)) == pytest.approx(expected, abs=1e-14)


def test_debiasing_leaves_no_error_where_there_is_none() -> None:
    # Roelofs et al. 2022, figure 1: without it, the binned error of a calibrated model is far from 0 on small samples.
    rng = np.random.default_rng(0)
    plain, debiased = [], []
    for _ in range(400):
        scores = rng.choice(np.arange(1, 11) / 11, 200)
        bins = reliability((rng.random(200) < scores).astype(float), scores)
        plain.append(bins.weight @ bins.gap**2)
        debiased.append(calibration_square(bins))
    error = np.std(debiased) / 20
    assert np.mean(plain) > 20 * error
    assert abs(np.mean(debiased)) < 3 * error


@pytest.mark.parametrize(("shift", "least"), [(0.0, 0.97), (0.3, 0.88), (0.8, 0.88)])
def test_interval_of_the_calibration_error_covers(shift: float, least: float) -> None:
    # Predictions with ten values have the same bins in every sample, so that the true error is known.
    rng = np.random.default_rng(2)
    values = np.arange(1, 11) / 11
    rates = 1 / (1 + (1 / values - 1) * math.exp(-shift))
    truth = math.sqrt(np.mean((values - rates) ** 2))
    covered = 0
    for _ in range(300):
        at = np.arange(1_000) % 10
        low, high = calibration_interval(reliability((rng.random(1_000) < rates[at]).astype(float), values[at]))
        covered += low <= truth <= high
    assert covered / 300 >= least


def test_intervals_of_bins_are_exact() -> None:
    labels = np.concatenate([np.arange(40) < 0, np.arange(40) < 7, np.arange(40) < 40]).astype(float)
    bins = reliability(labels, np.repeat([0.1, 0.5, 0.9], 40))
    low, high = observed_interval(bins)
    for at, events in enumerate((0, 7, 40)):
        exact = binomtest(events, 40).proportion_ci(0.95, method="exact")
        assert (low[at], high[at]) == pytest.approx((exact.low, exact.high))


probabilities = st.lists(st.tuples(st.booleans(), st.sampled_from(np.linspace(0, 1, 21).tolist())), min_size=2)


@given(rows=probabilities, order=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_the_order_of_rows_does_not_matter(rows: list[tuple[bool, float]], order: Any) -> None:
    rows = [*rows, (True, 0.5), (False, 0.5)]
    shuffled = order.sample(rows, len(rows))
    first, second = (metrics(*zip(*some, strict=True)) for some in (rows, shuffled))
    assert first == pytest.approx(second)
    assert 0 <= first["calibration_rms"] <= 1
    assert first["brier_reliability"] <= first["brier"] + 1e-12  # Jensen, bin by bin


@given(rows=probabilities)
@settings(deadline=None, max_examples=40)
def test_parts_of_the_brier_score_add_up(rows: list[tuple[bool, float]]) -> None:
    found = metrics(*zip(*rows, (True, 0.5), (False, 0.5), strict=True))
    parts = found["brier_reliability"] - found["brier_resolution"] + found["brier_uncertainty"]
    assert parts == pytest.approx(found["brier"], abs=1e-12)


def test_parts_of_the_brier_score_are_those_of_the_papers() -> None:
    # Murphy 1973 for groups of equal predictions; Stephenson et al. 2008 add the two terms within bins.
    rng = np.random.default_rng(3)
    scores = rng.random(600)
    labels = (rng.random(600) < scores).astype(float)
    found = metrics(labels, scores)
    unreliable = resolution = within = together = 0.0
    for rows in np.split(np.argsort(scores), 15):
        f, o = scores[rows], labels[rows]
        unreliable += len(rows) * (f.mean() - o.mean()) ** 2 / 600
        resolution += len(rows) * (o.mean() - labels.mean()) ** 2 / 600
        within += sum((f - f.mean()) ** 2) / 600
        together += 2 * sum((f - f.mean()) * (o - o.mean())) / 600
    assert found["brier_reliability"] == pytest.approx(unreliable)
    assert found["brier_resolution"] == pytest.approx(resolution - within + together)
    assert found["brier"] == pytest.approx(
        unreliable - resolution + labels.mean() * (1 - labels.mean()) + within - together
    )


def test_average_precision_of_a_short_ranking() -> None:
    # Positives at the ranks 1, 3 and 4: precisions 1, 2/3 and 3/4.
    assert metrics([1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.5])["average_precision"] == pytest.approx(29 / 36)


def test_curves_have_their_intervals() -> None:
    rng = np.random.default_rng(4)
    scores = rng.random(900)
    judged = judge(split(rng.random(900) < scores), scores)
    assert set(judged.curves) == {chart.curve for chart in FIGURES}
    for curve in judged.curves.values():
        assert all(low <= y <= high for low, y, high in zip(curve.low, curve.y, curve.high, strict=True))
    at = judged.curves["calibration"].x.index(15)
    assert judged.curves["calibration"].y[at] == judged.metrics["calibration_rms"]


@given(rows=probabilities)
@settings(deadline=None, max_examples=40)
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
    assert list(metrics([0, 1], [0.5, 0.5])) == [metric.name for metric in (*METRICS, *MORE_METRICS)]


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
