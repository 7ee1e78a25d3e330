"""EASE: the linear model of all items on all others, in closed form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.errors import UsageError
from harness.topics.recommendation.engine.feedback import Matrix


def ease(train: Matrix, regularisation: float) -> npt.NDArray[np.float32]:
    r"""Return the weights B between items, with a zero diagonal, so that ``x @ B`` are the scores of a user's items x.

    B minimises \|X - X B\|_F^2 + lambda \|B\|_F^2 subject to diag(B) = 0. With P = (X^T X + lambda I)^-1 it is

        B_ij = -P_ij / P_jj for i != j, and B_jj = 0

    (Steck 2019, Embarrassingly shallow autoencoders for sparse data, arXiv 1905.03375, section 3.1). Time is cubic in
    the items and does not depend on the users once X^T X is there; memory is that of one matrix of all pairs of items,
    which is inverted in place.

    Parameters
    ----------
    train
        X, interactions of ones, CSR, shape (users, items).
    regularisation
        lambda, above 0.

    Returns
    -------
    numpy.ndarray
        float32, shape (items, items).

    Raises
    ------
    UsageError
        When lambda is not above 0, or too small for float32.
    """
    from scipy.linalg import lapack

    if regularisation <= 0:
        raise UsageError(f"EASE with regularisation={regularisation}: it must be above 0")
    inverse = gram(train)
    inverse[np.diag_indices_from(inverse)] += regularisation
    inverse, failed = lapack.spotrf(inverse, lower=1, clean=0, overwrite_a=1)
    if not failed:
        inverse, failed = lapack.spotri(inverse, lower=1, overwrite_c=1)
    if failed:
        raise UsageError(f"EASE: X^T X + {regularisation:g} I cannot be inverted in float32; use more regularisation")
    # Only the lower triangle is computed: row by row, the other one is its mirror image.
    for row in range(1, len(inverse)):
        inverse[:row, row] = inverse[row, :row]
    diagonal = inverse.diagonal().copy()
    weights: npt.NDArray[np.float32] = inverse
    weights /= -diagonal
    np.fill_diagonal(weights, 0)
    return weights


def gram(train: Matrix, batch: int = 64) -> npt.NDArray[np.float32]:
    """Return X^T X, float32, shape (items, items), column-major, without a sparse matrix of the same content."""
    items = train.shape[1]
    by_item = train.T.tocsr()
    product = np.empty((items, items), dtype=np.float32, order="F")
    for start in range(0, items, batch):
        product[:, start : start + batch] = (by_item[start : start + batch] @ train).T.toarray()
    return product
