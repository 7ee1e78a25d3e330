"""Worlds with known values of policies, and the logs that are drawn from them, one per replication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from harness import Generator, UsageError
from harness.topics.ope.engine.log import Floats, Ints, Log, draw_actions, taken, with_rewards

#: Logs that a strategy gets at once; one time sample of a phase covers so many.
LOGS_AT_ONCE = 10


class World(Protocol):
    """A source of logs with known values of the candidate policies."""

    @property
    def truth(self) -> Floats:
        """Value of each candidate policy, shape (candidates,)."""

    def draw(self, rng: Generator) -> tuple[Log, ...]:
        """Draw one log, and return it once for each candidate as the target."""

    def overlap(self) -> tuple[float, float]:
        """Return the effective share of the rounds, and the share of the target on actions that are never logged."""


@dataclass(frozen=True, eq=False)
class Population:
    """A finite set of contexts from which rounds are drawn with replacement, so that true values are exact sums.

    Attributes
    ----------
    contexts
        Features of the contexts, shape (m, d).
    rewards
        Expected reward of each action after the log, when the target policy would run, shape (m, actions), in 0 to 1.
    logging
        Probabilities of the logging policy, shape (m, actions).
    targets
        Probabilities of the candidate policies, shape (candidates, m, actions).
    rounds
        Number of rounds of a log.
    embeddings
        As in `Log`.
    recorded
        Wrong probabilities of the logging policy that the log states; ``None`` if it states the true ones.
    before
        Expected rewards when the log begins, which change to `rewards` in equal steps; ``None`` if they are constant.
    whole
        Whether a log contains every context once, in order, so that only actions and rewards are drawn.
    """

    contexts: Floats
    rewards: Floats
    logging: Floats
    targets: Floats
    rounds: int
    embeddings: Ints | None = None
    recorded: Floats | None = None
    before: Floats | None = None
    whole: bool = False

    @property
    def truth(self) -> Floats:
        """Value of each candidate policy, shape (candidates,)."""
        values: Floats = np.einsum("cma,ma->c", self.targets, self.rewards) / len(self.contexts)
        return values

    def draw(self, rng: Generator) -> tuple[Log, ...]:
        """Draw a log with rewards of 0 or 1, and return it once for each candidate as the target."""
        size = len(self.contexts)
        rows = np.arange(size) if self.whole else rng.integers(size, size=self.rounds)
        logging = self.logging[rows]
        actions = draw_actions(logging, rng.random(len(rows)))
        expected = self.rewards[rows, actions]
        if self.before is not None:
            past = 1 - (np.arange(len(rows)) + 0.5) / len(rows)
            expected = past * self.before[rows, actions] + (1 - past) * expected
        rewards = (rng.random(len(rows)) < expected).astype(np.float64)
        stated = logging if self.recorded is None else self.recorded[rows]
        return tuple(
            Log(
                actions=actions,
                rewards=rewards,
                propensities=stated[np.arange(len(rows)), actions],
                target=target[rows],
                reward_range=(0.0, 1.0),
                contexts=self.contexts[rows],
                logging=stated,
                embeddings=self.embeddings,
            )
            for target in self.targets
        )

    def overlap(self) -> tuple[float, float]:
        """Return how well the logging policy covers the first candidate.

        Returns
        -------
        effective
            E[w]^2 / E[w^2] for the weights w of the logging policy: the limit of the effective sample size (Kish 1965)
            divided by the number of rounds.
        unsupported
            Share of the target's probability on actions that the logging policy never takes.
        """
        target = self.targets[0]
        seen = self.logging > 0
        supported = float(target[seen].sum()) / len(target)
        squares = float((target[seen] ** 2 / self.logging[seen]).sum()) / len(target)
        return (supported**2 / squares if squares > 0 else 0.0), 1 - min(supported, 1.0)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recorded log, from which rounds are drawn; the true value is what the target policy earned when it ran.

    Attributes
    ----------
    log
        The recorded log, with the target.
    value
        Mean reward of the target policy, from its log or from an A/B test.
    subsample
        Share of the rounds that a draw contains, without replacement. ``None``: as many rounds as the log has, with
        replacement.
    """

    log: Log
    value: float
    subsample: float | None = None

    @property
    def truth(self) -> Floats:
        """Value of the target policy, shape (1,)."""
        return np.array([self.value])

    def draw(self, rng: Generator) -> tuple[Log, ...]:
        """Draw rounds of the log.

        Drawing as many as it has is the bootstrap of Saito et al. 2020 (arXiv 2008.07146). A subsample has at least two
        rounds; if those of the log are independent, so are these.
        """
        count = len(self.log.actions)
        if self.subsample is None:
            return (taken(self.log, rng.integers(count, size=count)),)
        return (taken(self.log, rng.permutation(count)[: max(2, round(self.subsample * count))]),)

    def overlap(self) -> tuple[float, float]:
        """Return the values of `Population.overlap`, computed from the log.

        If only the propensities of chosen actions are known, the unsupported share is the target's probability of
        actions that occur in no round of the log. A propensity of 1 leaves nothing to the other actions of its round.
        """
        log = self.log
        chosen = log.target[np.arange(len(log.actions)), log.actions]
        weights = chosen / log.propensities
        squares = float((weights**2).mean())
        effective = float(weights.mean()) ** 2 / squares if squares > 0 else 0.0
        if log.logging is None:
            unseen = np.bincount(log.actions, minlength=log.target.shape[1]) == 0
            lacking = np.where(log.propensities >= 1, 1 - chosen, log.target[:, unseen].sum(axis=1))
            return effective, float(lacking.mean())
        return effective, float(np.where(log.logging > 0, 0.0, log.target).sum(axis=1).mean())


