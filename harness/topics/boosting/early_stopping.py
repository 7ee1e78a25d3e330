"""The task early-stopping: how many trees are enough, by rows that training does not see.

All strategies train on the same rows. The rows held out for validation are the last ones: drawn by chance in the
scenario ``clean``, the newest ones in ``temporal``. A strategy that does not stop has no use for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness import CLEAN, TEMPORAL, Judgement, Metric, Param, Takes
from harness.data.tabular import visible
from harness.topics._shared.binary import METRICS
from harness.topics._shared.binary import judge as judge_binary
from harness.topics.boosting import ONLY_NAMED, budget, topic
from harness.topics.boosting.learners import Goal, MakeLearner, Scores

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Split, Visible


@dataclass(frozen=True, eq=False)
class Stopped:
    """Probabilities of class 1, shape (n_test,), and the rounds of boosting that they come from."""

    scores: Scores
    trees: int


def judge(split: Split, output: Stopped) -> Judgement:
    """Judge the probabilities, and count the trees."""
    judged = judge_binary(split, output.scores)
    return replace(judged, metrics={**judged.metrics, "trees_used": float(output.trees)})


task = topic.task(
    "early-stopping",
    title="The number of trees chosen by rows held out, against all trees",
    datasets=["flights"],
    takes=Takes("table", targets=("binary",)),
    scenarios=[CLEAN, TEMPORAL],
    phases=["build", "fit", "predict"],
    metrics=[
        *METRICS,
        Metric("trees_used", direction="lower", unit="1", summary="Rounds of boosting that predictions use."),
    ],
    judge=judge,
    view=visible,
    params={
        **budget(rows=20_000),
        "trees": Param(500, low=1, summary="most boosting rounds"),
        "validation": Param(0.2, low=0.01, high=0.9, summary="share of the training rows held out"),
        "patience": Param(20, low=1, summary="rounds without a lower validation loss before training stops"),
    },
    reference="xgboost-hist",
    baseline="constant",
    quick=ONLY_NAMED,
)


def run(problem: Problem, phase: PhaseClock, learner: MakeLearner, *, stop: bool) -> Stopped:
    """Build, fit and predict; without `stop`, with all trees."""
    data: Visible = problem.data
    held = max(1, round(float(problem.params["validation"]) * len(data.train)))
    train = data.train.take(np.arange(len(data.train) - held))
    validation = data.train.take(np.arange(len(train), len(data.train)))
    model = learner(problem, Goal("binary", patience=int(problem.params["patience"]) if stop else 0))
    for _ in phase("build"):
        model.build(train, validation if stop else None)
    with phase("fit"):
        model.fit()
    for _ in phase("predict"):
        scores = model.predict(data.test)
    return Stopped(scores, model.trees)


@task.strategy("constant")
def constant(problem: Problem, phase: PhaseClock) -> Stopped:
    """Predict the rate of class 1 in all training rows for every row."""
    data: Visible = problem.data
    for _ in phase("fit"):
        rate = data.train.y.mean()
    for _ in phase("predict"):
        scores = np.full(len(data.test), rate, dtype=np.float64)
    return Stopped(scores, 0)
