"""Bandits that must earn a share of what the default arm would have paid, and a policy that guarantees it.

Arm 0 is the default.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from harness.topics.bandits.engine.judge import checked
from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, paid
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, Ints, World

VARIANCE = 0.25  # largest variance of rewards in [0, 1], also as a sub-Gaussian constant (Hoeffding's lemma)


@dataclass(frozen=True, eq=False)
class Guarded(World):
    """Arms of which the first is the default, and the share of its reward that may be lost up to every step."""

    share: float = 0.1


def margins(world: Guarded, actions: Actions) -> Floats:
    """Return by how much the expected reward up to each step exceeds the required one.

    Returns
    -------
    numpy.ndarray
        Shape (horizon, replications): the summed means of the chosen arms up to the step, minus (1 - share) times that
        of the default.
    """
    chosen = checked(world, actions)
    steps = np.arange(world.horizon, dtype=np.int64)[:, None]
    stage, rows = world.stage[:, None], world.rows(steps)
    spare: Floats = world.means[stage, rows, chosen] - (1 - world.share) * world.means[stage, rows, 0]
    return spare.cumsum(axis=0)


def conservative_ucb(
    world: World, share: float, delta: float, mean: float | None, *, variance: float = VARIANCE
) -> Actions:
    """Play the arm with the largest upper bound if lower bounds certify the guarantee, else the default.

    Wu, Shariff, Lattimore & Szepesvari 2016, "Conservative bandits" (arXiv 1602.04282), algorithm 1, with widths
    sqrt(psi(n) / n), psi(n) = 2 v log(K n^3 / delta) for K arms beside the default and rewards that are v-sub-Gaussian.

    Parameters
    ----------
    share
        Share of the default's reward that may be lost; with 1 the guarantee is not checked.
    delta
        Probability that some bound is wrong, at most.
    mean
        Mean of the default if it is known; ``None`` to estimate it (section 3.5).
    variance
        v; the paper uses 1.
    """
    actions = blank(world)
    bounded = world.arms - (mean is not None)
    pulls = np.arange(1.0, world.horizon + 1)
    widths = np.sqrt(2 * variance * np.log(max(bounded, 1) * pulls**3 / delta) / pulls)
    known = -1.0 if mean is None else float(mean)
    _play(arms_of(world), widths, known, 1 - share, actions)
    return actions.T


@njit(cache=True)
def _play(arms: Arms, widths: Floats, known: float, least: float, actions: Actions) -> None:
    """Play; `known` is the mean of the default, negative if it is to be estimated, and `least` is 1 - share."""
    count = arms.means.shape[2]
    pulls, sums = np.zeros(count, dtype=np.int64), np.zeros(count)
    upper, lower = np.empty(count), np.empty(count)
    for replication in range(actions.shape[0]):
        pulls[:] = 0
        sums[:] = 0.0
        upper[:] = np.inf
        lower[:] = 0.0
        if known >= 0:
            upper[0] = lower[0] = known
        for step in range(actions.shape[1]):
            arm = int(np.argmax(upper))
            if least > 0 and _budget(pulls, lower, upper[0], arm, least * (step + 1)) < 0:
                arm = 0
            sums[arm] += paid(arms, step, replication, arm)
            pulls[arm] += 1
            if arm > 0 or known < 0:
                mean, width = sums[arm] / pulls[arm], widths[pulls[arm] - 1]
                upper[arm], lower[arm] = mean + width, max(mean - width, 0.0)
            actions[replication, step] = arm


@njit(cache=True)
def _budget(pulls: Ints, lower: Floats, top: float, arm: int, owed: float) -> float:
    """Return a lower bound of the margin after playing an arm, if `owed` times the default's mean are required.

    Plays of the default count towards the required reward. The sign of the rest decides which bound of the default is
    the unfavourable one.
    """
    total = 0.0 if arm == 0 else lower[arm]
    for other in range(1, len(pulls)):
        total += pulls[other] * lower[other]
    rest = owed - pulls[0] - (arm == 0)
    # Before the first play of the default, all that is known of its mean is that it is at most 1.
    left: float = total - rest * (min(top, 1.0) if rest > 0 else lower[0])
    return left
