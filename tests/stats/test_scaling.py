"""Slopes and crossings against known lines, and the coverage of their intervals."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.paired import mean
from harness.stats.scaling import crossover, exponents, slope

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
@given(
    exponent=st.floats(-2, 4).filter(lambda p: abs(p) > 0.1),
    fixed=st.floats(0, 10),
    sizes=st.sampled_from([[1e3, 3e3, 9e3], [0.02, 0.05, 0.1], [10, 30, 270], SIZES]),
)
def test_exponent_beside_any_fixed_cost(exponent: float, fixed: float, sizes: list[float]) -> None:
    """`fixed` is in costs of the smallest size without it."""
    law = fixed + (np.array(sizes) / sizes[0]) ** exponent
    found = exponents(sizes, np.tile(law, (3, 1)))
    assert found is not None
    assert found.values == pytest.approx([exponent] * 3, abs=1e-4 * (1 + fixed))


def test_a_constant_that_is_added_to_all_costs_changes_nothing() -> None:
    values = costs(np.random.default_rng(4), 6, 0.0, 1.2)[:, :3]
    plain, dearer = exponents(SIZES[:3], values), exponents(SIZES[:3], values + 5 * values[:, :1].mean())
    assert plain is not None
    assert dearer is not None
    assert dearer.values == pytest.approx(plain.values, abs=1e-6)
    assert slope(SIZES[:3], values + 5 * values[:, :1].mean()).estimate < slope(SIZES[:3], values).estimate - 0.3


def test_three_sizes_give_the_ratio_of_differences() -> None:
    """p = log((c3 - c2) / (c2 - c1)) / log(r), with the derivatives of this formula as weights."""
    values = np.array([[1.1, 3.0, 13.2], [0.9, 3.4, 11.9], [1.0, 3.2, 12.4]])
    c1, c2, c3 = values.mean(axis=0)
    first, second = c2 - c1, c3 - c2
    found = exponents([1, 4, 16], values)
    assert found is not None
    assert found.values.mean() == pytest.approx(math.log(second / first) / math.log(4))
    weights = np.array([c1 / first, -c2 / first - c2 / second, c3 / second]) / math.log(4)
    assert found.weights == pytest.approx(weights, rel=1e-5)
    assert found.values - found.values.mean() == pytest.approx((values / [c1, c2, c3] - 1) @ weights, rel=1e-4)


def test_a_cost_that_does_not_grow_at_first_has_no_exponent() -> None:
    assert exponents([1, 3, 9], np.array([[2.0, 1.9, 5.0], [2.1, 2.0, 5.0]])) is None


@pytest.mark.parametrize("share", [0.0, 0.15, 0.3])
@pytest.mark.parametrize(
    ("sizes", "exponent", "blocks"),
    [((3e3, 9e3, 27e3), 1.0, 8), ((2e3, 8e3, 32e3), 1.5, 5), ((0.02, 0.05, 0.1), 1.0, 8), ((1e4, 3e4, 27e4), 0.8, 10)],
)
def test_exponents_cover_the_truth_whatever_share_is_fixed(
    sizes: tuple[float, ...], exponent: float, blocks: int, share: float
) -> None:
    """`share` of the cost of the smallest size is fixed; 95 % of 500 intervals are held within 0.02, two errors."""
    rng = np.random.default_rng(13)
    law = share + (1 - share) * (np.array(sizes) / sizes[0]) ** exponent
    held, too_flat = [], []
    for _ in range(500):
        drawn = law * np.exp(rng.normal(0, 0.1, (blocks, 1)) + rng.normal(0, 0.15, (blocks, len(sizes))))
        found = exponents(sizes, drawn)
        held.append(found is not None and not mean(found.values).excludes(exponent))
        too_flat.append(slope(sizes, drawn).high < exponent)
    assert np.mean(held) >= 0.93
    assert share == 0 or np.mean(too_flat) > 0.1, "the slope of logarithms excludes the truth"


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
