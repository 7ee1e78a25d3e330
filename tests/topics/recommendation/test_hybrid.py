"""Features of items: weights and similarities in plain numpy, the map to factors as a least-squares solution."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("implicit")
pytest.importorskip("sklearn")

from scipy.sparse import csr_array, csr_matrix

from harness.errors import CannotRunError
from harness.topics.recommendation.engine import factorisation, hybrid
from harness.topics.recommendation.engine.feedback import Visible

Reals = npt.NDArray[np.float32]


def described(seed: int = 0, items: int = 30, words: int = 8) -> Reals:
    """Draw which words describe each item; the last item has none."""
    there = (np.random.default_rng(seed).random((items, words)) < 0.4).astype(np.float32)
    there[-1] = 0
    return there


def cosines(features: Reals) -> Any:
    weights = features * np.log(len(features) / (features > 0).sum(axis=0))
    lengths = np.linalg.norm(weights, axis=1)
    return (weights @ weights.T) / np.maximum(np.outer(lengths, lengths), 1e-12)


def test_similarity_is_the_cosine_of_weighted_words() -> None:
    features = described()
    history = np.zeros((3, 30), dtype=np.float32)
    history[0, [2, 5]] = history[1, 7] = 4  # weights do not count
    score = hybrid.content(hybrid.tf_idf(csr_matrix(features)), csr_array(history))
    np.testing.assert_allclose(score(0, 3), (history > 0) @ cosines(features), atol=1e-5)
    np.testing.assert_array_equal(score(1, 2), score(0, 3)[1:2])
    assert (score(2, 3) == 0).all()


def test_the_map_is_the_least_squares_solution() -> None:
    """Ridge regression is ordinary least squares with a row sqrt(ridge) for each coefficient and an outcome of 0."""
    rng = np.random.default_rng(1)
    features, ridge = described(1), 2.5
    factors = rng.normal(size=(30, 3)).astype(np.float32)
    known = np.arange(30) % 4 > 0
    found = hybrid.mapped(factors, csr_matrix(features), known, ridge)
    f, y = features[known].astype(float), factors[known].astype(float)
    design = np.vstack([f - f.mean(axis=0), np.sqrt(ridge) * np.eye(8)])
    w = np.linalg.lstsq(design, np.vstack([y - y.mean(axis=0), np.zeros((8, 3))]))[0]
    expected = y.mean(axis=0) + (features[~known] - f.mean(axis=0)) @ w
    np.testing.assert_allclose(found[~known], expected, atol=1e-4)
    assert (found[known] == factors[known]).all()


def test_a_linear_relation_is_recovered() -> None:
    features = described(2, items=60)
    factors = (1 + features @ np.random.default_rng(2).normal(size=(8, 4))).astype(np.float32)
    known = np.arange(60) < 45
    found = hybrid.mapped(np.where(known[:, None], factors, 0), csr_matrix(features), known, 1e-6)
    np.testing.assert_allclose(found, factors, atol=1e-3)


def test_without_cold_items_nothing_is_mapped() -> None:
    factors = np.ones((30, 2), dtype=np.float32)
    assert (hybrid.mapped(factors, csr_matrix(described()), np.ones(30, dtype=bool), 1.0) == factors).all()


def test_a_cold_item_solves_the_objective_with_its_features_as_users() -> None:
    """Equation 4 of Hu, Koren & Volinsky 2008, for an item that no user took and that two words describe."""
    rng = np.random.default_rng(3)
    features = described(3)
    features[4] = [1, 0, 0, 1, 0, 0, 0, 0]
    train = (rng.random((40, 30)) < 0.3).astype(np.float32)
    train[:, 4] = 0
    together = hybrid.collective(csr_array(train), csr_matrix(features), 0.5)
    assert together.shape == (48, 30)
    model = factorisation.als(together, factors=4, regularization=1.5, alpha=6.0, iterations=3, cholesky=True)
    confidence = np.ones(48)
    confidence[[40, 43]] = 6.0 * 0.5
    x = model.user_factors.astype(float)
    left = x.T @ (confidence[:, None] * x) + 1.5 * np.eye(4)
    expected = np.linalg.solve(left, x.T @ (confidence * (confidence > 1)))
    np.testing.assert_allclose(model.item_factors[4], expected, atol=1e-4)
    assert np.abs(expected).max() > 0.05


def test_data_without_features_are_refused() -> None:
    empty = csr_array((1, 3), dtype=np.float32)
    with pytest.raises(CannotRunError, match="the items of these data have no features"):
        hybrid.features_of(Visible(empty, empty, np.zeros(1, dtype=np.int64), None, None, 2))
