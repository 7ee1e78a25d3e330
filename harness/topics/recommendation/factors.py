"""Matrix factorisation: a user and an item have factors, whose product is the score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.recommendation.ranking import NEEDS, ranked, task
from harness.topics.recommendation.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.recommendation.engine.feedback import Ranking, Visible
    from harness.topics.recommendation.ranking import Fitted

# implicit's progress bar imports the last one when a model is first fitted, which would be in the phase.
FACTORISATION = (*NEEDS, f"{ENGINE}.factorisation", "multiprocessing.synchronize")
ALS = (*FACTORISATION, "implicit.cpu.als")
UNKNOWN = "It cannot fold a user in: one who is not in training is shown what is popular."


def fit_als(problem: Problem, confidence: Any, **options: Any) -> Any:
    """Fit `engine.factorisation.als` with the threads and the seed of the problem."""
    from harness.topics.recommendation.engine import factorisation

    return factorisation.als(confidence, threads=problem.threads, seed=problem.seed, **options)


def _als(problem: Problem, phase: PhaseClock, weights: str, **options: Any) -> Ranking:
    from harness.topics.recommendation.engine import factorisation

    def fit(data: Visible) -> Fitted:
        model = fit_als(problem, factorisation.interactions(data.train, weights), **options)
        return lambda data: factorisation.products(factorisation.fold_in(model, data, weights), model.item_factors)

    return ranked(problem, phase, fit)


@task.strategy(
    "als",
    needs=ALS,
    search={"factors": [32, 64, 128], "regularization": [3.0, 10.0, 30.0], "alpha": [1.0, 4.0, 8.0]},
    sweep={"regularization": [1.0, 10.0, 100.0]},
    note="implicit's defaults, at which all pairs of a user and an item have the same confidence.",
)
def als(
    problem: Problem,
    phase: PhaseClock,
    factors: int = 100,
    regularization: float = 0.01,
    alpha: float = 1.0,
    iterations: int = 15,
    weights: str = "ones",
) -> Ranking:
    """Factorise by alternating least squares, three conjugate-gradient steps a solution."""
    return _als(
        problem,
        phase,
        weights,
        factors=factors,
        regularization=regularization,
        alpha=alpha,
        iterations=iterations,
        cholesky=False,
    )


@task.strategy("als-cholesky", needs=ALS, note="implicit's defaults, with use_cg=False.", quick=False)
def als_cholesky(
    problem: Problem,
    phase: PhaseClock,
    factors: int = 100,
    regularization: float = 0.01,
    alpha: float = 1.0,
    iterations: int = 15,
    weights: str = "ones",
) -> Ranking:
    """Factorise by alternating least squares, each solution exact."""
    return _als(
        problem,
        phase,
        weights,
        factors=factors,
        regularization=regularization,
        alpha=alpha,
        iterations=iterations,
        cholesky=True,
    )


@task.strategy(
    "bpr",
    needs=(*FACTORISATION, "implicit.cpu.bpr"),
    search={"factors": [16, 32, 64], "learning_rate": [0.01, 0.03, 0.1], "regularization": [0.01, 0.03, 0.1]},
    note=f"implicit's defaults. {UNKNOWN} With more than one thread, results differ between runs.",
)
def bpr(
    problem: Problem,
    phase: PhaseClock,
    factors: int = 100,
    learning_rate: float = 0.01,
    regularization: float = 0.01,
    iterations: int = 100,
) -> Ranking:
    """Factorise so that a user's items score higher than others (Bayesian personalised ranking)."""
    from harness.topics.recommendation.engine import factorisation

    def fit(data: Visible) -> Fitted:
        model = factorisation.bpr(
            data.train,
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            threads=problem.threads,
            seed=problem.seed,
        )
        return factorisation.of_trained(model.user_factors, model.item_factors, data.train)

    return ranked(problem, phase, fit)


@task.strategy(
    "lmf",
    needs=(*FACTORISATION, "implicit.cpu.lmf"),
    search={"factors": [16, 30, 64], "regularization": [0.6, 3.0, 10.0], "learning_rate": [0.3, 1.0]},
    note=f"implicit's defaults; it samples at most factors + 2 negatives for a user (its issue 745). {UNKNOWN}",
    quick=False,
)
def lmf(
    problem: Problem,
    phase: PhaseClock,
    factors: int = 30,
    learning_rate: float = 1.0,
    regularization: float = 0.6,
    iterations: int = 30,
    negatives: int = 30,
) -> Ranking:
    """Factorise the log-odds of an interaction (logistic matrix factorisation)."""
    from harness.topics.recommendation.engine import factorisation

    def fit(data: Visible) -> Fitted:
        model = factorisation.lmf(
            data.train,
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            negatives=negatives,
            threads=problem.threads,
            seed=problem.seed,
        )
        return factorisation.of_trained(model.user_factors, model.item_factors, data.train)

    return ranked(problem, phase, fit)


@task.strategy(
    "biased-mf",
    needs=(*FACTORISATION, f"{ENGINE}.ratings"),
    search={"factors": [4, 16, 32], "regularization": [0.03, 0.1, 0.3]},
    note=f"Learns from ratings alone, not from what was left unrated. {UNKNOWN}",
    quick=False,
)
def biased_mf(
    problem: Problem, phase: PhaseClock, factors: int = 16, regularization: float = 0.1, iterations: int = 10
) -> Ranking:
    """Factorise ratings with biases of users and items, and rank by the predicted rating."""
    from harness.topics.recommendation.engine import factorisation, ratings

    def fit(data: Visible) -> Fitted:
        model = ratings.biased(
            data.train, factors=factors, regularization=regularization, iterations=iterations, seed=problem.seed
        )
        return factorisation.of_trained(*model.factors, data.train)

    return ranked(problem, phase, fit)
