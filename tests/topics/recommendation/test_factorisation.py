"""Factorisations, held to plain numpy written from the papers, and to properties that their objectives imply."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from threading import active_count
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("implicit")
pytest.importorskip("numba")

from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from harness.errors import CannotRunError, UsageError
from harness.topics.recommendation.engine import factorisation, ratings
from harness.topics.recommendation.engine.feedback import Matrix, Visible, matrix

Doubles = npt.NDArray[np.float64]
OPTIONS: dict[str, Any] = {"factors": 5, "regularization": 2.0, "alpha": 3.0, "iterations": 4}


def drawn(seed: int = 0, users: int = 40, items: int = 25, *, weighted: bool = False) -> Matrix:
    """Draw interactions of two groups of users with two groups of items; the last item and user have none."""
    rng = np.random.default_rng(seed)
    likely = np.where(np.arange(users)[:, None] % 2 == np.arange(items) % 2, 0.5, 0.1)
    there = rng.random((users, items)) < likely
    there[-1], there[:, -1] = False, False
    rows, columns = np.nonzero(there)
    values = rng.integers(1, 6, len(rows)).astype(np.float32) if weighted else None
    return matrix(rows, columns.astype(np.int32), values, (users, items))[0]


def visible(train: Matrix, history: Matrix | None = None, rows: Any = None) -> Visible:
    rows = np.arange(train.shape[0]) if rows is None else np.asarray(rows)
    return Visible(train, train if history is None else history, rows.astype(np.int64), None, None, 5)


def solved(confidences: Doubles, others: Doubles, regularization: float) -> Doubles:
    """Solve equation 4 of Hu, Koren & Volinsky 2008 for each row of n_ui alpha; it is 0 without an interaction."""
    found = np.zeros((len(confidences), others.shape[1]))
    for row, confidence in enumerate(confidences):
        if confidence.any():
            weight = np.diag(np.where(confidence > 0, confidence, 1))
            left = others.T @ weight @ others + regularization * np.eye(others.shape[1])
            found[row] = np.linalg.solve(left, others.T @ weight @ (confidence > 0))
    return found


def started(seed: int, shape: tuple[int, int], factors: int) -> tuple[Doubles, Doubles]:
    """Draw the start of implicit: uniform numbers below 0.01, users first."""
    rng = np.random.default_rng(seed)
    x = rng.random((shape[0], factors), dtype=np.float32) * 0.01
    return x.astype(float), (rng.random((shape[1], factors), dtype=np.float32) * 0.01).astype(float)


def test_als_by_cholesky_is_that_of_hu_koren_and_volinsky() -> None:
    train = drawn(weighted=True)
    model = factorisation.als(factorisation.interactions(train, "data"), cholesky=True, seed=7, **OPTIONS)
    x, y = started(7, train.shape, OPTIONS["factors"])
    confidences = OPTIONS["alpha"] * train.toarray().astype(float)
    for _ in range(OPTIONS["iterations"]):
        x = solved(confidences, y, OPTIONS["regularization"])
        y = solved(confidences.T, x, OPTIONS["regularization"])
    np.testing.assert_allclose(model.user_factors, x, atol=2e-4)
    np.testing.assert_allclose(model.item_factors, y, atol=2e-4)
    assert np.abs(x).max() > 0.3


@pytest.mark.parametrize("cholesky", [False, True])
def test_als_ends_where_its_objective_is_stationary(*, cholesky: bool) -> None:
    """The gradient of equation 3 vanishes at convergence, also with three conjugate-gradient steps a solution."""
    train = drawn(1)
    options = OPTIONS | {"iterations": 300}
    model = factorisation.als(factorisation.interactions(train), cholesky=cholesky, **options)
    x, y = model.user_factors.astype(float), model.item_factors.astype(float)
    taken = train.toarray() > 0
    residual = np.where(taken, OPTIONS["alpha"], 1) * (taken - x @ y.T)
    # Those without interactions are not part of the objective: implicit sets them to 0.
    of_users = (OPTIONS["regularization"] * x - residual @ y)[:-1]
    of_items = (OPTIONS["regularization"] * y - residual.T @ x)[:-1]
    scale = np.abs(residual @ y).max()
    assert scale > 1
    assert np.abs(of_users).max() < 1e-3 * scale
    assert np.abs(of_items).max() < 1e-3 * scale


def test_conjugate_gradients_and_cholesky_find_the_same_scores() -> None:
    confidence = factorisation.interactions(drawn(2))
    options = OPTIONS | {"iterations": 300}
    by_steps, exact = (factorisation.als(confidence, cholesky=cholesky, **options) for cholesky in (False, True))
    np.testing.assert_allclose(
        by_steps.user_factors @ by_steps.item_factors.T, exact.user_factors @ exact.item_factors.T, atol=1e-3
    )


def test_a_user_is_folded_in_by_solving_for_the_factors() -> None:
    train = drawn(3)
    model = factorisation.als(factorisation.interactions(train), **OPTIONS)
    data = visible(train, train[[4, 9, 39]], [4, -1, -1])
    users = factorisation.fold_in(model, data)
    confidences = OPTIONS["alpha"] * train[[9, 39]].toarray().astype(float)
    expected = solved(confidences, model.item_factors.astype(float), OPTIONS["regularization"])
    assert (users[0] == model.user_factors[4]).all()
    np.testing.assert_allclose(users[1:], expected, atol=1e-4)
    assert (users[2] == 0).all()  # no history


def rating_world(seed: int = 0) -> tuple[Matrix, Doubles]:
    """Draw ratings that a mean, biases and two factors explain without noise; half of them are known."""
    rng = np.random.default_rng(seed)
    truth = (
        3 + rng.normal(0, 0.5, (30, 1)) + rng.normal(0, 0.5, 20) + rng.normal(size=(30, 2)) @ rng.normal(size=(2, 20))
    )
    rows, columns = np.nonzero(rng.random(truth.shape) < 0.7)
    return matrix(rows, columns.astype(np.int32), truth[rows, columns], truth.shape)[0], truth


def predicted(model: ratings.Biased) -> Doubles:
    return model.mean + model.user_bias[:, None] + model.item_bias + model.users @ model.items.T


def test_biased_factorisation_recovers_ratings_that_it_can_explain() -> None:
    train, truth = rating_world()
    model = ratings.biased(train, factors=2, regularization=1e-6, iterations=200)
    assert np.sqrt(np.square(predicted(model) - truth).mean()) < 0.02


def test_biased_factorisation_ends_where_its_objective_is_stationary() -> None:
    """All four gradients of equation 5 of Koren, Bell & Volinsky 2009 vanish."""
    train, truth = rating_world(1)
    regularization = 0.3
    model = ratings.biased(train, factors=2, regularization=regularization, iterations=400)
    known = train.toarray() != 0
    residual = np.where(known, truth - predicted(model), 0)
    of_user, of_item = (regularization * known.sum(axis=axis) for axis in (1, 0))
    for gradient in (
        residual @ model.items - of_user[:, None] * model.users,
        residual.T @ model.users - of_item[:, None] * model.items,
        residual.sum(axis=1) - of_user * model.user_bias,
        residual.sum(axis=0) - of_item * model.item_bias,
    ):
        assert np.abs(gradient).max() < 1e-3


def test_biases_alone_have_their_closed_form() -> None:
    """Without factors, one user's bias is its mean deviation, shrunk by 1 + regularization."""
    train = csr_array(np.array([[5, 4, 0], [1, 0, 2]], dtype=np.float32))
    model = ratings.biased(train, factors=0, regularization=0.5, iterations=1)
    np.testing.assert_allclose(model.mean, 3)
    np.testing.assert_allclose(model.user_bias, [1.5 / 1.5, -1.5 / 1.5])
    np.testing.assert_allclose(model.item_bias, [((5 - 4) + (1 - 2)) / 3, 0, 0])


