"""Estimators against hand-made figures, all outcomes of a small problem, obp, and laws that hold for every log."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from topics.ope.logs import CHANCE, LOGGING, TARGET, TRUTH, all_outcomes, drawn, tiny

from harness.errors import UsageError
from harness.topics.ope.engine.estimators import ESTIMATORS, ValueEstimate
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.one_pass import estimate_all
from harness.topics.ope.engine.weights import (
    bend_weights,
    clip_weights,
    effective_sample_size,
    importance_weights,
    largest_marginal_weight,
    largest_weight,
    shrink_weights,
    switch_weights,
)

MODELLED = ("dm", "dr", "sndr", "switch_dr", "dr_os")
HALF = np.full((4, 3), 0.5)


def by_obp(name: str, log: Log, model: Floats, **options: float) -> float:
    """Return the value that an estimator of obp gives. Its import brings torch, which no other test needs."""
    estimator = getattr(pytest.importorskip("obp.ope"), name)(**options)
    return float(
        estimator.estimate_policy_value(
            reward=log.rewards,
            action=log.actions,
            pscore=log.propensities,
            action_dist=log.target[:, :, np.newaxis],
            estimated_rewards_by_reg_model=model[:, :, np.newaxis],
            position=np.zeros(len(log.actions), dtype=np.int64),
        )
    )


def test_weights_of_a_tiny_log() -> None:
    weights = importance_weights(tiny())
    assert weights.tolist() == [0.5, 2.0, 1.0, 0.0]
    assert effective_sample_size(weights) == pytest.approx(3.5**2 / 5.25)
    assert effective_sample_size(np.zeros(3)) == 0.0
    # 1 / .25 in the last round, by an action that was not logged there.
    assert largest_weight(tiny()) == 4.0


def test_largest_weight_needs_bounded_weights() -> None:
    log = tiny()
    with pytest.raises(UsageError, match="state largest_weight"):
        largest_weight(replace(log, logging=None))
    logging = np.array([[0.5, 0.25, 0.25], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [0.25, 0.5, 0.25]])
    with pytest.raises(UsageError, match="unbounded"):
        largest_weight(replace(log, logging=logging))


@pytest.mark.parametrize(
    ("name", "options", "value"),
    [
        ("dm", {}, 0.5),
        ("ips", {}, 2.5 / 4),
        ("clipped_ips", {"clip": 1.0}, 1.5 / 4),
        ("sub_gaussian_ips", {"lam": 0.5}, (0.5 / 0.75 + 2 / 1.5) / 4),
        ("sub_gaussian_ips", {"lam": 1.0}, 2 / 4),
        ("snips", {}, 2.5 / 3.5),
        ("dr", {}, 0.5 + (0.25 + 1 - 0.5) / 4),
        ("sndr", {}, 0.5 + 0.75 / 3.5),
        ("switch_dr", {"tau": 1.0}, 0.5 + (0.25 - 0.5) / 4),
        ("dr_os", {"lam": 1.0}, 0.5 + (0.4 * 0.5 + 0.4 * 0.5 - 0.5 * 0.5) / 4),
        # The first two actions look alike. Weights: 1 / .75, .5 / .75, 1, 1 / .75.
        ("mips", {}, (4 / 3 + 2 / 3 + 4 / 3) / 4),
    ],
)
def test_closed_forms(name: str, options: dict[str, float], value: float) -> None:
    assert ESTIMATORS[name](tiny(), HALF, **options).value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_terms_have_the_value_as_their_mean(name: str) -> None:
    log, chance = drawn(200, 1)
    log = replace(log, embeddings=np.array([[0, 1], [0, 1], [1, 1], [1, 0], [1, 0]]))
    estimate = ESTIMATORS[name](log, chance)
    assert estimate.terms.shape == (200,)
    assert estimate.terms.mean() == pytest.approx(estimate.value, abs=1e-12)
    whole = estimate.base.mean() + estimate.extra.mean() / (1 if estimate.scale is None else estimate.scale.mean())
    assert whole == pytest.approx(estimate.value, abs=1e-12)


@pytest.mark.parametrize("name", ["ips", "dr", "mips"])
@pytest.mark.parametrize("rounds", [1, 2])
def test_unbiased_over_all_outcomes(name: str, rounds: int) -> None:
    """MIPS with embeddings that tell actions apart; with coarser ones see below."""
    expected, total = 0.0, 0.0
    for chance, log in all_outcomes(rounds, [[0], [1], [2]]):
        wrong_model = np.tile([0.9, 0.1, 0.3], (rounds, 1))
        expected += chance * ESTIMATORS[name](log, wrong_model).value
        total += chance
    assert total == pytest.approx(1)
    assert expected == pytest.approx(TRUTH, abs=1e-12)


def test_mips_is_biased_where_actions_that_look_alike_pay_differently() -> None:
    """Its mean takes the category as the target does, and the action within it as the logging policy does."""
    groups = [[0, 1], [2]]
    expected = 0.0
    for group in groups:
        paid = (LOGGING[:, group] * CHANCE[:, group]).sum(axis=1) / LOGGING[:, group].sum(axis=1)
        expected += float((TARGET[:, group].sum(axis=1) * paid).mean())
    found = sum(chance * ESTIMATORS["mips"](log).value for chance, log in all_outcomes(1, [[5], [5], [3]]))
    assert found == pytest.approx(expected, abs=1e-12)
    assert abs(expected - TRUTH) > 0.005


def test_mips_weights_vary_less() -> None:
    log = replace(drawn(500, 3, actions=20)[0], embeddings=np.arange(20)[:, np.newaxis] // 5)
    assert largest_marginal_weight(log) <= largest_weight(log)
    assert ESTIMATORS["mips"](log).standard_error < ESTIMATORS["ips"](log).standard_error


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "options", "theirs", "their_options"),
    [
        ("dm", {}, "DirectMethod", {}),
        ("ips", {}, "InverseProbabilityWeighting", {}),
        ("snips", {}, "SelfNormalizedInverseProbabilityWeighting", {}),
        ("dr", {}, "DoublyRobust", {}),
        ("sndr", {}, "SelfNormalizedDoublyRobust", {}),
        ("switch_dr", {"tau": 1.5}, "SwitchDoublyRobust", {"tau": 1.5}),
        ("dr_os", {"lam": 3.0}, "DoublyRobustWithShrinkage", {"lambda_": 3.0}),
    ],
)
def test_as_obp(name: str, options: dict[str, float], theirs: str, their_options: dict[str, float], seed: int) -> None:
    log, _ = drawn(1000, seed)
    model = np.random.default_rng(seed).random(log.target.shape)
    expected = by_obp(theirs, log, model, **their_options)
    assert ESTIMATORS[name](log, model, **options).value == pytest.approx(expected, abs=1e-10)
    if not options:
        assert estimate_all(log, model)[name].value == pytest.approx(expected, abs=1e-10)


def test_dr_os_has_a_value_where_obp_has_none() -> None:
    """At lambda 0, obp's default, it is DM, at infinity DR; obp divides 0 by 0 and infinity by infinity."""
    log, model = tiny(), HALF
    with np.errstate(invalid="ignore"):
        assert np.isnan(by_obp("DoublyRobustWithShrinkage", log, model))
        assert np.isnan(by_obp("DoublyRobustWithShrinkage", log, model, lambda_=np.inf))
    assert ESTIMATORS["dr_os"](log, model, lam=0.0).value == ESTIMATORS["dm"](log, model).value
    assert ESTIMATORS["dr_os"](log, model, lam=np.inf).value == ESTIMATORS["dr"](log, model).value


