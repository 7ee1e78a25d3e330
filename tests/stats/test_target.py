"""The first cost at which a quality is reached, and its median over units."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.stats.target import Reached, cost_to_target, summarise

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("costs", "quality", "cost"),
    [
        ([1, 10, 100], [0.0, 0.5, 1.0], 10.0),  # reached by a quality equal to the target
        ([1, 10, 100], [0.25, 0.75, 1.0], math.sqrt(10)),  # half the way of the logarithm
        ([1, 16], [0.25, 1.25], 2.0),  # a quarter of the way
        ([4, 10, 100], [0.9, 0.6, 1.0], 4.0),  # from the first point on
        ([1, 10, 100, 1000], [0.25, 0.75, 0.1, 1.0], math.sqrt(10)),  # the first time counts
        ([1, 10, 100], [0.1, 0.2, 0.49], INF),
        ([1, NAN, 100], [0.25, 0.5, 0.75], 10.0),  # a point without its cost is none
        ([1, 10, 100], [0.25, NAN, 0.75], 10.0),
        ([1, 0, 100], [0.25, 0.5, 0.75], 10.0),
        ([1, 10, 100], [0.25, INF, 0.75], 10.0),
        ([NAN, NAN], [0.5, 0.5], INF),
        ([8, 2], [0.25, 0.75], 4.0),  # a larger budget that came out cheaper
    ],
)
def test_by_hand(costs: list[float], quality: list[float], cost: float) -> None:
    assert cost_to_target([costs], [quality], 0.5, higher_is_better=True) == pytest.approx([cost])
    loss = np.negative([quality])
    assert cost_to_target([costs], loss, -0.5, higher_is_better=False) == pytest.approx([cost])


def test_a_curve_that_is_log_linear_is_read_exactly() -> None:
    """Quality 0.1 ln(cost) reaches 0.4 at exp(4), wherever the points lie."""
    costs = np.exp(np.random.default_rng(1).uniform(0, 10, size=(20, 40)))
    costs.sort(axis=1)
    assert cost_to_target(costs, 0.1 * np.log(costs), 0.4, higher_is_better=True) == pytest.approx([math.exp(4)] * 20)


@given(seed=st.integers(0, 10**6), factor=st.floats(1e-3, 1e3), targets=st.tuples(st.floats(-1, 1), st.floats(-1, 1)))
def test_it_scales_with_the_cost_and_grows_with_the_target(
    seed: int, factor: float, targets: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    costs, quality = np.sort(rng.lognormal(size=(3, 6)), axis=1), rng.normal(size=(3, 6))
    easy, hard = (cost_to_target(costs, quality, target, higher_is_better=True) for target in sorted(targets))
    assert (easy <= hard * (1 + 1e-12)).all()
    assert cost_to_target(factor * costs, quality, max(targets), higher_is_better=True) == pytest.approx(factor * hard)
    reached = quality.max(axis=1) >= max(targets)
    assert np.isfinite(hard).tolist() == reached.tolist()


def test_units_and_points_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        cost_to_target(np.ones((2, 3)), np.ones((3, 3)), 0.5, higher_is_better=True)


@pytest.mark.parametrize(("count", "outside"), [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (20, 6), (50, 18)])
def test_interval_is_that_of_the_tables(count: int, outside: int) -> None:
    """The ranks of the table in Conover 1999, "Practical nonparametric statistics", for the median at 95 %."""
    found = summarise(np.random.default_rng(2).permutation(np.arange(1.0, count + 1)))
    assert found == Reached((count + 1) / 2, outside, count + 1 - outside, 1.0, count)


@given(st.integers(6, 300))
def test_interval_is_the_shortest_of_95_percent(count: int) -> None:
    found = summarise(np.arange(1.0, count + 1))
    outside = int(found.low)
    assert 2 * stats.binom.cdf(outside - 1, count, 0.5) <= 0.05
    assert 2 * stats.binom.cdf(outside, count, 0.5) > 0.05


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_few_units_give_no_interval(count: int) -> None:
    found = summarise(np.full(count, 3.0))
    assert (found.median, found.share, found.blocks) == (3.0, 1.0, count)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_who_never_gets_there_counts_as_dearest() -> None:
    assert summarise([INF, 1, 2, 3, 4, 5, 6, INF]) == Reached(4.5, 1.0, INF, 0.75, 8)
    assert summarise([INF, INF, INF, 1.0]).median == INF
    assert summarise([INF] * 6) == Reached(INF, INF, INF, 0.0, 6)
    empty = summarise([])
    assert empty.blocks == 0
    assert math.isnan(empty.median)
    assert math.isnan(empty.share)


@pytest.mark.parametrize(("count", "level"), [(6, 0.96875), (9, 0.9609375), (30, 0.957226)])
def test_interval_covers_the_median(count: int, level: float) -> None:
    """Its coverage is known exactly, whatever the distribution: sums of binomial coefficients."""
    costs = np.random.default_rng(3).lognormal(sigma=2.0, size=(4000, count))
    found = [summarise(row) for row in costs]
    assert np.mean([one.low <= 1.0 <= one.high for one in found]) == pytest.approx(level, abs=0.009)
