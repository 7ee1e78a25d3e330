"""The strategy of scikit-learn, which searches for splits on histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics._shared.binary import Floats
from harness.topics.boosting import L2, LEAST_ROWS, SEARCH, task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Visible

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

    data, params = problem.data, problem.params
    config = {
        "max_iter": params["trees"],
        "max_leaf_nodes": 2 ** params["depth"],
        "learning_rate": params["learning_rate"],
        "l2_regularization": L2,
        "min_samples_leaf": LEAST_ROWS,
        "early_stopping": False,
        "random_state": problem.seed,
    }
    for _ in phase("fit"):
        model = HistGradientBoostingClassifier(**config | method)
        model.fit(data.train.X, data.train.y)

    def predict(view: Visible) -> Floats:
        scores: Floats = model.predict_proba(view.test)[:, 1]
        return scores

    for _ in phase("predict"):
        scores = predict(data)
    return problem.with_altered(scores, phase, predict)