@pytest.mark.parametrize("rounds", [1, 2, 777])
@pytest.mark.parametrize("lam", [0.0, 0.7, np.inf])
@pytest.mark.parametrize("bend", [0.0, 0.3, 1.0])
def test_one_pass_is_the_single_functions(rounds: int, lam: float, bend: float) -> None:
    log, _ = drawn(rounds, 5, sharpness=3.0)
    target = log.target.copy()
    # A weight of 0, where shrinkage divides 0 by 0 if it is careless.
    target[0] = np.roll(np.eye(5)[log.actions[0]], 1)
    log = replace(log, target=np.asfortranarray(target))
    if rounds == 1:
        log = replace(log, target=drawn(1, 5)[0].target)
    model = np.random.default_rng(1).normal(size=log.target.shape)
    options = {
        "clipped_ips": {"clip": 2.0},
        "sub_gaussian_ips": {"lam": bend},
        "switch_dr": {"tau": 0.5},
        "dr_os": {"lam": lam},
    }
    summaries = estimate_all(log, model, clip=2.0, tau=0.5, lam=lam, sub_gaussian_lam=bend)
    assert list(summaries) == [name for name in ESTIMATORS if name != "mips"]
    for name, summary in summaries.items():
        estimate = ESTIMATORS[name](log, model, **options.get(name, {}))
        assert summary.value == pytest.approx(estimate.value, abs=1e-10, rel=1e-10)
        # Two near-equal rounds keep half of the digits of their squares.
        assert summary.standard_error == pytest.approx(estimate.standard_error, rel=1e-8, abs=1e-8, nan_ok=True)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e8, -1e8])
