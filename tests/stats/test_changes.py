"""Planted steps are found where they are, and noise is left alone."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import numpy.typing as npt
import pytest
import ruptures
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from harness.stats.changes import MOST_POINTS, _autocorrelation, _proposed, _slope, _student, change_points


def steps(seed: int, *lengths_and_levels: tuple[int, float]) -> npt.NDArray[np.float64]:
    level = np.concatenate([np.full(length, value) for length, value in lengths_and_levels])
    return np.asarray(level + 0.02 * np.random.default_rng(seed).normal(size=len(level)))


PLACES = [(6, 3), (8, 2), (12, 6), (12, 10), (30, 4), (30, 15), (30, 28)]


@pytest.mark.parametrize(("length", "at"), PLACES)
@pytest.mark.parametrize("size", [0.5, -0.5])
def test_a_step_is_found_at_its_index(length: int, at: int, size: float) -> None:
    """A step of 25 times the noise, with two points on its shorter side at the least; seldom anything beside it."""
    alone = 0
    for seed in range(20):
        series = steps(seed, (at, 1.0), (length - at, 1.0 + size))
        found = change_points(series)
        assert at in [change.index for change in found]
        if len(found) == 1:
            alone += 1
            assert (found[0].before, found[0].after) == pytest.approx((series[:at].mean(), series[at:].mean()))
            # Bonferroni over the places that a change could have, as if noise were independent, which it may not be.
            assert stats.ttest_ind(series[:at], series[at:]).pvalue * (length - 3) < found[0].p < 0.05
    assert alone >= 18


@pytest.mark.parametrize("levels", [(0.0, 0.4, 0.1), (0.0, 0.4, 0.8)])
def test_two_steps_are_found(levels: tuple[float, float, float]) -> None:
    found = [change_points(steps(seed, *zip((8, 7, 9), levels, strict=True))) for seed in range(20)]
    exact = [changes for changes in found if [change.index for change in changes] == [8, 15]]
    assert len(exact) >= 18
    for changes in exact:
        assert [changes[0].before, changes[0].after, changes[1].after] == pytest.approx(levels, abs=0.04)
        assert changes[0].after == changes[1].before


@pytest.mark.parametrize(("length", "series"), [(6, 300), (12, 300), (30, 300)])
def test_white_noise_seldom_changes(length: int, series: int) -> None:
    rng = np.random.default_rng(length)
    wrong = np.mean([bool(change_points(rng.normal(size=length))) for _ in range(series)])
    assert wrong <= 0.025


def linked(length: int, series: int) -> npt.NDArray[np.float64]:
    """Return stationary noise with a correlation of 0.5 between neighbours."""
    fresh = np.random.default_rng(length).normal(size=(series, length + 50))
    return np.asarray(lfilter([np.sqrt(0.75)], [1, -0.5], fresh)[:, 50:])


@pytest.mark.parametrize(("length", "series"), [(10, 600), (20, 600), (40, 150)])
def test_correlated_noise_seldom_changes(length: int, series: int) -> None:
    """About 5 %; 7, 20 and 40 % without regard to the correlation."""
    assert np.mean([bool(change_points(row)) for row in linked(length, series)]) <= 0.07


@pytest.mark.parametrize(("length", "least"), [(10, 0.65), (20, 0.85), (40, 0.95)])
def test_a_large_step_is_found_in_noise_of_either_kind(length: int, least: float) -> None:
    step = 5 * (np.arange(length) >= length // 2)
    for noise in (linked(length, 60), np.random.default_rng(0).normal(size=(60, length))):
        assert np.mean([bool(change_points(row)) for row in noise + step]) >= least


def test_student_without_correlation_is_that_of_scipy() -> None:
    before, after = np.array([1.0, 1.4, 0.7]), np.array([2.0, 1.6, 2.2, 1.9])
    series = np.concatenate([before, after])
    assert _student(series, np.array([0, 3, 7]), 0.0) == pytest.approx(4 * stats.ttest_ind(before, after).pvalue)


@pytest.mark.parametrize("link", [0.3, 0.8])
def test_student_with_correlation_has_the_moments_of_its_matrix(link: float) -> None:
    before, after = np.array([1.0, 1.4, 0.7]), np.array([2.0, 1.6, 2.2, 1.9])
    covariance = toeplitz(link ** np.arange(7))
    contrast = np.array([-1 / 3] * 3 + [1 / 4] * 4)
    rest = np.eye(7)
    rest[:3, :3] -= 1 / 3
    rest[3:, 3:] -= 1 / 4
    series = np.concatenate([before, after])
    scale = series @ rest @ series / np.trace(rest @ covariance)
    t = abs(contrast @ series) / np.sqrt(scale * (contrast @ covariance @ contrast))
    expected = 4 * 2 * stats.t.sf(t, 5 * (1 - link**2) / (1 + link**2))
    assert _student(series, np.array([0, 3, 7]), link) == pytest.approx(min(1.0, expected))


def test_heavy_tails_seldom_change() -> None:
    rng = np.random.default_rng(3)
    wrong = np.mean([bool(change_points(rng.standard_t(3, size=12))) for _ in range(300)])
    assert wrong <= 0.03


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7])
@pytest.mark.parametrize("length", [1, 4, 20])
def test_a_constant_series_has_none(value: float, length: int) -> None:
    assert change_points([value] * length) == []


def test_steps_without_noise_are_certain() -> None:
    (found,) = change_points([0.1] * 6 + [0.3] * 5)
    assert found.index == 6
    assert (found.before, found.after, found.p) == pytest.approx((0.1, 0.3, 0.0))


def test_one_constant_side_is_compared_with_the_other() -> None:
    other = [2.0, 2.1, 1.9, 2.05, 1.95, 2.0]
    (found,) = change_points([1.0] * 6 + other)
    assert found.index == 6
    assert 0 < found.p < 1e-4


def test_one_outlier_is_no_change_of_level() -> None:
    for seed in range(5):
        series = steps(seed, (12, 1.0))
        series[5] += 0.5
        assert change_points(series) == []


@pytest.mark.parametrize("series", [[], [1.0], [1.0, 2.0, 9.0], [1.0, 1.0, np.nan, 5.0, 5.0, 5.0]])
def test_too_short_and_incomplete_series_say_nothing(series: list[float]) -> None:
    assert change_points(series) == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_units_do_not_matter(seed: int, scale: float, shift: float) -> None:
    series = steps(seed, (5, 0.0), (6, 0.3), (5, 0.1))
    plain, scaled = change_points(series), change_points(scale * series + shift)
    assert [change.index for change in scaled] == [change.index for change in plain]
    assert [change.after for change in scaled] == pytest.approx([scale * change.after + shift for change in plain])


def test_a_drift_is_a_change_of_the_last_points() -> None:
    """Its residuals around means are correlated, so that steps alone are never certain."""
    rng = np.random.default_rng(0)
    for length, slope, sd in ((11, 0.03, 0.005), (11, 0.03, 0.02), (30, 0.01, 0.02)):
        found = change_points(slope * np.arange(length) + sd * rng.normal(size=length))
        assert [change.index for change in found][-1] >= length // 2
        assert all(change.after > change.before for change in found)


@pytest.mark.parametrize("length", [4, 5, 7, 12, 30, 80])
def test_proposals_are_those_of_another_program(length: int) -> None:
    """Ruptures has PELT in Python too, which takes hours for a long series."""
    rng = np.random.default_rng(length)
    for _ in range(20):
        levels = 3 * np.cumsum(rng.random(length) < 0.15)
        series = levels + rng.normal(size=length)
        noise = 1.4826 * np.median(np.abs(np.diff(series))) / np.sqrt(2)
        expected = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(series).predict(pen=6 * np.log(length) * noise**2)
        assert _proposed(1e4 + series).tolist() == [0, *expected]


def test_a_slope_has_the_moments_of_its_matrix() -> None:
    series = 0.1 * np.arange(12) + linked(12, 1)[0]
    line = np.column_stack([np.ones(12), np.arange(12)])
    coefficients, (power,), _, _ = np.linalg.lstsq(line, series, rcond=None)
    rest = series - line @ coefficients
    link = _autocorrelation(rest, 2)
    covariance = toeplitz(link ** np.arange(12))
    inverse = np.linalg.inv(line.T @ line)
    scale = power / np.trace((np.eye(12) - line @ inverse @ line.T) @ covariance)
    error = np.sqrt(scale * (inverse @ line.T @ covariance @ line @ inverse)[1, 1])
    df = 10 * (1 - link**2) / (1 + link**2)
    assert _slope(series) == pytest.approx(2 * stats.t.sf(abs(coefficients[1]) / error, df))


def test_a_round_of_tests_for_each_proposal_that_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of four points look like correlated noise, so all proposals go: once that took a test for each pair."""
    rng = np.random.default_rng(0)
    series = np.repeat(0.05 * rng.normal(size=150), 4) + 0.02 * np.abs(rng.normal(size=600))
    rounds = Mock(wraps=_student)
    monkeypatch.setattr("harness.stats.changes._student", rounds)
    assert change_points(series) == []
    assert 20 < rounds.call_count <= len(_proposed(series))


def test_the_last_points_of_a_very_long_series_are_searched() -> None:
    levels = (60, 0.0), (MOST_POINTS - 60, 1.0), (60, 0.0)
    (found,) = change_points(steps(0, *levels))
    assert found.index == MOST_POINTS
    assert found.before == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("noise", [1e-6, 1e-9, 1e-12, 1e-16])
def test_steps_far_above_the_noise_are_where_they_are(noise: float) -> None:
    """Such as means that differ by rounding only."""
    for seed in range(20):
        series = np.repeat([-16.0, -15.3, -15.9], [9, 6, 8]) + noise * np.random.default_rng(seed).normal(size=23)
        assert [change.index for change in change_points(series)] == [9, 15]
