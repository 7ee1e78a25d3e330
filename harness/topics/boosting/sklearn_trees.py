"""The strategy of scikit-learn, which searches for splits on histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.topics._shared.binary import Floats
from harness.topics.boosting import L2, LEAST_ROWS, task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Visible


@task.strategy(
    "sklearn-hist",
    needs="sklearn.ensemble",
    note=(
        "Grows leaf by leaf to 2**depth leaves, at most depth deep. Differs from the library's defaults in "
        "l2_regularization 1 (not 0), min_samples_leaf 1 (not 20), early_stopping off. There is no phase build: the "
        "phase fit includes the binning and a copy of the table as float64."
    ),
)
def sklearn_hist(problem: Problem, phase: PhaseClock, max_bins: int = 255) -> Floats:
    """Bin every column once and split the leaf with the largest gain next."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    data, params = problem.data, problem.params
    for _ in phase("fit"):
        model = HistGradientBoostingClassifier(
            max_iter=params["trees"],
            max_depth=params["depth"],
            max_leaf_nodes=2 ** params["depth"],
            learning_rate=params["learning_rate"],
            l2_regularization=L2,
            min_samples_leaf=LEAST_ROWS,
            max_bins=max_bins,
            early_stopping=False,
            random_state=problem.seed,
        )
        model.fit(data.train.X, data.train.y)

    def predict(view: Visible) -> Floats:
        scores: Floats = model.predict_proba(view.test)[:, 1]
        return scores

    for _ in phase("predict"):
        scores = predict(data)
    return problem.with_altered(scores, phase, predict)
