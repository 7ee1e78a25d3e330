"""The task latency: what one row costs, and a small batch, where a model answers requests.

A model is built and fitted once for many requests, so that these phases are set-up. The call is that of the library's
Python interface, from an array to a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness import CLEAN, InvalidOutputError, Judgement, Metric, Param, Takes, Work
from harness.data.tabular import visible
from harness.topics._shared.binary import METRICS, probabilities
from harness.topics._shared.binary import judge as judge_binary
from harness.topics.boosting import ONLY_NAMED, budget, topic
from harness.topics.boosting.learners import Goal, MakeLearner, Scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import PhaseClock, Problem
    from harness.data.tabular import Floats, Split, Visible


@dataclass(frozen=True, eq=False)
class Answers:
    """Probabilities of class 1: of all test rows at once, and of the first ones one by one and in batches."""

    all: Scores
    one: Scores
    batch: Scores


def judge(split: Split, output: Answers) -> Judgement:
    """Judge the scores of all rows, and how far those of single rows and of batches are from them.

    Raises
    ------
    InvalidOutputError
        When there are no answers, or more than rows.
    """
    judged = judge_binary(split, output.all)
    scores = probabilities(output.all, len(split.test))
    for answers in (output.one, output.batch):
        if not 0 < len(answers) <= len(scores):
            raise InvalidOutputError(f"expected answers to 1 to {len(scores)} rows, not to {len(answers)}")
    apart = max(float(np.abs(answers - scores[: len(answers)]).max()) for answers in (output.one, output.batch))
    return Judgement(metrics={**judged.metrics, "disagreement": apart}, curves=judged.curves, examples=judged.examples)


task = topic.task(
    "latency",
    title="The time of one row and of a small batch, of models at an equal budget",
    datasets=["flights"],
    takes=Takes("table", targets=("binary",)),
    scenarios=[CLEAN],
    phases=["build", "fit", "all", "one", "batch"],
    setup=["build", "fit", "all"],
    metrics=[
        *METRICS,
        Metric(
            "disagreement",
            direction="lower",
            unit="1",
            margin=1e-6,
            summary="Largest difference between the scores of a row alone or in a batch and among all rows.",
        ),
    ],
    judge=judge,
    view=visible,
    params={
        **budget(rows=10_000, trees=100),
        "requests": Param(100, low=1, high=1_000, summary="requests in each of the phases one and batch"),
        "batch": Param(32, low=1, high=1_000, summary="rows of a request in the phase batch"),
    },
    work={"one": Work("request", of=("requests",)), "batch": Work("request", of=("requests",))},
    sweep={"trees": [10, 100, 400], "batch": [8, 256]},
    reference="xgboost-hist",
    baseline="constant",
    quick=ONLY_NAMED,
)


def answer(problem: Problem, phase: PhaseClock, predict: Callable[[Floats], Scores]) -> Answers:
    """Predict all test rows, the first ones one by one, and the first ones in batches.

    Rows are copied out of the table before a clock starts, as a request brings its own.
    """
    test, params = problem.data.test, problem.params
    requests, size = int(params["requests"]), int(params["batch"])
    rows = [test[i : i + 1].copy() for i in range(min(requests, len(test)))]
    batches = [test[i : i + size].copy() for i in range(0, min(requests * size, len(test)), size)]
    with phase("all"):
        everything = predict(test)
    for _ in phase("one"):
        one = [predict(row) for row in rows]
    for _ in phase("batch"):
        batch = [predict(rows_of_one) for rows_of_one in batches]
    return Answers(everything, np.concatenate(one), np.concatenate(batch))


def run(problem: Problem, phase: PhaseClock, learner: MakeLearner) -> Answers:
    """Build, fit and answer."""
    data: Visible = problem.data
    model = learner(problem, Goal("binary"))
    with phase("build"):
        model.build(data.train)
    with phase("fit"):
        model.fit()
    return answer(problem, phase, model.predict)


@task.strategy("constant")
def constant(problem: Problem, phase: PhaseClock) -> Answers:
    """Answer every request with the rate of class 1 in the training rows: what the measurement itself costs."""
    data: Visible = problem.data
    with phase("fit"):
        rate = data.train.y.mean()
    return answer(problem, phase, lambda rows: np.full(len(rows), rate, dtype=np.float64))


@task.strategy(
    "logistic-regression",
    needs=("sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"),
    note="It has no trees, so trees, depth and learning_rate have no effect.",
)
def logistic_regression(problem: Problem, phase: PhaseClock) -> Answers:
    """Answer by a logistic regression on standardised columns, through scikit-learn's pipeline."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data: Visible = problem.data
    with phase("fit"):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(data.train.X, data.train.y)
    return answer(problem, phase, lambda rows: model.predict_proba(rows)[:, 1])
