"""Ranks, tests and groups against scipy, scikit-posthocs and autorank; strengths against a generalised linear model."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import expit

from harness.stats.paired import holm
from harness.stats.ranking import _fit, _points, bradley_terry, pairwise, rank, ranks

Floats = npt.NDArray[np.float64]
NAN = math.nan


def scores(seed: int, cells: int, strategies: int, step: float = 0.3) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(size=(cells, strategies)) + step * np.arange(strategies))


def names(count: int) -> list[str]:
    return [f"s{index}" for index in range(count)]


def test_ranks_by_hand() -> None:
    values = [[3.0, 1.0, 2.0], [1.0, 1.0, 2.0], [NAN, 1.0, NAN], [NAN, NAN, NAN]]
    expected = [[1.0, 3.0, 2.0], [2.5, 2.5, 1.0], [2.5, 1.0, 2.5], [2.0, 2.0, 2.0]]
    assert ranks(values, higher_is_better=True).tolist() == expected


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), cells=st.integers(1, 8), strategies=st.integers(1, 6))
def test_ranks_add_up_and_turn_with_the_direction(seed: int, cells: int, strategies: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((cells, strategies)) < 0.2, np.nan, rng.integers(0, 3, (cells, strategies)))
    found = ranks(values, higher_is_better=True)
    assert found.sum(axis=1) == pytest.approx([strategies * (strategies + 1) / 2] * cells)
    np.testing.assert_array_equal(found, ranks(-values, higher_is_better=False))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_p_is_friedmans(seed: int) -> None:
    values = scores(seed, 9, 4)
    expected = stats.friedmanchisquare(*values.T).pvalue
    assert rank(names(4), values, higher_is_better=True).p == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_are_wilcoxons_after_holm(seed: int) -> None:
    posthocs = pytest.importorskip("scikit_posthocs")
    values = scores(seed, 12, 5)
    found = pairwise(values, higher_is_better=True)
    upper = np.triu_indices(5, 1)
    raw = [stats.wilcoxon(values[:, one], values[:, other]).pvalue for one, other in zip(*upper, strict=True)]
    assert found[upper] == pytest.approx(holm(raw))
    long = pd.DataFrame(values, columns=names(5)).melt()
    theirs = posthocs.posthoc_wilcoxon(long, val_col="value", group_col="variable", p_adjust="holm").to_numpy()
    assert found[upper] == pytest.approx(theirs[upper])
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("strategies", [4, 8])
def test_groups_are_nemenyis(strategies: int) -> None:
    """Two strategies share a group just when scikit-posthocs' Nemenyi p is over 5 %."""
    posthocs = pytest.importorskip("scikit_posthocs")
    values = scores(1, 15, strategies, step=0.5)
    found = rank(names(strategies), values, higher_is_better=True)
    assert found.p < 0.05
    apart = posthocs.posthoc_nemenyi_friedman(values).to_numpy() < 0.05
    assert 0 < apart.sum() < strategies * (strategies - 1)
    together = np.zeros_like(apart)
    for group in found.groups:
        members = [found.names.index(name) for name in group]
        together[np.ix_(members, members)] = True
    np.testing.assert_array_equal(together, ~apart)
    assert not any(set(one) < set(other) for one in found.groups for other in found.groups)


