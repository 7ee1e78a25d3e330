"""Worlds: their truth against simulation, and what scenarios do to them."""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from harness.declare import Scenario
from harness.errors import UsageError
from harness.topics.ope import worlds as declared
from harness.topics.ope.engine.check import check, support_violations
from harness.topics.ope.engine.intervals import interval
from harness.topics.ope.engine.log import Floats, Log, draw_actions, taken
from harness.topics.ope.engine.synthetic import population
from harness.topics.ope.engine.worlds import Population, Recorded, Replications, view

PARAMS: dict[str, Any] = {
    "replications": 3,
    "rounds": 200,
    "actions": 6,
    "temperature": 1.0,
    "explore": 0.2,
    "candidates": 3,
}


def made(nonlinear: bool = True, **changes: Any) -> Population:
    options = {"actions": 6, "rounds": 1_000, "temperature": 1.0, "explore": 0.2, "candidates": 3} | changes
    return population(np.random.default_rng(0), nonlinear=nonlinear, **options)


def stressed(scenario: Scenario, world: Population) -> Population:
    data = Replications((world,), 2, 0)
    (found,) = scenario.apply(data, np.random.default_rng(zlib.crc32(scenario.name.encode()))).worlds
    assert isinstance(found, Population)
    return found


def simulated(world: Population, candidate: int, rounds: int = 200_000) -> float:
    """Let a candidate policy run, step by step."""
    rng = np.random.default_rng(1)
    rows = rng.integers(len(world.contexts), size=rounds)
    actions = draw_actions(world.targets[candidate][rows], rng.random(rounds))
    return float((rng.random(rounds) < world.rewards[rows, actions]).mean())


@pytest.mark.parametrize("nonlinear", [False, True])
def test_truth_is_what_the_policy_earns_when_it_runs(nonlinear: bool) -> None:
    world = made(nonlinear)
    for candidate, value in enumerate(world.truth):
        assert simulated(world, candidate) == pytest.approx(value, abs=0.005)  # four standard errors


TRUE_ALL_THE_SAME = [
    declared.HEAVY,
    declared.missing_support(0.5),
    declared.drift(0.5),
    declared.unobserved_features(2),
]


@pytest.mark.parametrize("scenario", TRUE_ALL_THE_SAME)
def test_a_scenario_leaves_the_truth_alone(scenario: Scenario) -> None:
    world = made()
    np.testing.assert_array_equal(stressed(scenario, world).truth, world.truth)


def test_logged_actions_and_rewards_follow_the_world() -> None:
    world = made(rounds=100_000)
    log, *_ = world.draw(np.random.default_rng(2))
    check(log)
    assert log.logging is not None
    np.testing.assert_allclose(np.bincount(log.actions, minlength=6) / 1e5, world.logging.mean(axis=0), atol=0.007)
    expected = (world.logging * world.rewards).sum(axis=1).mean()
    assert log.rewards.mean() == pytest.approx(expected, abs=0.007)
    # Weighted rewards are unbiased for the truth (Horvitz & Thompson 1952).
    weights = log.target[np.arange(100_000), log.actions] / log.propensities
    assert (weights * log.rewards).mean() == pytest.approx(world.truth[0], abs=0.02)


def test_rewards_lie_within_0_and_1_and_are_linear_where_they_should_be() -> None:
    for nonlinear in (False, True):
        world = made(nonlinear, actions=30)
        assert world.rewards.min() >= 0
        assert world.rewards.max() <= 1
        design = np.column_stack([np.ones(len(world.contexts)), world.contexts])
        left = world.rewards - design @ np.linalg.lstsq(design, world.rewards, rcond=None)[0]
        share = float(left.var() / (world.rewards - world.rewards.mean(axis=0)).var())
        assert share > 0.95 if nonlinear else share < 1e-20


def test_rewards_depend_on_actions_through_their_kind_alone() -> None:
    world = made(actions=200)
    assert world.embeddings is not None
    _, kinds = np.unique(world.embeddings, axis=0, return_inverse=True)
    for kind in range(kinds.max() + 1):
        of_kind = world.rewards[:, kinds.reshape(-1) == kind]
        np.testing.assert_array_equal(of_kind, of_kind[:, :1].repeat(of_kind.shape[1], axis=1))


