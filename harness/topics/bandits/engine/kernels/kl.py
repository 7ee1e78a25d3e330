"""KL-UCB: the index of an arm is the largest mean that its rewards so far do not rule out.

Garivier & Cappe 2011, "The KL-UCB algorithm for bounded stochastic bandits and beyond". The index of an arm with
mean p over n pulls is the largest q with n KL(p, q) <= f(step). KL is convex in q, so that

- Newton's method, started anywhere in (p, 1), is above the root from its first step on and falls towards it;
- the index is concave in f: its tangent at the last solution is an upper bound at all later steps.

The arm with the largest bound is solved again and again until the largest bound is a solution of the current step. This
arm has the largest index, up to the tolerance of the solution.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, done, paid, seen
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, Ints, World

TOLERANCE = 1e-7  # of the last step but one of Newton's method; the error after the last is about its square
_MOST = 60
_EDGE = 1e-12


def kl_ucb(world: World, c: float) -> Actions:
    """Play with f = log(step) + c log(log(step)), where step is the number of steps before."""
    logs = np.log(done(world))
    actions = blank(world)
    _play(arms_of(world), logs + c * np.log(np.maximum(logs, 1)), actions)
    return actions.T


@njit(cache=True)
def solve(mean: float, entropy: float, pulls: int, level: float, start: float) -> tuple[float, float]:
    """Return the index of an arm, and its slope in the level.

    Parameters
    ----------
    mean, entropy
        The mean p of the arm's rewards, in [0, 1), and p log p + (1 - p) log(1 - p).
    level
        The value f of n KL(p, q) at the index q.
    start
        Start of the search; any number.
    """
    q = min(max(start, mean + 1e-3 * (1 - mean)), 1 - 1e-3 * (1 - mean))
    slope = 0.0
    for _ in range(_MOST):
        above = pulls * (entropy - mean * math.log(q) - (1 - mean) * math.log(1 - q)) - level
        slope = q * (1 - q) / (pulls * (q - mean))
        step = above * slope
        ahead = q - step
        if ahead >= 1:
            ahead = 0.5 * (q + 1)
            if 1 - ahead < _EDGE:
                return 1.0, 0.0
        elif ahead <= mean:
            ahead = 0.5 * (q + mean)
            if ahead - mean < _EDGE:
                return mean, np.inf
        elif abs(step) < TOLERANCE:
            return ahead, slope
        q = ahead
    return q, slope


@njit(cache=True)
def _play(arms: Arms, levels: Floats, actions: Actions) -> None:
    count = arms.means.shape[2]
    pulls = np.empty(count, dtype=np.int64)
    sums, means, entropies = np.empty(count), np.empty(count), np.empty(count)
    # index[arm] was solved at level at[arm], at step solved[arm]; -1 means that it has a new reward since.
    index, at, slopes = np.empty(count), np.empty(count), np.empty(count)
    solved = np.empty(count, dtype=np.int64)
    for replication in range(actions.shape[0]):
        pulls[:] = 0
        sums[:] = 0.0
        index[:] = 0.5
        learned, unseen = 0, count
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                unseen -= pulls[arm] == 0
                sums[arm] += paid(arms, learned, replication, arm)
                pulls[arm] += 1
                means[arm] = min(max(sums[arm] / pulls[arm], 0.0), 1.0)
                entropies[arm] = entropy_of(means[arm])
                solved[arm] = -1
                learned += 1
            best = step % count
            if unseen == 0:
                best = largest_index(means, entropies, pulls, index, at, slopes, solved, levels[step], step)
            actions[replication, step] = best


@njit(cache=True, inline="always")
def entropy_of(p: float) -> float:
    """Return the negative entropy of Bernoulli(p), in nats."""
    return p * math.log(p) + (1 - p) * math.log(1 - p) if 0 < p < 1 else 0.0


@njit(cache=True)
def largest_index(
    means: Floats,
    entropies: Floats,
    pulls: Ints,
    index: Floats,
    at: Floats,
    slopes: Floats,
    solved: Ints,
    level: float,
    step: int,
) -> int:
    """Return the arm with the largest index; solve only the arms that may have it."""
    while True:
        best, top = 0, -1.0
        for arm in range(len(means)):
            bound = 2.0 if solved[arm] < 0 else min(index[arm] + (level - at[arm]) * slopes[arm], 1.0)
            if bound > top:
                best, top = arm, bound
        if solved[best] == step:
            return best
        if means[best] >= 1:
            index[best], slopes[best] = 1.0, 0.0
        else:
            start = index[best] if solved[best] < 0 else top
            index[best], slopes[best] = solve(means[best], entropies[best], pulls[best], level, start)
        at[best] = level
        solved[best] = step
