"""Deployments without a gate, and with tests made for a fixed number of visitors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.topics.bandits.deployment import ROLLOUT, deployment

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.bandits.engine.rollout import Rollout, Seen, Traffic

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
STAGES = (0.01, 0.05, 0.25, 0.5)  # then all
NEEDS = (ROLLOUT, "scipy.special")
PITFALLS = (
    "Crook, Frasca, Kohavi & Longbotham 2009, Seven pitfalls to avoid when running controlled experiments on the web"
)


def staged(horizon: int, stage_steps: int, stages: Sequence[float] = STAGES) -> Floats:
    """Return shares of traffic that rise every `stage_steps` steps up to the last stage, shape (horizon,)."""
    shares: Floats = np.array(stages)[np.minimum(np.arange(horizon) // stage_steps, len(stages) - 1)]
    return shares


class Decided:
    """Planned shares until a decision, and from then on all traffic or none.

    Parameters
    ----------
    plan
        Shares of undecided deployments, shape (horizon,).
    """

    def __init__(self, replications: int, plan: Floats) -> None:
        self.plan = plan
        self._decision = np.zeros(replications)

    def share(self, step: int) -> Floats:
        """Return the share of each deployment."""
        shares: Floats = np.select([self._decision > 0, self._decision < 0], [1.0, 0.0], self.plan[step])
        return shares

    def decide(self, promote: Flags, roll_back: Flags) -> None:
        """Promote or roll back undecided deployments; one with both flags is rolled back."""
        running = self._decision == 0
        self._decision[running & promote] = 1
        self._decision[running & roll_back] = -1


class Constant:
    """The same share at all steps."""

    def __init__(self, shares: Floats) -> None:
        self._shares = shares

    def share(self, _step: int) -> Floats:
        """Return the share of each deployment."""
        return self._shares

    def update(self, _step: int, _shares: Floats, _seen: Seen) -> None:
        """Ignore the visitors."""


class Tested(Decided):
    """Decisions by a t test of all visitors so far.

    Parameters
    ----------
    last
        The step after which a policy that is not significantly better is rolled back.
    peek
        Whether to test after every step instead of only after the last.
    """

    def __init__(self, replications: int, plan: Floats, level: float, last: int, *, peek: bool = False) -> None:
        super().__init__(replications, plan)
        self._level, self._last, self._peek = level, last, peek
        self._totals = np.zeros((4, replications))

    def update(self, step: int, _shares: Floats, seen: Seen) -> None:
        """Add the visitors of a step, and test if a test is due."""
        self._totals += np.array(seen)
        if self._peek or step == self._last:
            better, worse = p_values(self._totals)
            promote = better <= self._level
            self.decide(promote, ~promote if step == self._last else worse <= self._level)


class UntilHarm(Decided):
    """All traffic after the last stage, unless a t test at the end of a stage shows that the new policy is worse."""

    def __init__(self, replications: int, horizon: int, level: float, stage_steps: int) -> None:
        super().__init__(replications, staged(horizon, stage_steps))
        self._level, self._stage_steps = level, stage_steps
        self._totals = np.zeros((4, replications))

    def update(self, step: int, _shares: Floats, seen: Seen) -> None:
        """Add the visitors of a step, and test at the end of a stage."""
        self._totals += np.array(seen)
        stages, rest = divmod(step + 1, self._stage_steps)
        if rest == 0 and stages <= len(STAGES):
            _, worse = p_values(self._totals)
            harmed = worse <= self._level
            self.decide(~harmed if stages == len(STAGES) else np.zeros_like(harmed), harmed)
            self._totals[:] = 0


def p_values(totals: Floats) -> tuple[Floats, Floats]:
    """Test with one-sided t tests whether the new policy is better, and whether it is worse.

    The variance is assumed to be the same under both policies, which is true when their rates are equal.

    Parameters
    ----------
    totals
        Visitors and sum of payments under the new policy, then the same under the old one, shape (4, replications).

    Returns
    -------
    tuple
        p of "not better" and p of "not worse", each of shape (replications,); 1 where a policy has no visitors or
        where all visitors pay the same.
    """
    from scipy.special import stdtr

    new, new_paid, old, old_paid = totals
    freedom = new + old - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = new_paid / new, old_paid / old
        # The squared deviations of n numbers that are 0 or 1 sum to n p (1 - p).
        squares = new * rates[0] * (1 - rates[0]) + old * rates[1] * (1 - rates[1])
        t = (rates[0] - rates[1]) / np.sqrt(squares / freedom * (1 / new + 1 / old))
        better, worse = (np.where(np.isfinite(t), stdtr(freedom, sign * t), 1.0) for sign in (-1, 1))
    return better, worse


def _played(problem: Problem, phase: PhaseClock, make: Callable[[Traffic], Rollout]) -> Floats:
    from harness.topics.bandits.engine.rollout import measure

    return measure(problem, phase, make)


@deployment.strategy("immediate", needs=ROLLOUT)
def immediate(problem: Problem, phase: PhaseClock) -> Floats:
    """Give all traffic to the new policy at the first step."""
    return _played(problem, phase, lambda traffic: Constant(np.ones(traffic.replications)))


@deployment.strategy("never", needs=ROLLOUT)
def never(problem: Problem, phase: PhaseClock) -> Floats:
    """Give no traffic to the new policy."""
    return _played(problem, phase, lambda traffic: Constant(np.zeros(traffic.replications)))


@deployment.strategy("fixed-ab", needs=NEEDS, sweep={"portion": [0.25]})
def fixed_ab(problem: Problem, phase: PhaseClock, portion: float = 0.5) -> Floats:
    """Split traffic in halves for a portion of the horizon, then promote if a t test shows an improvement."""
    return _played(problem, phase, lambda traffic: _tested(problem, traffic, np.full(traffic.horizon, 0.5), portion))


@deployment.strategy("peeking-ab", needs=NEEDS)
def peeking_ab(problem: Problem, phase: PhaseClock, portion: float = 0.5) -> Floats:
    """Split traffic in halves and repeat the t test after every step, until it shows that one policy is better.

    Armitage, McPherson & Rowe 1969, "Repeated significance tests on accumulating data"; Johari et al. 2017, "Peeking
    at A/B tests".
    """
    return _played(
        problem, phase, lambda traffic: _tested(problem, traffic, np.full(traffic.horizon, 0.5), portion, peek=True)
    )


@deployment.strategy("canary-pooled", needs=NEEDS, note=f"Pools stages of different shares: see {PITFALLS}.")
def canary_pooled(problem: Problem, phase: PhaseClock, portion: float = 0.5, stage_steps: int = 5) -> Floats:
    """Raise traffic in stages, then promote if a t test over all stages shows an improvement."""
    return _played(
        problem, phase, lambda traffic: _tested(problem, traffic, staged(traffic.horizon, stage_steps), portion)
    )


@deployment.strategy("canary-until-harm", needs=NEEDS, note="Promotes a policy unless there is evidence of harm.")
def canary_until_harm(problem: Problem, phase: PhaseClock, stage_steps: int = 5) -> Floats:
    """Raise traffic in stages up to all, unless a t test at the end of a stage shows harm."""
    level = float(problem.params["level"])
    return _played(problem, phase, lambda traffic: UntilHarm(traffic.replications, traffic.horizon, level, stage_steps))


def _tested(problem: Problem, traffic: Traffic, plan: Floats, portion: float, *, peek: bool = False) -> Tested:
    last = max(math.ceil(portion * traffic.horizon) - 1, 0)
    return Tested(traffic.replications, plan, float(problem.params["level"]), last, peek=peek)