def test_drift_moves_rewards_from_others_to_the_truth() -> None:
    world = stressed(declared.drift(1.0), made(rounds=100_000))
    assert world.before is not None
    log, *_ = world.draw(np.random.default_rng(3))
    for part, rewards in ((slice(0, 5_000), world.before), (slice(95_000, None), world.rewards)):
        expected = (world.logging * rewards).sum(axis=1).mean()
        assert log.rewards[part].mean() == pytest.approx(expected, abs=0.03)


def test_heavy_weights_are_heavy() -> None:
    world = made()
    assert stressed(declared.HEAVY, world).overlap()[0] < world.overlap()[0] / 20


def test_effective_share_is_the_limit_of_the_effective_sample_size() -> None:
    world = made(rounds=200_000)
    log, *_ = world.draw(np.random.default_rng(4))
    weights = log.target[np.arange(len(log.actions)), log.actions] / log.propensities
    assert weights.sum() ** 2 / (weights**2).sum() / len(weights) == pytest.approx(world.overlap()[0], rel=0.03)


def test_missing_support_is_reported_with_its_share() -> None:
    world = stressed(declared.missing_support(0.5), made())
    never = world.logging.sum(axis=0) == 0
    assert never.sum() == 3
    assert world.overlap()[1] == pytest.approx(world.targets[0][:, never].sum(axis=1).mean())
    log, *_ = replace(world, rounds=50_000).draw(np.random.default_rng(5))
    assert support_violations(log) == pytest.approx(world.overlap()[1], abs=0.01)
    assert made().overlap()[1] == 0


def test_unobserved_features_are_not_in_the_log_and_pay_all_the_same() -> None:
    world = made()
    lacking = stressed(declared.unobserved_features(2), world)
    full, part = (each.draw(np.random.default_rng(6))[0] for each in (world, lacking))
    assert full.embeddings is not None
    np.testing.assert_array_equal(part.embeddings, full.embeddings[:, :1])
    np.testing.assert_array_equal(part.rewards, full.rewards)
    with pytest.raises(UsageError, match="needs actions with more than 3 features"):
        stressed(declared.unobserved_features(3), world)


def test_wrong_propensities_are_stated_and_not_followed() -> None:
    world = made(rounds=100_000)
    wrong_log = stressed(declared.wrong_propensities(0.5), world)
    true, wrong = (each.draw(np.random.default_rng(6))[0] for each in (world, wrong_log))
    np.testing.assert_array_equal(true.actions, wrong.actions)
    np.testing.assert_allclose(wrong.propensities, 0.5 * true.propensities + 0.5 / 6)
    assert wrong.logging is not None
    np.testing.assert_allclose(wrong.logging.sum(axis=1), 1)


def test_noise_keeps_the_mean_and_widens_the_range() -> None:
    data = Replications((made(rounds=50_000),), 1, 7)
    noisy = declared.noisy_rewards(2.0).apply(data, np.random.default_rng(0))
    (plain, *_), (moved, *_) = data.make(0), noisy.make(0)
    check(moved)
    assert moved.reward_range == (-2.0, 3.0)
    np.testing.assert_allclose(np.abs(moved.rewards - plain.rewards), 2.0)
    assert moved.rewards.mean() == pytest.approx(plain.rewards.mean(), abs=0.04)


def test_a_log_depends_on_its_number_and_the_key_alone() -> None:
    data = Replications((made(),), 25, 8)
    again = Replications((made(),), 25, 8)
    parts = [log for part in view(data).parts() for log in part]
    assert len(parts) == 25
    np.testing.assert_array_equal(parts[13][0].actions, again.make(13)[0].actions)
    assert not np.array_equal(parts[13][0].actions, parts[14][0].actions)
    assert not hasattr(view(data), "truth")


def test_candidates_share_the_log() -> None:
    logs = Replications((made(),), 2, 9).make(0)
    assert len(logs) == 3
    for log in logs:
        assert log.actions is logs[0].actions
    assert not np.array_equal(logs[0].target, logs[1].target)


def test_replications_take_the_worlds_in_turn() -> None:
    one, other = made(), made(candidates=3, explore=0.9)
    data = Replications((one, other), 5, 0)
    np.testing.assert_array_equal(data.truth, [one.truth, other.truth, one.truth, other.truth, one.truth])
    assert data.overlap()[0] == pytest.approx((one.overlap()[0] + other.overlap()[0]) / 2)


