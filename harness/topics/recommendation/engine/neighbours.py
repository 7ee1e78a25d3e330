"""Neighbourhoods: the k most similar items of each item, or users of each user, without the matrix of all similarities.

Both are the same question about documents made of terms, as in text retrieval. For item-kNN the documents are the items
and their terms the users who took them; for user-kNN it is the other way round.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, types

from harness.errors import UsageError
from harness.topics.recommendation.engine.feedback import Matrix
from harness.topics.recommendation.engine.largest import keep_largest

WEIGHTINGS = ("cosine", "tfidf", "bm25")
SIDES = ("target", "source")

_Places = types.Array(types.int64, 1, "C", readonly=True)
_Numbers = types.Array(types.int32, 1, "C", readonly=True)
_Weights = types.Array(types.float32, 1, "C", readonly=True)


def weigh(documents: Matrix, base: Matrix, weighting: str, k1: float = 1.2, b: float = 0.75) -> Matrix:
    r"""Weight the terms of documents so that the product of two documents is their similarity.

    With x the count of term t in document d, l the length of d (the sum of its counts) and l' its mean over the base,
    N the number of base documents, and idf(t) = ln N - ln(1 + number of base documents with t):

    - cosine: x / \|d\|;
    - tfidf: sqrt(x) idf(t), divided by the Euclidean norm of the document;
    - bm25: x (k1 + 1) / (x + k1 (1 - b + b l / l')) idf(t), without a norm (Robertson & Zaragoza 2009, The
      probabilistic relevance framework), on both sides of the product as in implicit.

    The formulas are those of implicit 0.7.3 (nearest_neighbours.py).

    Parameters
    ----------
    documents
        Counts, CSR, shape (documents, terms).
    base
        Documents that the statistics (N, idf, l') are taken from, CSR, shape (any, terms).
    weighting
        One of `WEIGHTINGS`.
    k1, b
        How soon counts saturate, and how much length counts, in BM25.

    Returns
    -------
    scipy.sparse.csr_array
        float32, of the shape of `documents`.

    Raises
    ------
    UsageError
        When the weighting is none of these.
    """
    from scipy import sparse

    if weighting not in WEIGHTINGS:
        raise UsageError(f"unknown weighting {weighting!r}: use one of {', '.join(WEIGHTINGS)}")
    counts = documents.data.astype(np.float64)
    row = np.repeat(np.arange(documents.shape[0]), np.diff(documents.indptr))
    if weighting == "cosine":
        weights = counts
    else:
        taken = np.bincount(base.indices, minlength=base.shape[1])
        idf = (np.log(base.shape[0]) - np.log1p(taken))[documents.indices]
        if weighting == "tfidf":
            weights = np.sqrt(counts) * idf
        else:
            length = np.bincount(row, counts, minlength=documents.shape[0]) / (base.data.sum() / base.shape[0])
            weights = counts * (k1 + 1) / (counts + k1 * (1 - b + b * length[row])) * idf
    if weighting != "bm25":
        norm = np.sqrt(np.bincount(row, weights**2, minlength=documents.shape[0]))
        weights = weights / np.where(norm > 0, norm, 1)[row]
    return sparse.csr_array((weights.astype(np.float32), documents.indices, documents.indptr), shape=documents.shape)


def nearest(queries: Matrix, documents: Matrix, k: int, skip: npt.NDArray[np.int64], shrinkage: float = 0.0) -> Matrix:
    """Find the k documents that are most similar to each query.

    The similarity is the product of the two, times c / (c + shrinkage), where c is the number of terms that they share
    (Koren 2008, Factorization meets the neighborhood, equation 2). Of equal ones the document of the smaller number is
    taken. Row by row as in Gustavson's product of sparse matrices, so that memory is queries x k and not queries x
    documents; time is the number of (query, term, document) triples.

    Parameters
    ----------
    queries, documents
        Weighted, CSR, shapes (queries, terms) and (documents, terms); see `weigh`.
    skip
        A document that is never a neighbour of the query, int64, shape (queries,); -1 for none.

    Returns
    -------
    scipy.sparse.csr_array
        Similarities above 0, shape (queries, documents), at most k in a row.

    Raises
    ------
    UsageError
        When k is below 1 or the shrinkage below 0.
    """
    from scipy import sparse

    if k < 1 or shrinkage < 0:
        raise UsageError(f"neighbours={k} and shrinkage={shrinkage}: at least one neighbour, and no negative shrinkage")
    by_term = documents.T.tocsr()
    found, similarity, starts = _nearest(*_arrays(queries), *_arrays(by_term), documents.shape[0], skip, k, shrinkage)
    return sparse.csr_array((similarity, found, starts), shape=(queries.shape[0], documents.shape[0]))


def item_similarities(
    train: Matrix,
    k: int = 100,
    shrinkage: float = 0.0,
    weighting: str = "cosine",
    side: str = "target",
    k1: float = 1.2,
    b: float = 0.75,
) -> Matrix:
    """Return S such that ``history @ S`` are the scores of item-kNN.

    Two definitions are in use, and they differ. With ``side="target"`` an item is scored by those of its own k
    neighbours that the user has: score(j) = sum of s(i, j) over the items i of the user in N(j) (Sarwar et al. 2001,
    Item-based collaborative filtering recommendation algorithms, section 3.2.1, without the division by the sum of the
    similarities, which is for predicting ratings). With ``side="source"`` each item of the user votes for its k
    neighbours: the sum is over the i with j in N(i) (Deshpande & Karypis 2004, Item-based top-N recommendation
    algorithms, section 4.2; implicit). Popular items are neighbours of many and get more votes there.

    Returns
    -------
    scipy.sparse.csr_array
        Shape (items, items), with an empty diagonal.

    Raises
    ------
    UsageError
        When an option is not one of those named, or out of range.
    """
    if side not in SIDES:
        raise UsageError(f"unknown side {side!r}: use one of {', '.join(SIDES)}")
    items = train.T.tocsr()
    weighted = weigh(items, items, weighting, k1, b)
    similar = nearest(weighted, weighted, k, np.arange(items.shape[0]), shrinkage)
    return similar if side == "source" else similar.T.tocsr()


def user_similarities(
    train: Matrix,
    history: Matrix,
    rows: npt.NDArray[np.int64],
    k: int = 100,
    shrinkage: float = 0.0,
    weighting: str = "cosine",
    k1: float = 1.2,
    b: float = 0.75,
) -> Matrix:
    """Return S such that ``S @ train`` are the scores of user-kNN: what the k most similar training users took.

    Source: Herlocker et al. 1999, An algorithmic framework for performing collaborative filtering, for taken items
    instead of ratings. A test user is never a neighbour of himself.

    Returns
    -------
    scipy.sparse.csr_array
        Shape (test users, users).
    """
    queries, documents = (weigh(matrix, train, weighting, k1, b) for matrix in (history, train))
    return nearest(queries, documents, k, rows, shrinkage)


def _arrays(matrix: Matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    return (
        matrix.indptr.astype(np.int64, copy=False),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data.astype(np.float32, copy=False),
    )


_Found = types.Tuple((types.int32[::1], types.float32[::1], types.int64[::1]))  # type: ignore[no-untyped-call]
_Products, _Counts = types.float32[::1], types.int32[::1]


# With signatures these are compiled, or loaded, when the module is imported, which is before a trial begins.
@njit(
    types.int64(_Numbers, _Weights, _Places, _Numbers, _Weights, _Products, _Counts, _Counts),
    cache=True,
)
def _multiply(
    terms: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float32],
    t_starts: npt.NDArray[np.int64],
    t_documents: npt.NDArray[np.int32],
    t_weights: npt.NDArray[np.float32],
    products: npt.NDArray[np.float32],
    common: npt.NDArray[np.int32],
    touched: npt.NDArray[np.int32],
) -> int:
    """Add the products of one query, and the numbers of common terms, to zeros; return how many documents there are."""
    count = 0
    for place in range(len(terms)):
        for at in range(t_starts[terms[place]], t_starts[terms[place] + 1]):
            document = t_documents[at]
            if common[document] == 0:
                touched[count] = document
                count += 1
            common[document] += 1
            products[document] += weights[place] * t_weights[at]
    return count


_Signature = _Found(
    _Places, _Numbers, _Weights, _Places, _Numbers, _Weights, types.int64, _Places, types.int64, types.float64
)


@njit(_Signature, cache=True)
def _nearest(
    q_starts: npt.NDArray[np.int64],
    q_terms: npt.NDArray[np.int32],
    q_weights: npt.NDArray[np.float32],
    t_starts: npt.NDArray[np.int64],
    t_documents: npt.NDArray[np.int32],
    t_weights: npt.NDArray[np.float32],
    documents: int,
    skip: npt.NDArray[np.int64],
    k: int,
    shrinkage: float,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    queries, k = len(q_starts) - 1, min(k, documents)
    found = np.empty(queries * k, dtype=np.int32)
    similarity = np.empty(queries * k, dtype=np.float32)
    starts = np.zeros(queries + 1, dtype=np.int64)
    products, values = np.zeros(documents, dtype=np.float32), np.empty(documents, dtype=np.float32)
    common, touched = np.zeros(documents, dtype=np.int32), np.empty(documents, dtype=np.int32)
    for query in range(queries):
        own = slice(q_starts[query], q_starts[query + 1])
        count = _multiply(q_terms[own], q_weights[own], t_starts, t_documents, t_weights, products, common, touched)
        positive = 0
        for document in touched[:count]:
            value = products[document] * common[document] / (common[document] + shrinkage)
            products[document], common[document] = 0, 0
            if value > 0 and document != skip[query]:
                values[positive], touched[positive] = value, document
                positive += 1
        start = starts[query]
        stop = start + keep_largest(values[:positive], touched[:positive], k)
        found[start:stop], similarity[start:stop] = touched[: stop - start], values[: stop - start]
        starts[query + 1] = stop
    return found[: starts[-1]].copy(), similarity[: starts[-1]].copy(), starts
