"""Deployments whose gate is valid at every look: the number of visitors need not be fixed beforehand.

All use one term x = (y - c) (a - s) per visitor, where y is what the visitor paid, a is 1 if the visitor got the new
policy and else 0, s is the share of traffic, and c is any number known before. The mean of x is s (1 - s) times the
effect, whatever the rate of the old policy is at that time. The factor s (1 - s) weighs a stage by its information.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.topics.bandits.deployment import ROLLOUT, deployment
from harness.topics.bandits.rollouts import Constant, Decided, Flags, Floats, staged

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.bandits.engine.rollout import Seen, Traffic

# Effects that are bet on, as shares of the rate; the evidence is the mean capital of all bets.
LIFTS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
STAKE = 0.5  # largest share of the capital that one visitor may cost
GATE = "Promotes a policy that is not better with at most the declared probability, at any number of looks."


class CanaryEvidence(Protocol):
    """Logarithm of the capital of bets against "no effect": if there is none, it rarely gets large (Ville 1939)."""

    better: Floats
    worse: Floats

    def add(self, shares: Floats, seen: Seen) -> None:
        """Settle the bets on the visitors of a step."""


class CanaryCentre:
    """The rate of the old policy in the steps before, with half a paying and half a non-paying visitor added."""

    def __init__(self, replications: int) -> None:
        self._paid, self._old = np.full(replications, 0.5), np.ones(replications)

    def terms(self, shares: Floats, seen: Seen) -> tuple[Floats, Floats, Floats]:
        """Return the four values of the term, how often each occurred, and the centre used; then update the centre.

        Returns
        -------
        tuple
            Shapes (4, replications), (4, replications) and (replications,).
        """
        centre = self._paid / self._old
        values = np.array([
            (1 - centre) * (1 - shares),
            -centre * (1 - shares),
            -(1 - centre) * shares,
            centre * shares,
        ])  # fmt: skip
        counts = np.array([seen.new_paid, seen.new - seen.new_paid, seen.old_paid, seen.old - seen.old_paid])
        self._paid, self._old = self._paid + seen.old_paid, self._old + seen.old
        return values, counts, centre


class Betting:
    """Bets of several sizes that the mean of the terms is positive, and as many that it is negative.

    A bet b multiplies its capital by 1 + b x for every visitor. If the effect does not have the sign of the bet, its
    capital does not grow on average: Waudby-Smith & Ramdas 2023, "Estimating means of bounded random variables by
    betting" (arXiv 2010.09686); for weighted rewards Waudby-Smith et al. 2022 (arXiv 2210.10768). The bet on a lift
    l is b = l / (1 - c), with which capital grows fastest if the effect is l c.
    """

    def __init__(self, replications: int) -> None:
        self._centre = CanaryCentre(replications)
        self._capital = np.zeros((2, len(LIFTS), replications))
        self.better, self.worse = np.zeros(replications), np.zeros(replications)

    def add(self, shares: Floats, seen: Seen) -> None:
        """Settle the bets on the visitors of a step."""
        values, counts, centre = self._centre.terms(shares, seen)
        for side, signed in enumerate((values, -values)):
            with np.errstate(divide="ignore"):
                most = STAKE / np.maximum(-signed.min(axis=0), 0)
            bets = np.minimum(np.array(LIFTS)[:, None] / (1 - centre), most)
            self._capital[side] += (counts * np.log1p(bets[:, None] * signed)).sum(axis=1)
        means = np.logaddexp.reduce(self._capital, axis=1) - math.log(len(LIFTS))
        self.better, self.worse = means


class Mixture:
    """Likelihood ratios for a normal drift of the terms, averaged over drifts of one sign.

    With S the sum of the terms and V the sum of their squares, the ratio for a drift b is exp(b S - b^2 V / 2). Its
    average over the absolute value of a normal b with variance 1 / r is
    2 sqrt(r / (V + r)) exp(S^2 / (2 (V + r))) Phi(S / sqrt(V + r)): Robbins 1970, "Statistical methods related to the
    law of the iterated logarithm"; Howard et al. 2021 (arXiv 1810.08240, section 3.2). V is estimated, so the
    guarantee is asymptotic in the number of visitors (Waudby-Smith et al. 2021, arXiv 2103.06476).

    Parameters
    ----------
    tuned
        Number of visitors, at equal shares, at which the bound is about narrowest.
    level
        Level of the bound that `tuned` refers to.
    """

    def __init__(self, replications: int, tuned: float, level: float) -> None:
        self._centre = CanaryCentre(replications)
        self._sum, self._squares = np.zeros(replications), np.zeros(replications)
        # Howard et al. 2021, section 3.5, with -W(-a^2 / e) - 1 to second order; one side has twice the level.
        spent = -2 * math.log(2 * level) if level < 0.5 else 1.0
        self._prior = tuned / 4 / (spent + math.log1p(spent))
        self.better, self.worse = np.zeros(replications), np.zeros(replications)

    def add(self, shares: Floats, seen: Seen) -> None:
        """Add the visitors of a step."""
        values, counts, centre = self._centre.terms(shares, seen)
        self._sum += (counts * values).sum(axis=0) / np.sqrt(centre * (1 - centre))
        self._squares += (counts * values**2).sum(axis=0) / (centre * (1 - centre))
        self.better, self.worse = self._ratio(self._sum), self._ratio(-self._sum)

    def _ratio(self, total: Floats) -> Floats:
        from scipy.special import log_ndtr

        scale = self._squares + self._prior
        z = total / np.sqrt(scale)
        ratio: Floats = math.log(2) + 0.5 * np.log(self._prior / scale) + z**2 / 2 + log_ndtr(z)
        return ratio


class Canary(Decided):
    """Raises traffic in stages; gives all once the evidence for better is sufficient, none once that for worse is."""

    def __init__(self, traffic: Traffic, evidence: CanaryEvidence, level: float, stage_steps: int) -> None:
        super().__init__(traffic.replications, staged(traffic.horizon, stage_steps))
        self._evidence, self._bar = evidence, -math.log(level)

    def update(self, _step: int, shares: Floats, seen: Seen) -> None:
        """Add the visitors of a step to the evidence, and decide."""
        self._evidence.add(shares, seen)
        self.decide(self._evidence.better >= self._bar, self._evidence.worse >= self._bar)


def _gated(problem: Problem, phase: PhaseClock, weigh: Callable[[Traffic], CanaryEvidence], stage_steps: int) -> Floats:
    from harness.topics.bandits.engine.rollout import measure

    level = float(problem.params["level"])
    return measure(problem, phase, lambda traffic: Canary(traffic, weigh(traffic), level, stage_steps))


@deployment.strategy("canary-betting", needs=ROLLOUT, sweep={"stage_steps": [1, 10]}, note=GATE)
def canary_betting(problem: Problem, phase: PhaseClock, stage_steps: int = 5) -> Floats:
    """Raise traffic in stages to one half; promote once bets that it is better gained a factor of 1 / level."""
    return _gated(problem, phase, lambda traffic: Betting(traffic.replications), stage_steps)


@deployment.strategy(
    "canary-mixture",
    needs=(ROLLOUT, "scipy.special"),
    note="Like canary-betting, but its level is guaranteed only asymptotically, for many visitors.",
)
def canary_mixture(problem: Problem, phase: PhaseClock, stage_steps: int = 5) -> Floats:
    """Raise traffic in stages to one half; promote once a normal mixture's likelihood ratio is above 1 / level."""
    level = float(problem.params["level"])

    def weigh(traffic: Traffic) -> CanaryEvidence:
        return Mixture(traffic.replications, traffic.horizon * traffic.visitors / 2, level)

    return _gated(problem, phase, weigh, stage_steps)


