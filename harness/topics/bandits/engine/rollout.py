"""Deployments of a new policy in place of an old one: who of the visitors gets it, and what they pay.

Time goes in steps; in each a batch of visitors comes, and each of them gets the new policy with a probability that is
known, the share of traffic. Steps are what a team sees of the day: decisions are taken between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numba import njit

from harness.topics.bandits.engine.chance import Floats, bits

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem

_LOW = np.uint64(0xFFFFFFFF)
_UNIT = 2.0**-32


class Seen(NamedTuple):
    """What visitors of a step did, each of shape (replications,): how many had a policy, and what they paid in all."""

    new: Floats
    new_paid: Floats
    old: Floats
    old_paid: Floats


@dataclass(frozen=True, eq=False)
class Launch:
    """Deployments with their truth, side by side.

    Attributes
    ----------
    rate
        Probability that a visitor of a step pays 1 under the old policy, shape (horizon,).
    effect
        What the new policy adds to it, shape (replications,).
    visitors
        Visitors a step.
    key
        Of the draws. A visitor of a step is the same for all strategies, and pays the same under the same policy.
    logged
        Steps of the log from before, at the first step's rate.
    explored
        Probability with which the log has the new policy's choice.
    """

    rate: Floats
    effect: Floats
    visitors: int
    key: np.uint64
    logged: int = 0
    explored: float = 0.05

    @property
    def horizon(self) -> int:
        """Number of steps."""
        return len(self.rate)

    @property
    def replications(self) -> int:
        """Number of deployments."""
        return len(self.effect)


class Traffic:
    """What a strategy may see of deployments: their visitors, but not the truth."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self.horizon = launch.horizon
        self.replications = launch.replications
        self.visitors = launch.visitors
        self.logged = launch.logged
        self.explored = launch.explored

    def observe(self, step: int, shares: Floats) -> Seen:
        """Send visitors to both policies.

        Parameters
        ----------
        shares
            Probability that a visitor gets the new policy, shape (replications,).
        """
        return self._count(step, float(self._launch.rate[step]), shares)

    def log(self, step: int) -> Seen:
        """Return a step of the log, from 0 to `logged`; the share of the new policy's choices is `explored`."""
        shares = np.full(self.replications, self.explored)
        return self._count(self.horizon + step, float(self._launch.rate[0]), shares)

    def _count(self, step: int, rate: float, shares: Floats) -> Seen:
        launch = self._launch
        counts = np.zeros((4, launch.replications))
        _count(launch.key, step * launch.visitors, launch.visitors, rate, launch.effect, shares, counts)
        return Seen(*counts)


@njit(cache=True)
def _count(
    key: np.uint64, first: int, visitors: int, rate: float, effect: Floats, shares: Floats, counts: Floats
) -> None:
    """Count visitors: the lower half of their bits says which policy they get, the upper one what they pay."""
    for replication in range(len(shares)):
        share, added = shares[replication], effect[replication]
        new, new_paid, old_paid = 0, 0, 0
        for visitor in range(first, first + visitors):
            word = bits(key, visitor, replication, 0)
            fraction = float(word >> np.uint64(32)) * _UNIT
            if float(word & _LOW) * _UNIT < share:
                new += 1
                new_paid += fraction < rate + added
            else:
                old_paid += fraction < rate
        counts[0, replication], counts[1, replication] = new, new_paid
        counts[2, replication], counts[3, replication] = visitors - new, old_paid


class Rollout(Protocol):
    """A rule for the share of traffic that a new policy gets, in R deployments at once."""

    def share(self, step: int) -> Floats:
        """Return the share of each deployment, shape (R,)."""

    def update(self, step: int, shares: Floats, seen: Seen) -> None:
        """Learn what the visitors of a step did."""


def play(traffic: Traffic, rollout: Rollout) -> Floats:
    """Return the shares that the rule gave, shape (horizon, replications)."""
    shares = np.empty((traffic.horizon, traffic.replications))
    for step in range(traffic.horizon):
        shares[step] = rollout.share(step)
        rollout.update(step, shares[step], traffic.observe(step, shares[step]))
    return shares


def measure(problem: Problem, phase: PhaseClock, make: Callable[[Traffic], Rollout]) -> Floats:
    """Play a rule in the phase ``play``; what compiling the count or reading its cache takes is a phase apart.

    Parameters
    ----------
    make
        Makes the rule for traffic, without experience.
    """
    with phase("compile"):
        problem.data.observe(0, np.full(problem.data.replications, 0.5))
    for _ in phase("play"):
        shares = play(problem.data, make(problem.data))
    return shares
