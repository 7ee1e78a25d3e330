"""Tests of one effect against none and against a margin, with scipy's distributions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.inferiority import EffectEstimate


@pytest.mark.parametrize("df", [1, 7, math.inf])
def test_p_and_bounds_are_students(df: float) -> None:
    effect = EffectEstimate(0.3, 0.1, 0.2, df, 8)
    t = stats.norm if math.isinf(df) else stats.t(df)
    assert effect.p_above(0.0) == pytest.approx(t.sf(3.0))
    assert effect.p_below(1.0) == effect.p_margin(1.0) == pytest.approx(t.cdf(-3.5))
    assert effect.bounds(0.95) == pytest.approx((0.3 - 0.1 * t.ppf(0.975), 0.3 + 0.2 * t.ppf(0.975)))


def test_turning_round_swaps_the_sides() -> None:
    effect = EffectEstimate(0.3, 0.1, 0.2, 7, 8, p_zero=(0.01, 0.99))
    assert effect.turned() == EffectEstimate(-0.3, 0.2, 0.1, 7, 8, p_zero=(0.99, 0.01))
    assert effect.turned().turned() == effect
    assert (effect.p_above(0.0), effect.p_below(0.0)) == (0.01, 0.99)
    assert effect.turned().p_below(-0.1) == effect.p_above(0.1) == pytest.approx(stats.t.sf(2, 7))


def test_no_spread_is_as_sure_as_coins() -> None:
    effect = EffectEstimate(0.3, 0.0, 0.0, 7, 8)
    assert (effect.p_above(0.0), effect.p_above(0.3), effect.p_below(0.5), effect.p_below(0.1)) == (
        1 / 256,
        1,
        1 / 256,
        1,
    )
    assert (EffectEstimate(0.0, 0.0, 0.0, 7, 8).p_margin(0.0), effect.p_margin(0.0)) == (1 / 256, 1)


@given(
    estimate=st.floats(-2, 2),
    margin=st.sampled_from([0.0, 0.5, 1.0]),
    level=st.sampled_from([0.05, 0.0025, 1e-6]),
    units=st.integers(2, 20),
)
@settings(deadline=None, max_examples=50)
def test_what_is_needed_is_the_least_that_decides(estimate: float, margin: float, level: float, units: int) -> None:
    def power(count: int) -> float:
        """Return that of the easier of the two tests, with the shifted t that `needed` plans with."""
        error = math.sqrt(units / count)
        away = [margin - estimate] if margin else [-estimate]
        away += [estimate] if estimate > margin / 2 else []
        return max(float(stats.t.ppf(level, count - 1)) + distance / error for distance in away if distance > 0)

    needed = EffectEstimate(estimate, 1.0, 1.0, units - 1, units).needed(margin, level, level)
    if not needed or needed > 10**6:
        assert abs(estimate) < 0.05
        assert margin == 0
        return
    assert power(needed) >= stats.t.ppf(0.8, needed - 1) - 1e-6
    assert needed == units + 1 or power(needed - 1) < stats.t.ppf(0.8, max(1, needed - 2)) + 1e-6