@pytest.mark.parametrize("higher", [True, False])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_ranks_are_those_of_scipy(seed: int, higher: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(-2, 3, size=(4, 5)).astype(float)
    scores[rng.random(scores.shape) < 0.2] = rng.choice([np.nan, np.inf, -np.inf])
    ranked = stats.rankdata(-scores if higher else scores, axis=1, nan_policy="omit")
    placed = ranks(scores, higher_is_better=higher)
    np.testing.assert_array_equal(placed[~np.isnan(scores)], ranked[~np.isnan(scores)])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_p_is_that_of_friedmans_test_in_scipy(seed: int) -> None:
    """With ties: scores are whole numbers."""
    scores = np.random.default_rng(seed).integers(0, 4, size=(6, 4)).astype(float)
    found = rank(names(4), scores, higher_is_better=True)
    ranked = stats.rankdata(-scores, axis=1)
    assert found.p == pytest.approx(stats.friedmanchisquare(*ranked.T).pvalue, rel=1e-9)
    assert math.isnan(found.critical_difference) == (found.p >= 0.05)


def test_critical_difference_and_mean_ranks_are_autoranks() -> None:
    autorank = pytest.importorskip("autorank")
    values = scores(2, 20, 5) + np.arange(5) / 4  # so that Friedman's test rejects
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = autorank.autorank(pd.DataFrame(values, columns=names(5)), force_mode="nonparametric")
    found = rank(names(5), values, higher_is_better=True)
    assert found.critical_difference == pytest.approx(theirs.cd, rel=1e-4)
    assert found.mean_rank == pytest.approx(theirs.rankdf.loc[names(5), "meanrank"].to_numpy())


def test_equal_strategies_are_told_apart_in_five_per_cent_of_tables() -> None:
    """Neither the groups nor the pairs after Holm err in more; the standard error is 1.1 %."""
    rng = np.random.default_rng(9)
    tables = [rng.normal(size=(12, 4)) for _ in range(400)]
    grouped = [len(rank(names(4), table, higher_is_better=True).groups) > 1 for table in tables]
    paired = [np.nanmin(pairwise(table, higher_is_better=True)) < 0.05 for table in tables]
    assert 0.0 < np.mean(grouped) <= 0.05 + 0.02
    assert 0.0 < np.mean(paired) <= 0.05 + 0.02


@pytest.mark.parametrize(("cells", "strategies"), [(0, 3), (1, 3), (5, 2), (5, 1)])
def test_too_few_give_no_p_and_one_group(cells: int, strategies: int) -> None:
    found = rank(names(strategies), scores(0, cells, strategies), higher_is_better=True)
    assert math.isnan(found.p)
    assert math.isnan(found.critical_difference)
    assert [set(group) for group in found.groups] == [set(names(strategies))]


def test_all_tied() -> None:
    found = rank(names(3), np.ones((6, 3)), higher_is_better=True)
    assert (found.p, len(found.groups)) == (1.0, 1)


def test_who_fails_ranks_last() -> None:
    values = scores(3, 20, 3, step=0.0)
    values[:, 0] = np.nan
    found = rank(names(3), values, higher_is_better=True)
    assert found.mean_rank[0] == 3.0
    assert pairwise(values, higher_is_better=True)[0, 1] < 0.001


def test_names_must_fit() -> None:
    with pytest.raises(ValueError, match="2 names for 3 strategies"):
        rank(["a", "b"], np.zeros((4, 3)), higher_is_better=True)


def test_strengths_are_the_generalised_linear_models() -> None:
    """Bradley-Terry is a logistic regression on the pairs; the prior is two half games against a player of strength 1.

    Left free by the shift, the model is compared through differences; with this many cells the prior hardly counts.
    """
    api = pytest.importorskip("statsmodels.api")
    values = scores(4, 3000, 4)
    rows, wins = [], []
    for one in range(4):
        for other in range(one + 1, 4):
            row = np.zeros(4)
            row[one], row[other] = 1.0, -1.0
            rows.append(row)
            won = int((values[:, one] > values[:, other]).sum())
            wins.append((won, len(values) - won))
    fit = api.GLM(np.array(wins), np.array(rows)[:, 1:], family=api.families.Binomial()).fit()
    expected = 400 / math.log(10) * np.array([0.0, *fit.params])
    found = bradley_terry(values, higher_is_better=True).rating
    assert found - found[0] == pytest.approx(expected - expected[0], abs=1.0)
    assert found.mean() == pytest.approx(1000)


def test_who_always_wins_stays_finite_and_a_tie_is_half() -> None:
    values = np.tile([3.0, 2.0, 1.0], (20, 1))
    found = bradley_terry(values, higher_is_better=True)
    assert np.isfinite([found.rating, found.low, found.high]).all()
    assert (np.diff(found.rating) < 0).all()
    even = bradley_terry(np.ones((5, 3)), higher_is_better=True)
    assert even.rating == pytest.approx([1000.0] * 3)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), cells=st.integers(1, 40), strategies=st.integers(2, 7), step=st.floats(0, 5))