@deployment.strategy("log-betting", needs=ROLLOUT, note=f"Needs a log in which the old policy explored. {GATE}")
def log_betting(problem: Problem, phase: PhaseClock) -> Floats:
    """Promote at once if bets on the effect in the log ever multiplied their capital by 1 / level."""

    def decide(traffic: Traffic, level: float) -> Flags:
        evidence = Betting(traffic.replications)
        shares = np.full(traffic.replications, traffic.explored)
        most = np.zeros(traffic.replications)
        for step in range(traffic.logged):
            evidence.add(shares, traffic.log(step))
            most = np.maximum(most, evidence.better)
        known: Flags = most >= -math.log(level)
        return known

    return _from_log(problem, phase, decide)


@deployment.strategy("log-bernstein", needs=ROLLOUT, note=f"Needs a log in which the old policy explored. {GATE}")
def log_bernstein(problem: Problem, phase: PhaseClock) -> Floats:
    """Promote at once if the lower bound of the effect, computed from the log, is above 0.

    The gate is from Thomas, Theocharous & Ghavamzadeh 2015, "High confidence policy improvement"; the bound is from
    Maurer & Pontil 2009 (arXiv 0907.3740, theorem 4).
    """

    def decide(traffic: Traffic, level: float) -> Flags:
        totals = sum((np.array(traffic.log(step)) for step in range(traffic.logged)), np.zeros((4, 1)))
        known: Flags = lower_bound(totals, traffic.explored, level) > 0
        return known

    return _from_log(problem, phase, decide)


def lower_bound(totals: Floats, explored: float, level: float) -> Floats:
    """Bound the effect from below, with each visitor weighted by the inverse probability of the policy it got.

    Parameters
    ----------
    totals
        Visitors and sum of payments under the new policy, then the same under the old one, shape (4, replications).
    explored
        Probability of the new policy.
    level
        Probability that the bound exceeds the effect, at most.

    Returns
    -------
    numpy.ndarray
        Shape (replications,).
    """
    new, new_paid, old, old_paid = totals
    count, up, down = new + old, 1 / explored, 1 / (1 - explored)
    mean = (new_paid * up - old_paid * down) / count
    squares = (new_paid * up**2 + old_paid * down**2) / count
    variance = (squares - mean**2) * count / (count - 1)
    spent = math.log(2 / level)
    bound: Floats = mean - np.sqrt(2 * variance * spent / count) - 7 * (up + down) * spent / (3 * (count - 1))
    return bound


def _from_log(problem: Problem, phase: PhaseClock, decide: Callable[[Traffic, float], Flags]) -> Floats:
    from harness.topics.bandits.engine.rollout import measure

    level = float(problem.params["level"])
    return measure(problem, phase, lambda traffic: Constant(decide(traffic, level).astype(np.float64)))
