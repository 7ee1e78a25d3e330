"""Worlds whose means move, and how adaptation to them is judged."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from harness.declare import Examples
from harness.topics.bandits.drifting import judge
from harness.topics.bandits.engine import drift
from harness.topics.bandits.engine.drift import curve, delay
from harness.topics.bandits.engine.world import World

PARAMS: dict[str, Any] = {"arms": 10, "horizon": 2_000, "replications": 30, "changes": 3, "periods": 1.0}
MAKERS = (drift.abrupt, drift.sinusoidal, drift.random_walk, drift.rotting)


def make(maker: Any, **changes: Any) -> World:
    world: World = maker(PARAMS | changes, np.random.default_rng(7))
    return world


def best(world: World) -> Any:
    """Return the best arm of each step and replication."""
    steps = np.arange(world.horizon)[:, None]
    return world.means.argmax(axis=2)[world.stage[:, None], world.rows(steps)]


@pytest.mark.parametrize("maker", MAKERS)
def test_means_are_probabilities_and_the_best_arm_changes(maker: Any) -> None:
    world = make(maker)
    assert world.stage.shape == (2_000,)
    assert world.stage.max() + 1 == len(world.means)
    assert 0 <= world.means.min() <= world.means.max() <= 1
    assert (np.diff(best(world), axis=0) != 0).any(axis=0).all()


@pytest.mark.parametrize("maker", MAKERS)
def test_a_seed_makes_a_world(maker: Any) -> None:
    np.testing.assert_array_equal(make(maker).means, make(maker).means)


def test_abrupt_means_change_at_known_steps_only() -> None:
    world = make(drift.abrupt)
    assert world.changes == (500, 1_000, 1_500)
    arms = best(world)
    moved = np.diff(arms, axis=0) != 0
    assert moved[np.array(world.changes) - 1].all()
    assert moved.sum() == 3 * world.replications
    ordered = np.sort(world.means, axis=2)
    assert (ordered[..., -1] - ordered[..., -2]).min() >= 1 / 20


def test_more_changes_than_steps_are_as_many_as_fit() -> None:
    world = make(drift.abrupt, horizon=10, changes=50)
    assert len(set(world.changes)) == len(world.changes)
    assert world.stage.max() < len(world.means)


def test_many_arms_can_be_led() -> None:
    world = make(drift.abrupt, arms=1_000, replications=3)
    assert world.means.shape == (4, 3, 1_000)


def test_without_changes_nothing_moves() -> None:
    world = make(drift.abrupt, changes=0)
    assert world.changes == ()
    assert len(world.means) == 1


def test_sinusoidal_means_swing_as_often_as_asked() -> None:
    world = make(drift.sinusoidal, periods=2.0)
    path = world.means[:, 0, 0] - 0.5
    assert np.count_nonzero(np.diff(np.sign(path))) == 4
    assert world.means.max() == pytest.approx(0.9, abs=1e-3)
    assert world.means.min() == pytest.approx(0.1, abs=1e-3)


def test_every_arm_has_its_turn() -> None:
    for maker in (drift.sinusoidal, drift.rotting):
        assert set(best(make(maker))[:, 0]) == set(range(10))


def test_rotting_means_never_rise() -> None:
    assert (np.diff(make(drift.rotting).means, axis=0) <= 0).all()


def test_a_random_walk_spreads_as_said() -> None:
    walks = [make(drift.random_walk, arms=100).means[:, 0]]
    steps = np.diff(np.concatenate(walks, axis=1), axis=0)
    # 200 stages, 199 steps of standard deviation .4 / sqrt(200); reflections change few of them.
    assert steps.std() == pytest.approx(0.4 / np.sqrt(200), rel=0.03)


@pytest.mark.parametrize("maker", MAKERS)
def test_the_best_policy_loses_nothing_and_adapts_at_once(maker: Any) -> None:
    world = make(maker)
    judged = judge(world, best(world))
    assert judged.metrics == {"regret": 0, "regret_q90": 0, "best_arm": 1, "adaptation_delay": 0}
    assert set(judged.curves["adaptation"].y) == {1.0}


@pytest.mark.parametrize("lag", [1, 50, 499])
def test_a_policy_that_follows_late_has_that_delay(lag: int) -> None:
    world = make(drift.abrupt)
    late = best(world)[np.maximum(np.arange(2_000) - lag, 0)]
    assert judge(world, late).metrics["adaptation_delay"] == lag


def test_half_of_the_replications_are_enough() -> None:
    world = make(drift.abrupt)
    actions = best(world)
    late = actions[np.maximum(np.arange(2_000) - 100, 0)]
    later = actions[np.maximum(np.arange(2_000) - 300, 0)]
    mixed = np.where(np.arange(30) < 15, late, later)
    assert judge(world, mixed).metrics["adaptation_delay"] == 100
    mixed = np.where(np.arange(30) < 14, late, later)
    assert judge(world, mixed).metrics["adaptation_delay"] == 300


def test_a_change_never_followed_counts_as_its_whole_time() -> None:
    world = make(drift.abrupt)
    fixed = np.broadcast_to(best(world)[0], (2_000, 30))
    hits = fixed == best(world)
    # An arm may become the best one again, after three changes.
    waits = [0 if hits[start : start + 500].mean(axis=1).max() >= 0.5 else 500 for start in world.changes]
    assert delay(world, hits) == np.mean(waits)


def test_smooth_worlds_have_a_delay_after_each_reign() -> None:
    world = make(drift.rotting)
    late = best(world)[np.maximum(np.arange(2_000) - 30, 0)]
    assert judge(world, late).metrics["adaptation_delay"] == 30


def test_a_world_that_stands_still_has_no_delay() -> None:
    world = make(drift.abrupt, changes=0)
    hits = np.zeros((2_000, 30), dtype=bool)
    assert delay(world, hits) == 0
    assert curve(world, hits).x == []


def test_the_curve_of_adaptation_falls_at_the_change_and_rises_after_the_lag() -> None:
    world = make(drift.abrupt)
    drawn = curve(world, best(world)[np.maximum(np.arange(2_000) - 100, 0)] == best(world))
    before, wrong = [y for x, y in zip(drawn.x, drawn.y, strict=True) if x < 0], []
    for x, y in zip(drawn.x, drawn.y, strict=True):
        if 0 <= x < 100:
            wrong.append(y)
        elif x >= 100:
            assert y == 1
    assert set(before) == {1.0}
    assert max(wrong) == 0
    assert drawn.x[-1] == 489.5  # the last whole bin before the next change


def test_examples_are_the_regrets_of_replications() -> None:
    world = make(drift.abrupt)
    judged = judge(world, np.zeros((2_000, 30), dtype=np.int16))
    examples: Examples = judged.examples["regret"]
    assert examples.values.shape == (30,)
    assert examples.values.mean() == pytest.approx(judged.metrics["regret"])
    gaps = world.means.max(axis=2) - world.means[:, :, 0]
    expected = gaps[world.stage][:, np.arange(30)].sum(axis=0)
    np.testing.assert_allclose(examples.values, expected)


def test_delayed_feedback_changes_no_mean() -> None:
    world = make(drift.abrupt)
    late = dataclasses.replace(world, delay=10)
    assert judge(late, best(world)).metrics["regret"] == 0
