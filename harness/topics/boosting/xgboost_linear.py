"""The strategy of XGBoost without trees: boosting of a linear model by Newton steps along the coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness import DivergedError
from harness.topics.boosting import task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.data.tabular import Visible

    Scores = npt.NDArray[np.float32]

UNTRAINED = math.log(2)  # log loss of predicting one half for every row, as a model with zero weights does


@task.strategy(
    "xgboost-linear",
    needs="xgboost",
    sweep={"step": (0.5, 1.5, 2.5)},
    note=(
        "It has no trees: trees is the number of rounds, one Newton step for each column; depth and learning_rate have "
        "no effect. Not regularised. It measures its loss on the training set after every round, in the phase fit, and "
        "diverges where that exceeds ln 2. Missing values count as 0."
    ),
    quick=False,
)
def linear(problem: Problem, phase: PhaseClock, step: float = 1.0) -> Scores:
    """Fit a logistic regression by cyclic coordinate descent; `step` is the factor of each Newton step.

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

    def predict(view: Visible) -> Scores:
        scores: Scores = booster.predict(xgboost.DMatrix(view.test, nthread=threads))
        return scores

    for _ in phase("predict"):
        scores = predict(data)
    return problem.with_altered(scores, phase, predict)


def first_beyond(losses: Sequence[float]) -> int | None:
    """Return the first round, counted from 1, whose loss is above that of an untrained model, or not a number."""
    return next((round_ for round_, loss in enumerate(losses, start=1) if not loss <= UNTRAINED), None)