def test_products_of_biased_factors_rank_as_the_ratings_do() -> None:
    train, _ = rating_world(2)
    model = ratings.biased(train, factors=2, regularization=0.1, iterations=5)
    users, items = model.factors
    assert (np.argsort(users @ items.T, axis=1) == np.argsort(predicted(model), axis=1)).mean() > 0.99


def test_bpr_and_lmf_rank_items_of_a_users_group_first() -> None:
    train = drawn(4, users=100)
    for model in (
        factorisation.bpr(train, factors=4, learning_rate=0.05, regularization=0.01, iterations=100, threads=1, seed=0),
        factorisation.lmf(
            train, factors=4, learning_rate=1, regularization=1, iterations=50, negatives=5, threads=1, seed=0
        ),
    ):
        scores = (model.user_factors @ model.item_factors.T)[:-1, :-1]
        own = np.arange(99)[:, None] % 2 == np.arange(24) % 2
        assert scores[own].mean() > scores[~own].mean() + 0.5


def test_each_repeats_with_its_seed() -> None:
    train = drawn(5)
    bpr: dict[str, Any] = {
        "factors": 3,
        "learning_rate": 0.05,
        "regularization": 0.01,
        "iterations": 3,
        "threads": 1,
    }
    rated = drawn(5, weighted=True)
    fits: dict[str, Callable[[int], Any]] = {
        "als": lambda seed: factorisation.als(factorisation.interactions(train), seed=seed, **OPTIONS).item_factors,
        "bpr": lambda seed: factorisation.bpr(train, seed=seed, **bpr).item_factors,
        "lmf": lambda seed: factorisation.lmf(train, seed=seed, negatives=5, **bpr).item_factors,
        "biased": lambda seed: ratings.biased(rated, factors=2, regularization=0.1, iterations=2, seed=seed).items,
    }
    for name, fit in fits.items():
        assert (fit(1) == fit(1)).all(), name
        assert (fit(1) != fit(2)).any(), name


