"""The task packages: policies of obp and MABWiser compared with ours, at a small size.

A policy of a package is an object that plays one replication: it returns an arm and receives rewards.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from harness import CLEAN, Profile
from harness.topics.bandits import baselines, thompson, topic, ucb
from harness.topics.bandits.baselines import Floats
from harness.topics.bandits.stationary import BERNOULLI, METRICS, PARAMS, REGRET, STEPS, batch, judge

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

PLAY = "harness.topics.bandits.engine.play"
OBP = ("obp.policy", PLAY)
MABWISER = ("mabwiser.mab", PLAY)
OBP_COST = "One object of obp per replication; ties go to the last arm."
MABWISER_COST = "It can choose only after a fit with a reward of every arm: until then the arms take turns."

# Packages of one policy: nobody prefers a slower one for 2 rewards more.
ALIKE = (dataclasses.replace(METRICS[0], margin=2.0), *METRICS[1:])

task = topic.task(
    "packages",
    title="The same policies in obp and MABWiser, at a size that they can play",
    datasets=[BERNOULLI],
    scenarios=[CLEAN, batch(100)],
    phases=["compile", "play"],
    setup=["compile"],
    metrics=ALIKE,
    judge=judge,
    params=PARAMS,
    work=STEPS,
    reference="thompson-beta",
    charts=[REGRET],
    quick=Profile(
        6,
        {"horizon": 100, "replications": 20},
        scenarios=("clean",),
        strategies=("thompson-beta", "obp-bernoulli-ts", "mabwiser-thompson"),
    ),
    full=Profile(10, {"horizon": 1_000, "replications": 20}),
)

task.strategy("epsilon-greedy", needs=baselines.KERNEL)(baselines.epsilon_greedy)
task.strategy("ucb1", needs=ucb.KERNEL)(ucb.ucb1)
task.strategy("kl-ucb", needs=ucb.KERNEL)(ucb.kl_ucb)
task.strategy("thompson-beta", needs=thompson.KERNEL)(thompson.thompson_beta)


class Player(Protocol):
    """A policy of one replication."""

    def choose(self, step: int) -> int:
        """Return an arm."""

    def learn(self, arms: Sequence[int], rewards: Floats) -> None:
        """Learn the rewards that were revealed since the last call, in the order of steps."""


def play_one_by_one(problem: Problem, phase: PhaseClock, make: Callable[[int, int], Player]) -> Any:
    """Play each replication with a separate player.

    Parameters
    ----------
    make
        ``make(arms, seed) -> player``.
    """
    world = problem.data
    seeds = np.random.default_rng(problem.seed).integers(2**31, size=world.replications)
    actions = np.empty((world.horizon, world.replications), dtype=np.int16)
    with phase("play"):
        players = [make(world.arms, int(seed)) for seed in seeds]
        learned = 0
        for step in range(world.horizon):
            known = world.seen(step)
            if known > learned:
                rewards = np.array([world.rewards(t, actions[t].astype(np.int64)) for t in range(learned, known)])
                for place, player in enumerate(players):
                    player.learn(actions[learned:known, place].tolist(), rewards[:, place])
                learned = known
            actions[step] = [player.choose(step) for player in players]
    return actions


class _Obp:
    def __init__(self, policy: Any) -> None:
        self._policy = policy

    def choose(self, _step: int) -> int:
        return int(self._policy.select_action()[0])

    def learn(self, arms: Sequence[int], rewards: Floats) -> None:
        for arm, reward in zip(arms, rewards, strict=True):
            self._policy.update_params(action=arm, reward=reward)


class _MABWiser:
    def __init__(self, arms: int, seed: int, policy: Any) -> None:
        from mabwiser.mab import MAB

        self._mab = MAB(list(range(arms)), policy, seed=seed)
        self._arms = arms
        self._untried = set(range(arms))
        self._early: tuple[list[int], list[float]] = ([], [])

    def choose(self, step: int) -> int:
        return step % self._arms if self._untried else int(self._mab.predict())

    def learn(self, arms: Sequence[int], rewards: Floats) -> None:
        if not self._untried:
            self._mab.partial_fit(list(arms), rewards)
            return
        chosen, paid = self._early
        chosen.extend(arms)
        paid.extend(rewards)
        self._untried.difference_update(arms)
        if not self._untried:
            self._mab.fit(chosen, np.array(paid))


@task.strategy("obp-epsilon-greedy", needs=OBP, note=f"{OBP_COST} Chooses at random until every arm has a reward.")
def obp_epsilon_greedy(problem: Problem, phase: PhaseClock, epsilon: float = 0.1) -> Any:
    """Play obp.policy.EpsilonGreedy of the Open Bandit Pipeline (Saito et al. 2021)."""
    from obp.policy import EpsilonGreedy

    return play_one_by_one(
        problem, phase, lambda arms, seed: _Obp(EpsilonGreedy(n_actions=arms, epsilon=epsilon, random_state=seed))
    )


@task.strategy("obp-bernoulli-ts", needs=OBP, note=OBP_COST)
def obp_bernoulli_ts(problem: Problem, phase: PhaseClock) -> Any:
    """Play obp.policy.BernoulliTS of the Open Bandit Pipeline (Saito et al. 2021)."""
    from obp.policy import BernoulliTS

    return play_one_by_one(problem, phase, lambda arms, seed: _Obp(BernoulliTS(n_actions=arms, random_state=seed)))


@task.strategy("mabwiser-epsilon-greedy", needs=MABWISER, note=MABWISER_COST)
def mabwiser_epsilon_greedy(problem: Problem, phase: PhaseClock, epsilon: float = 0.1) -> Any:
    """Play LearningPolicy.EpsilonGreedy of MABWiser (Strong, Kleynhans & Kadioglu 2019)."""
    from mabwiser.mab import LearningPolicy

    return play_one_by_one(
        problem, phase, lambda arms, seed: _MABWiser(arms, seed, LearningPolicy.EpsilonGreedy(epsilon))
    )


@task.strategy(
    "mabwiser-ucb1",
    needs=MABWISER,
    note=f"{MABWISER_COST} Its alpha 1 is xi 2. It counts the steps whose rewards are known.",
)
def mabwiser_ucb1(problem: Problem, phase: PhaseClock, alpha: float = 1.0) -> Any:
    """Play LearningPolicy.UCB1 of MABWiser (Strong, Kleynhans & Kadioglu 2019)."""
    from mabwiser.mab import LearningPolicy

    return play_one_by_one(problem, phase, lambda arms, seed: _MABWiser(arms, seed, LearningPolicy.UCB1(alpha)))


@task.strategy("mabwiser-thompson", needs=MABWISER, note=MABWISER_COST)
def mabwiser_thompson(problem: Problem, phase: PhaseClock) -> Any:
    """Play LearningPolicy.ThompsonSampling of MABWiser (Strong, Kleynhans & Kadioglu 2019)."""
    from mabwiser.mab import LearningPolicy

    return play_one_by_one(problem, phase, lambda arms, seed: _MABWiser(arms, seed, LearningPolicy.ThompsonSampling()))
