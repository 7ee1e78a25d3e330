"""SLIM: the sparse linear model of each item on all others, by coordinate descent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, types

from harness.errors import UsageError
from harness.topics.recommendation.engine.ease import gram
from harness.topics.recommendation.engine.feedback import Matrix

SWEEPS = 100


def slim(train: Matrix, l1: float, l2: float, tolerance: float = 1e-4) -> Matrix:
    r"""Return the weights W between items so that ``x @ W`` are the scores of a user's items x.

    Column j of W minimises (Ning & Karypis 2011, SLIM: Sparse linear methods for top-N recommender systems)

        1/2 \|x_j - X w\|^2 + l2 / 2 \|w\|^2 + l1 \|w\|_1  subject to w >= 0 and w_j = 0.

    One coordinate after the other is set to its optimum, max(0, x_i^T r - l1) / (\|x_i\|^2 + l2), where r is the
    residual without it (Friedman, Hastie & Tibshirani 2010, Regularization paths for generalized linear models via
    coordinate descent, section 2.2: "covariance updates"). Sweeps over the coordinates that are not 0, until they are
    done, alternate with sweeps over all.

    Time is items^2 x sweeps x the weights of a column, and X^T X is dense: this is for thousands of items.

    Parameters
    ----------
    train
        X, interactions of ones, CSR, shape (users, items).
    l1, l2
        Not negative, and one of them above 0. They are n alpha rho and n alpha (1 - rho) in scikit-learn's ElasticNet,
        with n users, alpha, and rho its l1_ratio.
    tolerance
        A column is done when no weight changes by more than this in a sweep over all.

    Returns
    -------
    scipy.sparse.csr_array
        Shape (items, items), with an empty diagonal.

    Raises
    ------
    UsageError
        When a penalty is negative, or both are 0.
    """
    from scipy import sparse

    if l1 < 0 or l2 < 0 or l1 + l2 == 0:
        raise UsageError(f"SLIM with l1={l1} and l2={l2}: neither may be negative, and one must be above 0")
    rows, values, starts = _columns(gram(train), float(l1), float(l2), tolerance, SWEEPS)
    return sparse.csc_array((values, rows, starts), shape=(train.shape[1],) * 2).tocsr()


_Gram = types.Array(types.float32, 2, "F")
_Vector = types.float64[::1]
_Found = types.Tuple((types.int32[::1], types.float32[::1], types.int64[::1]))  # type: ignore[no-untyped-call]


# With signatures these are compiled, or loaded, when the module is imported, which is before a trial begins.
@njit(
    types.float64(_Gram, types.int64, types.float64, types.float64, _Vector, _Vector, types.int64[::1], types.int64),
    cache=True,
    error_model="numpy",
)
def _sweep(
    gram: npt.NDArray[np.float32],
    target: int,
    l1: float,
    l2: float,
    weights: npt.NDArray[np.float64],
    left: npt.NDArray[np.float64],
    coordinates: npt.NDArray[np.int64],
    count: int,
) -> float:
    """Set some coordinates to their optimum, keep ``left = X^T (x_j - X w)`` right, and return the largest change."""
    largest = 0.0
    for at in range(count):
        i = coordinates[at]
        before, size = weights[i], gram[i, i]
        if i == target or size == 0:
            continue
        weights[i] = max(0.0, left[i] + size * before - l1) / (size + l2)
        change = weights[i] - before
        if change != 0:
            for k in range(len(left)):
                left[k] -= gram[k, i] * change
            largest = max(largest, abs(change))
    return largest


@njit(
    types.void(_Gram, types.int64, types.float64, types.float64, types.float64, types.int64, _Vector),
    cache=True,
)
def _column(
    gram: npt.NDArray[np.float32],
    target: int,
    l1: float,
    l2: float,
    tolerance: float,
    sweeps: int,
    weights: npt.NDArray[np.float64],
) -> None:
    """Set the weights, which are zeros, to those of one target."""
    items = len(weights)
    every = np.arange(items)
    left = np.empty(items)
    left[:] = gram[:, target]
    for _ in range(sweeps):
        if _sweep(gram, target, l1, l2, weights, left, every, items) <= tolerance:
            return
        active = np.flatnonzero(weights)
        for _ in range(sweeps):
            if _sweep(gram, target, l1, l2, weights, left, active, len(active)) <= tolerance:
                break


@njit(
    _Found(_Gram, types.float64, types.float64, types.float64, types.int64),
    cache=True,
)
def _columns(
    gram: npt.NDArray[np.float32], l1: float, l2: float, tolerance: float, sweeps: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    items = gram.shape[0]
    starts = np.zeros(items + 1, dtype=np.int64)
    rows = np.empty(64 * items, dtype=np.int32)
    values = np.empty(64 * items, dtype=np.float32)
    for target in range(items):
        weights = np.zeros(items)
        _column(gram, target, l1, l2, tolerance, sweeps, weights)
        used = np.flatnonzero(weights)
        start, stop = starts[target], starts[target] + len(used)
        if stop > len(rows):
            rows = np.concatenate((rows, np.empty(len(rows) + items, dtype=np.int32)))
            values = np.concatenate((values, np.empty(len(values) + items, dtype=np.float32)))
        rows[start:stop], values[start:stop] = used, weights[used]
        starts[target + 1] = stop
    return rows[: starts[items]].copy(), values[: starts[items]].copy(), starts
