"""Slopes and crossings against known lines, and the coverage of their intervals."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.scaling import crossover, slope

Floats = npt.NDArray[np.float64]

SIZES = [1e3, 1e4, 1e5, 1e6]
X = np.log(SIZES)


def costs(rng: np.random.Generator, blocks: int, level: float, steep: float) -> Floats:
    """Costs whose lines vary from block to block, with noise about each."""
    levels = rng.normal(level, 0.3, size=(blocks, 1))
    slopes = rng.normal(steep, 0.05, size=(blocks, 1))
    return np.asarray(np.exp(levels + slopes * X + rng.normal(0, 0.1, size=(blocks, len(X)))))


@settings(deadline=None)
@given(exponent=st.floats(-3, 3), scale=st.floats(1e-6, 1e6))
def test_exact_power_law(exponent: float, scale: float) -> None:
    found = slope(SIZES, np.tile(scale * np.array(SIZES) ** exponent, (3, 1)))
    assert found.estimate == pytest.approx(exponent, abs=1e-9)
    assert (found.known, found.same) == (False, True)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_slope_is_the_t_interval_of_the_blocks_slopes(seed: int) -> None:
    values = costs(np.random.default_rng(seed), 6, 0.0, 1.2)
    slopes = [stats.linregress(X, np.log(row)).slope for row in values]
    expected = stats.ttest_1samp(slopes, 0.0).confidence_interval(0.95)
    found = slope(SIZES, values)
    assert (found.low, found.estimate, found.high) == pytest.approx((expected.low, np.mean(slopes), expected.high))
    assert found.blocks == 6


def test_what_is_missing_is_left_out() -> None:
    values = np.tile(np.array(SIZES) ** 1.5, (4, 1))
    values[0, 2] = np.nan
    values[1, 1:] = np.nan
    found = slope(SIZES, values)
    assert found.estimate == pytest.approx(1.5)
    assert found.blocks == 3


def test_no_block_with_two_sizes() -> None:
    found = slope(SIZES, np.full((2, 4), np.nan))
    assert math.isnan(found.estimate)
    assert found.blocks == 0
    assert not found.known


@pytest.mark.parametrize("blocks", [5, 10, 30])
def test_slope_covers_the_truth(blocks: int) -> None:
    """The standard error of the coverage is 0.4 %."""
    rng = np.random.default_rng(11)
    held = [not slope(SIZES, costs(rng, blocks, 0.0, 1.1)).excludes(1.1) for _ in range(3000)]
    assert 0.93 < np.mean(held) < 0.97


@settings(deadline=None)
@given(at=st.floats(1e2, 1e7))
def test_exact_lines_cross_where_they_do(at: float) -> None:
    of = np.tile(np.array(SIZES) ** 1.5 / at**0.5, (3, 1))
    found = crossover(SIZES, of, np.tile(np.array(SIZES), (3, 1)))
    assert found is not None
    assert (found.low, found.estimate, found.high) == pytest.approx((at,) * 3, rel=1e-6)


@pytest.mark.parametrize("blocks", [5, 10, 30])
def test_crossover_covers_the_truth(blocks: int) -> None:
    """Fieller's set is exact; where it is not bounded it covers too, so only a bounded interval can miss."""
    rng = np.random.default_rng(12)
    truth = 3e4
    missed = []
    for _ in range(2000):
        level = -0.4 * math.log(truth)
        found = crossover(SIZES, costs(rng, blocks, level, 1.4), costs(rng, blocks, 0.0, 1.0))
        missed.append(found is not None and found.excludes(truth))
    assert 0.03 < np.mean(missed) < 0.07


def test_crossing_turned_round_is_the_same() -> None:
    rng = np.random.default_rng(3)
    of, to = costs(rng, 8, -4.0, 1.4), costs(rng, 8, 0.0, 1.0)
    one, other = crossover(SIZES, of, to), crossover(SIZES, to, of)
    assert one is not None
    assert other is not None
    assert (one.low, one.estimate, one.high) == pytest.approx((other.low, other.estimate, other.high))


def test_parallel_lines_never_cross() -> None:
    base = np.tile(np.array(SIZES), (3, 1))
    assert crossover(SIZES, 2 * base, base) is None


def test_slopes_not_told_apart_give_no_interval() -> None:
    rng = np.random.default_rng(5)
    known = [
        found is not None and found.known
        for found in (crossover(SIZES, costs(rng, 5, 0.5, 1.0), costs(rng, 5, 0.0, 1.0)) for _ in range(400))
    ]
    assert np.mean(known) < 0.09
