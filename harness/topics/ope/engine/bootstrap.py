"""Percentile bootstrap of an estimate, with rounds drawn with replacement or counted with Poisson numbers."""

from __future__ import annotations

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.ope.engine.estimators import ValueEstimate
from harness.topics.ope.engine.log import Floats


def bootstrap(
    estimate: ValueEstimate, level: float = 0.95, seed: int = 0, draws: int = 1000, *, poisson: bool = False
) -> tuple[float, float]:
    """Return the percentile interval (Efron 1979); Poisson counts are the streaming variant (Hanley & MacGibbon 2006).

    Every draw computes the whole estimator: a self-normalised one is divided by the sum of the drawn weights. Draws in
    which this sum is 0 have no value and are left out.

    Parameters
    ----------
    estimate
        The estimate of n rounds.
    level
        Confidence, between 0 and 1.
    seed
        Seed of the draws.
    draws
        Number of draws.
    poisson
        Whether to count each round a Poisson(1) number of times instead of drawing n rounds.

    Raises
    ------
    UsageError
        Fewer than two draws.
    """
    if draws < 2:
        raise UsageError(f"a bootstrap needs at least 2 draws, not {draws}")
    if estimate.scale is None:
        columns = (estimate.base + estimate.extra).reshape(-1, 1)
    else:
        columns = np.column_stack([estimate.base, estimate.extra, estimate.scale])
    draw = _poisson if poisson else _ordinary
    means = draw(columns, draws, np.random.default_rng(seed))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = means[:, 0] if estimate.scale is None else means[:, 0] + means[:, 1] / means[:, 2]
    values = values[np.isfinite(values)]
    if len(values) < 2:
        raise UsageError("the bootstrap has no value: almost all of its draws contain no round with a weight above 0")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@njit(cache=True)
def _ordinary(columns: Floats, draws: int, rng: np.random.Generator) -> Floats:
    count, width = columns.shape
    means = np.zeros((draws, width))
    for draw in range(draws):
        for _ in range(count):
            row = int(rng.random() * count)
            for column in range(width):
                means[draw, column] += columns[row, column]
        means[draw] /= count
    return means


@njit(cache=True, error_model="numpy")
def _poisson(columns: Floats, draws: int, rng: np.random.Generator) -> Floats:
    count, width = columns.shape
    means = np.zeros((draws, width))
    for draw in range(draws):
        total = 0
        for row in range(count):
            # By inversion of the distribution of a Poisson(1) count.
            left = rng.random()
            chance, times = np.exp(-1.0), 0
            while left >= chance and times < 20:
                left -= chance
                times += 1
                chance /= times
            total += times
            for column in range(width):
                means[draw, column] += times * columns[row, column]
        means[draw] /= total
    return means
