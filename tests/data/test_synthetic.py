"""Generated data meet their closed forms, checked against scikit-learn's metrics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from harness.data.synthetic import GENERATORS, TEST_ROWS, bayes, rule, tabular
from harness.data.tabular import Split


def draw(rows: int = 1000, error: float = 0.1, seed: int = 0, columns: int = 20) -> Split:
    return tabular({"rows": rows, "columns": columns, "bayes_error": error}, np.random.default_rng(seed))


@pytest.mark.parametrize("error", [0.0, 0.05, 0.1, 0.3, 0.5])
def test_bayes_figures_are_those_of_the_rule(error: float) -> None:
    train = draw(rows=400_000, error=error).train
    probability = np.where(rule(train.X), 1 - error, error)
    expected = bayes(error)
    # Four standard errors: one row's loss deviates most in nats, by sqrt(e (1-e)) ln((1-e)/e) < 0.7.
    margin = 4 * 0.7 / np.sqrt(400_000)
    assert np.mean(rule(train.X) != train.y) == pytest.approx(expected["error"], abs=margin)
    assert roc_auc_score(train.y, probability) == pytest.approx(expected["auc"], abs=margin)
    assert brier_score_loss(train.y, probability) == pytest.approx(expected["brier"], abs=margin)
    assert log_loss(train.y, probability) == pytest.approx(expected["log_loss"], abs=margin)


def test_bayes_figures_at_one_tenth() -> None:
    # H(0.1) = 0.468996 bit (Cover & Thomas, binary entropy).
    expected = {"error": 0.1, "log_loss": 0.468996 * np.log(2), "brier": 0.09, "auc": 0.9}
    assert bayes(0.1) == pytest.approx(expected, abs=1e-6)


def test_rule_is_balanced() -> None:
    X = np.random.default_rng(1).random((1_000_000, 5), dtype=np.float32)
    assert rule(X).mean() == pytest.approx(0.5, abs=4 * 0.5 / 1000)


@given(u=st.lists(st.integers(-127, 127).filter(lambda k: k != 0), min_size=5, max_size=5))
def test_negating_four_columns_negates_the_rule(u: list[int]) -> None:
    # Dyadic fractions are exact in float32, so only a sum of exactly 0 is neither side of the rule.
    x = (np.array([u], dtype=np.float32) / 128 + 1) / 2
    mirrored = x.copy()
    mirrored[:, [0, 2, 3, 4]] = 1 - x[:, [0, 2, 3, 4]]
    both = rule(np.concatenate([x, mirrored]))
    k = np.array(u) / 128
    score = np.sign(k[0] * k[1]) + np.sign(k[2]) / 2 + np.sin(2 * np.pi * k[3]) + k[4]
    if abs(score) > 1e-5:
        assert both.tolist() == [score > 0, score < 0]


def test_only_the_first_five_columns_matter() -> None:
    X = np.random.default_rng(2).random((1000, 8), dtype=np.float32)
    changed = X.copy()
    changed[:, 5:] = 0
    np.testing.assert_array_equal(rule(X), rule(changed))


def test_a_linear_model_stays_far_below_the_best() -> None:
    data = draw(rows=20_000)
    model = LogisticRegression().fit(data.train.X, data.train.y)
    assert roc_auc_score(data.test.y, model.decision_function(data.test.X)) < bayes(0.1)["auc"] - 0.15


@settings(max_examples=5, deadline=None)
@given(rows=st.integers(100, 3000), more=st.integers(1, 3000), seed=st.integers(0, 2**32))
def test_more_training_rows_keep_the_test_rows_and_the_beginning(rows: int, more: int, seed: int) -> None:
    small, large = draw(rows, seed=seed), draw(rows + more, seed=seed)
    assert len(small.test) == TEST_ROWS
    np.testing.assert_array_equal(small.test.X, large.test.X)
    np.testing.assert_array_equal(small.test.y, large.test.y)
    np.testing.assert_array_equal(small.train.X, large.train.X[:rows])
    np.testing.assert_array_equal(small.train.y, large.train.y[:rows])


def test_seeds_and_shapes() -> None:
    data = draw(rows=300, columns=7)
    assert data.train.X.shape == (300, 7)
    assert data.features == ("x0", "x1", "x2", "x3", "x4", "x5", "x6")
    np.testing.assert_array_equal(data.train.X, draw(rows=300, columns=7).train.X)
    assert not np.array_equal(data.train.X, draw(rows=300, columns=7, seed=1).train.X)
    assert GENERATORS["tabular"].params["columns"].low == 5