@dataclass(frozen=True, eq=False)
class Logs:
    """What a strategy may see: the number of replications, and the logs of each."""

    replications: int
    candidates: int
    make: Callable[[int], tuple[Log, ...]]

    def parts(self) -> Iterator[list[tuple[Log, ...]]]:
        """Yield lists of `LOGS_AT_ONCE` replications; a replication is one log, once for each candidate."""
        for start in range(0, self.replications, LOGS_AT_ONCE):
            yield [self.make(number) for number in range(start, min(start + LOGS_AT_ONCE, self.replications))]


@dataclass(frozen=True, eq=False)
class Replications:
    """The data of a trial: many independently drawn logs with the true values.

    Attributes
    ----------
    worlds
        Replication i is drawn from ``worlds[i % len(worlds)]``.
    key
        Seed: a log depends only on it and on the number of the replication, so that all strategies get the same logs.
    noise
        Amount that is added to or subtracted from every reward at random.
    """

    worlds: tuple[World, ...]
    replications: int
    key: int
    noise: float = 0.0

    def world(self, number: int) -> World:
        """Return the world of a replication."""
        return self.worlds[number % len(self.worlds)]

    def make(self, number: int) -> tuple[Log, ...]:
        """Draw the log of a replication, once for each candidate."""
        rng = np.random.default_rng([self.key, number])
        logs = self.world(number).draw(rng)
        if not self.noise:
            return logs
        low, high = logs[0].reward_range
        moved = logs[0].rewards + self.noise * rng.choice((-1.0, 1.0), size=len(logs[0].rewards))
        return tuple(with_rewards(log, moved, (low - self.noise, high + self.noise)) for log in logs)

    @property
    def truth(self) -> Floats:
        """Value of each candidate in each replication, shape (replications, candidates)."""
        known = np.array([world.truth for world in self.worlds])
        values: Floats = known[np.arange(self.replications) % len(self.worlds)]
        return values

    def overlap(self) -> tuple[float, float]:
        """Return the mean over worlds of `World.overlap`."""
        effective, unsupported = np.mean([world.overlap() for world in self.worlds], axis=0)
        return float(effective), float(unsupported)


def view(data: Replications, subsample: float | None = None) -> Logs:
    """Return what strategies may see: the logs.

    Parameters
    ----------
    subsample
        Share of the rounds of a recorded log that each replication contains, see `Recorded`.

    Raises
    ------
    UsageError
        The data are something else, such as a table that was added to the task by its card.
    """
    if not isinstance(data, Replications):
        raise UsageError("off-policy evaluation needs a log, not a table: declare it with log_dataset (docs/ope.md)")
    worlds = tuple(replace(one, subsample=subsample) if isinstance(one, Recorded) else one for one in data.worlds)
    return Logs(data.replications, data.truth.shape[1], replace(data, worlds=worlds).make)


def populations(data: Replications, scenario: str) -> tuple[Population, ...]:
    """Return the worlds if all are populations.

    Raises
    ------
    UsageError
        When one is a recorded log, in which the logging policy cannot be changed.
    """
    worlds = tuple(world for world in data.worlds if isinstance(world, Population))
    if len(worlds) < len(data.worlds):
        raise UsageError(f"scenario {scenario} needs a simulated world, not a recorded log")
    return worlds
