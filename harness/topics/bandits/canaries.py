"""Deployments whose gate may be looked at at any time: no number of visitors is fixed beforehand.

All rest on terms x = (y - c) (a - s) of a visitor, where y is what was paid, a says who got the new policy (1 or 0), s
is the share of traffic and c any number known before. Their mean is s (1 - s) times the effect, whatever the old
policy's rate is at that time, and s (1 - s) weighs a stage by what it tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.topics.bandits.deployment import ROLLOUT, deployment
from harness.topics.bandits.rollouts import Constant, Decided, Flags, Floats, staged

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem
    from harness.topics.bandits.engine.rollout import Seen, Traffic

# Effects that are bet on, as shares of the rate; all bets together have the capital of their mean.
LIFTS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
STAKE = 0.5  # largest share of the capital that one visitor may cost
GATE = "Promotes a policy that is no better with at most the declared probability, at any number of looks."


class CanaryEvidence(Protocol):
    """Capital of bets against there being no effect, as logarithms; fair bets rarely make it large (Ville 1939)."""

    better: Floats
    worse: Floats

    def add(self, shares: Floats, seen: Seen) -> None:
        """Settle the bets on the visitors of a step."""


class CanaryCentre:
    """The old policy's rate in the steps before, half a visitor of each kind added; shape (replications,)."""

    def __init__(self, replications: int) -> None:
        self._paid, self._old = np.full(replications, 0.5), np.ones(replications)

    def terms(self, shares: Floats, seen: Seen) -> tuple[Floats, Floats, Floats]:
        """Return the four values of the terms, how often they came, and the centre used; learn it anew.

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
    """Bets on the terms being positive, and on their being negative, of several sizes at once.

    A bet b multiplies its capital by 1 + b x for every visitor, which is a fair game or worse where the effect has not
    the sign that is bet on: Waudby-Smith & Ramdas 2023, "Estimating means of bounded random variables by betting"
    (arXiv 2010.09686); for weighted rewards Waudby-Smith et al. 2022 (arXiv 2210.10768). A bet on a lift
    l is b = l / (1 - c), which makes capital grow the fastest when the effect is l c.
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
    """Likelihood ratios of a normal drift of the terms, mixed over drifts of one sign.

    With S the sum of the terms and V that of their squares the ratio is exp(b S - b^2 V / 2) for a drift b; mixed over
    the absolute value of a normal b with variance 1 / r it is
    2 sqrt(r / (V + r)) exp(S^2 / (2 (V + r))) Phi(S / sqrt(V + r)): Robbins 1970, "Statistical methods related to the
    law of the iterated logarithm"; Howard et al. 2021 (arXiv 1810.08240, section 3.2). As V is estimated it holds for
    many visitors only (Waudby-Smith et al. 2021, arXiv 2103.06476).

    Parameters
    ----------
    tuned
        Visitors, at equal shares, at which its bound is about the narrowest.
    level
        For which it is so.
    """

    def __init__(self, replications: int, tuned: float, level: float) -> None:
        self._centre = CanaryCentre(replications)
        self._sum, self._squares = np.zeros(replications), np.zeros(replications)
        # Howard et al. 2021, section 3.5, with -W(-a^2 / e) - 1 to its second order; one side has twice the level.
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
    """Traffic in stages; all of it once evidence says better, none once it says worse."""

    def __init__(self, traffic: Traffic, evidence: CanaryEvidence, level: float, stage_steps: int) -> None:
        super().__init__(traffic.replications, staged(traffic.horizon, stage_steps))
        self._evidence, self._bar = evidence, -math.log(level)

    def update(self, _step: int, shares: Floats, seen: Seen) -> None:
        """Weigh what was seen."""
        self._evidence.add(shares, seen)
        self.decide(self._evidence.better >= self._bar, self._evidence.worse >= self._bar)


def _gated(problem: Problem, phase: PhaseClock, weigh: Callable[[Traffic], CanaryEvidence], stage_steps: int) -> Floats:
    from harness.topics.bandits.engine.rollout import measure

    level = float(problem.params["level"])
    return measure(problem, phase, lambda traffic: Canary(traffic, weigh(traffic), level, stage_steps))


@deployment.strategy("canary-betting", needs=ROLLOUT, sweep={"stage_steps": [1, 10]}, note=GATE)
def canary_betting(problem: Problem, phase: PhaseClock, stage_steps: int = 5) -> Floats:
    """Raise traffic in stages to one half; promote once bets on the new policy have multiplied by 1 / level."""
    return _gated(problem, phase, lambda traffic: Betting(traffic.replications), stage_steps)


@deployment.strategy(
    "canary-mixture",
    needs=(ROLLOUT, "scipy.special"),
    note="As canary-betting, but the level holds for many visitors only.",
)
def canary_mixture(problem: Problem, phase: PhaseClock, stage_steps: int = 5) -> Floats:
    """Raise traffic in stages to one half; promote once a normal mixture's likelihood ratio is above 1 / level."""
    level = float(problem.params["level"])

    def weigh(traffic: Traffic) -> CanaryEvidence:
        return Mixture(traffic.replications, traffic.horizon * traffic.visitors / 2, level)

    return _gated(problem, phase, weigh, stage_steps)


@deployment.strategy("log-betting", needs=ROLLOUT, note=f"Needs a log that explored. {GATE}")
def log_betting(problem: Problem, phase: PhaseClock) -> Floats:
    """Promote at once if bets on the log from before have ever multiplied by 1 / level."""

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


@deployment.strategy("log-bernstein", needs=ROLLOUT, note=f"Needs a log that explored. {GATE}")
def log_bernstein(problem: Problem, phase: PhaseClock) -> Floats:
    """Promote at once if the log's lower bound of the effect is above 0.

    The gate is that of Thomas, Theocharous & Ghavamzadeh 2015, "High confidence policy improvement"; the
    bound that of Maurer & Pontil 2009 (arXiv 0907.3740, theorem 4).
    """

    def decide(traffic: Traffic, level: float) -> Flags:
        totals = sum((np.array(traffic.log(step)) for step in range(traffic.logged)), np.zeros((4, 1)))
        known: Flags = lower_bound(totals, traffic.explored, level) > 0
        return known

    return _from_log(problem, phase, decide)


def lower_bound(totals: Floats, explored: float, level: float) -> Floats:
    """Bound the effect from below, from visitors weighted by the inverse of the probability of what they got.

    Parameters
    ----------
    totals
        Visitors and what they paid, of the new policy and of the old one, shape (4, replications).
    explored
        Probability of the new policy.
    level
        Probability with which the bound may be above the effect.

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
