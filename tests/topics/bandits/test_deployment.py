"""Deployments: counts and judge against closed forms, tests against scipy, the level over 10,000 of them."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from unmeasured import unmeasured

from harness.declare import Problem
from harness.errors import InvalidOutputError
from harness.topics.bandits import canaries, deployment
from harness.topics.bandits.canaries import Betting, CanaryCentre, Mixture, lower_bound
from harness.topics.bandits.engine.rollout import Launch, Seen, Traffic, judge, lost, play, steps_to_full
from harness.topics.bandits.rollouts import Constant, p_values, staged
from harness.topics.ope.engine.intervals import empirical_bernstein

TASK = deployment.deployment
DATASETS: Any = {dataset.name: dataset for dataset in TASK.datasets if not isinstance(dataset, str)}
SCENARIOS = {scenario.name: scenario for scenario in TASK.scenarios}
DEFAULTS: Any = {name: param.default for name, param in {**deployment.WORLD, **TASK.params}.items()}
MANY = 10_000
SHORT: Any = {"horizon": 40, "visitors": 50, "logged": 20}
# What lies above the level in one of 10,000 sets of that many deployments that are just at it.
MOST = 0.05 + 3.7 * math.sqrt(0.05 * 0.95 / MANY)


def launched(name: str = "launch-mixed", scenario: str = "clean", seed: int = 0, **changes: Any) -> Launch:
    data = DATASETS[name].load(DEFAULTS | {"replications": 60} | changes, np.random.default_rng(seed))
    made: Launch = SCENARIOS[scenario].apply(data, np.random.default_rng(seed))
    return made


def run(name: str, launch: Launch, *, level: float = 0.05, **options: Any) -> Any:
    problem = Problem(TASK.view(launch), DEFAULTS | {"level": level}, 0)
    return TASK.strategies[name].run(problem, unmeasured, **options)


def figures(name: str, launch: Launch, **options: Any) -> Any:
    return TASK.judge(launch, run(name, launch, **options)).metrics


def test_visitors_are_counted_as_declared() -> None:
    launch = replace(launched(replications=3, visitors=200_000), effect=np.array([-0.05, 0.0, 0.1]))
    seen = Traffic(launch).observe(3, np.full(3, 0.25))
    assert (seen.new + seen.old == 200_000).all()
    assert seen.new / 200_000 == pytest.approx(0.25, abs=0.005)
    assert seen.new_paid / seen.new == pytest.approx(0.1 + launch.effect, abs=0.006)
    assert seen.old_paid / seen.old == pytest.approx(0.1, abs=0.005)


def test_everyone_or_nobody() -> None:
    traffic = Traffic(launched(replications=2))
    everyone, nobody = traffic.observe(0, np.ones(2)), traffic.observe(0, np.zeros(2))
    assert np.array([everyone.old, nobody.new]).tolist() == [[0, 0], [0, 0]]
    assert np.array([everyone.new, nobody.old]).tolist() == [[200, 200], [200, 200]]


def test_a_visitor_pays_the_same_whatever_the_shares() -> None:
    traffic = Traffic(launched("launch-equal", replications=4))
    seen = [traffic.observe(5, np.full(4, share)) for share in (0.0, 0.3, 1.0)]
    assert len({tuple(one.new_paid + one.old_paid) for one in seen}) == 1


def test_steps_differ_and_so_does_the_log() -> None:
    traffic = Traffic(launched(replications=5, horizon=10, visitors=1000))
    steps = [tuple(traffic.observe(step, np.zeros(5)).old_paid) for step in range(10)]
    steps += [tuple(traffic.log(step).old_paid) for step in range(10)]
    assert len(set(steps)) == 20


def test_trend_moves_the_rate_and_leaves_the_effect() -> None:
    flat, grown = launched(), launched(scenario="trend(1)")
    assert (flat.effect == grown.effect).all()
    assert grown.rate[[0, 50]] == pytest.approx([0.1, 0.15])


@pytest.mark.parametrize(("name", "signs"), [("mixed", {-1, 0, 1}), ("equal", {0}), ("worse", {-1}), ("better", {1})])
def test_effects_have_their_signs(name: str, signs: set[int]) -> None:
    launch = launched(f"launch-{name}")
    assert set(np.sign(launch.effect)) == signs
    assert np.abs(launch.effect).max() == pytest.approx(0.02 if signs != {0} else 0.0)


def test_steps_before_full_traffic() -> None:
    shares = np.array([[1, 0, 0.5, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0.9, 0, 1]], dtype=float)
    assert steps_to_full(shares).tolist() == [0, 1, 3, 3, 2]


def test_judge_of_known_shares() -> None:
    launch = Launch(np.full(4, 0.1), np.array([-0.02, 0.02, 0.0, 0.05]), 100, np.uint64(1))
    shares = np.array([[0, 0.5, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0.5], [1, 1, 1, 0.5]], dtype=float)
    judged = judge(launch, shares)
    # Lost: 3 steps of 2; half of one step of 2; nothing; 2 steps of 5 and 2 of 2.5.
    assert judged.metrics == pytest.approx(
        {"false_promotions": 1.0, "missed": 0.5, "time_to_full": (1 + 4) / 2, "reward_lost": (6 + 1 + 0 + 15) / 4}
    )
    assert judged.curves["lost"].y[-1] == pytest.approx(judged.metrics["reward_lost"])
    assert judged.curves["traffic"].y == pytest.approx([0.375, 0.75, 0.875, 0.875])
    for name, examples in judged.examples.items():
        assert examples.values.mean() == pytest.approx(judged.metrics[name])


@pytest.mark.parametrize(("name", "absent"), [("launch-better", {"false_promotions"}), ("launch-worse", {"missed"})])
def test_every_metric_has_a_number(name: str, absent: set[str]) -> None:
    judged = judge(launched(name), np.zeros((100, 60)))
    assert set(judged.metrics) == {metric.name for metric in TASK.metrics}
    assert all(judged.metrics[metric] == 0.0 for metric in absent)
    assert not absent & set(judged.examples)


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        (np.zeros((60, 100)), "shape"),
        (np.full((100, 60), 1.01), "0 to 1"),
        (np.full((100, 60), math.nan), "0 to 1"),
        (None, "shape"),
        ([[0.0], [0.0, 1.0]], "array of shares"),
        ("full", "array of shares"),
    ],
)
def test_judge_refuses_what_are_no_shares(shares: Any, reason: str) -> None:
    with pytest.raises(InvalidOutputError, match=reason):
        TASK.judge(launched(), shares)


def test_strategies_do_not_see_the_truth() -> None:
    traffic = TASK.view(launched())
    assert not {"effect", "rate"} & set(dir(traffic))


def test_p_values_are_those_of_scipy() -> None:
    rng = np.random.default_rng(3)
    for new, old in ((40, 300), (2, 50), (500, 500)):
        one, other = (rng.random(count) < 0.3 for count in (new, old))
        totals = np.array([[new], [one.sum()], [old], [other.sum()]], dtype=float)
        better, worse = p_values(totals)
        expected = [
            stats.ttest_ind(one.astype(float), other.astype(float), alternative=s).pvalue for s in ("greater", "less")
        ]
        assert [better[0], worse[0]] == pytest.approx(expected)


@pytest.mark.parametrize("totals", [(0, 0, 10, 2), (10, 2, 0, 0), (10, 0, 10, 0), (1, 0, 0, 0), (0, 0, 0, 0)])
def test_too_little_proves_nothing(totals: tuple[int, ...]) -> None:
    assert [p[0] for p in p_values(np.array(totals, dtype=float)[:, None])] == [1.0, 1.0]


def test_stages() -> None:
    assert staged(8, 2, (0.1, 0.2, 0.5)).tolist() == [0.1, 0.1, 0.2, 0.2, 0.5, 0.5, 0.5, 0.5]


def test_terms_have_the_effect_as_mean() -> None:
    """Exactly so: of the expected counts, at any centre."""
    shares, rate, effect = np.array([0.01, 0.3, 0.5]), 0.1, 0.03
    seen = Seen(shares, shares * (rate + effect), 1 - shares, (1 - shares) * rate)
    centre = CanaryCentre(3)
    for _ in range(3):
        values, counts, _ = centre.terms(shares, seen)
        assert (values * counts).sum(axis=0) == pytest.approx(shares * (1 - shares) * effect)


def test_capital_is_the_product_over_visitors() -> None:
    launch = launched("launch-better", replications=1, horizon=6, visitors=40)
    traffic, betting = Traffic(launch), Betting(1)
    capital = {1: np.ones(len(canaries.LIFTS)), -1: np.ones(len(canaries.LIFTS))}
    paid, old = 0.5, 1.0
    for step, share in enumerate([0.05, 0.05, 0.3, 0.5, 1.0, 0.0]):
        seen = traffic.observe(step, np.array([share]))
        betting.add(np.array([share]), seen)
        centre = paid / old
        people = [(1, 1)] * int(seen.new_paid[0]) + [(1, 0)] * int((seen.new - seen.new_paid)[0])
        people += [(0, 1)] * int(seen.old_paid[0]) + [(0, 0)] * int((seen.old - seen.old_paid)[0])
        for sign in capital:
            possible = [sign * (y - centre) * (a - share) for y in (0, 1) for a in (0, 1)]
            bets = np.minimum(np.array(canaries.LIFTS) / (1 - centre), 0.5 / -min(possible))
            for a, y in people:
                capital[sign] *= 1 + bets * sign * (y - centre) * (a - share)
        paid, old = paid + float(seen.old_paid[0]), old + float(seen.old[0])
    assert np.exp([betting.better[0], betting.worse[0]]) == pytest.approx([capital[1].mean(), capital[-1].mean()])


def test_mixture_is_the_integral_over_drifts() -> None:
    launch = launched("launch-better", replications=1)
    traffic, mixture = Traffic(launch), Mixture(1, 5_000, 0.05)
    for step in range(10):
        mixture.add(np.array([0.5]), traffic.observe(step, np.array([0.5])))
    total, squares, prior = float(mixture._sum[0]), float(mixture._squares[0]), mixture._prior
    for sign, found in ((1, mixture.better), (-1, mixture.worse)):

        def ratio(drift: float, sign: int = sign) -> float:
            density = 2 * math.sqrt(prior / (2 * math.pi)) * math.exp(-prior * drift**2 / 2)
            return density * math.exp(sign * drift * total - drift**2 * squares / 2)

        assert math.exp(found[0]) == pytest.approx(quad(ratio, 0, 2)[0], rel=1e-6)


def test_lower_bound_is_maurer_and_pontils() -> None:
    rng = np.random.default_rng(4)
    new, explored, count = rng.random(5_000) < 0.2, 0.2, 5_000
    paid = rng.random(count) < np.where(new, 0.5, 0.3)
    terms = paid.astype(np.float64) * np.where(new, 1 / explored, -1 / (1 - explored))
    totals = np.array([[new.sum()], [(new & paid).sum()], [(~new).sum()], [(~new & paid).sum()]], dtype=float)
    low, _ = empirical_bernstein(terms, -1 / (1 - explored), 1 / explored, level=0.9)
    assert lower_bound(totals, explored, 0.05)[0] == pytest.approx(low)


@pytest.mark.parametrize("name", list(TASK.strategies))
def test_strategies_return_what_the_judge_takes(name: str) -> None:
    launch = launched(**SHORT)
    shares = run(name, launch)
    assert shares.shape == (40, 60)
    assert (shares == run(name, launch)).all()
    assert all(math.isfinite(value) for value in judge(launch, shares).metrics.values())


def test_decisions_stand() -> None:
    """Whoever has all traffic, or none after some, keeps it."""
    for name in ("peeking-ab", "canary-betting", "canary-mixture", "canary-until-harm", "canary-pooled", "fixed-ab"):
        shares = run(name, launched(seed=5))
        for final in (0.0, 1.0):
            reached = np.maximum.accumulate(shares == final, axis=0)
            assert ((shares == final) == reached).all()


def test_known_figures_of_the_two_that_do_not_look() -> None:
    launch = launched()
    loss = 100 * 200 * 0.02 / 3
    assert figures("immediate", launch) == pytest.approx(
        {"false_promotions": 1, "missed": 0, "time_to_full": 0, "reward_lost": loss}
    )
    assert figures("never", launch) == pytest.approx(
        {"false_promotions": 0, "missed": 1, "time_to_full": 100, "reward_lost": loss}
    )


def test_power_of_the_fixed_test() -> None:
    """Against the normal approximation of the difference of two rates of 5,000 visitors each."""
    launch = launched("launch-better", replications=4_000)
    z = (0.02 / math.sqrt((0.12 * 0.88 + 0.1 * 0.9) / 5_000)) - stats.norm.ppf(0.95)
    assert 1 - figures("fixed-ab", launch)["missed"] == pytest.approx(stats.norm.cdf(z), abs=0.012)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", ["canary-betting", "canary-mixture", "fixed-ab"])
def test_level_holds_over_10_000_deployments(name: str, scenario: str) -> None:
    launch = launched("launch-equal", scenario, replications=MANY, horizon=50)
    assert figures(name, launch)["false_promotions"] <= MOST


@pytest.mark.parametrize("name", ["log-betting", "log-bernstein"])
def test_level_of_logs_holds_over_10_000_deployments(name: str) -> None:
    launch = launched("launch-equal", replications=MANY, logged=50, horizon=10)
    assert figures(name, launch)["false_promotions"] <= MOST


def test_peeking_exceeds_the_level() -> None:
    """Fifty looks, each at 5 % two-sided, find something in 32 % (Armitage, McPherson & Rowe 1969)."""
    launch = launched("launch-equal", replications=MANY, visitors=100)
    shares = run("peeking-ab", launch, level=0.025)
    early = (shares[:50] != 0.5).any(axis=0)
    assert early.mean() == pytest.approx(0.32, abs=0.015)
    assert judge(launch, shares).metrics["false_promotions"] > 0.12


def test_stages_pooled_under_a_trend_deceive() -> None:
    launch = launched("launch-equal", "trend(1)", replications=2_000)
    assert figures("canary-pooled", launch)["false_promotions"] > 0.2
    assert figures("canary-pooled", launched("launch-equal", replications=2_000))["false_promotions"] < 0.07


def test_a_stricter_level_promotes_less() -> None:
    launch = launched("launch-better", replications=500)
    missed = [figures("canary-betting", launch, level=level)["missed"] for level in (0.2, 0.05, 0.001)]
    assert missed[0] < missed[1] < missed[2]


def test_a_canary_loses_less_to_a_worse_policy_than_a_fixed_test() -> None:
    launch = launched("launch-worse", replications=500)
    losses = {name: figures(name, launch)["reward_lost"] for name in ("canary-betting", "fixed-ab", "immediate")}
    assert losses["canary-betting"] < losses["fixed-ab"] < losses["immediate"]


def test_any_rule_can_be_played() -> None:
    launch = launched()
    shares = play(Traffic(launch), Constant(np.full(60, 0.25)))
    assert (shares == 0.25).all()
    assert lost(launch, shares)[:, 0] == pytest.approx(200 * 0.02 * 0.25)


def test_partial_visitors_are_no_surprise() -> None:
    """A launch of one visitor a step runs."""
    small = partial(launched, visitors=1, horizon=12, logged=3)
    for name in TASK.strategies:
        assert math.isfinite(figures(name, small())["reward_lost"])
