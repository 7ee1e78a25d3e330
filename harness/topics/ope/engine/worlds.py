"""Worlds whose truth is known, and the logs drawn from them, replication by replication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness import Generator, UsageError
from harness.topics.ope.engine.log import Floats, Ints, Log
from harness.topics.ope.engine.rounds import draw_actions, taken, with_rewards

#: Logs that a strategy holds at a time, and that one sample of a phase is the time of.
LOGS_AT_ONCE = 10


class World(Protocol):
    """What logs are drawn from."""

    @property
    def truth(self) -> Floats:
        """Value of each candidate policy, shape (candidates,)."""

    def draw(self, rng: Generator) -> tuple[Log, ...]:
        """Draw a log, once for each candidate as its target."""

    def overlap(self) -> tuple[float, float]:
        """Return the effective share of rounds, and the share of the target on actions never logged."""


@dataclass(frozen=True, eq=False)
class Population:
    """A finite set of contexts, from which rounds are drawn with replacement; so its truth is a sum, not a simulation.

    Attributes
    ----------
    contexts
        Shape (m, d).
    rewards
        Expected reward of each action when the target policy is to run, shape (m, actions), in 0 to 1.
    logging
        Probabilities of the policy that runs, shape (m, actions).
    targets
        Probabilities of the candidate policies, shape (candidates, m, actions).
    rounds
        Rounds of a log.
    embeddings
        See `Log`.
    recorded
        Probabilities that the log states in place of those of the policy that runs; ``None`` where it tells the truth.
    before
        Expected rewards when the log begins, from where they move to `rewards` in equal steps; ``None`` where they
        stand still.
    whole
        Whether a log holds every context once, in order, and only actions are drawn.
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
        """Draw a log: rewards are 0 or 1."""
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
        """Return what of the first candidate the log can tell.

        Returns
        -------
        effective
            E[w]^2 / E[w^2] for weights w of the policy that runs: the limit of the effective sample size (Kish 1965)
            divided by the rounds.
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
    """A log that was kept, resampled with replacement; the truth is what another policy's own log paid on average.

    Attributes
    ----------
    log
        The log as kept, with the target.
    value
        Mean reward of the target policy in the log of its own.
    """

    log: Log
    value: float

    @property
    def truth(self) -> Floats:
        """Value of the target policy, shape (1,)."""
        return np.array([self.value])

    def draw(self, rng: Generator) -> tuple[Log, ...]:
        """Draw as many rounds as the log has (the bootstrap of Saito et al. 2020, arXiv 2008.07146)."""
        count = len(self.log.actions)
        return (taken(self.log, rng.integers(count, size=count)),)

    def overlap(self) -> tuple[float, float]:
        """Return what `Population.overlap` does, of the log itself.

        Where only the propensities of chosen actions are known, what counts as unsupported is the target's share on
        actions that no round of the log holds.
        """
        log = self.log
        weights = log.target[np.arange(len(log.actions)), log.actions] / log.propensities
        squares = float((weights**2).mean())
        effective = float(weights.mean()) ** 2 / squares if squares > 0 else 0.0
        if log.logging is None:
            unseen = np.bincount(log.actions, minlength=log.target.shape[1]) == 0
            return effective, float(log.target[:, unseen].sum(axis=1).mean())
        return effective, float(np.where(log.logging > 0, 0.0, log.target).sum(axis=1).mean())


@dataclass(frozen=True, eq=False)
class Logs:
    """What a strategy sees: how many replications there are, and the logs of each."""

    replications: int
    candidates: int
    make: Callable[[int], tuple[Log, ...]]

    def parts(self) -> Iterator[list[tuple[Log, ...]]]:
        """Go through the replications, `LOGS_AT_ONCE` at a time; each is the same log once for each candidate."""
        for start in range(0, self.replications, LOGS_AT_ONCE):
            yield [self.make(number) for number in range(start, min(start + LOGS_AT_ONCE, self.replications))]


@dataclass(frozen=True, eq=False)
class Replications:
    """The data of a trial: many logs, each drawn independently of the others, with the truth.

    Attributes
    ----------
    worlds
        Replication i is drawn from ``worlds[i % len(worlds)]``.
    key
        Seed: a log depends on it and on its number alone, so that all strategies see the same.
    noise
        Half of the distance of two values, by which every reward is moved up or down at random.
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


def view(data: Replications) -> Logs:
    """Return what strategies may see: the logs.

    Raises
    ------
    UsageError
        The data are something else, as a table that joined the task by its card.
    """
    if not isinstance(data, Replications):
        raise UsageError("off-policy evaluation needs a log, not a table: declare it with kept_log (docs/ope.md)")
    return Logs(data.replications, data.truth.shape[1], data.make)


def populations(data: Replications, scenario: str) -> tuple[Population, ...]:
    """Return the worlds where all are populations.

    Raises
    ------
    UsageError
        When one is a log that was kept: what the policy did there cannot be changed.
    """
    found = tuple(world for world in data.worlds if isinstance(world, Population))
    if len(found) < len(data.worlds):
        raise UsageError(f"scenario {scenario} needs a world that can be asked again, not a log that was kept")
    return found
