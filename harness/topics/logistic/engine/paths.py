"""Penalised fits with a penalty chosen by cross-validation, and stability selection."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
import numpy.typing as npt

from harness import UsageError
from harness.topics.logistic.engine import descent

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-9  # in nat; margins of the log loss are 0.005
RANGE = 3e-3  # the smallest penalty of a path, divided by the largest
RIDGE_RANGE = 1e-4
RIDGE_RATIO = 0.01  # the largest penalty of a ridge path is that of the elastic net with this share of L1


def penalties(X: Floats, y: Floats, l1_ratio: float, count: int) -> Floats:
    """Return falling penalties, equally spaced in logarithms.

    The first is the smallest at which all coefficients are 0 (Friedman et al. 2010, section 2.5). With a small or no
    share of L1 there is none, and it is that of the share 0.01.

    Parameters
    ----------
    X, y
        Standardised columns, shape (n, d), and labels.
    """
    largest = np.abs(X.T @ (y - y.mean())).max() / len(y) / max(l1_ratio, RIDGE_RATIO)
    if largest == 0:
        raise UsageError("no column of the training rows varies with the labels, so there is nothing to penalise")
    return np.asarray(np.geomspace(1, RIDGE_RANGE if l1_ratio < RIDGE_RATIO else RANGE, count) * largest)


def path(
    X: Floats, y: Floats, grid: Floats, l1_ratio: float, *, tolerance: float = TOLERANCE, most: int | None = None
) -> tuple[Floats, Floats]:
    """Fit all penalties of a grid; see `descent.path`."""
    return descent.path(np.ascontiguousarray(X.T), y, grid, l1_ratio, tolerance, X.shape[1] if most is None else most)


@dataclass(frozen=True, eq=False)
class Path:
    """Fits along a path, and which one cross-validation chose.

    Attributes
    ----------
    penalties
        Shape (k,).
    coefficients, intercepts
        Of standardised columns, on all training rows, shapes (k, d) and (k,).
    losses
        Mean log loss of the held-out rows, shape (k,).
    chosen
        Index of the chosen penalty.
    """

    penalties: Floats
    coefficients: Floats
    intercepts: Floats
    losses: Floats
    chosen: int


def cross_validated(
    X: Floats, y: Floats, l1_ratio: float, *, count: int, folds: int, rng: np.random.Generator, one_se: bool = False
) -> Path:
    """Fit a path on all rows, and choose the penalty with the least log loss over folds.

    Parameters
    ----------
    X, y
        Standardised columns and labels.
    count, folds
        The budget: numbers of penalties and of folds. Both classes are spread evenly over the folds.
    one_se
        Choose the largest penalty whose loss is within one standard error of the least (Breiman et al. 1984,
        "Classification and regression trees").
    """
    grid = penalties(X, y, l1_ratio, count)
    fold = np.empty(len(y), dtype=np.intp)
    fold[np.lexsort((rng.random(len(y)), y))] = np.arange(len(y)) % folds
    losses = np.empty((folds, count))
    for number in range(folds):
        train, held = fold != number, fold == number
        coefficients, intercepts = path(X[train], y[train], grid, l1_ratio)
        eta = X[held] @ coefficients.T + intercepts
        losses[number] = (np.logaddexp(0, eta) - y[held, None] * eta).mean(axis=0)
    mean = losses.mean(axis=0)
    chosen = int(mean.argmin())
    if one_se:
        error = losses[:, chosen].std(ddof=1) / sqrt(folds)
        chosen = int(np.flatnonzero(mean <= mean[chosen] + error)[0])
    return Path(grid, *path(X, y, grid, l1_ratio), mean, chosen)


def stability(
    X: Floats, y: Floats, *, subsamples: int, threshold: float, false: float, count: int, rng: np.random.Generator
) -> Floats:
    """Return how often each column is selected by L1 on random halves of the rows.

    Meinshausen & Bühlmann 2010 ("Stability selection"): the path of each subsample of n / 2 rows is
    followed while at most q columns have been selected at any of its penalties. Columns that are selected in a share
    `threshold` of the subsamples are stable. The expected number of false ones is at most q^2 / ((2 threshold - 1) d)
    (theorem 1), so q is the largest number with which that is at most `false`.

    Parameters
    ----------
    X, y
        Standardised columns, shape (n, d), and labels.
    count
        Number of penalties of a path.

    Returns
    -------
    numpy.ndarray
        Selection probabilities, shape (d,).
    """
    n, d = X.shape
    most, grid = at_most(d, threshold, false), penalties(X, y, 1.0, count)
    selected = np.zeros(d)
    for _ in range(subsamples):
        rows = rng.permutation(n)[: n // 2]
        if y[rows].min() < y[rows].max():
            selected += first_selected(path(X[rows], y[rows], grid, 1.0, most=most)[0], most)
    return selected / subsamples


def first_selected(coefficients: Floats, most: int) -> npt.NDArray[np.bool_]:
    """Return the columns that a path selects at any penalty, as far as they are at most `most`.

    Parameters
    ----------
    coefficients
        Shape (k, d), from the largest penalty to the smallest.
    """
    union = np.logical_or.accumulate(coefficients != 0, axis=0)
    within = np.flatnonzero(union.sum(axis=1) <= most)
    return union[within[-1]] if len(within) else np.zeros(coefficients.shape[1], dtype=bool)


def at_most(columns: int, threshold: float, false: float) -> int:
    """Return the largest q for which q^2 / ((2 threshold - 1) columns) is at most `false`.

    Raises
    ------
    UsageError
        When not even one column may be selected.
    """
    most = floor(sqrt(false * (2 * threshold - 1) * columns) + 1e-9)
    if most < 1:
        raise UsageError(f"with {columns} columns, no selection has {false:g} expected false discoveries; allow more")
    return most
