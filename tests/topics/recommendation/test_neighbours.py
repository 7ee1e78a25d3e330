"""Neighbourhoods against implicit's own and against plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from topics.recommendation.feedback_of import drawn

from harness import UsageError
from harness.topics.recommendation.engine.items import positives, product
from harness.topics.recommendation.engine.neighbours import item_similarities, nearest, user_similarities, weigh
from harness.topics.recommendation.engine.protocols import divide, user_holdout


def _counts(seed: int = 0, users: int = 80, items: int = 30, most: int = 4) -> Any:
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, most + 1, (users, items)) * (rng.random((users, items)) < 0.2)
    return sparse.csr_array(dense.astype(np.float32))


# implicit's own models pass a matrix on that implicit then warns of.
IMPLICIT_WARNS = pytest.mark.filterwarnings("ignore:Method expects CSR input")


@IMPLICIT_WARNS
@pytest.mark.parametrize(
    ("name", "weighting"), [("CosineRecommender", "cosine"), ("TFIDFRecommender", "tfidf"), ("BM25Recommender", "bm25")]
)
def test_similarities_are_those_of_implicit(name: str, weighting: Any) -> None:
    from implicit import nearest_neighbours

    counts = _counts()
    # With all neighbours no tie decides which are there; implicit counts an item among its own neighbours.
    model = getattr(nearest_neighbours, name)(K=31, num_threads=1)
    model.fit(sparse.csr_matrix(counts), show_progress=False)
    theirs = model.similarity.toarray()
    np.fill_diagonal(theirs, 0)
    ours = item_similarities(counts, 30, weighting=weighting, side="source").toarray()
    assert np.abs(ours).max() > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@IMPLICIT_WARNS
def test_few_neighbours_are_those_of_implicit_where_there_are_no_ties() -> None:
    from implicit.nearest_neighbours import BM25Recommender

    rng = np.random.default_rng(3)
    counts = sparse.csr_array((rng.random((80, 30)) * (rng.random((80, 30)) < 0.3)).astype(np.float32))
    model = BM25Recommender(K=6, num_threads=1)
    model.fit(sparse.csr_matrix(counts), show_progress=False)
    ours = item_similarities(counts, 30, weighting="bm25", side="source").toarray()
    theirs = model.similarity.toarray()
    for item in range(30):
        nearest_five = set(np.argsort(-ours[item])[:5].tolist())
        # An item is not always among its own six nearest: BM25 has no norm.
        assert set(np.flatnonzero(theirs[item])) - {item} >= nearest_five


def _naive(counts: Any, k: int, shrinkage: float) -> Any:
    """Cosine similarities with shrinkage, k in a row, written as in Koren 2008, equation 2."""
    dense = counts.toarray().astype(float)
    norms = np.linalg.norm(dense, axis=0)
    common = (dense > 0).T.astype(float) @ (dense > 0)
    similar = dense.T @ dense / np.outer(norms, norms).clip(1e-300) * common / (common + shrinkage).clip(1e-300)
    np.fill_diagonal(similar, 0)
    for row in similar:
        row[np.argsort(-row, kind="stable")[k:]] = 0
    return similar


@given(st.integers(0, 1_000), st.integers(1, 12), st.sampled_from([0.0, 3.0, 50.0]))
@settings(max_examples=30, deadline=None)
def test_the_nearest_are_those_of_all_similarities_and_ties_go_to_the_smaller_number(
    seed: int, k: int, shrinkage: float
) -> None:
    counts = positives(_counts(seed, users=15, items=12))
    ours = item_similarities(counts, k, shrinkage, side="source").toarray()
    np.testing.assert_allclose(np.sort(ours, axis=1), np.sort(_naive(counts, k, shrinkage), axis=1), atol=1e-6)
    if shrinkage == 0 and k == 12:
        np.testing.assert_allclose(ours, _naive(counts, k, 0), atol=1e-6)


def test_of_equal_similarities_the_smaller_number_is_taken() -> None:
    # One user took the items 0 to 5: all are equally similar.
    counts = sparse.csr_array(np.array([[1, 1, 1, 1, 1, 1, 0]], dtype=np.float32))
    similar = item_similarities(counts, 2, side="source").toarray()
    assert [np.flatnonzero(row).tolist() for row in similar] == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1], [0, 1], []]


def test_side_says_whose_neighbourhood_counts() -> None:
    # Item 0 is alone with item 1, which is more similar to item 2: 1 is the neighbour of 0, but 0 is not that of 1.
    dense = np.array([[1, 1, 0], [0, 1, 1], [0, 1, 1], [0, 1, 1]], dtype=np.float32)
    counts = sparse.csr_array(dense)
    votes = item_similarities(counts, 1, side="source").toarray()
    scored = item_similarities(counts, 1, side="target").toarray()
    has_1 = np.array([0, 1, 0])
    assert (has_1 @ votes > 0).tolist() == [False, False, True]
    assert (has_1 @ scored > 0).tolist() == [True, False, True]


def test_users_are_scored_by_others_and_new_ones_by_their_history() -> None:
    feedback = divide(drawn(1), user_holdout, np.random.default_rng(1))
    visible = feedback.visible
    train, history = positives(visible.train), positives(visible.history)
    assert (visible.rows == -1).all()
    similar = user_similarities(train, history, visible.rows, 5)
    dense, known = train.toarray(), history.toarray()
    cosine = known @ dense.T / np.outer(np.linalg.norm(known, axis=1), np.linalg.norm(dense, axis=1)).clip(1e-9)
    kept = np.zeros_like(cosine)
    for user, row in enumerate(cosine):
        best = np.argsort(-row, kind="stable")[:5]
        kept[user, best] = row[best]
    np.testing.assert_allclose(product(similar, train)(0, len(known)), kept @ dense, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(product(similar, train)(2, 4), (kept @ dense)[2:4], rtol=1e-4, atol=1e-5)


def test_a_training_user_is_no_neighbour_of_himself() -> None:
    train = positives(_counts())
    similar = user_similarities(train, train, np.arange(80), 80).toarray()
    assert not similar.diagonal().any()
    assert similar.any()


def test_statistics_are_those_of_the_base() -> None:
    counts = _counts()
    few = counts[:3]
    for weighting in ("cosine", "tfidf", "bm25"):
        whole = weigh(counts, counts, weighting)
        np.testing.assert_array_equal(weigh(few, counts, weighting).toarray(), whole.toarray()[:3])
    assert not np.array_equal(weigh(few, few, "tfidf").toarray(), weigh(few, counts, "tfidf").toarray())


def test_ratings_are_positives() -> None:
    counts = _counts()
    assert set(positives(counts).data) == {1.0}
    assert set(counts.data) == {1.0, 2.0, 3.0, 4.0}


def test_items_and_users_without_interactions_have_no_neighbours() -> None:
    empty = sparse.csr_array((4, 3), dtype=np.float32)
    assert item_similarities(empty, 2).nnz == 0
    assert user_similarities(empty, empty, np.arange(4), 2).nnz == 0


@pytest.mark.parametrize("options", [{"k": 0}, {"shrinkage": -1.0}, {"weighting": "idf"}, {"side": "both"}])
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"neighbours=|unknown"):
        item_similarities(_counts(), **options)


def test_more_neighbours_than_documents_are_all_of_them() -> None:
    counts = weigh(_counts(), _counts(), "cosine")
    skip = np.full(80, -1)
    np.testing.assert_allclose(
        nearest(counts, counts, 1_000, skip).toarray(), (counts @ counts.T).toarray(), rtol=1e-5, atol=1e-6
    )
