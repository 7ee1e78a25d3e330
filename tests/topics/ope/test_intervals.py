"""Intervals: hand-made figures, coverage by simulation, validity at all times, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from math import comb, exp, log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from topics.ope.logs import TRUTH, all_outcomes, drawn, tiny, uniform

from harness.errors import UsageError
from harness.topics.ope.engine.betting import Outcomes, betting, betting_sequence, outcomes_of
from harness.topics.ope.engine.estimators import ESTIMATORS, ValueEstimate
from harness.topics.ope.engine.intervals import (
    BOUNDED,
    KINDS,
    bootstrap,
    empirical_bernstein,
    hoeffding,
    interval,
    normal,
    terms_range,
)
from harness.topics.ope.engine.log import Log

HALF = np.full((4, 3), 0.5)


def covered(hits: int, runs: int, level: float) -> bool:
    """Whether the share of hits is the level, to 3 standard errors of a share."""
    return abs(hits / runs - level) <= 3 * sqrt(level * (1 - level) / runs)


def test_hoeffding_in_closed_form() -> None:
    low, high = hoeffding(np.array([0.0, 10.0] * 500), 0.0, 10.0, 0.95)
    assert high - low == pytest.approx(0.859, abs=0.001)
    assert (low + high) / 2 == pytest.approx(5)
    assert high - low == pytest.approx(2 * 10 * sqrt(log(40) / 2000))


def test_bernstein_in_closed_form() -> None:
    terms = np.array([1.0, 2.0, 3.0, 6.0])
    low, high = empirical_bernstein(terms, 0.0, 8.0, 0.9)
    # Theorem 4 with delta .05 on each side; the variance with n - 1 is 14 / 3.
    half = sqrt(2 * (14 / 3) * log(40) / 4) + 7 * 8 * log(40) / (3 * 3)
    assert (low, high) == pytest.approx((3 - half, 3 + half))


def test_normal_is_that_of_the_mean() -> None:
    made, _ = drawn(300, 1)
    estimate = ESTIMATORS["ips"](made)
    expected = stats.norm.interval(0.9, estimate.value, stats.sem(estimate.terms))
    assert normal(estimate, 0.9) == pytest.approx(expected)


def test_normal_of_a_ratio_is_that_of_its_derivative() -> None:
    """Delta method with the covariance of numerator and denominator."""
    made, _ = drawn(300, 2)
    estimate = ESTIMATORS["snips"](made)
    assert estimate.scale is not None
    covariance = np.cov(estimate.extra, estimate.scale) / 300
    mass = estimate.scale.mean()
    gradient = np.array([1 / mass, -estimate.extra.mean() / mass**2])
    assert estimate.standard_error == pytest.approx(np.sqrt(gradient @ covariance @ gradient))


@pytest.mark.parametrize("poisson", [False, True])
def test_bootstrap_has_the_distribution_of_draws(poisson: bool) -> None:
    """Of n rounds of which one pays, the draws have a binomial mean, or a ratio of Poisson counts."""
    extra = np.zeros(20)
    extra[3] = 1.0
    estimate = ValueEstimate(0.05, extra, np.zeros(20), extra)
    _, high = bootstrap(estimate, 0.6, seed=1, draws=4000, poisson=poisson)
    never = exp(-1) if poisson else (19 / 20) ** 20
    once = exp(-1) if poisson else comb(20, 1) * (1 / 20) * (19 / 20) ** 19
    # The 80 % quantile is the one of a single hit: 37 % of the draws have none, 74 % at most one, 92 % at most two.
    assert never + once < 0.8 < 0.92
    assert high == pytest.approx(2 / 20, abs=0.05)
    low, _ = bootstrap(estimate, 0.6, seed=1, draws=4000, poisson=poisson)
    assert low == 0


@pytest.mark.parametrize("name", ["ips", "snips", "dr", "sndr"])
@pytest.mark.parametrize("poisson", [False, True])
def test_bootstrap_comes_near_the_normal_interval(name: str, poisson: bool) -> None:
    made, chance = drawn(4000, 3)
    estimate = ESTIMATORS[name](made, chance)
    low, high = bootstrap(estimate, 0.95, seed=0, draws=2000, poisson=poisson)
    expected = normal(estimate, 0.95)
    # A quantile of 2,000 draws has an error of some 3 % of the width.
    assert (low, high) == pytest.approx(expected, abs=0.06 * (expected[1] - expected[0]))


def test_bootstrap_repeats_with_its_seed() -> None:
    estimate = ESTIMATORS["snips"](drawn(100, 4)[0])
    for poisson in (False, True):
        first, second, other = (bootstrap(estimate, seed=seed, draws=50, poisson=poisson) for seed in (1, 1, 2))
        assert first == second != other


def test_normal_covers_on_light_tails() -> None:
    """Coverage of 95 %, to 3 standard errors over 1,500 logs; that of a ratio by the delta method too."""
    runs = 1500
    hits = dict.fromkeys(("ips", "snips", "dr", "sndr"), 0)
    for seed in range(runs):
        made, truth = uniform(500, seed, favour=0.2)
        model = np.tile(np.linspace(0.2, 0.6, 10), (500, 1))
        for estimator in hits:
            low, high = interval(made, "normal", estimator=estimator, model=model)
            hits[estimator] += low <= truth <= high
    for estimator, found in hits.items():
        assert covered(found, runs, 0.95), (estimator, found / runs)


def test_normal_falls_short_on_heavy_tails() -> None:
    """The case for which bounds exist: a few rounds have most of the weight."""
    hits = {"normal": 0, "betting": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rare = np.tile([0.003, 0.997], (300, 1))
        actions = (rng.random(300) > 0.003).astype(np.int64)
        made = Log(
            actions, (actions == 0).astype(np.float64), rare[0][actions], np.full((300, 2), 0.5), (0.0, 1.0), None, rare
        )
        for kind in hits:
            low, high = interval(made, kind)
            hits[kind] += low <= 0.5 <= high
    # Three of five logs contain the rare action.
    assert hits["normal"] / 300 < 0.7
    assert hits["betting"] / 300 >= 0.95


def test_obp_is_too_wide_for_ratios() -> None:
    """Its interval of SNIPS is that of IPS (zr-obp, issue 187)."""
    pytest.importorskip("obp.ope")
    made, _ = uniform(1000, 0)
    made = replace(made, rewards=1 - made.rewards * 0.1)
    obp, delta, ips = (
        np.diff(interval(made, kind, estimator=estimator, draws=300))[0]
        for kind, estimator in (("obp", "snips"), ("normal", "snips"), ("normal", "ips"))
    )
    assert obp > 2 * delta
    assert obp == pytest.approx(ips, rel=0.2)


def test_guaranteed_kinds_cover_and_betting_is_the_tightest() -> None:
    runs, widths = 200, {}
    for kind in ("hoeffding", "bernstein", "betting"):
        hits, width = 0, 0.0
        for seed in range(runs):
            made, truth = uniform(1000, seed)
            low, high = interval(made, kind)
            hits += low <= truth <= high
            width += (high - low) / runs
        assert hits / runs >= 0.95
        widths[kind] = width
    assert 1.5 * widths["betting"] < widths["bernstein"] < widths["hoeffding"]


def test_betting_with_a_model_is_tighter_than_without() -> None:
    hits, gain, runs = 0, 0.0, 100
    for seed in range(runs):
        made, truth = uniform(1000, seed)
        model = np.tile(np.linspace(0.7, 0.1, 10), (1000, 1))
        low, high = interval(made, "betting", estimator="dr", model=model)
        without = interval(made, "betting")
        hits += low <= truth <= high
        gain += (without[1] - without[0]) - (high - low)
    assert hits / runs >= 0.95
    assert gain > 0


@pytest.mark.parametrize(("estimator", "horizon"), [("ips", 0), ("ips", 400), ("dr", 0)])
def test_betting_holds_at_all_times_at_once(estimator: str, horizon: int) -> None:
    """At most 5 % of 1,000 paths exclude the truth at any of 400 rounds.

    The last interval holds what no earlier one has refused (a test below), so that it alone tells.
    """
    runs, missed = 1000, 0
    model = np.tile(np.linspace(0.9, 0.0, 5), (400, 1))
    for seed in range(runs):
        made, truth = uniform(400, seed, favour=0.6, actions=5)
        low, high = betting(outcomes_of(made, estimator, model), 0.95, horizon)
        missed += not low <= truth <= high
    assert missed / runs <= 0.05 + 3 * sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("estimator", ["ips", "mips", "dr"])
def test_bets_are_fair(estimator: str) -> None:
    """Over all outcomes the terms have the mean that is bet on: the capital of a bet against the truth cannot grow."""
    model = np.array([[0.9, 0.1, 0.3]])
    up = down = 0.0
    for chance, made in all_outcomes(1, [[0], [1], [2]]):
        outcomes = outcomes_of(made, estimator, model, floor=0.5)
        assert min(outcomes.up.min(), outcomes.down.min()) >= -outcomes.floor
        up += chance * float(outcomes.up[0])
        down += chance * float(outcomes.down[0])
    assert up == pytest.approx(TRUTH)
    assert down == pytest.approx(1 - TRUTH)


def test_a_sequence_ends_where_the_interval_does_and_never_widens() -> None:
    made, _ = uniform(500, 9)
    outcomes = outcomes_of(made)
    low, high = betting_sequence(outcomes, 0.95, 500)
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()
    ends = betting(outcomes, 0.95)
    # Outwards by at most one step of the grid.
    assert low[-1] <= ends[0] + 1e-9 <= low[-1] + 1 / 2000 + 2e-9
    assert high[-1] >= ends[1] - 1e-9 >= high[-1] - 1 / 2000 - 2e-9


def test_bets_see_the_past_alone() -> None:
    made, _ = uniform(300, 2)
    outcomes = outcomes_of(made)
    changed = Outcomes(np.append(outcomes.up[:200], np.full(100, 9.0)), outcomes.down, 0.0)
    before, after = (betting_sequence(each, 0.95)[0][:200] for each in (outcomes, changed))
    assert (before == after).all()


def test_betting_needs_no_largest_weight() -> None:
    """Actions that the logging policy never takes pay nothing in the bound from below, and all in that from above."""
    made, _ = uniform(2000, 1, actions=4)
    share = np.tile([0.0, 0.5, 0.25, 0.25], (2000, 1))
    actions = np.random.default_rng(0).choice(4, p=share[0], size=2000)
    made = replace(made, actions=actions, logging=share, propensities=share[0][actions], rewards=np.ones(2000))
    low, high = interval(made, "betting")
    assert low <= 0.225
    assert high == pytest.approx(1, abs=1e-9)
    with pytest.raises(UsageError, match="unbounded"):
        interval(made, "hoeffding")


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 50), st.integers(0, 1000), st.floats(0.1, 5), st.floats(-3, 3))
def test_betting_follows_scale_and_shift(rounds: int, seed: int, scale: float, shift: float) -> None:
    made, chance = drawn(rounds, seed)
    moved = replace(made, rewards=scale * made.rewards + shift, reward_range=(shift, scale + shift))
    for estimator in ("ips", "dr"):
        low, high = interval(made, "betting", estimator=estimator, model=chance)
        model = np.clip(scale * chance + shift, shift, scale + shift)
        ends = interval(moved, "betting", estimator=estimator, model=model)
        assert ends == pytest.approx((scale * low + shift, scale * high + shift), abs=1e-6)


@pytest.mark.parametrize("estimator", BOUNDED)
def test_no_term_leaves_its_range(estimator: str) -> None:
    for _, plain in all_outcomes(1, [[0], [0], [1]]):
        made = replace(plain, rewards=3 * plain.rewards - 1, reward_range=(-1.0, 2.0))
        model = np.array([[2.0, -1.0, 0.5]])
        low, high = terms_range(made, estimator, model)
        terms = ESTIMATORS[estimator](made, model).terms
        assert low <= terms.min()
        assert terms.max() <= high


def test_ranges_are_those_declared_not_those_seen() -> None:
    made = replace(tiny(), rewards=np.zeros(4), reward_range=(-1.0, 2.0))
    assert terms_range(made, "ips") == (-4.0, 8.0)
    assert terms_range(made, "ips", largest=10) == (-10.0, 20.0)
    assert terms_range(made, "dr", HALF) == (-13.0, 14.0)
    # The first two actions look alike: the largest is 1 / .75 in the first and the last round, 2 in the second.
    assert terms_range(made, "mips") == (-2.0, 4.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_ends_in_order(kind: str) -> None:
    made, chance = drawn(200, 6)
    for estimator in BOUNDED[::2]:
        low, high = interval(made, kind, estimator=estimator, model=chance, draws=50)
        assert low <= high
        narrow = interval(made, kind, estimator=estimator, model=chance, draws=50, level=0.5)
        assert low <= narrow[0] <= narrow[1] <= high


def test_says_what_it_cannot_do() -> None:
    made = tiny()
    unknown = replace(made, logging=None)
    one = replace(made, **{name: getattr(made, name)[:1] for name in ("actions", "rewards", "propensities", "target")})
    cases: list[tuple[Log, str, dict[str, Any], str]] = [
        (made, "gaussian", {}, "unknown interval 'gaussian'"),
        (made, "normal", {"estimator": "snip"}, "unknown estimator 'snip'; did you mean"),
        (made, "normal", {"level": 1.0}, "level must lie between 0 and 1"),
        (made, "hoeffding", {"estimator": "snips"}, "exists for ips, mips, dr, not for snips"),
        (made, "betting", {"estimator": "dm"}, "not for dm"),
        (unknown, "bernstein", {}, "state largest_weight"),
        (made, "hoeffding", {"largest_weight": 1.5}, "largest_weight is 1.5, but the log contains a weight of 2"),
        (made, "hoeffding", {"largest_weight": np.inf}, "largest_weight is inf"),
        (made, "bernstein", {"estimator": "dr", "model": 9 * HALF}, "within the declared reward range"),
        (made, "betting", {"estimator": "dr", "model": 9 * HALF}, "within the declared reward range"),
        (unknown, "betting", {"estimator": "dr", "model": HALF}, "every action"),
        (made, "bootstrap", {"draws": 1}, "at least 2 draws"),
        (made, "obp", {"estimator": "mips"}, "obp 0.4.1 has no interval for mips"),
        (one, "normal", {}, "at least 2 rounds"),
        (one, "bernstein", {"largest_weight": 9.0}, "at least 2 rounds"),
    ]
    for each, kind, options, said in cases:
        with pytest.raises(UsageError, match=said):
            interval(each, kind, **options)
