"""The tasks imbalance and threshold: what strategies do to the balance, what they may read, and how they are judged."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

pytest.importorskip("sklearn")
pytest.importorskip("imblearn")

from harness.data.scenarios import imbalance, label_noise
from harness.data.tabular import Split, Table, visible
from harness.declare import Problem, Task
from harness.errors import CannotRunError, DeclarationError, InvalidOutputError, UsageError
from harness.topics.logistic import imbalance as balancing
from harness.topics.logistic import threshold as choosing
from harness.topics.logistic.decisions import RARE_LOGIT, Decisions, Priced, judge
from harness.topics.logistic.engine import classifiers
from harness.topics.logistic.scenarios import prior_shift

TASKS = (balancing.task, choosing.task)
STRATEGIES = [pytest.param(task, name, id=f"{task.name}-{name}") for task in TASKS for name in task.strategies]


@cache
def data(rows: int = 1_500) -> Priced:
    params = {name: param.default for name, param in RARE_LOGIT.params.items()} | {"rows": rows, "event_rate": 0.1}
    made: Priced = RARE_LOGIT.load(params, np.random.default_rng(0))
    return made


def problem(task: Task, given: Split, **params: Any) -> Problem:
    defaults = {name: param.default for name, param in task.params.items()}
    return Problem(visible(given), {**defaults, "threads": 1, **params}, seed=3)


def ran(task: Task, name: str, given: Split | None = None, **params: Any) -> Decisions:
    given = data() if given is None else given
    output: Decisions = task.strategies[name].run(problem(task, given, **params), unmeasured)
    return output


@pytest.mark.parametrize(("task", "name"), STRATEGIES)
def test_every_strategy_is_judged_and_reads_no_test_row_but_to_predict_it(task: Task, name: str) -> None:
    output = ran(task, name)
    judged = judge(data(), output)
    assert {metric.name for metric in task.metrics} <= set(judged.metrics)
    assert {chart.curve for chart in task.charts} <= set(judged.curves)
    # Other test rows in other numbers: the threshold and the predictions of the rows that stay are the same.
    part = replace(data(), test=Table(data().test.X[::-3].copy(), 1 - data().test.y[::-3]))
    other = ran(task, name, part)
    assert other.threshold == output.threshold
    if name == "cost-adapted":  # its note says that it reads all of them
        return
    np.testing.assert_allclose(other.probabilities, output.probabilities[::-3], rtol=1e-9)


def test_weights_are_those_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = data().train, data().test
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1_000))
    expected = model.fit(train.X.astype(float), train.y).predict_proba(test.X)[:, 1]
    # The two weigh the penalty differently, because weights here do not add up to the number of rows.
    np.testing.assert_allclose(ran(balancing.task, "logistic-weights").probabilities, expected, atol=0.02)


@pytest.mark.parametrize("resampling", ["over", "under", "smote"])
def test_resampling_makes_classes_equal(resampling: classifiers.Resampling) -> None:
    X, y = data().train.X.astype(float), data().train.y
    events = int(y.sum())
    _, made = classifiers._resampled(X, y, resampling, 0)
    assert np.bincount(made).tolist() == [events if resampling == "under" else len(y) - events] * 2


@pytest.mark.parametrize("name", ["logistic-weights", "logistic-oversample", "logistic-undersample", "logistic-smote"])
def test_balancing_moves_probabilities_and_hardly_their_order(name: str) -> None:
    plain, balanced = (judge(data(), ran(balancing.task, each)).metrics for each in ("logistic", name))
    assert balanced["calibration_rms"] > plain["calibration_rms"] + 0.15
    assert balanced["auc"] == pytest.approx(plain["auc"], abs=0.02)


@pytest.mark.parametrize("name", ["logistic-weights-corrected", "logistic-undersample-corrected"])
def test_correction_gives_the_rate_of_events_back(name: str) -> None:
    rate = data().test.y.mean()
    assert ran(balancing.task, name).probabilities.mean() == pytest.approx(rate, abs=0.03)
    assert ran(balancing.task, name.removesuffix("-corrected")).probabilities.mean() > rate + 0.1


def test_the_best_single_column_is_found() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(800) < 0.3).astype(np.int8)
    X = rng.normal(size=(800, 4)).astype(np.float32)
    X[:, 2] -= 2 * y  # falls with the events
    table = Table(X, y)
    predict = classifiers.fit_one_feature(table, 0)
    shuffled = X.copy()
    shuffled[:, [0, 1, 3]] = 0
    np.testing.assert_array_equal(predict(X), predict(shuffled))
    assert predict(X)[y == 1].mean() > predict(X)[y == 0].mean() + 0.3


def test_the_validation_set_is_the_last_quarter() -> None:
    train = data().train
    first, last = classifiers.divide(train)
    np.testing.assert_array_equal(np.concatenate([first.X, last.X]), train.X)
    assert len(last) == len(train) // 4


def test_decisions_are_judged_by_hand() -> None:
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], dtype=np.int8)
    scores = np.array([0.9, 0.6, 0.1, 0.8, 0.6, 0.2, 0.1, 0.1, 0.1, 0.1])
    table = Table(np.zeros((10, 1), dtype=np.float32), labels)
    judged = judge(Priced(table, table, ("x",), cost_ratio=4.0), Decisions(scores, 0.6))
    found = {name: judged.metrics[name] for name in ("recall", "precision", "flagged", "false_positive_rate", "f1")}
    assert found == pytest.approx(
        {"recall": 2 / 3, "precision": 2 / 4, "flagged": 4 / 10, "false_positive_rate": 2 / 7, "f1": 4 / 7}
    )
    assert judged.n == {"recall": 3, "precision": 4, "flagged": 10, "false_positive_rate": 7}
    assert judged.metrics["expected_cost"] == pytest.approx((4 + 2) / 10)
    # In hindsight nothing is better: 0.9 costs 8, 0.8 costs 9, 0.6 costs 6, 0.2 costs 7, 0.1 costs 7.
    assert judged.metrics["cost_regret"] == pytest.approx(0)
    assert judged.examples["expected_cost"].values.mean() == pytest.approx(judged.metrics["expected_cost"])
    silent = judge(Priced(table, table, ("x",), cost_ratio=4.0), Decisions(scores, math.inf))
    assert (silent.metrics["precision"], silent.n["precision"], silent.metrics["f1"]) == (0, 0, 0)
    assert silent.metrics["cost_regret"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (np.zeros(10_000), "expected Decisions"),
        (Decisions(np.zeros(10_000), math.nan), "the threshold is not a number"),
        (Decisions(np.zeros(3), 0.5), r"shape \(10000,\), not \(3,\)"),
    ],
)
def test_what_is_no_decision_is_refused(output: Any, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=sentence):
        judge(data(), output)


def _table(X: Any, events: int, rows: int = 40) -> Table:
    return Table(np.asarray(X, dtype=np.float32), (np.arange(rows) < events).astype(np.int8))


@pytest.mark.parametrize("model", classifiers.MODELS)
def test_columns_of_zeros_and_gaps_do_no_harm(model: str) -> None:
    X = np.random.default_rng(0).normal(size=(40, 4))
    plain = classifiers.fit(model, _table(X[:, :2], 10), 0)(X[:, :2])
    X[:, 2], X[:, 3] = 0, np.nan
    np.testing.assert_allclose(classifiers.fit(model, _table(X, 10), 0)(X), plain, rtol=1e-6)


def test_rows_that_cannot_be_learnt_from_are_refused() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(UsageError, match="all 40 training rows are of class 1"):
        classifiers.check(_table(X, 40))
    with pytest.raises(UsageError, match="none of the 2 columns of the training rows has two values"):
        classifiers.check(_table(0 * X, 10))
    with pytest.raises(UsageError, match="all 10 rows of the validation set are of class 0"):
        classifiers.divide(_table(X, 10))
    with pytest.raises(CannotRunError, match="SMOTE needs more than 5 rows of each class, and one has 5"):
        classifiers.fit("logistic", _table(X, 5), 0, resampling="smote")
    with pytest.raises(UsageError, match="no model 'bosting'; did you mean boosting"):
        classifiers.fit("bosting", _table(X, 10), 0)


def test_perfect_separation_is_fitted_without_a_warning() -> None:
    X = np.linspace(-1, 1, 40)[:, None]
    scores = classifiers.fit("logistic", _table(-X, 20), 0)(-X)
    assert np.isfinite(scores).all()
    assert ((scores >= 0.5) == (np.arange(40) < 20)).all()


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_prior_shift_multiplies_the_odds_of_test_rows_alone(factor: float) -> None:
    before = data()
    after = prior_shift(factor).apply(before, np.random.default_rng(0))
    assert after.train is before.train
    assert after.cost_ratio == before.cost_ratio

    def odds(table: Table) -> float:
        return float(table.y.sum() / (len(table) - table.y.sum()))

    assert odds(after.test) / odds(before.test) == pytest.approx(factor, rel=0.1)


@pytest.mark.parametrize("factor", [0, 1, -2, math.nan])
def test_no_prior_shift_is_refused(factor: float) -> None:
    with pytest.raises(DeclarationError, match="the factor of the odds must be positive, and not 1"):
        prior_shift(factor)


def test_scenarios_keep_the_costs() -> None:
    for scenario in (imbalance(0.02), label_noise(0.1)):
        assert scenario.apply(data(), np.random.default_rng(0)).cost_ratio == 20.0
