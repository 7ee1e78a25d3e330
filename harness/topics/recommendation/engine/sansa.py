"""SANSA: EASE with a sparse approximate inverse in two sparse factors, without a matrix of all pairs of items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types

from harness.errors import UsageError
from harness.topics.recommendation.engine.feedback import Matrix, Score
from harness.topics.recommendation.engine.largest import keep_largest

_Places = types.Array(types.int64, 1, "C", readonly=True)
_Numbers = types.Array(types.int32, 1, "C", readonly=True)


@dataclass(frozen=True, eq=False)
class Sansa:
    r"""Two sparse layers of weights between items: ``x @ first @ second`` are the scores of a user with items x.

    EASE needs P, the inverse of A = X^T X + lambda I, and scores by -P_ij / P_jj (see `ease`). Spisak et al. 2023
    (Scalable approximate nonsymmetric autoencoder for collaborative filtering, RecSys) replace P by
    K^T D^-1 K, where the sparse unit lower triangular K approximates the inverse of the factor L of A = L D L^T. Then

        first = K^T,  second_ij = -K_ij / (D_i p_j),  p_j = sum over i of K_ij^2 / D_i, which approximates P_jj.

    The diagonal of their product is not 0 as in EASE; it gives points only to items that the user has already, which
    are never recommended.

    Attributes
    ----------
    first
        CSR, shape (items, items).
    second
        CSC, shape (items, items).
    """

    first: Matrix
    second: Matrix

    def scores(self, history: Matrix) -> Score:
        """Score users with these items, CSR, shape (users, items)."""
        onto_items = self.second.T  # CSR, whose product with a dense matrix reads that by rows

        def score(start: int, stop: int) -> npt.NDArray[np.floating]:
            hidden = (history[start:stop] @ self.first).toarray()
            return (onto_items @ np.ascontiguousarray(hidden.T)).T  # type: ignore[no-any-return]

        return score


def sansa(train: Matrix, regularisation: float, density: float) -> Sansa:
    """Fit SANSA with a factorised sparse approximate inverse.

    The paper factorises A, incompletely or with CHOLMOD, and then inverts the factor by minimising residuals. Here K is
    computed without L, by the factorised sparse approximate inverse of Kolotilina & Yeremin 1993 (Factorized sparse
    approximate inverse preconditionings I, SIAM J. Matrix Anal. Appl. 14): among all K with the same pattern, row i
    minimises the residual of K L = I. With S the pattern of row i, it solves A_SS w = A_Si, and then K_iS = -w and
    D_i = A_ii - w^T A_Si, which is the regression of item i on the items S. That cannot break down, and it needs no
    memory but K; an incomplete Cholesky factor of a Gram matrix that is not very sparse breaks down.

    Items are ordered from the most popular on. The pattern of an item is at most c of those before it that share a user
    with it, those of the largest A_ij / sqrt(A_jj), or all before it where they are no more than c (see `row_limit`).
    At density 1 these are all, and P is exact.

    Parameters
    ----------
    train
        Interactions of ones, CSR, shape (users, items).
    regularisation
        lambda, above 0.
    density
        Prescribed share of the pairs of items that have a weight in K, above 0 and at most 1.

    Raises
    ------
    UsageError
        When lambda or the density is out of range.
    """
    from scipy import sparse

    if regularisation <= 0 or not 0 < density <= 1:
        raise UsageError(f"SANSA with regularisation={regularisation} and density={density}: need > 0, and 0 < d <= 1")
    items = train.shape[1]
    taken = np.bincount(train.indices, minlength=items)
    order = np.argsort(-taken, kind="stable")
    factor, pivots = _inverse_factor(train, order, regularisation, density)
    scaled = sparse.diags_array((1 / pivots).astype(np.float32)) @ factor
    diagonal = np.asarray(factor.multiply(scaled).sum(axis=0)).ravel()
    second = (scaled @ sparse.diags_array((-1 / diagonal).astype(np.float32))).tocsr()
    back = np.argsort(order)
    return Sansa(factor.T.tocsr()[back], _columns(second, order).tocsc())


def _columns(matrix: Matrix, names: npt.NDArray[np.intp]) -> Matrix:
    """Rename the columns of a CSR matrix."""
    from scipy import sparse

    return sparse.csr_array((matrix.data, names[matrix.indices].astype(np.int32), matrix.indptr), shape=matrix.shape)


def row_limit(items: int, density: float) -> int:
    """Return c so that the rows of a lower triangle, each with at most c entries, have this share of its entries.

    c items - c^2 / 2 = density items^2 / 2.
    """
    return max(1, round(items * (1 - math.sqrt(1 - density))))


def _inverse_factor(
    train: Matrix, order: npt.NDArray[np.intp], regularisation: float, density: float
) -> tuple[Matrix, npt.NDArray[np.float64]]:
    """Return K and the diagonal of D, for items in this order."""
    from scipy import sparse
    from scipy.linalg import lapack

    by_item = train.T.tocsr()[order]
    by_user = by_item.T.tocsr()
    by_user.sort_indices()
    pairs = (*_arrays(by_user), *_arrays(by_item))
    items = len(order)
    sizes = np.diff(by_item.indptr).astype(np.float64) + regularisation
    limit = row_limit(items, density)
    columns, values, pivots = [], [], np.empty(items)
    room = (np.zeros(items, np.int32), np.full(train.shape[0], -1, np.int32), np.empty(train.nnz, np.int32))
    for item in range(items):
        pattern, shared = _pattern(*pairs, item, limit, sizes, room[0])
        block = _block(*pairs[2:], pattern, sizes, room[1], room[2])
        weights = lapack.dposv(block, shared, lower=1, overwrite_a=1)[1] if len(pattern) else shared
        pivots[item] = sizes[item] - shared @ weights
        columns += [pattern, np.array([item], np.int32)]
        values += [-weights.astype(np.float32), np.ones(1, np.float32)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in columns])[1::2]])
    entries: tuple[Any, ...] = (np.concatenate(values), np.concatenate(columns), starts)
    return sparse.csr_array(entries, shape=(items, items)), pivots


def _arrays(matrix: Matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    return matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False)


_PAIRS = (_Places, _Numbers, _Places, _Numbers)
_Sizes = types.Array(types.float64, 1, "C", readonly=True)
_Pattern = types.Tuple((types.int32[::1], types.float64[::1]))  # type: ignore[no-untyped-call]


@njit(
    _Pattern(*_PAIRS, types.int64, types.int64, _Sizes, types.int32[::1]),
    cache=True,
)
def _pattern(
    user_starts: npt.NDArray[np.int64],
    user_items: npt.NDArray[np.int32],
    item_starts: npt.NDArray[np.int64],
    item_users: npt.NDArray[np.int32],
    item: int,
    limit: int,
    sizes: npt.NDArray[np.float64],
    common: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Return the items before `item` that are most like it, and the number of users that they share with it.

    `common` has zeros, shape (items,), and has them again after the call.
    """
    touched = np.empty(item, dtype=np.int32)
    likeness = np.empty(item, dtype=np.float32)
    count = 0
    if item <= limit:
        count = item
        touched[:] = np.arange(item)
    for at in range(item_starts[item], item_starts[item + 1]):
        user = item_users[at]
        for place in range(user_starts[user], user_starts[user + 1]):
            other = user_items[place]
            if other >= item:
                break
            if common[other] == 0 and item > limit:
                touched[count] = other
                count += 1
            common[other] += 1
    for at in range(count):
        likeness[at] = common[touched[at]] / np.sqrt(sizes[touched[at]])
    pattern = touched[: keep_largest(likeness[:count], touched[:count], limit)].copy()
    shared = np.empty(len(pattern))
    for at in range(len(pattern)):
        shared[at] = common[pattern[at]]
    for at in range(count):
        common[touched[at]] = 0
    return pattern, shared


@njit(
    types.Array(types.float64, 2, "F")(_Places, _Numbers, types.int32[::1], _Sizes, types.int32[::1], types.int32[::1]),
    cache=True,
)
def _block(
    item_starts: npt.NDArray[np.int64],
    item_users: npt.NDArray[np.int32],
    pattern: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.float64],
    newest: npt.NDArray[np.int32],
    older: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Return the lower triangle of A between the items of a pattern.

    Each user has a linked list of the interactions with items of the pattern so far. Its head is in `newest`, which is
    -1 for users without one, and is so again after the call; `older` has room for the links of all interactions.
    """
    count = len(pattern)
    block = np.zeros((count, count)).T
    owner = np.empty(len(older), dtype=np.int32)
    used = 0
    for row in range(count):
        item = pattern[row]
        for at in range(item_starts[item], item_starts[item + 1]):
            link = newest[item_users[at]]
            while link >= 0:
                block[row, owner[link]] += 1
                link = older[link]
            owner[used], older[used] = row, newest[item_users[at]]
            newest[item_users[at]] = used
            used += 1
        block[row, row] = sizes[item]
    for row in range(count):
        for at in range(item_starts[pattern[row]], item_starts[pattern[row] + 1]):
            newest[item_users[at]] = -1
    return block
