"""How policies are played: which rewards they get and when, and that kernels get the same."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.errors import InvalidOutputError
from harness.topics.bandits.engine.kernels import arms as kernels
from harness.topics.bandits.engine.play import play
from harness.topics.bandits.engine.world import World

KEY = np.uint64(11)


def world(**changes: Any) -> World:
    means = np.random.default_rng(0).random((1, 4, 3))
    return replace(World(means, np.zeros(20, dtype=np.int64), 4, KEY), **changes)


class Recorder:
    """Chooses arms in turn and stores the rewards that it gets."""

    def __init__(self) -> None:
        self.learned: list[tuple[int, int]] = []
        self.rewards: list[np.ndarray] = []
        self.arms: list[np.ndarray] = []
        self.contexts: list[Any] = []
        self._now = 0

    def choose(self, step: int, contexts: Any) -> Any:
        self._now = step
        self.contexts.append(contexts)
        return (np.arange(4) + step) % 3

    def update(self, step: int, arms: Any, rewards: Any, contexts: Any) -> None:
        self.learned.append((self._now + 1 if self.contexts else 0, step))
        self.arms.append(arms)
        self.rewards.append(rewards)


@pytest.mark.parametrize(("delay", "batch"), [(0, 1), (5, 1), (0, 4), (3, 4), (50, 1)])
def test_a_policy_is_told_exactly_what_the_world_has_seen(delay: int, batch: int) -> None:
    made, policy = world(delay=delay, batch=batch), Recorder()
    actions = play(made, policy)
    assert actions.shape == (20, 4)
    expected, done = [], 0
    for step in range(20):
        expected += [(step, learned) for learned in range(done, made.seen(step))]
        done = made.seen(step)
    assert policy.learned == expected
    for (_, learned), arms, rewards in zip(policy.learned, policy.arms, policy.rewards, strict=True):
        np.testing.assert_array_equal(arms, actions[learned])
        np.testing.assert_array_equal(rewards, made.rewards(learned, arms))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.arange(4) % 3 + 65536, "step 0: arms must lie in 0 to 2, not in 65536 to 65538"),
        (np.array([0, 1, -1, 2]), "step 0: arms must lie in 0 to 2, not in -1 to 2"),
        (np.array([0.9, 1.9, 0.9, 0.9]), "expected integers of shape (4,), an arm for each replication, not float64"),
        (np.full(4, np.nan), "not float64 of shape (4,)"),
        (np.zeros(1, dtype=np.int64), "not int64 of shape (1,)"),
    ],
)
def test_arms_that_are_none_are_refused_before_they_are_kept(wrong: Any, said: str) -> None:
    policy = Recorder()
    policy.choose = lambda step, contexts: wrong  # type: ignore[method-assign]
    with pytest.raises(InvalidOutputError, match=re.escape(said)):
        play(world(), policy)


def test_a_policy_is_shown_the_contexts_of_its_step() -> None:
    features = np.arange(10.0).reshape(5, 2)
    made, policy = world(features=features, means=np.full((1, 5, 3), 0.5)), Recorder()
    play(made, policy)
    for step, contexts in enumerate(policy.contexts):
        np.testing.assert_array_equal(contexts, features[made.rows(step)])


@pytest.mark.parametrize("sigma", [0.0, 0.3])
@pytest.mark.parametrize("stages", [1, 3])
@pytest.mark.parametrize("contextual", [False, True])
def test_kernels_are_paid_what_the_world_pays(sigma: float, stages: int, contextual: bool) -> None:
    rng = np.random.default_rng(1)
    made = world(
        means=rng.random((stages, 7, 3)),
        stage=np.arange(20, dtype=np.int64) % stages,
        sigma=sigma,
        features=rng.normal(size=(7, 2)) if contextual else None,
    )
    given = kernels.arms_of(made)
    for step in range(20):
        arms = rng.integers(3, size=4)
        paid = [kernels.paid(given, step, replication, int(arm)) for replication, arm in enumerate(arms)]
        # Cosines of numba's scalar and array code may differ in the last place.
        np.testing.assert_allclose(paid, made.rewards(step, arms), rtol=1e-14)


@pytest.mark.parametrize(("delay", "batch"), [(0, 1), (5, 1), (0, 4), (3, 4), (50, 1)])
def test_kernels_see_what_the_world_sees(delay: int, batch: int) -> None:
    made = world(delay=delay, batch=batch)
    given = kernels.arms_of(made)
    assert [kernels.seen(given, step) for step in range(20)] == [made.seen(step) for step in range(20)]
