"""Data of a logistic model whose coefficients are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import expit

from harness.data.tabular import Split, Table, read_only

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class World:
    """A split whose labels follow a logistic model. Arrays are read-only.

    Attributes
    ----------
    split
        Training and test rows.
    coefficients
        Log odds ratios of the columns, shape (d,).
    intercept
        Log odds at the origin.
    """

    split: Split
    coefficients: Floats
    intercept: float

    def __post_init__(self) -> None:
        read_only(self.coefficients)


def draw(
    rng: np.random.Generator,
    *,
    rows: int,
    test_rows: int,
    columns: int,
    support: int,
    correlation: float,
    signal: float,
    event_rate: float,
) -> World:
    """Draw standard normal columns, and labels of a logistic model on some of them.

    Columns i and j have the correlation ``correlation ** |i - j|``, as in Tibshirani 1996 ("Regression shrinkage and
    selection via the lasso", example 1). The columns with an effect are drawn by chance; their coefficients have equal
    size and random signs, scaled so that the log odds have the standard deviation `signal`. The intercept makes the
    expected share of class 1 `event_rate`.

    Parameters
    ----------
    rng
        The coefficients come first from its streams, then the test rows, so that the same seed gives the same world and
        the same test rows at any number of training rows, and a smaller training set is the beginning of a larger one.
    """
    effects, tests, trains = rng.spawn(3)
    chosen = effects.choice(columns, support, replace=False)
    coefficients = np.zeros(columns)
    coefficients[chosen] = effects.choice([-1.0, 1.0], support)
    apart = np.abs(chosen[:, None] - chosen[None, :])
    variance = coefficients[chosen] @ (correlation**apart) @ coefficients[chosen]
    coefficients *= signal / np.sqrt(variance)
    intercept = _intercept(signal, event_rate)

    def table(n: int, stream: np.random.Generator) -> Table:
        inputs, labels = stream.spawn(2)
        X = _autoregressive(inputs.standard_normal((n, columns), dtype=np.float32), correlation)
        probability = expit(intercept + X.astype(np.float64) @ coefficients)
        return Table(X, (labels.random(n) < probability).astype(np.int8))

    names = tuple(f"x{column}" for column in range(columns))
    return World(Split(table(rows, trains), table(test_rows, tests), names), coefficients, intercept)


def _autoregressive(noise: npt.NDArray[np.float32], correlation: float) -> npt.NDArray[np.float32]:
    """Turn independent columns into those of a stationary autoregression of order 1, in place."""
    fresh = np.float32(np.sqrt(1 - correlation**2))
    for column in range(1, noise.shape[1]):
        noise[:, column] = np.float32(correlation) * noise[:, column - 1] + fresh * noise[:, column]
    return noise


def _intercept(signal: float, event_rate: float) -> float:
    """Solve E[sigmoid(intercept + signal Z)] = event_rate for a standard normal Z, by Gauss-Hermite quadrature."""
    nodes, weights = hermegauss(101)
    weights = weights / weights.sum()
    bound = 40.0 + 10 * signal
    return float(brentq(lambda shift: weights @ expit(shift + signal * nodes) - event_rate, -bound, bound))
