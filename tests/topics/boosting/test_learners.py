"""The libraries behind one interface: closed forms of one tree, categories, gaps, early stopping and answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from unmeasured import unmeasured

from harness.config import Config
from harness.data.tabular import Split, Table
from harness.declare import Problem, Task
from harness.errors import InvalidOutputError, UsageError
from harness.registry import load_registry
from harness.topics.boosting import categories, early_stopping, latency, regression
from harness.topics.boosting.early_stopping import Stopped
from harness.topics.boosting.latency import Answers

TASKS: dict[str, Task] = load_registry(Config(folder=Path(__file__).parent)).topics["boosting"].tasks
LIBRARIES = ("xgboost-hist", "lightgbm", "sklearn-hist", "catboost")
ONE_TREE = {"trees": 1, "depth": 1, "learning_rate": 1.0, "threads": 1}
SMALL = {"trees": 20, "depth": 4, "learning_rate": 0.3, "threads": 1}


def run(task: Task, name: str, data: Split, params: dict[str, Any], seed: int = 0, **options: Any) -> Any:
    return task.strategies[name].run(Problem(task.view(data), params, seed), unmeasured, **options)


def table(columns: list[npt.NDArray[Any]], y: npt.NDArray[Any]) -> Table:
    return Table(np.ascontiguousarray(np.column_stack(columns), dtype=np.float32), y)


def halves(whole: Table, *categorical: str, classes: tuple[str, ...] = ()) -> Split:
    middle, names = len(whole) // 2, tuple("abcdefgh"[: whole.X.shape[1]])
    train, test = whole.take(np.arange(middle)), whole.take(np.arange(middle, len(whole)))
    return Split(train, test, names, classes, categorical)


def accuracy(data: Split, output: Any) -> float:
    return categories.judge(data, output).metrics["accuracy"]


@pytest.mark.parametrize("name", LIBRARIES)
def test_one_tree_of_depth_1_is_the_closed_form_of_ridge_means(name: str) -> None:
    """A leaf of n rows moves the mean of all rows by the sum of its residuals divided by n + 1 (an L2 penalty of 1)."""
    x = np.repeat([0, 1], [30, 10])
    y = np.where(x == 1, 9.0, 1.0) + np.tile([-0.5, 0.5], 20)
    train = table([x], y)
    test = table([np.array([0, 1])], np.array([1.0, 9.0]))
    scores = run(TASKS["regression"], name, Split(train, test, ("a",)), ONE_TREE)
    expected = [y.mean() + (y[x == side] - y.mean()).sum() / (np.count_nonzero(x == side) + 1) for side in (0, 1)]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


@cache
def alternating() -> Split:
    """Categories whose classes alternate with their codes, so that no bound on codes separates them."""
    codes = np.random.default_rng(0).integers(8, size=8_000)
    return halves(table([codes], (codes % 2).astype(np.int8)), "a")


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_split_of_categories_separates_what_no_bound_on_codes_does(name: str) -> None:
    native, codes = (run(TASKS["categories"], name, alternating(), ONE_TREE, encoding=e) for e in ("native", "codes"))
    assert accuracy(alternating(), native) == 1
    assert accuracy(alternating(), codes) < 0.65


@pytest.mark.parametrize("name", LIBRARIES)
def test_target_encoding_orders_categories_as_their_classes_are(name: str) -> None:
    assert accuracy(alternating(), run(TASKS["categories"], name, alternating(), ONE_TREE, encoding="target")) == 1


@cache
def with_gaps() -> Split:
    """Three classes of one name with gaps: a missing name is class 2, and a number with gaps says nothing."""
    rng = np.random.default_rng(1)
    names, numbers = rng.integers(6, size=2_000).astype(np.float64), rng.normal(size=2_000)
    y = np.where(names == 5, 2, names % 2).astype(np.int32)
    names[names == 5] = np.nan
    numbers[::7] = np.nan
    return halves(table([numbers, names], y), "b", classes=("x", "y", "z"))


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("encoding", categories.ENCODINGS)
def test_a_missing_name_is_information(name: str, encoding: str) -> None:
    assert accuracy(with_gaps(), run(TASKS["categories"], name, with_gaps(), SMALL, encoding=encoding)) > 0.99


def test_the_linear_baseline_takes_names_and_gaps() -> None:
    assert accuracy(with_gaps(), run(TASKS["categories"], "logistic-regression", with_gaps(), SMALL)) > 0.99


@pytest.mark.parametrize("name", [*LIBRARIES, "catboost-ordered", "logistic-regression", "constant"])
def test_a_class_and_a_category_that_training_lacks(name: str) -> None:
    """The output has a column for each class of the data, and a name that is new at test gets some prediction."""
    data = with_gaps()
    X = data.test.X.copy()
    X[:5, 1] = 4_000
    unseen = Split(data.train, Table(X, data.test.y), data.features, (*data.classes, "w"), data.categorical)
    output = run(TASKS["categories"], name, unseen, SMALL)
    assert output.shape == (1_000, 4)
    assert output[:, 3].max() < 0.01
    assert categories.judge(unseen, output).metrics["log_loss"] < 1.5


def test_encodings_are_what_they_say() -> None:
    codes = np.tile(np.arange(4), 250)
    y = np.where(np.random.default_rng(0).random(1_000) < codes / 4, 1, 0).astype(np.int8)
    X = table([np.zeros(1_000), codes], y).X
    one_hot = categories.encoder("one-hot", [1], 0)
    encoded = one_hot.fit_transform(X, y)
    np.testing.assert_array_equal(encoded[:, :4], np.eye(4)[codes])
    target = categories.encoder("target", [1], 0)
    target.fit_transform(X, y)
    means = [y[codes == code].mean() for code in range(4)]
    np.testing.assert_allclose(target.transform(X)[:4, 0], means, atol=0.01)
    assert categories.encoder("codes", [1], 0).transform(X) is X
    with pytest.raises(UsageError, match="no encoding 'hashed'; choose one of native, codes, one-hot, target"):
        categories.encoder("hashed", [1], 0)


def test_rare_categories_share_one_where_a_library_takes_few() -> None:
    codes = np.concatenate([np.repeat(np.arange(10), 50), np.arange(10, 400)])
    rows = table([codes], np.zeros(len(codes), dtype=np.int8))
    encoded = categories.encoder("native", [0], 0, most=20).fit_transform(rows.X, rows.y)
    assert len(np.unique(encoded)) == 20
    assert len(np.unique(encoded[codes < 10])) == 10


@cache
def noisy() -> Split:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1_600, 4))
    y = (rng.random(1_600) < 1 / (1 + np.exp(-2 * X[:, 0] + X[:, 1]))).astype(np.int8)
    return halves(table([*X.T], y))


STOPPING = {"depth": 3, "learning_rate": 0.5, "threads": 1, "validation": 0.25, "patience": 4}


@pytest.mark.parametrize("name", LIBRARIES)
def test_training_stops_at_the_minimum_of_the_validation_loss(name: str) -> None:
    """The losses come from models of 1, 2, ... trees, trained without stopping and judged on the last quarter."""
    data, task = noisy(), TASKS["early-stopping"]
    held = Split(data.train, data.train.take(np.arange(600, 800)), data.features)
    losses: list[float] = []
    while len(losses) - np.argmin(losses or [0.0]) <= STOPPING["patience"]:
        all_trees: Stopped = run(task, name, held, {**STOPPING, "trees": len(losses) + 1}, stop=False)
        assert all_trees.trees == len(losses) + 1
        losses.append(early_stopping.judge(held, all_trees).metrics["log_loss"])
    best = int(np.argmin(losses)) + 1
    stopped: Stopped = run(task, name, held, {**STOPPING, "trees": 200})
    # scikit-learn keeps the trees after the minimum.
    assert stopped.trees == (best + STOPPING["patience"] if name == "sklearn-hist" else best)
    expected = losses[stopped.trees - 1]
    assert early_stopping.judge(held, stopped).metrics["log_loss"] == pytest.approx(expected, abs=1e-6)


ANSWERS = {**SMALL, "requests": 7, "batch": 3}


@pytest.mark.parametrize("name", [name for name in TASKS["latency"].strategies if name != "constant"])
def test_a_row_has_the_same_score_alone_and_in_a_batch(name: str) -> None:
    answers: Answers = run(TASKS["latency"], name, noisy(), ANSWERS)
    assert (len(answers.all), len(answers.one), len(answers.batch)) == (800, 7, 21)
    judged = latency.judge(noisy(), answers).metrics
    assert judged["disagreement"] < 1e-6
    assert judged["auc"] > 0.8


def test_a_wrong_answer_is_seen_and_none_is_refused() -> None:
    scores = np.full(800, 0.25)
    right = Answers(scores, scores[:3], np.concatenate([scores[:2], [0.75]]))
    assert latency.judge(noisy(), right).metrics["disagreement"] == 0.5
    for wrong in (Answers(scores, scores[:0], scores), Answers(scores, scores, np.full(801, 0.25))):
        with pytest.raises(InvalidOutputError, match="expected answers to 1 to 800 rows"):
            latency.judge(noisy(), wrong)


def test_regression_is_judged_by_its_definitions() -> None:
    data = Split(table([np.zeros(2)], np.zeros(2)), table([np.zeros(4)], np.array([0.0, 2.0, 4.0, 6.0])), ("a",))
    metrics = regression.judge(data, np.array([1.0, 2.0, 4.0, 9.0])).metrics
    assert metrics == pytest.approx({"r2": 1 - 10 / 20, "rmse": np.sqrt(2.5), "mae": 1.0})
    assert regression.judge(data, np.full(4, 3.0)).metrics["r2"] == 0
    with pytest.raises(InvalidOutputError, match="1 of 4 numbers are not finite"):
        regression.judge(data, np.array([0, 1, 2, np.nan]))


def test_linear_regression_recovers_a_line_with_gaps() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4_000, 2))
    y = 3 * X[:, 0] + 5
    X[::10, 1] = np.nan
    data = halves(table([*X.T], y))
    assert regression.judge(data, run(TASKS["regression"], "ridge", data, SMALL)).metrics["r2"] > 0.999


@pytest.mark.parametrize("task", ["categories", "regression", "early-stopping", "latency"])
def test_new_tasks_run_only_where_they_are_named(task: str) -> None:
    assert TASKS[task].only_named
    assert set(LIBRARIES) <= set(TASKS[task].strategies)
