"""Deployments of a new policy in place of an old one: which visitors get it, what they pay, and how that is judged.

In each step a batch of visitors arrives. Each visitor gets the new policy with a known probability, the share of
traffic. Decisions are taken between steps. The judge counts policies that were promoted wrongly, too late or not at
all, and the reward lost by that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.topics.bandits.engine.world import Floats, Ints, bits

if TYPE_CHECKING:
    from harness import PhaseClock, Problem


_LOW = np.uint64(0xFFFFFFFF)
_UNIT = 2.0**-32


class Seen(NamedTuple):
    """The visitors of a step: their number and the sum of their payments under each policy, shape (replications,)."""

    new: Floats
    new_paid: Floats
    old: Floats
    old_paid: Floats


@dataclass(frozen=True, eq=False)
class Launch:
    """Independent deployments with their true rates.

    Attributes
    ----------
    rate
        Probability that a visitor of a step pays 1 under the old policy, shape (horizon,).
    effect
        What the new policy adds to that probability, shape (replications,).
    visitors
        Visitors per step.
    key
        Key of the random draws. All strategies get the same visitors, who pay the same under the same policy.
    logged
        Steps of the log that was recorded before, at the rate of the first step.
    explored
        Probability that a round of the log has the choice of the new policy.
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
    """What a strategy may see of deployments: the visitors without the true rates."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self.horizon = launch.horizon
        self.replications = launch.replications
        self.visitors = launch.visitors
        self.logged = launch.logged
        self.explored = launch.explored

    def observe(self, step: int, shares: Floats) -> Seen:
        """Return the visitors of a step, split between both policies.

        Parameters
        ----------
        shares
            Probability that a visitor gets the new policy, shape (replications,).
        """
        return self._count(step, float(self._launch.rate[step]), shares)

    def log(self, step: int) -> Seen:
        """Return step 0 to `logged` - 1 of the log; a share `explored` of its visitors got the new policy."""
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
    """Count visitors: the lower half of their random bits selects the policy, the upper half what they pay."""
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
    """A rule for the share of traffic of the new policy, in R deployments at once."""

    def share(self, step: int) -> Floats:
        """Return the share of traffic of the new policy in each deployment, shape (R,)."""

    def update(self, step: int, shares: Floats, seen: Seen) -> None:
        """Learn how the visitors of a step were split and what they paid."""


def play(traffic: Traffic, rollout: Rollout) -> Floats:
    """Return the shares of the new policy by a rule, shape (horizon, replications)."""
    shares = np.empty((traffic.horizon, traffic.replications))
    for step in range(traffic.horizon):
        shares[step] = rollout.share(step)
        rollout.update(step, shares[step], traffic.observe(step, shares[step]))
    return shares


def measure(problem: Problem, phase: PhaseClock, make: Callable[[Traffic], Rollout]) -> Floats:
    """Play a rule in the phase ``play``, after compiling the count of visitors in the phase ``compile``.

    Parameters
    ----------
    make
        Returns a new rule for traffic.
    """
    with phase("compile"):
        problem.data.observe(0, np.full(problem.data.replications, 0.5))
    for _ in phase("play"):
        shares = play(problem.data, make(problem.data))
    return shares


def checked(launch: Launch, shares: npt.ArrayLike) -> Floats:
    """Return the shares of traffic as an array.

    Raises
    ------
    InvalidOutputError
        Unless they are numbers of shape (horizon, replications) from 0 to 1.
    """
    try:
        given = np.asarray(shares, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidOutputError("expected an array of shares of traffic, one per step and replication") from None
    shape = (launch.horizon, launch.replications)
    if given.shape != shape:
        raise InvalidOutputError(f"expected shares of shape {shape} (horizon, replications), not {given.shape}")
    if not ((given >= 0) & (given <= 1)).all():
        raise InvalidOutputError(f"shares must lie in 0 to 1, not in {given.min():g} to {given.max():g}")
    return given


def steps_to_full(shares: Floats) -> Ints:
    """Return the number of steps before the new policy has all traffic until the end; the horizon if it never has.

    Parameters
    ----------
    shares
        Shape (horizon, replications).

    Returns
    -------
    numpy.ndarray
        Shape (replications,).
    """
    horizon = len(shares)
    before = (shares < 1)[::-1]
    full: Ints = np.where(before.any(axis=0), before.argmax(axis=0), horizon)
    return horizon - full


def lost(launch: Launch, shares: Floats) -> Floats:
    """Return the expected reward that each step lost compared with the better policy, shape (horizon, replications)."""
    wrong = np.where(launch.effect > 0, 1 - shares, shares)
    losses: Floats = launch.visitors * np.abs(launch.effect) * wrong
    return losses


def judge(launch: Launch, shares: npt.ArrayLike) -> Judgement:
    """Judge shares of traffic.

    Returns
    -------
    Judgement
        Metrics ``false_promotions`` (share of the policies that are not better and have all traffic at the end),
        ``missed`` (share of the better ones that do not have it), ``time_to_full`` (mean number of steps before a
        better one has all traffic, or the horizon) and ``reward_lost`` (mean). The first three are 0 if there are no
        such policies. Curves ``traffic`` and ``lost`` over steps.

    Raises
    ------
    InvalidOutputError
        See `checked`.
    """
    given = checked(launch, shares)
    steps = steps_to_full(given)
    promoted, better = steps < launch.horizon, launch.effect > 0
    losses = lost(launch, given)
    parts = {
        "false_promotions": promoted[~better],
        "missed": ~promoted[better],
        "time_to_full": steps[better],
        "reward_lost": losses.sum(axis=0),
    }
    x = np.arange(1.0, launch.horizon + 1).tolist()
    return Judgement(
        metrics={name: float(values.mean()) if len(values) else 0.0 for name, values in parts.items()},
        n={name: len(parts[name]) for name in ("false_promotions", "missed")},
        curves={
            "traffic": Curve(x, given.mean(axis=1).tolist()),
            "lost": Curve(x, losses.mean(axis=1).cumsum().tolist()),
        },
        examples={name: Examples(values.astype(np.float64)) for name, values in parts.items() if len(values)},
    )
