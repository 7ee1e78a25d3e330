"""Linear models: each item is regressed on the other items of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import CannotRunError
from harness.topics.recommendation.neighbours import ITEMS, by_items
from harness.topics.recommendation.ranking import ranked, task
from harness.topics.recommendation.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.recommendation.engine.feedback import Ranking, Visible
    from harness.topics.recommendation.ranking import Fitted

EASE = (*ITEMS, f"{ENGINE}.ease", "scipy.linalg.lapack")
REGULARISATION = [1.0, 3.0, 10.0, 30.0, 100.0, 200.0, 500.0, 2_000.0]
SLIM_ITEMS = 2_000
SPARSE = (
    "The paper's incomplete Cholesky factor and its inverse are replaced by a factorised sparse approximate inverse: "
    "CHOLMOD has no wheel, and an incomplete factor breaks down on dense Gram matrices."
)


@task.strategy("ease", needs=EASE, search={"regularisation": REGULARISATION}, sweep={"regularisation": REGULARISATION})
def ease(problem: Problem, phase: PhaseClock, regularisation: float = 200.0) -> Ranking:
    """Regress each item on all others with a squared penalty, in closed form."""
    from harness.topics.recommendation.engine.ease import ease

    return by_items(problem, phase, lambda train: ease(train, regularisation))


@task.strategy(
    "slim",
    needs=(*EASE, f"{ENGINE}.slim"),
    search={"l1": [0.3, 1.0, 3.0], "l2": [3.0, 30.0, 100.0, 300.0]},
    quick=False,
    note=f"Up to {SLIM_ITEMS:,} items: one elastic net an item, of a time quadratic in the items.",
)
def slim(problem: Problem, phase: PhaseClock, l1: float = 1.0, l2: float = 100.0) -> Ranking:
    """Regress each item on all others with non-negative weights and an elastic-net penalty."""
    from harness.topics.recommendation.engine.slim import slim

    items = problem.data.items
    if items > SLIM_ITEMS:
        raise CannotRunError(
            f"SLIM fits one elastic net an item: {items:,} items take too long, the limit is {SLIM_ITEMS:,}"
        )
    return by_items(problem, phase, lambda train: slim(train, l1, l2))


@task.strategy(
    "sansa",
    needs=(*EASE, f"{ENGINE}.sansa"),
    search={"regularisation": REGULARISATION},
    sweep={"weight_density": [0.01, 0.02, 0.1, 0.2]},
    note=SPARSE,
)
def sansa(problem: Problem, phase: PhaseClock, regularisation: float = 200.0, weight_density: float = 0.05) -> Ranking:
    """EASE with a sparse approximate inverse of the prescribed density, in two sparse layers."""
    from harness.topics.recommendation.engine.items import positives
    from harness.topics.recommendation.engine.sansa import sansa

    def fit(data: Visible) -> Fitted:
        model = sansa(positives(data.train), regularisation, weight_density)
        return lambda data: model.scores(positives(data.history))

    return ranked(problem, phase, fit)
