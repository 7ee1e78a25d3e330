"""Baselines that boosting has to beat: a constant and a linear model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.topics._shared.binary import Floats
from harness.topics.boosting import task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Visible


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