def test_those_who_cannot_be_folded_in_are_shown_what_is_popular() -> None:
    train = drawn(6)
    users, items = np.eye(40, 25, dtype=np.float32), np.eye(25, dtype=np.float32)
    score = factorisation.of_trained(users, items, train)(visible(train, train[[3, 4]], [3, -1]))
    assert (score(0, 2)[0] == np.eye(25)[3]).all()
    assert (score(1, 2) == (train.toarray() > 0).sum(axis=0)).all()


def test_back_off_leaves_known_users_alone() -> None:
    train = drawn(7)
    plain = factorisation.products(np.ones((3, 1), np.float32), np.arange(25, dtype=np.float32)[:, None])
    score = factorisation.backed_off(plain, np.array([False, True, False]), train)
    np.testing.assert_array_equal(score(0, 3)[[0, 2]], plain(0, 3)[[0, 2]])
    assert (score(1, 3)[0] == factorisation.popularity(train)).all()


def test_implicit_neither_warns_of_threads_nor_leaves_one_running() -> None:
    import implicit.utils

    before = active_count()
    implicit.utils._checked_blas_config = False  # it warns once a process
    with threadpool_limits(2, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("error")
        factorisation.als(factorisation.interactions(drawn()), threads=2, **OPTIONS)
    assert active_count() == before


def test_bad_input_is_one_sentence() -> None:
    train = drawn(8, weighted=True)
    with pytest.raises(UsageError, match="invalid weights 'counts': choose ones or data"):
        factorisation.interactions(train, "counts")
    negative = train.copy()
    negative.data[3] = -1
    with pytest.raises(UsageError, match="a weight is -1: weights of implicit feedback must be positive"):
        factorisation.interactions(negative, "data")
    with pytest.raises(CannotRunError, match="all interactions have the same weight, so there are no ratings"):
        ratings.biased(drawn(8), factors=2, regularization=0.1, iterations=1)


def test_implicits_lmf_bounds_the_negatives_by_the_factors() -> None:
    """As the strategy's note says; when a version of implicit repairs it, the note and the search have to follow."""
    rng = np.random.default_rng(0)
    train = csr_array((rng.random((60, 60)) < 0.5).astype(np.float32))
    assert min(np.diff(train.indptr).min(), train.sum(axis=0).min()) > 10
    options: dict[str, Any] = {
        "factors": 8,
        "learning_rate": 1,
        "regularization": 1,
        "iterations": 2,
        "threads": 1,
        "seed": 0,
    }
    one, many = (factorisation.lmf(train, negatives=negatives, **options).item_factors for negatives in (1, 30))
    assert (one == many).all()
