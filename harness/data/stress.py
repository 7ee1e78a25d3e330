"""Stresses of tabular data: altered test rows that a fitted model predicts, at several levels within one trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.data.tabular import Split, Table
from harness.declare import Stress
from harness.declare.names import wrong
from harness.declare.values import Generator


def missing(levels: tuple[float, ...] = (0, 10, 25, 50)) -> Stress:
    """Make each value of the test rows missing (NaN) independently, with a probability in per cent.

    Missing completely at random, in the terms of Rubin 1976 ("Inference and missing data").

    Raises
    ------
    DeclarationError
        Unless the levels lie between 0 and 100.
    """
    if any(level > 100 for level in levels):
        raise wrong(f"missing({levels}): the levels are per cent, at most 100")

    def alter(data: Split, level: float, rng: Generator) -> Split:
        X = data.test.X.copy()
        X[rng.random(X.shape, dtype=np.float32) < level / 100] = np.nan
        return _tested_on(data, X)

    return Stress("missing", alter, levels, "missing values, %", "Values of the test rows are missing at random.")


def noise(levels: tuple[float, ...] = (0, 10, 25, 50)) -> Stress:
    """Add Gaussian noise to the test rows, in per cent of the standard deviation of each of their columns.

    Integer codes of categories count as numbers; missing values stay missing.

    Raises
    ------
    DeclarationError
        Unless the levels are finite numbers from 0 on.
    """

    def alter(data: Split, level: float, rng: Generator) -> Split:
        X = data.test.X
        spread = np.nanstd(X, axis=0, dtype=np.float64).astype(np.float32) * np.float32(level / 100)
        return _tested_on(data, X + spread * rng.standard_normal(X.shape, dtype=np.float32))

    return Stress("noise", alter, levels, "noise, % of the standard deviation", "Noise is added to the test rows.")


def _tested_on(data: Split, X: np.ndarray) -> Split:
    return replace(data, test=Table(X, data.test.y, data.test.time))
