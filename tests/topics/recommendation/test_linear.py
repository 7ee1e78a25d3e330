"""EASE, SLIM and SANSA against other ways to the same optimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from harness import UsageError
from harness.topics.recommendation.engine.ease import ease, gram
from harness.topics.recommendation.engine.sansa import row_limit, sansa
from harness.topics.recommendation.engine.slim import slim


def _positives(seed: int = 0, users: int = 200, items: int = 30, share: float = 0.15) -> Any:
    rng = np.random.default_rng(seed)
    likes = rng.random((users, items)) < share * rng.lognormal(0, 0.7, items).clip(0.1, 4)
    likes[:, 1] |= likes[:, 0]  # two items that go together
    return sparse.csr_array(likes.astype(np.float32))


@pytest.mark.parametrize("regularisation", [0.5, 20.0, 500.0])
def test_ease_is_a_ridge_regression_of_each_item_on_the_others(regularisation: float) -> None:
    train = _positives()
    dense = train.toarray().astype(float)
    expected = np.zeros((30, 30))
    for item in range(30):
        others = np.delete(np.arange(30), item)
        # The penalty as further rows: a least-squares problem without it, constrained by leaving the item out.
        design = np.vstack([dense[:, others], np.sqrt(regularisation) * np.eye(29)])
        target = np.append(dense[:, item], np.zeros(29))
        expected[others, item] = np.linalg.lstsq(design, target, rcond=None)[0]
    ours = ease(train, regularisation)
    assert np.abs(ours).max() > 0.01
    np.testing.assert_allclose(ours, expected, atol=2e-5)


def test_ease_has_a_zero_diagonal_and_refuses_a_penalty_of_none() -> None:
    assert not ease(_positives(), 3.0).diagonal().any()
    for regularisation in (0.0, -1.0):
        with pytest.raises(UsageError, match="regularisation"):
            ease(_positives(), regularisation)


def test_ease_says_that_float32_is_not_enough() -> None:
    same = sparse.csr_array(np.ones((5_000, 40), dtype=np.float32))
    with pytest.raises(UsageError, match="use more regularisation"):
        ease(same, 1e-9)


def test_the_gram_matrix_is_made_in_batches() -> None:
    train = _positives()
    expected = train.toarray().T @ train.toarray()
    for batch in (1, 7, 30, 100):
        np.testing.assert_array_equal(gram(train, batch), expected)


@pytest.mark.parametrize(("l1", "l2"), [(1.0, 5.0), (4.0, 1.0), (3.0, 100.0)])
def test_slim_is_an_elastic_net_of_each_item_on_the_others(l1: float, l2: float) -> None:
    from sklearn.linear_model import ElasticNet

    train = _positives(1)
    dense = train.toarray().astype(float)
    users = len(dense)
    expected = np.zeros((30, 30))
    net = ElasticNet(
        alpha=(l1 + l2) / users,
        l1_ratio=l1 / (l1 + l2),
        positive=True,
        fit_intercept=False,
        tol=1e-10,
        max_iter=50_000,
    )
    for item in range(30):
        others = np.delete(np.arange(30), item)
        expected[others, item] = net.fit(dense[:, others], dense[:, item]).coef_
    ours = slim(train, l1, l2, tolerance=1e-9).toarray()
    assert not ours.diagonal().any()
    assert (ours >= 0).all()
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    assert 0 < np.mean(ours > 0) < 0.9


def test_slim_without_an_l1_penalty_is_non_negative_least_squares() -> None:
    from scipy.optimize import nnls

    train = _positives(1)
    dense = train.toarray().astype(float)
    ours = slim(train, 0.0, 10.0, tolerance=1e-9).toarray()
    for item in range(30):
        others = np.delete(np.arange(30), item)
        design = np.vstack([dense[:, others], np.sqrt(10) * np.eye(29)])
        expected = nnls(design, np.append(dense[:, item], np.zeros(29)))[0]
        np.testing.assert_allclose(ours[others, item], expected, atol=1e-5)


def test_slim_grows_its_arrays_and_takes_items_without_interactions() -> None:
    dense = _positives(2, items=100, share=0.4).toarray()
    dense[:, 50] = 0
    weights = slim(sparse.csr_array(dense), 0.0, 1.0).toarray()
    assert (weights > 0).sum() > 0
    assert not weights[50].any()
    assert not weights[:, 50].any()


@pytest.mark.parametrize(("l1", "l2"), [(-1.0, 1.0), (1.0, -1.0), (0.0, 0.0)])
def test_slim_refuses_penalties_that_are_none(l1: float, l2: float) -> None:
    with pytest.raises(UsageError, match="SLIM"):
        slim(_positives(), l1, l2)


def _score(train: Any, regularisation: float, density: float) -> Any:
    model = sansa(train, regularisation, density)
    return model.scores(train)(0, train.shape[0])


@pytest.mark.parametrize("share", [0.02, 0.15])
def test_sansa_at_full_density_is_ease(share: float) -> None:
    train = _positives(3, share=share)
    dense = train.toarray().astype(float)
    inverse = np.linalg.inv(dense.T @ dense + 10 * np.eye(30))
    scores = _score(train, 10.0, 1.0)
    unseen = dense == 0
    np.testing.assert_allclose(scores[unseen], (-dense @ inverse / np.diag(inverse))[unseen], atol=1e-5)
    np.testing.assert_allclose(scores[unseen], (dense @ ease(train, 10.0))[unseen], atol=1e-5)


def test_sansa_is_the_best_inverse_of_its_pattern() -> None:
    """Row i of K minimises the residual of K L = I over its pattern (Kolotilina & Yeremin 1993), L from numpy."""
    train = _positives(4)
    dense = train.toarray().astype(float)
    order = np.argsort(-dense.sum(axis=0), kind="stable")
    matrix = (dense.T @ dense)[np.ix_(order, order)] + 10 * np.eye(30)
    lower = np.linalg.cholesky(matrix)
    model = sansa(train, 10.0, 0.3)
    factor = model.first.toarray()[order].T
    for item in range(1, 30):
        pattern = np.flatnonzero(factor[item])
        # min |y L - e_i| over y with this pattern; K is y scaled to have a one on the diagonal.
        best = np.linalg.lstsq(lower[pattern].T, np.eye(30)[item], rcond=None)[0]
        np.testing.assert_allclose(factor[item, pattern], best / best[-1], atol=1e-4)


@pytest.mark.parametrize("density", [0.05, 0.2, 0.5, 0.9])
def test_sansa_has_the_prescribed_density(density: float) -> None:
    train = _positives(5, items=60, share=0.4)
    model = sansa(train, 10.0, density)
    pairs = 60 * 59 / 2
    assert model.first.nnz == model.second.nnz
    assert (model.first.nnz - 60) / pairs == pytest.approx(density, abs=2 * 60 / pairs)


def test_closer_to_ease_the_denser() -> None:
    train = _positives(6, items=60)
    unseen = train.toarray() == 0
    exact = (train @ ease(train, 10.0))[unseen]
    errors = [np.abs(_score(train, 10.0, density)[unseen] - exact).mean() for density in (0.05, 0.3, 0.7, 1.0)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-5 < errors[0]


def test_the_limit_of_a_row_gives_the_share_of_the_triangle() -> None:
    for density in (0.01, 0.1, 0.5):
        limit = row_limit(10_000, density)
        assert np.minimum(np.arange(10_000), limit).sum() == pytest.approx(density * 10_000**2 / 2, rel=0.01)
    assert row_limit(1_000, 1.0) == 1_000


@pytest.mark.parametrize(("regularisation", "density"), [(0.0, 0.5), (1.0, 0.0), (1.0, 1.1)])
def test_sansa_refuses_what_it_cannot_do(regularisation: float, density: float) -> None:
    with pytest.raises(UsageError, match="SANSA"):
        sansa(_positives(), regularisation, density)
