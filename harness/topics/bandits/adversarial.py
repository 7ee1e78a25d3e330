"""Exponential weights: policies that hold against rewards of any kind, and pay for it where these are random."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.bandits.baselines import Floats, Ints
from harness.topics.bandits.drifting import drifting
from harness.topics.bandits.stationary import task

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem

PLAY = "harness.topics.bandits.engine.play"
NOTE = "For rewards in [0, 1]. Knows the horizon where gamma is 0."


class Exp3:
    """Weights that grow with the rewards seen, each divided by the probability of its choice.

    Parameters
    ----------
    gamma
        Share of the steps at which chance chooses, and the rate of learning.
    alpha
        Share of all weight that every arm is given at each update; 0 for EXP3, above for EXP3.S.
    """

    def __init__(self, replications: int, arms: int, gamma: float, alpha: float, chance: np.random.Generator) -> None:
        self._logs = np.zeros((replications, arms))
        self._gamma, self._alpha, self._chance = gamma, alpha, chance
        self._chances: list[Floats] = []  # of what was chosen at each step: rewards may come late
        self._places = np.arange(replications)

    def choose(self, _step: int, _contexts: Floats | None) -> Ints:
        """Return an arm for each replication."""
        weights = np.exp(self._logs)
        arms = weights.shape[1]
        chances = (1 - self._gamma) * weights / weights.sum(axis=1, keepdims=True) + self._gamma / arms
        heights = chances.cumsum(axis=1)
        drawn = self._chance.random((len(weights), 1)) * heights[:, -1:]
        chosen: Ints = (heights <= drawn).sum(axis=1)
        self._chances.append(chances[self._places, chosen])
        return chosen

    def update(self, step: int, arms: Ints, rewards: Floats, _contexts: Floats | None) -> None:
        """Learn what the arms chosen at a step paid."""
        count = self._logs.shape[1]
        before = self._logs.copy()
        self._logs[self._places, arms] += self._gamma / count * rewards / self._chances[step]
        if self._alpha:
            shared = math.e * self._alpha / count * np.exp(before).sum(axis=1, keepdims=True)
            self._logs = np.log(np.exp(self._logs) + shared)
        self._logs -= self._logs.max(axis=1, keepdims=True)


@drifting.strategy("exp3", needs=PLAY, note=NOTE)
@task.strategy("exp3", needs=PLAY, sweep={"gamma": [0.01, 0.05, 0.2]}, note=NOTE)
def exp3(problem: Problem, phase: PhaseClock, gamma: float = 0.0) -> Any:
    """Weigh arms exponentially (Auer, Cesa-Bianchi, Freund & Schapire 2002, section 3).

    "The nonstochastic multiarmed bandit problem".

    Parameters
    ----------
    gamma
        Rate; 0 for that of corollary 3.2: sqrt(arms log(arms) / ((e - 1) horizon)), 1 at most.
    """
    world = problem.data
    best = math.sqrt(world.arms * math.log(world.arms) / ((math.e - 1) * world.horizon))
    return _exp3(problem, phase, gamma or min(1.0, best), 0.0)


@drifting.strategy("exp3-s", needs=PLAY, note=NOTE)
@task.strategy("exp3-s", needs=PLAY, sweep={"gamma": [0.01, 0.05, 0.2]}, note=NOTE)
def exp3_s(problem: Problem, phase: PhaseClock, gamma: float = 0.0, switches: int = 4) -> Any:
    """Weigh arms exponentially and forget, to follow the best sequence of arms.

    Auer, Cesa-Bianchi, Freund & Schapire 2002, section 8: EXP3.S.

    Parameters
    ----------
    gamma
        Rate; 0 for that of corollary 8.3 for sequences of so many switches.
    """
    world = problem.data
    hardness = (switches + 1) * math.log(world.arms * world.horizon) + math.e
    best = math.sqrt(world.arms * hardness / ((math.e - 1) * world.horizon))
    return _exp3(problem, phase, gamma or min(1.0, best), 1 / world.horizon)


def _exp3(problem: Problem, phase: PhaseClock, gamma: float, alpha: float) -> Any:
    from harness.topics.bandits.engine.play import measure

    return measure(
        problem,
        phase,
        lambda world: Exp3(world.replications, world.arms, gamma, alpha, np.random.default_rng(problem.seed)),
    )
