"""Cold start: new users are shown what is popular, and new items are known by their features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.topics.recommendation.factors import ALS, FACTORISATION, fit_als
from harness.topics.recommendation.ranking import ranked, task
from harness.topics.recommendation.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.recommendation.engine.feedback import Ranking, Visible
    from harness.topics.recommendation.ranking import Fitted

HYBRID = (*ALS, f"{ENGINE}.hybrid")
# Tuning of the strategy als often chooses them; at its defaults ALS would be too poor a base.
FACTORS, REGULARIZATION, ALPHA, ITERATIONS = 32, 30.0, 8.0, 15
TUNED = "Compare it with als[alpha=8.0,factors=32,regularization=30.0]: it differs in the cold start alone."


@task.strategy("als-popularity", needs=ALS, search={"least": [1, 2, 3, 5]}, note=TUNED, quick=False, hand_tuned=True)
def als_popularity(
    problem: Problem,
    phase: PhaseClock,
    least: int = 1,
    factors: int = FACTORS,
    regularization: float = REGULARIZATION,
    alpha: float = ALPHA,
) -> Ranking:
    """Rank by ALS, and by popularity for users with fewer than `least` known items."""
    import numpy as np

    from harness.topics.recommendation.engine import factorisation

    def fit(data: Visible) -> Fitted:
        train = data.train
        model = fit_als(
            problem,
            factorisation.interactions(train),
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=ITERATIONS,
        )
        return lambda data: factorisation.backed_off(
            factorisation.products(factorisation.fold_in(model, data), model.item_factors),
            np.diff(data.history.indptr) < least,
            train,
        )

    return ranked(problem, phase, fit)


@task.strategy("content", needs=(*FACTORISATION, f"{ENGINE}.hybrid"), quick=False)
def content(problem: Problem, phase: PhaseClock) -> Ranking:
    """Rank items by the similarity of their features with those of the user's items."""
    from harness.topics.recommendation.engine import hybrid

    def fit(data: Visible) -> Fitted:
        vectors = hybrid.tf_idf(hybrid.features_of(data))
        return lambda data: hybrid.content(vectors, data.history)

    return ranked(problem, phase, fit)


@task.strategy(
    "als-features",
    needs=(*HYBRID, "sklearn.linear_model"),
    search={"ridge": [1.0, 10.0, 30.0, 100.0, 300.0]},
    note=TUNED,
    hand_tuned=True,
    quick=False,
)
def als_features(
    problem: Problem,
    phase: PhaseClock,
    ridge: float = 100.0,
    factors: int = FACTORS,
    regularization: float = REGULARIZATION,
    alpha: float = ALPHA,
) -> Ranking:
    """Rank by ALS, where ridge regression on features gives items without users their factors."""
    import numpy as np

    from harness.topics.recommendation.engine import factorisation, hybrid

    def fit(data: Visible) -> Fitted:
        features = hybrid.features_of(data)
        model = fit_als(
            problem,
            factorisation.interactions(data.train),
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=ITERATIONS,
        )
        known = np.bincount(data.train.indices, minlength=data.items) > 0
        items = hybrid.mapped(model.item_factors, features, known, ridge)
        return lambda data: factorisation.products(factorisation.fold_in(model, data), items)

    return ranked(problem, phase, fit)


@task.strategy(
    "als-collective", needs=HYBRID, search={"weight": [0.3, 1.0, 3.0, 10.0]}, note=TUNED, quick=False, hand_tuned=True
)
def als_collective(
    problem: Problem,
    phase: PhaseClock,
    weight: float = 1.0,
    factors: int = FACTORS,
    regularization: float = REGULARIZATION,
    alpha: float = ALPHA,
) -> Ranking:
    """Factorise by ALS, where each feature is one more user who took the items that have it."""
    from harness.topics.recommendation.engine import factorisation, hybrid

    def fit(data: Visible) -> Fitted:
        model = fit_als(
            problem,
            hybrid.collective(data.train, hybrid.features_of(data), weight),
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=ITERATIONS,
        )
        return lambda data: factorisation.products(factorisation.fold_in(model, data), model.item_factors)

    return ranked(problem, phase, fit)