def test_actions_of_probability_0_are_never_drawn() -> None:
    shares: Floats = np.tile([0.0, 0.1, 0.0, 0.9, 0.0], (3, 1))
    np.testing.assert_array_equal(draw_actions(shares, np.array([0.0, 0.05, 1 - 1e-16])), [1, 1, 3])


def test_a_recorded_log_is_resampled_round_by_round() -> None:
    log, *_ = made(rounds=50).draw(np.random.default_rng(10))
    log = Log(np.arange(50) % 6, np.arange(50) / 50, log.propensities, log.target, (0.0, 1.0), log.contexts)
    world = Recorded(log, 0.25)
    (drawn,) = world.draw(np.random.default_rng(11))
    rows = np.round(drawn.rewards * 50).astype(int)
    assert len(set(rows)) < 50
    for name in ("actions", "propensities", "target", "contexts"):
        np.testing.assert_array_equal(getattr(drawn, name), getattr(taken(log, rows), name))
    assert world.truth == [0.25]
    assert world.overlap()[1] == 0


def test_parts_of_a_recorded_log_are_new_shorter_logs() -> None:
    log, *_ = made(rounds=50).draw(np.random.default_rng(10))
    log = replace(log, rewards=np.arange(50) / 50)
    data = Replications((Recorded(log, 0.25), made(rounds=50, candidates=1)), 40, 0)
    parts = [logs[0] for some in view(data, 0.1).parts() for logs in some]
    assert [len(part.actions) for part in parts[:4]] == [5, 50, 5, 50]
    assert all(len(set(part.rewards)) == 5 for part in parts[::2])
    assert len({reward for part in parts[::2] for reward in part.rewards}) > 40
    (least,) = Recorded(log, 0.25, subsample=0.001).draw(np.random.default_rng(0))
    assert len(least.actions) == 2


def test_a_part_has_the_error_of_a_log_and_a_bootstrap_that_of_two() -> None:
    """95 % intervals of 1,000 logs: parts cover 95 %, resampled logs P(|Z| < 1.96 / sqrt(2)) = 83.4 %."""
    hits, share = {None: 0, 0.5: 0}, np.full((400, 2), 0.5)
    for seed in range(1_000):
        rng = np.random.default_rng(seed)
        actions, rewards = rng.integers(2, size=400), rng.integers(2, size=400).astype(np.float64)
        log = Log(actions, rewards, share[:, 0], share, (0.0, 1.0))
        for subsample in hits:
            low, high = interval(Recorded(log, 0.5, subsample).draw(rng)[0], "normal")
            hits[subsample] += low <= 0.5 <= high
    # Three standard errors of a share of 1,000.
    assert hits[0.5] / 1_000 == pytest.approx(0.95, abs=0.021)
    assert hits[None] / 1_000 == pytest.approx(0.834, abs=0.035)


def test_a_recorded_log_cannot_be_changed() -> None:
    log, *_ = made(rounds=50).draw(np.random.default_rng(12))
    with pytest.raises(UsageError, match="scenario drift needs a simulated world, not a recorded log"):
        declared.drift(0.5).apply(Replications((Recorded(log, 0.5),), 2, 0), np.random.default_rng(0))


def test_digits_tell_their_truth() -> None:
    data = declared.digits({"splits": 1, "replications": 2}, np.random.default_rng(0))
    (world,) = data.worlds
    assert isinstance(world, Population)
    right = world.rewards == 1
    np.testing.assert_array_equal(right.sum(axis=1), 1)
    # 0.9 of the forest's accuracy and a tenth of chance, as a policy that is right where its classifier is.
    accuracy = (world.targets[0].argmax(axis=1) == right.argmax(axis=1)).mean()
    assert world.truth[0] == pytest.approx(0.9 * accuracy + 0.01)
    log, *_ = data.make(0)
    assert len(log.actions) == 1_258
    np.testing.assert_array_equal(log.rewards, right[np.arange(1_258), log.actions])
    np.testing.assert_allclose(np.unique(log.propensities), [0.06, 0.46])


def test_data_sets_make_what_their_parameters_ask_for() -> None:
    data = declared.POLICIES.load(PARAMS, np.random.default_rng(0))
    assert data.truth.shape == (3, 3)
    logs = data.make(0)
    assert logs[0].target.shape == (200, 6)
    same = declared.POLICIES.load(PARAMS, np.random.default_rng(0))
    np.testing.assert_array_equal(same.make(2)[0].rewards, data.make(2)[0].rewards)
