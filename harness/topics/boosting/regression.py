"""The task regression: a real number from a table, at an equal budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import CLEAN, Examples, InvalidOutputError, Judgement, Metric, Takes, Work
from harness.data.tabular import visible
from harness.topics.boosting import ONLY_NAMED, budget, topic
from harness.topics.boosting.learners import Goal, MakeLearner, Scores

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Split, Visible

METRICS = (
    Metric(
        "r2",
        direction="higher",
        unit="1",
        margin=0.005,
        summary="Share of the variance of the target that is explained; 0 for the mean of the test rows.",
    ),
    Metric("rmse", direction="lower", unit="1", summary="Root of the mean squared error, in the unit of the target."),
    Metric("mae", direction="lower", unit="1", summary="Mean absolute error, in the unit of the target."),
)


def judge(split: Split, output: Scores) -> Judgement:
    """Judge predicted numbers, shape (n_test,).

    Raises
    ------
    InvalidOutputError
        When the output is not an array of n_test finite numbers.
    """
    truth = split.test.y
    found = np.asarray(output, dtype=np.float64)
    if found.shape != truth.shape:
        raise InvalidOutputError(f"expected numbers of shape {truth.shape}, not {found.shape}")
    if not np.isfinite(found).all():
        raise InvalidOutputError(f"{np.count_nonzero(~np.isfinite(found))} of {found.size} numbers are not finite")
    errors = found - truth
    squared = float(np.mean(errors**2))
    return Judgement(
        metrics={
            "r2": 1 - squared / float(truth.var()),
            "rmse": float(np.sqrt(squared)),
            "mae": float(np.abs(errors).mean()),
        },
        examples={"mae": Examples(np.abs(errors))},
    )


task = topic.task(
    "regression",
    title="A real number from a table, at an equal budget of trees, leaves, depth and threads",
    datasets=["diamonds"],
    takes=Takes("table", targets=("real",)),
    scenarios=[CLEAN],
    phases=["build", "fit", "predict"],
    metrics=METRICS,
    judge=judge,
    view=visible,
    params=budget(rows=20_000),
    work={"fit": Work("row", of=("rows",))},
    sweep={"rows": [2_000, 20_000]},
    reference="xgboost-hist",
    baseline="mean",
    quick=ONLY_NAMED,
)


def run(problem: Problem, phase: PhaseClock, learner: MakeLearner) -> Scores:
    """Build, fit and predict."""
    data: Visible = problem.data
    model = learner(problem, Goal("real"))
    for _ in phase("build"):
        model.build(data.train)
    with phase("fit"):
        model.fit()
    for _ in phase("predict"):
        scores = model.predict(data.test)
    return scores


@task.strategy("mean")
def mean(problem: Problem, phase: PhaseClock) -> Scores:
    """Predict the mean of the training rows for every row."""
    data: Visible = problem.data
    for _ in phase("fit"):
        value = data.train.y.mean()
    for _ in phase("predict"):
        scores = np.full(len(data.test), value)
    return scores


@task.strategy(
    "ridge",
    needs=("sklearn.impute", "sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"),
    note="It has no trees, so trees, depth and learning_rate have no effect. A missing value is its column's median.",
)
def ridge(problem: Problem, phase: PhaseClock) -> Scores:
    """Fit a linear model with an L2 penalty of 1 on standardised columns."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data: Visible = problem.data
    for _ in phase("fit"):
        model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), Ridge(alpha=1.0))
        model.fit(data.train.X, data.train.y)
    for _ in phase("predict"):
        scores: Scores = model.predict(data.test)
    return scores
