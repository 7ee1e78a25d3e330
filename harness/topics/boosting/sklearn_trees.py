"""The strategy of scikit-learn, which searches for splits on histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics._shared.binary import Floats
from harness.topics.boosting import L2, LEAST_ROWS, SEARCH, categories, early_stopping, latency, regression, task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Floats as Matrix
    from harness.data.tabular import Table, Visible
    from harness.topics.boosting.early_stopping import Stopped
    from harness.topics.boosting.latency import Answers
    from harness.topics.boosting.learners import Goal, Scores

NOTE = (
    "Differs from the library's defaults in l2_regularization 1 (not 0), min_samples_leaf 1 (not 20), early_stopping "
    "off. There is no phase build: the phase fit includes the binning and a copy of the table as float64."
)


@task.strategy(
    "sklearn-hist",
    needs="sklearn.ensemble",
    note=f"Grows leaf by leaf to 2**depth leaves, at most depth deep. {NOTE}",
    search={**SEARCH, "least_rows": (1, 6, 60)},
)
def sklearn_hist(
    problem: Problem,
    phase: PhaseClock,
    max_bins: int = 255,
    l2: float = L2,
    least_rows: int = LEAST_ROWS,
    columns: float = 1.0,
    rate_factor: float = 1.0,
) -> Floats:
    """Bin every column once and split the leaf with the largest gain next."""
    return _train(
        problem,
        phase,
        max_depth=problem.params["depth"],
        learning_rate=rate_factor * problem.params["learning_rate"],
        l2_regularization=l2,
        min_samples_leaf=least_rows,
        max_features=columns,
        max_bins=max_bins,
    )


@task.strategy(
    "sklearn-hist-uncapped",
    needs="sklearn.ensemble",
    note=f"Grows leaf by leaf to 2**depth leaves, without a limit of depth. {NOTE}",
)
def sklearn_hist_uncapped(problem: Problem, phase: PhaseClock, max_bins: int = 255) -> Floats:
    """Like sklearn-hist, with as many leaves, at any depth."""
    return _train(problem, phase, max_depth=None, max_bins=max_bins)


def _train(problem: Problem, phase: PhaseClock, **method: Any) -> Floats:
    """Fit and predict with the task's budget; `method` has the settings that differ between strategies."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    data, config = problem.data, _config(problem) | method
    for _ in phase("fit"):
        model = HistGradientBoostingClassifier(**config)
        model.fit(data.train.X, data.train.y)

    def predict(view: Visible) -> Floats:
        scores: Floats = model.predict_proba(view.test)[:, 1]
        return scores

    for _ in phase("predict"):
        scores = predict(data)
    return problem.with_altered(scores, phase, predict)


def _config(problem: Problem) -> dict[str, Any]:
    params = problem.params
    return {
        "max_iter": params["trees"],
        "max_leaf_nodes": 2 ** params["depth"],
        "learning_rate": params["learning_rate"],
        "l2_regularization": L2,
        "min_samples_leaf": LEAST_ROWS,
        "early_stopping": False,
        "random_state": problem.seed,
    }


CAPPED = f"Grows leaf by leaf to 2**depth leaves, at most depth deep. {NOTE}"


class HistGradientBoosting:
    """A `Learner` of any target, which handles categories itself, at most 255 in a column."""

    def __init__(self, problem: Problem, goal: Goal) -> None:
        self._goal = goal
        self._config = _config(problem) | {
            "max_depth": problem.params["depth"],
            "categorical_features": list(goal.categorical) or None,
        }
        if goal.patience:
            self._config |= {"early_stopping": True, "n_iter_no_change": goal.patience, "tol": 0.0}

    def build(self, train: Table, validation: Table | None = None) -> None:
        """Remember the rows; the library bins them when it trains."""
        self._train = train
        self._validation = {} if validation is None else {"X_val": validation.X, "y_val": validation.y}

    def fit(self) -> None:
        """Bin and train."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        make = HistGradientBoostingRegressor if self._goal.target == "real" else HistGradientBoostingClassifier
        self._model = make(**self._config).fit(self._train.X, self._train.y, **self._validation)

    @property
    def trees(self) -> int:
        """Rounds until training stopped; those after the lowest validation loss stay."""
        return int(self._model.n_iter_)

    def predict(self, X: Matrix) -> Scores:
        """Predict with all trees; a class without training rows has probability 0."""
        if self._goal.target == "real":
            numbers: Scores = self._model.predict(X)
            return numbers
        found: Scores = self._model.predict_proba(X)
        if self._goal.target == "binary":
            return found[:, 1]
        scores = np.zeros((len(X), self._goal.classes))
        scores[:, self._model.classes_] = found
        return scores


@categories.task.strategy(
    "sklearn-hist",
    needs=("sklearn.ensemble", *categories.MODULES),
    sweep={"encoding": categories.ENCODINGS},
    note=f"{CAPPED} Native: sorts the categories of a node by gradient and splits the order in two; the rarest of more "
    "than 254 share one, which the phase encode does.",
)
def sklearn_categories(problem: Problem, phase: PhaseClock, encoding: str = "native") -> Scores:
    """Split categories into two sets, the leaf with the largest gain next."""
    return categories.run(problem, phase, HistGradientBoosting, encoding, categories.MOST)


@regression.task.strategy("sklearn-hist", needs="sklearn.ensemble", note=CAPPED)
def sklearn_regression(problem: Problem, phase: PhaseClock) -> Scores:
    """Bin every column once and split the leaf with the largest gain next, by squared error."""
    return regression.run(problem, phase, HistGradientBoosting)


@early_stopping.task.strategy(
    "sklearn-hist",
    needs="sklearn.ensemble",
    sweep={"stop": (True, False)},
    note=f"{CAPPED} Keeps the trees after the lowest validation loss, as many as patience.",
)
def sklearn_stopped(problem: Problem, phase: PhaseClock, *, stop: bool = True) -> Stopped:
    """Stop when the validation loss no longer falls, and predict with all trees until then."""
    return early_stopping.run(problem, phase, HistGradientBoosting, stop=stop)


@latency.task.strategy("sklearn-hist", needs="sklearn.ensemble", note=CAPPED)
def sklearn_answers(problem: Problem, phase: PhaseClock) -> Answers:
    """Answer by predict_proba, which checks the array of every request."""
    return latency.run(problem, phase, HistGradientBoosting)
