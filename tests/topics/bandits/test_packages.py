"""Policies of other packages have the regret of ours, and get the rewards of the world."""

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

from harness.declare import Problem
from harness.topics.bandits import packages, stationary
from harness.topics.bandits.engine.judge import regret

PARAMS: Any = {"horizon": 300, "replications": 16, "arms": 4, "spread": 0.5, "threads": 1}
PACKAGES = {
    "obp-epsilon-greedy": "obp",
    "obp-bernoulli-ts": "obp",
    "mabwiser-epsilon-greedy": "mabwiser",
    "mabwiser-ucb1": "mabwiser",
    "mabwiser-thompson": "mabwiser",
}


def played(name: str, seed: int = 0, feedback: Any = (), **changes: Any) -> tuple[Any, np.ndarray]:
    module = PACKAGES.get(name)
    if module is not None:
        pytest.importorskip(module)
    made = replace(stationary.bernoulli(PARAMS | changes, np.random.default_rng(5)), **dict(feedback))
    actions = packages.task.strategies[name].run(Problem(made, PARAMS, seed), unmeasured)
    return made, np.asarray(actions)


def interval(losses: Any) -> tuple[float, float]:
    half = 3 * losses.std(ddof=1) / np.sqrt(len(losses))
    return losses.mean() - half, losses.mean() + half


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("obp-epsilon-greedy", "epsilon-greedy"),
        ("obp-bernoulli-ts", "thompson-beta"),
        ("mabwiser-epsilon-greedy", "epsilon-greedy"),
        ("mabwiser-ucb1", "ucb1"),
        ("mabwiser-thompson", "thompson-beta"),
    ],
)
def test_packages_lose_what_we_lose(theirs: str, ours: str) -> None:
    made, actions = played(theirs)
    first = regret(made, actions).cumsum(axis=0)
    second = regret(made, played(ours)[1]).cumsum(axis=0)
    for step in (100, 200, 299):
        low, high = interval(first[step] - second[step])
        assert low <= 0 <= high


def test_ucb1_of_mabwiser_makes_our_choices() -> None:
    _, theirs = played("mabwiser-ucb1", replications=8)
    _, ours = played("ucb1", replications=8)
    np.testing.assert_array_equal(theirs, ours)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_seed_fixes_the_choices(name: str) -> None:
    first, second = (played(name, horizon=40, replications=3)[1] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (40, 3)


@pytest.mark.parametrize("name", PACKAGES)
@pytest.mark.parametrize("feedback", [{"batch": 15}, {"delay": 14}])
def test_packages_do_not_know_what_they_were_not_told(name: str, feedback: Any) -> None:
    """Before step 15 no reward is revealed, so that other rewards change nothing; after it they do."""
    sizes = {"horizon": 60, "replications": 3}
    _, first = played(name, feedback=feedback, **sizes)
    _, second = played(name, feedback={**feedback, "key": np.uint64(99)}, **sizes)
    np.testing.assert_array_equal(first[:15], second[:15])
    assert (first != second).any()


class Player:
    """Stores the rewards that it gets."""

    def __init__(self) -> None:
        self.learned: list[tuple[int, float]] = []
        self.known: list[int] = []

    def choose(self, step: int) -> int:
        self.known.append(len(self.learned))
        return (step * step) % 4

    def learn(self, arms: Any, rewards: Any) -> None:
        self.learned += zip(arms, rewards, strict=True)


@pytest.mark.parametrize("feedback", [{}, {"delay": 9}, {"batch": 7}])
def test_players_are_told_what_the_world_has_seen(feedback: Any) -> None:
    made = replace(stationary.bernoulli(PARAMS, np.random.default_rng(5)), **feedback)
    players: list[Player] = []

    def make(_arms: int, _seed: int) -> Player:
        players.append(Player())
        return players[-1]

    packages.play_one_by_one(Problem(made, PARAMS, 0), unmeasured, make)
    assert len(players) == 16
    for place in (0, 15):
        assert players[place].known == [made.seen(step) for step in range(300)]
        for step, (arm, reward) in enumerate(players[place].learned):
            assert arm == (step * step) % 4
            assert reward == made.rewards(step, np.full(16, arm))[place]


def test_every_package_says_what_it_needs() -> None:
    for name, module in PACKAGES.items():
        strategy = packages.task.strategies[name]
        assert strategy.needs[0].startswith(module)
        assert strategy.note
        for need in strategy.needs:
            if not need.startswith(module):
                importlib.import_module(need)
