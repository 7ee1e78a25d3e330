"""Strategies of CatBoost, whose trees are symmetric: all nodes of a level have the same split.

Prokhorenkova et al. 2018, "CatBoost: unbiased boosting with categorical features", arXiv 1706.09516, section 5.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.boosting import L2, categories, early_stopping, latency, regression, task
from harness.topics.boosting.learners import Goal

if TYPE_CHECKING:
    import catboost
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.data.tabular import Floats, Table, Visible
    from harness.topics.boosting.early_stopping import Stopped
    from harness.topics.boosting.latency import Answers
    from harness.topics.boosting.learners import Scores

NOTE = (
    "Differs from the library's defaults in l2_leaf_reg 1 (not 3), one Newton step for the values of leaves (not up to "
    "10), and no sampling of rows. Split scores have a little noise (random_strength 1), as by default."
)
SYMMETRIC = f"All nodes of a level have the same split, so that a tree has exactly 2**depth leaves. {NOTE}"
_OBJECTIVES = {"binary": "Logloss", "multiclass": "MultiClass", "real": "RMSE"}
_MISSING = -1  # the category of a missing value


class CatBoost:
    """A `Learner` of any target; categories become means of the target among the rows before (ordered statistics).

    Parameters
    ----------
    method
        Settings in which strategies differ.
    """

    def __init__(self, problem: Problem, goal: Goal, **method: Any) -> None:
        params = problem.params
        self._goal = goal
        self._threads = problem.threads
        self._config: dict[str, Any] = {
            "loss_function": _OBJECTIVES[goal.target],
            "iterations": params["trees"],
            "depth": params["depth"],
            "learning_rate": params["learning_rate"],
            "l2_leaf_reg": L2,
            "bootstrap_type": "No",
            "leaf_estimation_iterations": 1,
            "random_seed": problem.seed,
            "thread_count": problem.threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
        } | method
        if goal.target == "multiclass":
            self._config["classes_count"] = goal.classes
        else:
            self._config["boost_from_average"] = True

    def _pool(self, X: Floats, y: npt.NDArray[Any] | None = None) -> catboost.Pool:
        import catboost

        categorical = list(self._goal.categorical)
        if not categorical:
            return catboost.Pool(X, y, thread_count=self._threads)
        import pandas as pd

        frame = pd.DataFrame(X, copy=True)
        for column in categorical:
            frame[column] = np.nan_to_num(X[:, column], nan=_MISSING).astype(np.int32)
        return catboost.Pool(frame, y, cat_features=categorical, thread_count=self._threads)

    def build(self, train: Table, validation: Table | None = None) -> None:
        """Copy the rows."""
        self._train = self._pool(train.X, train.y)
        self._validation = None if validation is None else self._pool(validation.X, validation.y)

    def fit(self) -> None:
        """Bin and train."""
        import catboost

        self._model = catboost.CatBoost(self._config)
        self._model.fit(self._train, eval_set=self._validation, early_stopping_rounds=self._goal.patience or None)

    @property
    def trees(self) -> int:
        """Rounds up to the one with the lowest validation loss; later trees are dropped."""
        return int(self._model.tree_count_)

    def predict(self, X: Floats) -> Scores:
        """Predict with the trees up to the best round."""
        rows = self._pool(X) if self._goal.categorical else X
        kind = "RawFormulaVal" if self._goal.target == "real" else "Probability"
        found: Scores = self._model.predict(rows, prediction_type=kind, thread_count=self._threads)
        return found[:, 1] if self._goal.target == "binary" else found


def _train(problem: Problem, phase: PhaseClock, **method: Any) -> Scores:
    """Build, fit and predict in the task tabular-binary."""
    data: Visible = problem.data
    model = CatBoost(problem, Goal("binary"), **method)
    for _ in phase("build"):
        model.build(data.train)
    with phase("fit"):
        model.fit()
    for _ in phase("predict"):
        scores = model.predict(data.test)
    return problem.with_altered(scores, phase, lambda altered: model.predict(altered.test))


@task.strategy("catboost", needs="catboost", note=SYMMETRIC)
def symmetric(problem: Problem, phase: PhaseClock) -> Scores:
    """Bin every column once and split a whole level by one bound."""
    return _train(problem, phase)


@task.strategy(
    "catboost-ordered",
    needs="catboost",
    note=f"{SYMMETRIC} Residuals of a row come from models of the rows before it, so that it maintains several models.",
)
def ordered(problem: Problem, phase: PhaseClock) -> Scores:
    """Like catboost, by ordered boosting."""
    return _train(problem, phase, boosting_type="Ordered")


@task.strategy("catboost-depthwise", needs="catboost", note=f"Grows level by level to 2**depth leaves. {NOTE}")
def depthwise(problem: Problem, phase: PhaseClock) -> Scores:
    """Like catboost, with a split of its own for each node, as the other libraries have."""
    return _train(problem, phase, grow_policy="Depthwise")


@categories.task.strategy(
    "catboost",
    needs=("catboost", *categories.MODULES),
    sweep={"encoding": categories.ENCODINGS},
    note=f"{SYMMETRIC} Native: categories and combinations of them become ordered target statistics. For several "
    "classes a round grows one tree, whose leaves have a value for each class; the others grow a tree for each class.",
)
def catboost_categories(problem: Problem, phase: PhaseClock, encoding: str = "native") -> Scores:
    """Encode categories by the targets of rows before, and split a whole level by one bound."""
    return categories.run(problem, phase, CatBoost, encoding)


@categories.task.strategy(
    "catboost-ordered",
    needs=("catboost", *categories.MODULES),
    note=f"{SYMMETRIC} Like catboost, with ordered boosting.",
)
def ordered_categories(problem: Problem, phase: PhaseClock) -> Scores:
    """Like catboost, by ordered boosting: what Prokhorenkova et al. compare with the other libraries."""
    return categories.run(problem, phase, partial(CatBoost, boosting_type="Ordered"), "native")


@regression.task.strategy("catboost", needs="catboost", note=SYMMETRIC)
def catboost_regression(problem: Problem, phase: PhaseClock) -> Scores:
    """Bin every column once and split a whole level by one bound, by squared error."""
    return regression.run(problem, phase, CatBoost)


@early_stopping.task.strategy("catboost", needs="catboost", sweep={"stop": (True, False)}, note=SYMMETRIC)
def catboost_stopped(problem: Problem, phase: PhaseClock, *, stop: bool = True) -> Stopped:
    """Stop when the validation loss no longer falls, and predict with the trees up to its minimum."""
    return early_stopping.run(problem, phase, CatBoost, stop=stop)


@latency.task.strategy("catboost", needs="catboost", note=SYMMETRIC)
def catboost_answers(problem: Problem, phase: PhaseClock) -> Answers:
    """Answer by CatBoost.predict; a symmetric tree is a table that a number of depth bits looks up."""
    return latency.run(problem, phase, CatBoost)


@latency.task.strategy("catboost-depthwise", needs="catboost", note=f"Grows level by level to 2**depth leaves. {NOTE}")
def depthwise_answers(problem: Problem, phase: PhaseClock) -> Answers:
    """Like catboost, with a split of its own for each node."""
    return latency.run(problem, phase, partial(CatBoost, grow_policy="Depthwise"))