def test_standard_errors_do_not_depend_on_where_rewards_begin(offset: float) -> None:
    """Of estimators that follow a shift; the model is off by a half, and its terms are equal in all rounds."""
    rng, count = np.random.default_rng(0), 10_000
    actions, rewards = rng.integers(3, size=count), offset + rng.random(count)
    target = np.tile([0.2, 0.2, 0.6], (count, 1))
    log = Log(actions, rewards, np.full(count, 1 / 3), target, (offset, offset + 1))
    found = estimate_all(log, np.full((count, 3), offset + 0.5))
    assert found["dm"].standard_error == 0
    for name in ("snips", "dr", "sndr", "switch_dr"):
        single = ESTIMATORS[name](log, np.full((count, 3), offset + 0.5))
        assert found[name].standard_error == pytest.approx(single.standard_error, rel=1e-6), name
    assert found["snips"].standard_error == pytest.approx(0.0033183310, rel=1e-6)


def test_standard_errors_are_those_of_repetition() -> None:
    """Over 600 logs the spread of the estimates is the mean of their standard errors, to 3 errors of a spread."""
    found: dict[str, list[ValueEstimate]] = {name: [] for name in ("ips", "snips", "dr", "sndr", "switch_dr", "dr_os")}
    for seed in range(600):
        log, chance = drawn(400, seed)
        for name, estimates in found.items():
            estimates.append(ESTIMATORS[name](log, 0.5 * chance))
    for name, estimates in found.items():
        spread = np.std([estimate.value for estimate in estimates], ddof=1)
        expected = np.mean([estimate.standard_error for estimate in estimates])
        assert spread == pytest.approx(expected, rel=3 / np.sqrt(2 * 600)), name


logs = st.builds(drawn, st.integers(2, 60), st.integers(0, 10_000), actions=st.integers(2, 6))


@settings(max_examples=40, deadline=None)
@given(logs, st.floats(-5, 5))
def test_constant_rewards_make_snips_exact(made: tuple[Log, Floats], reward: float) -> None:
    log = replace(made[0], rewards=np.full(len(made[0].actions), reward), reward_range=(-10.0, 10.0))
    estimate = ESTIMATORS["snips"](log)
    assert estimate.value == pytest.approx(reward, abs=1e-9)
    assert estimate.standard_error == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(logs)
