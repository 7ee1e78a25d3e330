"""The Pareto front: the strategies that no other dominates, and how certain their place on it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_ROUNDS = 200


def front(points: Floats) -> Flags:
    """Mark the points that no other dominates.

    A point dominates another one if it is at most as large in all columns and smaller in at least one. Equal points do
    not dominate each other.

    Parameters
    ----------
    points
        Smaller is better in every column, shape (..., strategies, criteria). A point with a value that is not finite
        is never on the front and dominates none.

    Returns
    -------
    ndarray of bool
        Shape (..., strategies).
    """
    known = np.asarray(np.isfinite(points).all(axis=-1))
    points = np.where(known[..., None], points, np.inf)
    if points.shape[-1] == 2:
        return np.asarray(known & _undercutting(points[..., 0], points[..., 1]))
    one, other = points[..., :, None, :], points[..., None, :, :]
    dominated = ((other <= one).all(axis=-1) & (other < one).any(axis=-1)).any(axis=-1)
    return np.asarray(~dominated & known)


def front_share(values: Floats, *, seed: int = 0, rounds: int = _ROUNDS) -> Floats:
    """Return the share of bootstrap resamples of the blocks in which each strategy is on the front.

    A resample draws whole blocks with replacement, so that comparisons remain paired (Efron & Tibshirani 1993, "An
    introduction to the bootstrap", chapter 8).

    Parameters
    ----------
    values
        Smaller is better, costs as logarithms, NaN where missing, shape (blocks, strategies, criteria).

    Returns
    -------
    ndarray of float
        Shape (strategies,).
    """
    blocks, strategies, criteria = values.shape
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=rounds).astype(float)
    flat = values.reshape(blocks, -1)
    known = np.isfinite(flat)
    counts = drawn @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (drawn @ np.where(known, flat, 0.0)) / counts
    resampled = np.where(counts > 0, means, np.nan).reshape(rounds, strategies, criteria)
    if criteria == 2:
        return np.asarray(front(resampled).mean(axis=0))
    # Resample by resample, because all pairs of 300 strategies in all resamples at once would exceed the memory.
    return np.asarray(np.mean([front(points) for points in resampled], axis=0))


def _undercutting(x: Floats, y: Floats) -> Flags:
    """Mark the points whose `y` is less than that of every point sorted before them: the front in two dimensions."""
    order = np.lexsort((y, x), axis=-1)
    x, y = np.take_along_axis(x, order, axis=-1), np.take_along_axis(y, order, axis=-1)
    least = np.full(y.shape, np.inf)
    least[..., 1:] = np.minimum.accumulate(y, axis=-1)[..., :-1]
    # Equal points are compared with the points before the first of them.
    again = np.zeros(y.shape, dtype=bool)
    again[..., 1:] = (x[..., 1:] == x[..., :-1]) & (y[..., 1:] == y[..., :-1])
    first = np.maximum.accumulate(np.where(again, 0, np.arange(y.shape[-1])), axis=-1)
    marked = np.empty(y.shape, dtype=bool)
    np.put_along_axis(marked, order, y < np.take_along_axis(least, first, axis=-1), axis=-1)
    return marked
