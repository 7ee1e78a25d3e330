"""Each stress does what it says to the test rows, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from harness.data.stress import missing, noise
from harness.data.tabular import Split, Table
from harness.declare import Stress
from harness.errors import DeclarationError


def split(rows: int = 20_000) -> Split:
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(rows, 3)) * [1, 10, 0] + [0, 0, 7]).astype(np.float32)
    table = Table(X, (rng.random(rows) < 0.3).astype(np.int8), np.arange(rows))
    return Split(table, table, ("a", "b", "c"))


@pytest.mark.parametrize("stress", [missing(), noise()], ids=lambda stress: stress.name)
def test_only_the_features_of_the_test_rows_change(stress: Stress) -> None:
    data = split(100)
    altered = stress.alter(data, 25, np.random.default_rng(1))
    assert altered.train is data.train
    assert (altered.test.y is data.test.y, altered.test.time is data.test.time) == (True, True)
    assert not np.array_equal(altered.test.X, data.test.X, equal_nan=True)


@pytest.mark.parametrize("stress", [missing(), noise()], ids=lambda stress: stress.name)
def test_level_0_changes_nothing(stress: Stress) -> None:
    data = split(100)
    np.testing.assert_array_equal(stress.alter(data, 0, np.random.default_rng(1)).test.X, data.test.X)


@pytest.mark.parametrize("level", [10, 50, 100])
def test_values_are_missing_with_the_probability_of_the_level(level: float) -> None:
    X = missing((level,)).alter(split(), level, np.random.default_rng(1)).test.X
    np.testing.assert_allclose(np.isnan(X).mean(axis=0), level / 100, atol=0.02)


def test_noise_is_in_units_of_each_columns_deviation() -> None:
    data = split()
    X = noise((50,)).alter(data, 50, np.random.default_rng(1)).test.X
    np.testing.assert_allclose((X - data.test.X).std(axis=0), [0.5, 5, 0], rtol=0.03)


def test_more_than_all_cannot_be_missing() -> None:
    with pytest.raises(DeclarationError, match=r"missing\(\(0, 101\)\): the levels are per cent, at most 100"):
        missing((0, 101))
