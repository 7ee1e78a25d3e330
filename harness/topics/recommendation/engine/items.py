"""What models between items have in common: they score a user by the items that he took."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.topics.recommendation.engine.feedback import Matrix, Score

ROWS = 64


def positives(matrix: Matrix) -> Matrix:
    """Return the interactions with a weight of one each, whatever their weights, such as ratings, are."""
    from scipy import sparse

    ones = np.ones(matrix.nnz, dtype=np.float32)
    made = sparse.csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
    made.has_sorted_indices = matrix.has_sorted_indices
    return made


def product(left: Matrix, right: Any) -> Score:
    """Score by ``left @ right``; `right` is sparse or dense.

    A product of sparse matrices takes three times the memory of its dense form, so it is made for few rows at a time.
    """

    def score(start: int, stop: int) -> npt.NDArray[np.floating]:
        if isinstance(right, np.ndarray):
            return left[start:stop] @ right  # type: ignore[no-any-return]
        scores = np.empty((stop - start, right.shape[1]), dtype=np.float32)
        for first in range(start, stop, ROWS):
            rows = left[first : min(first + ROWS, stop)] @ right
            rows.toarray(out=scores[first - start : first - start + rows.shape[0]])
        return scores

    return score
