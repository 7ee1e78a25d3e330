"""What models between items have in common: they score a user by the items that he took."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.topics.recommendation.engine.feedback import Matrix, Score


def positives(matrix: Matrix) -> Matrix:
    """Return the interactions with a weight of one each, whatever their weights, such as ratings, are."""
    from scipy import sparse

    ones = np.ones(matrix.nnz, dtype=np.float32)
    made = sparse.csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
    made.has_sorted_indices = matrix.has_sorted_indices
    return made


def product(left: Matrix, right: Any) -> Score:
    """Score by ``left @ right``, one batch of rows of `left` at a time; `right` is sparse or dense."""

    def score(start: int, stop: int) -> npt.NDArray[np.floating]:
        scores: Any = left[start:stop] @ right
        return scores if isinstance(scores, np.ndarray) else scores.toarray()  # type: ignore[no-any-return]

    return score
