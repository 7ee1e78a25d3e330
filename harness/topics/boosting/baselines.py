"""Baselines that boosting has to beat: a constant and a linear model, fitted in two ways."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness import DivergedError
from harness.topics._shared.binary import Floats
from harness.topics.boosting import task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Visible

UNTRAINED = math.log(2)  # log loss of predicting one half for every row, as a model with zero weights does


@task.strategy("constant")
def constant(problem: Problem, phase: PhaseClock) -> Floats:
    """Predict the rate of class 1 in the training set for every row."""
    data: Visible = problem.data
    for _ in phase("fit"):
        rate = data.train.y.mean()
    for _ in phase("predict"):
        scores = np.full(len(data.test), rate, dtype=np.float64)
    return problem.with_altered(scores, phase, lambda altered: np.full(len(altered.test), rate, dtype=np.float64))


@task.strategy(
    "logistic-regression",
    needs=("sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"),
    note="It has no trees, so trees, depth and learning_rate have no effect. Categories enter as integer codes. Where "
    "values of test rows are made missing, it predicts with the column's mean in the training set.",
    search={"inverse_penalty": (1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 100.0)},
)
def logistic_regression(problem: Problem, phase: PhaseClock, inverse_penalty: float = 1.0) -> Floats:
    """Fit a logistic regression on standardised columns with an L2 penalty, by L-BFGS."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data: Visible = problem.data
    for _ in phase("fit"):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=1000))
        model.fit(data.train.X, data.train.y)
    for _ in phase("predict"):
        scores: Floats = model.predict_proba(data.test)[:, 1]

    def predict(altered: Visible) -> Floats:
        X, means = altered.test, model[0].mean_.astype(np.float32)
        filled: Floats = model.predict_proba(np.where(np.isnan(X), means, X))[:, 1]
        return filled

    return problem.with_altered(scores, phase, predict)


@task.strategy(
    "gblinear",
    needs="xgboost",
    sweep={"step": (0.5, 1.5, 2.5)},
    note=(
        "XGBoost without trees: trees is the number of rounds of one Newton step for each column; depth and "
        "learning_rate have no effect. Not regularised. It measures its loss on the training set after every round, in "
        "the phase fit, and diverges where that exceeds ln 2. Missing values count as 0."
    ),
    quick=False,
)
def linear(problem: Problem, phase: PhaseClock, step: float = 1.0) -> Floats:
    """Fit a logistic regression by cyclic coordinate descent (XGBoost); `step` is the factor of each Newton step.

    On a quadratic loss a factor below 2 converges and one above 2 diverges.
    """
    import xgboost

    data, threads = problem.data, problem.threads
    for _ in phase("build"):
        train = xgboost.DMatrix(data.train.X, data.train.y, nthread=threads)
    losses: dict[str, dict[str, list[float]]] = {}
    with phase("fit"):
        booster = xgboost.train(
            {
                "booster": "gblinear",
                "updater": "coord_descent",
                "objective": "binary:logistic",
                "eval_metric": "logloss",
                "learning_rate": step,
                "nthread": threads,
                "seed": problem.seed,
                "verbosity": 0,
            },
            train,
            num_boost_round=problem.params["trees"],
            evals=[(train, "train")],
            evals_result=losses,
            verbose_eval=False,
        )
    diverged = first_beyond(losses["train"]["logloss"])
    if diverged is not None:
        raise DivergedError(diverged)

    def predict(view: Visible) -> Floats:
        scores: Floats = booster.predict(xgboost.DMatrix(view.test, nthread=threads))
        return scores

    for _ in phase("predict"):
        scores = predict(data)
    return problem.with_altered(scores, phase, predict)


def first_beyond(losses: Sequence[float]) -> int | None:
    """Return the first round, counted from 1, whose loss is above that of an untrained model, or not a number."""
    return next((round_ for round_, loss in enumerate(losses, start=1) if not loss <= UNTRAINED), None)
