"""Paired intervals against scipy's, and their coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.paired import Interval, paired_difference, paired_ratio

SIZES = st.integers(2, 30)


def sides(seed: int, blocks: int) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    base = rng.lognormal(sigma=1.0, size=blocks)
    return (base * rng.lognormal(0.1, 0.2, size=blocks)).tolist(), base.tolist()


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=SIZES)
def test_difference_is_students_paired_interval(seed: int, blocks: int) -> None:
    of, to = sides(seed, blocks)
    expected = stats.ttest_rel(of, to).confidence_interval(0.95)
    found = paired_difference(of, to)
    assert found.estimate == pytest.approx(np.mean(of) - np.mean(to))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.blocks == blocks


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=SIZES)
def test_ratio_is_the_interval_of_the_logarithms(seed: int, blocks: int) -> None:
    of, to = sides(seed, blocks)
    expected = stats.ttest_rel(np.log(of), np.log(to)).confidence_interval(0.95)
    found = paired_ratio(of, to)
    assert found.estimate == pytest.approx(stats.gmean(of) / stats.gmean(to))
    assert (found.low, found.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=SIZES, factor=st.floats(0.01, 100))
def test_ratio_does_not_depend_on_units_and_turns_round(seed: int, blocks: int, factor: float) -> None:
    of, to = sides(seed, blocks)
    found, back = paired_ratio(of, to), paired_ratio(to, of)
    scaled = paired_ratio([factor * value for value in of], [factor * value for value in to])
    assert (scaled.low, scaled.high) == pytest.approx((found.low, found.high))
    assert (1 / back.high, 1 / back.estimate, 1 / back.low) == pytest.approx((found.low, found.estimate, found.high))


def test_two_blocks_by_hand() -> None:
    """Differences 1 and 3: mean 2, standard error 1, t of one degree of freedom 12.7062."""
    found = paired_difference([2.0, 5.0], [1.0, 2.0])
    assert (found.low, found.estimate, found.high) == pytest.approx((2 - 12.7062, 2.0, 2 + 12.7062), abs=1e-4)


@pytest.mark.parametrize(("blocks", "rounds"), [(5, 8_000), (20, 8_000)])
def test_interval_covers_the_truth(blocks: int, rounds: int) -> None:
    """The share of 95 % intervals that hold the true ratio; its own standard error is 0.24 %."""
    rng = np.random.default_rng(7)
    drift = rng.normal(0.0, 0.5, size=(rounds, blocks))
    of = np.exp(drift + rng.normal(math.log(1.3), 0.1, size=(rounds, blocks)))
    to = np.exp(drift + rng.normal(0.0, 0.05, size=(rounds, blocks)))
    held = [not paired_ratio(one, other).excludes(1.3) for one, other in zip(of, to, strict=True)]
    assert 0.94 < np.mean(held) < 0.96


@pytest.mark.parametrize("compare", [paired_difference, paired_ratio])
def test_one_block_gives_no_interval(compare: object) -> None:
    found = compare([3.0], [2.0])  # type: ignore[operator]
    assert found.estimate == pytest.approx(1.0 if compare is paired_difference else 1.5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert not found.known
    assert not found.excludes(0.0)


@pytest.mark.parametrize(("of", "to"), [([0.0, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, -1.0])])
def test_ratio_refuses_what_is_not_positive(of: list[float], to: list[float]) -> None:
    with pytest.raises(ValueError, match="a ratio needs positive values"):
        paired_ratio(of, to)


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])


def test_excludes_leaves_its_ends_inside() -> None:
    interval = Interval(1.5, 1.0, 2.0, 3)
    assert [interval.excludes(value) for value in (0.99, 1.0, 1.5, 2.0, 2.01)] == [True, False, False, False, True]


def test_equal_sides_differ_by_nothing() -> None:
    found = paired_ratio([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (found.low, found.estimate, found.high) == (1.0, 1.0, 1.0)
    assert not found.excludes(1.0)