def test_strengths_are_where_the_posterior_is_steepest_nowhere(
    seed: int, cells: int, strategies: int, step: float
) -> None:
    """Wins are what the strengths lead to expect, the games against the average player included."""
    values = scores(seed, cells, strategies, step)
    rating = bradley_terry(values, higher_is_better=True).rating
    logs = rating * math.log(10) / 400
    # The ratings are centred; the average player stands where wins and losses against it balance.
    average = optimize.brentq(lambda level: expit(logs - level).sum() - strategies / 2, -50.0, 50.0)
    expected = cells * (expit(logs[:, None] - logs).sum(axis=1) - 0.5) + expit(logs - average)
    won = (strategies - ranks(values, higher_is_better=True)).sum(axis=0) + 0.5
    assert rating.mean() == pytest.approx(1000)
    assert expected == pytest.approx(won, abs=1e-5)


def test_two_strategies_by_hand() -> None:
    """9 wins of 10: with s the root of the odds, 9.5 = 10 s^2 / (1 + s^2) + s / (1 + s)."""
    values = np.array([[1.0, 0.0]] * 9 + [[0.0, 1.0]])
    root = optimize.brentq(lambda s: 10 * s * s / (1 + s * s) + s / (1 + s) - 9.5, 1.0, 10.0)
    found = bradley_terry(values, higher_is_better=True)
    assert found.rating == pytest.approx([1000 + 400 * math.log10(root), 1000 - 400 * math.log10(root)])
    assert found.low[0] < found.rating[0] < found.high[0]
    one = bradley_terry(values[:1], higher_is_better=True)
    assert np.isnan([one.low, one.high]).all()


def test_a_missing_score_loses_and_two_tie() -> None:
    missing = bradley_terry([[NAN, 2.0, NAN], [1.0, 2.0, NAN]], higher_is_better=False)
    worst = bradley_terry([[9.0, 2.0, 9.0], [1.0, 2.0, 9.0]], higher_is_better=False)
    assert missing.rating == pytest.approx(worst.rating)


def _covers(cells: int, strategies: int, gap: float) -> float:
    """Return the smallest coverage of a strategy, where scores are normal and means are a gap apart."""
    rng = np.random.default_rng([cells, strategies])
    means = gap * np.arange(strategies)
    odds = stats.norm.cdf((means[:, None] - means) / math.sqrt(2))
    # A large number of games that go as the odds say: their maximum is the truth, whatever the model.
    wins = 1e6 * (odds.sum(axis=1) - 0.5)
    truth = _points(_fit(wins, 10**6))
    held = []
    for _ in range(300):
        found = bradley_terry(rng.normal(means, size=(cells, strategies)), higher_is_better=True)
        held.append((found.low <= truth) & (truth <= found.high))
    return float(np.mean(held, axis=0).min())


@pytest.mark.parametrize("cells", [3, 5, 10, 20])
@pytest.mark.parametrize(("strategies", "gap"), [(2, 1.0), (5, 0.3), (5, 2.0), (11, 0.2)])
def test_interval_of_strengths_covers(cells: int, strategies: int, gap: float) -> None:
    """At least 93 %, less what chance takes in 300 tables; percentiles over cells had 68 to 93 % at a gap of 0.3."""
    assert _covers(cells, strategies, gap) >= 0.91


def test_error_of_strengths_is_at_least_that_of_the_model() -> None:
    """A strategy that wins everywhere has no spread over cells, and still an interval; of two, the error by hand."""
    found = bradley_terry(np.array([[1.0, 0.0]] * 4), higher_is_better=True)
    odds = 10 ** ((found.rating[0] - found.rating[1]) / 400)
    share, average = odds / (1 + odds), math.sqrt(odds) / (1 + math.sqrt(odds))
    error = 1 / math.sqrt(4 * 4 * share * (1 - share) + 2 * average * (1 - average))
    half = stats.t.ppf(0.975, 3) * error * 400 / math.log(10)
    assert found.high - found.rating == pytest.approx([half, half])
