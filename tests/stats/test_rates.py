"""Intervals of rates: the exact one against scipy's, and the coverage of that over blocks by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.stats.rates import exact, p_of_rate, rate

ROUNDS = 600


@pytest.mark.parametrize(("count", "cases"), [(0, 1), (0, 40), (1, 40), (20, 40), (39, 40), (40, 40), (7, 5_000)])
def test_the_exact_interval_is_that_of_clopper_and_pearson(count: int, cases: int) -> None:
    expected = binomtest(count, cases).proportion_ci(0.95, "exact")
    assert exact(count, cases) == pytest.approx((expected.low, expected.high))


def test_without_cases_every_rate_is_possible() -> None:
    assert exact(0, 0) == (0.0, 1.0)
    assert (rate([0.0, 0.0], [0, 0]).low, rate([0.0, 0.0], [0, 0]).high) == (0.0, 1.0)


def test_equal_blocks_have_the_exact_interval_of_all_cases() -> None:
    """No event in ten blocks of 50 cases: between 0 and 1 - 0.025^(1/500)."""
    found = rate([0.0] * 10, [50] * 10)
    assert (found.estimate, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 500))
    assert found.known
    assert not found.same


def test_blocks_without_cases_are_left_out() -> None:
    found = rate([0.5, 0.0], [40, 0])
    assert (found.low, found.high, found.blocks) == (*exact(20, 40), 1)


def test_blocks_that_differ_make_it_wider_than_the_exact_one() -> None:
    low, high = exact(50, 100)
    found = rate([0.2, 0.5, 0.8, 0.4, 0.6], [20] * 5)
    assert found.low < low < high < found.high


def test_overlapping_training_sets_make_it_wider() -> None:
    values, cases = [0.2, 0.3, 0.25, 0.4], [1_000] * 4
    alone, overlapping = rate(values, cases), rate(values, cases, overlap=0.5)
    assert overlapping.low < alone.low < alone.high < overlapping.high


def test_cases_that_blocks_have_in_common_count_once() -> None:
    """Four blocks with a test row for each other row have the variance of 4 / (1 + 4) blocks."""
    assert rate([0.0] * 4, [50] * 4, overlap=1.0).high == pytest.approx(exact(0, 40)[1])


def test_p_agrees_with_the_interval() -> None:
    values, cases = [0.02, 0.0, 0.04], [50] * 3
    found = rate(values, cases)
    assert p_of_rate(values, cases, found.high) == pytest.approx(0.05, abs=1e-6)
    assert p_of_rate(values, cases, found.high + 0.05) < 0.05 < p_of_rate(values, cases, found.high - 0.05)


def coverage(truth: float, varies: float, blocks: int, cases: int) -> float:
    """Simulate the share of intervals that hold a rate whose standard deviation between blocks is `varies` times it."""
    rng = np.random.default_rng([blocks, cases, round(1_000 * truth)])
    rates = np.full((ROUNDS, blocks), truth)
    if varies:
        spread = varies**2 * truth * (1 - truth)
        rates = rng.beta(truth * (1 - spread) / spread, (1 - truth) * (1 - spread) / spread, (ROUNDS, blocks))
    counts = rng.binomial(cases, rates)
    return float(np.mean([not rate(own / cases, [cases] * blocks).excludes(truth) for own in counts]))


@pytest.mark.parametrize("truth", [0.002, 0.02, 0.5, 0.99])
@pytest.mark.parametrize(("varies", "blocks"), [(0, 1), (0, 3), (0, 10), (0.5, 2), (0.5, 10), (1, 3), (1, 10)])
def test_at_least_93_per_cent_are_covered(truth: float, varies: float, blocks: int) -> None:
    """Also where rates differ from block to block."""
    for cases in (10, 200, 2_000):
        assert coverage(truth, varies, blocks, cases) >= 0.93, cases