def test_of_the_logging_policy_itself_ips_is_the_mean(made: tuple[Log, Floats]) -> None:
    log = made[0]
    assert log.logging is not None
    log = replace(log, target=log.logging)
    for name in ("ips", "snips", "clipped_ips", "sub_gaussian_ips"):
        assert ESTIMATORS[name](log).value == pytest.approx(log.rewards.mean(), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(logs)
def test_with_the_true_model_of_sure_rewards_dr_is_the_truth(made: tuple[Log, Floats]) -> None:
    log, chance = made
    log = replace(log, rewards=chance[np.arange(len(chance)), log.actions])
    truth = (log.target * chance).sum(axis=1).mean()
    for name in MODELLED:
        assert ESTIMATORS[name](log, chance).value == pytest.approx(truth, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(logs, st.floats(-3, 3), st.floats(-4, 4))
def test_follows_scale_and_shift(made: tuple[Log, Floats], scale: float, shift: float) -> None:
    """Every estimator follows the scale of rewards, self-normalised and modelled ones their shift as well."""
    log, chance = made
    log = replace(log, embeddings=np.arange(log.target.shape[1])[:, np.newaxis] // 2)
    scaled, moved = replace(log, rewards=scale * log.rewards), replace(log, rewards=log.rewards + shift)
    for name, function in ESTIMATORS.items():
        value = function(log, chance).value
        assert function(scaled, scale * chance).value == pytest.approx(scale * value, abs=1e-9)
        if name in (*MODELLED, "snips"):
            assert function(moved, chance + shift).value == pytest.approx(value + shift, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20), st.floats(0, 1e6), st.floats(0, 1))
def test_shortened_weights(weights: list[float], limit: float, lam: float) -> None:
    """Shortening never lifts a weight above itself (or 1, for the sub-Gaussian correction) nor below 0."""
    before = np.array(weights)
    for after in (clip_weights(before, limit), switch_weights(before, limit), shrink_weights(before, limit)):
        assert (after >= 0).all()
        assert (after <= before).all()
    bent = bend_weights(before, lam)
    assert (bent >= 0).all()
    assert (bent <= np.maximum(before, 1) * (1 + 1e-12)).all()
    assert (clip_weights(before, limit) <= limit).all()
    # The largest value of lam w / (w^2 + lam) is sqrt(lam) / 2.
    assert (shrink_weights(before, limit) <= np.sqrt(limit) / 2 * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", MODELLED)
def test_asks_for_a_model(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} needs a reward model"):
        ESTIMATORS[name](tiny())
    with pytest.raises(UsageError, match=r"shape \(3, 3\)"):
        ESTIMATORS[name](tiny(), HALF[:3])


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("clipped_ips", {"clip": -1.0}, "clip must be at least 0, not -1"),
        ("switch_dr", {"tau": float("nan")}, "tau must be at least 0, not nan"),
        ("dr_os", {"lam": -2.0}, "lam must be at least 0"),
        ("sub_gaussian_ips", {"lam": 1.5}, "between 0 and 1, not 1.5"),
    ],
)
def test_refuses_options(name: str, options: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ESTIMATORS[name](tiny(), HALF, **options)
    with pytest.raises(UsageError, match=r"at least 0|between 0 and 1"):
        estimate_all(tiny(), HALF, clip=-1.0)


def test_without_any_weight_there_is_no_ratio() -> None:
    log = replace(tiny(), target=np.roll(np.eye(3)[tiny().actions], 1, axis=1))
    for call in (lambda: ESTIMATORS["snips"](log), lambda: estimate_all(log, HALF)):
        with pytest.raises(UsageError, match="all weights are 0"):
            call()


def test_mips_says_what_it_misses() -> None:
    with pytest.raises(UsageError, match="embeddings"):
        ESTIMATORS["mips"](replace(tiny(), embeddings=None))
    with pytest.raises(UsageError, match="logging policy"):
        ESTIMATORS["mips"](replace(tiny(), logging=None))
