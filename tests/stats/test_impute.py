"""What is missing becomes the baseline's, and nothing else changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.ranking import impute

NAN = np.nan


def test_by_hand() -> None:
    values = np.array([[1.0, NAN], [NAN, 4.0], [NAN, 6.0]])
    filled, mask = impute(values, [0.5, 0.25, NAN])
    np.testing.assert_array_equal(filled, [[1.0, 0.5], [0.25, 4.0], [NAN, 6.0]])
    np.testing.assert_array_equal(mask, [[False, True], [True, False], [False, False]])
    assert np.isnan(values[0, 1])  # the values given are not touched


def test_one_strategy() -> None:
    filled, mask = impute([NAN, 2.0], [7.0, 8.0])
    assert (filled.tolist(), mask.tolist()) == ([7.0, 2.0], [True, False])


@given(seed=st.integers(0, 10**6), units=st.integers(1, 8), strategies=st.integers(1, 5))
def test_value_by_value(seed: int, units: int, strategies: int) -> None:
    rng = np.random.default_rng(seed)

    def sparse(*shape: int) -> npt.NDArray[np.float64]:
        return np.where(rng.random(shape) < 0.4, NAN, rng.normal(size=shape))

    values, baseline = sparse(units, strategies), sparse(units)
    filled, mask = impute(values, baseline)
    for place, value in np.ndenumerate(values):
        level = baseline[place[0]]
        assert mask[place] == (np.isnan(value) and not np.isnan(level))
        np.testing.assert_equal(filled[place], level if np.isnan(value) else value)
    again, changed = impute(filled, baseline)
    np.testing.assert_array_equal(again, filled)
    assert not changed.any()


def test_without_a_baseline_nothing_changes() -> None:
    filled, mask = impute([NAN, 2.0], None)
    np.testing.assert_array_equal(filled, [NAN, 2.0])
    assert not mask.any()


@pytest.mark.parametrize("baseline", [[1.0, 2.0], [[1.0], [2.0], [3.0]], 1.0])
def test_a_baseline_of_other_units_is_refused(baseline: object) -> None:
    with pytest.raises(ValueError, match="values of 3 blocks"):
        impute(np.ones((3, 2)), baseline)  # type: ignore[arg-type]
