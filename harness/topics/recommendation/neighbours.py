"""Neighbourhoods: score an item by the similar items that the user took, or by what similar users took."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.recommendation.ranking import NEEDS, ranked, task
from harness.topics.recommendation.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.recommendation.engine.feedback import Matrix, Ranking, Score, Visible
    from harness.topics.recommendation.ranking import Fitted

ITEMS = (*NEEDS, f"{ENGINE}.items")
NEIGHBOURS = (*ITEMS, f"{ENGINE}.neighbours")
IMPLICIT = (*ITEMS, f"{ENGINE}.factorisation", "implicit.nearest_neighbours", "multiprocessing.synchronize")
SEARCH: dict[str, list[Any]] = {
    "weighting": ["cosine", "tfidf", "bm25"],
    "neighbours": [20, 50, 100, 200],
    "shrinkage": [0.0, 10.0, 50.0],
}
SWEEP: dict[str, list[Any]] = {"weighting": ["tfidf", "bm25"]}
VOTES = "implicit {}: every item of the user votes for its own 20 neighbours, while item-knn scores an item by its own."


def by_items(problem: Problem, phase: PhaseClock, fit: Callable[[Matrix], Any]) -> Ranking:
    """Fit weights between items to the positives, shape (items, items), and score by their sum over a user's items."""
    from harness.topics.recommendation.engine.items import positives, product

    def fitted(data: Visible) -> Fitted:
        weights = fit(positives(data.train))
        return lambda data: product(positives(data.history), weights)

    return ranked(problem, phase, fitted)


@task.strategy("item-knn", needs=NEIGHBOURS, search=SEARCH, sweep=SWEEP)
def item_knn(
    problem: Problem,
    phase: PhaseClock,
    weighting: str = "cosine",
    neighbours: int = 100,
    shrinkage: float = 0.0,
    side: str = "target",
) -> Ranking:
    """Score an item by the sum of the similarities of those of its nearest items that the user has."""
    from harness.topics.recommendation.engine.neighbours import item_similarities

    return by_items(problem, phase, lambda train: item_similarities(train, neighbours, shrinkage, weighting, side))


@task.strategy(
    "user-knn",
    needs=NEIGHBOURS,
    search=SEARCH,
    sweep=SWEEP,
    note="Nothing is fitted: the neighbours of each test user are found among all training users in recommend.",
)
def user_knn(
    problem: Problem, phase: PhaseClock, weighting: str = "cosine", neighbours: int = 100, shrinkage: float = 0.0
) -> Ranking:
    """Score an item by the sum of the similarities of the user's nearest training users who took it."""
    from harness.topics.recommendation.engine.items import positives, product
    from harness.topics.recommendation.engine.neighbours import user_similarities

    def fit(data: Visible) -> Fitted:
        train = positives(data.train)

        def score(data: Visible) -> Score:
            history = positives(data.history)
            similar = user_similarities(train, history, data.rows, neighbours, shrinkage, weighting)
            return product(similar, train)

        return score

    return ranked(problem, phase, fit)


def _implicit(problem: Problem, phase: PhaseClock, name: str, neighbours: int) -> Ranking:
    """Fit a model of implicit, and rank by its similarities as for the models of this package."""
    from implicit import nearest_neighbours
    from implicit.utils import ParameterWarning
    from scipy import sparse

    from harness.topics.recommendation.engine.factorisation import undisturbed

    def fit(train: Matrix) -> Any:
        # One more, as an item is a neighbour of itself.
        model = getattr(nearest_neighbours, name)(K=neighbours + 1, num_threads=problem.threads)
        with undisturbed(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ParameterWarning)  # of the form of a matrix that implicit makes itself
            model.fit(sparse.csr_matrix(train), show_progress=False)
        return sparse.csr_array(model.similarity.astype(np.float32))

    return by_items(problem, phase, fit)


@task.strategy("implicit-cosine", needs=IMPLICIT, quick=False, note=VOTES.format("CosineRecommender"))
def implicit_cosine(problem: Problem, phase: PhaseClock, neighbours: int = 20) -> Ranking:
    """Add the cosine similarities of an item with the user's items of which it is a neighbour."""
    return _implicit(problem, phase, "CosineRecommender", neighbours)


@task.strategy("implicit-tfidf", needs=IMPLICIT, quick=False, note=VOTES.format("TFIDFRecommender"))
def implicit_tfidf(problem: Problem, phase: PhaseClock, neighbours: int = 20) -> Ranking:
    """Like implicit-cosine, with users weighted by TF-IDF."""
    return _implicit(problem, phase, "TFIDFRecommender", neighbours)


@task.strategy("implicit-bm25", needs=IMPLICIT, quick=False, note=VOTES.format("BM25Recommender"))
def implicit_bm25(problem: Problem, phase: PhaseClock, neighbours: int = 20) -> Ranking:
    """Like implicit-cosine, with interactions weighted by BM25, and without norms."""
    return _implicit(problem, phase, "BM25Recommender", neighbours)
