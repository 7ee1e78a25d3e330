"""Policies with a linear model of the reward of each arm: LinUCB, linear Thompson sampling, greedy on ridge regression.

Models are disjoint: the model of an arm is fitted to the rewards of this arm alone. Inverses are updated by the formula
of Sherman and Morrison. The last axis of arrays is the arm, so that one instruction computes several arms.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.bandits.engine.kernels.arms import Arms, arms_of, blank, largest, paid, row_of, seen
from harness.topics.bandits.engine.kernels.draws import gaussian
from harness.topics.bandits.engine.play import Actions
from harness.topics.bandits.engine.world import Floats, World, bits, uniform

_UCB, _THOMPSON, _GREEDY = 0, 1, 2
_EXPLORE, _WHICH = 1_000_000, 1_000_001  # places of the draws whether to explore, and which arm


def ucb(world: World, alpha: float, ridge: float) -> Actions:
    """Play the largest x'theta + alpha sqrt(x' A^-1 x), with A = ridge I + the sum of x x'.

    Li et al. 2010, "A contextual-bandit approach to personalized news article recommendation": disjoint models.
    """
    return _run(world, _UCB, alpha, ridge, np.uint64(0))


def thompson(world: World, scale: float, ridge: float, key: np.uint64) -> Actions:
    """Play the largest x'theta with theta drawn from N(A^-1 b, scale^2 A^-1).

    Agrawal & Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs", with one model
    per arm. Only x'theta is drawn: given the context it is normal, and independent between arms.
    """
    return _run(world, _THOMPSON, scale, ridge, key)


def greedy(world: World, epsilon: float, ridge: float, key: np.uint64) -> Actions:
    """Play the largest x'theta, or a random arm with probability epsilon."""
    return _run(world, _GREEDY, epsilon, ridge, key)


def logistic_thompson(world: World, scale: float, ridge: float, key: np.uint64) -> Actions:
    """Play the largest x'w with w drawn from N(m, scale^2 / q), the approximate posterior of a logistic regression.

    Chapelle & Li 2011, "An empirical evaluation of Thompson sampling", algorithm 3 with one reward at a time: m is
    the mode after each reward, and the diagonal q grows by x^2 p (1 - p) at it. The mode is computed exactly, because
    it differs from the last one by a multiple of x / q.
    """
    _check(world, ridge)
    assert world.features is not None
    actions = blank(world)
    _logistic(arms_of(world), _table(world.features), scale, ridge, key, actions)
    return actions.T


def _run(world: World, rule: int, scale: float, ridge: float, key: np.uint64) -> Actions:
    _check(world, ridge)
    assert world.features is not None
    actions = blank(world)
    _linear(arms_of(world), _table(world.features), rule, scale, ridge, key, actions)
    return actions.T


def _check(world: World, ridge: float) -> None:
    if world.features is None:
        raise UsageError("a policy with a model of contexts needs a world with features")
    if not np.isfinite(world.features).all():
        raise UsageError("contexts must be finite numbers; fill in what is missing")
    if not ridge > 0:
        raise UsageError(
            f"the ridge penalty must be above 0, not {ridge}: without it an arm without rewards has no estimate"
        )


def _table(features: Floats) -> Floats:
    return np.array(features, dtype=np.float64, order="C")


@njit(cache=True)
def learn(inverse: Floats, theta: Floats, x: Floats, v: Floats, arm: int, reward: float) -> None:
    """Add an observation to a ridge regression.

    Parameters
    ----------
    inverse, theta
        Inverse and coefficients of all arms, shapes (d, d, arms) and (d, arms); those of `arm` are changed.
    v
        A buffer for d numbers.
    """
    many = len(x)
    share, error = 1.0, reward
    for i in range(many):
        v[i] = 0.0
        for j in range(many):
            v[i] += inverse[i, j, arm] * x[j]
        share += v[i] * x[i]
        error -= theta[i, arm] * x[i]
    for i in range(many):
        theta[i, arm] += v[i] * error / share
        for j in range(many):
            inverse[i, j, arm] -= v[i] * v[j] / share


@njit(cache=True)
def score(inverse: Floats, theta: Floats, x: Floats, value: Floats, width: Floats) -> None:
    """Compute x'theta and x' A^-1 x of all arms."""
    value[:], width[:] = 0.0, 0.0
    for i in range(len(x)):
        for arm in range(len(value)):
            value[arm] += x[i] * theta[i, arm]
        for j in range(i + 1):
            factor = x[i] * x[j] * (1.0 if i == j else 2.0)
            for arm in range(len(value)):
                width[arm] += factor * inverse[i, j, arm]


@njit(cache=True)
def _linear(
    arms: Arms, features: Floats, rule: int, scale: float, ridge: float, key: np.uint64, actions: Actions
) -> None:
    many, count = features.shape[1], arms.means.shape[2]
    inverse, theta, v = np.empty((many, many, count)), np.empty((many, count)), np.empty(many)
    value, width = np.empty(count), np.empty(count)
    for replication in range(actions.shape[0]):
        inverse[:], theta[:] = 0.0, 0.0
        for i in range(many):
            inverse[i, i] = 1 / ridge
        learned = 0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                x = features[row_of(arms, learned, replication)]
                learn(inverse, theta, x, v, arm, paid(arms, learned, replication, arm))
                learned += 1
            if rule == _GREEDY and uniform(key, step, replication, _EXPLORE) < scale:
                actions[replication, step] = int(uniform(key, step, replication, _WHICH) * count)
                continue
            score(inverse, theta, features[row_of(arms, step, replication)], value, width)
            if rule == _UCB:
                for arm in range(count):
                    value[arm] += scale * math.sqrt(max(width[arm], 0.0))
            elif rule == _THOMPSON:
                for arm in range(count):
                    value[arm] += scale * math.sqrt(max(width[arm], 0.0)) * gaussian(bits(key, step, replication, arm))
            actions[replication, step] = largest(value)


@njit(cache=True, inline="always")
def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@njit(cache=True)
def mode(logit: float, spread: float, reward: float) -> float:
    """Return c with c = reward - sigmoid(logit + spread c), by a bounded Newton's method.

    The mode moves by c x / q, with spread = sum of x^2 / q: there the derivative of q (w - m)^2 / 2 + the logistic loss
    is 0.
    """
    low, high = reward - 1, reward
    c = reward - _sigmoid(logit)
    for _ in range(50):
        p = _sigmoid(logit + spread * c)
        gap = c - reward + p
        if gap > 0:
            high = c
        else:
            low = c
        step = gap / (1 + spread * p * (1 - p))
        if abs(step) < 1e-12:
            break
        c = c - step if low < c - step < high else (low + high) / 2
    return c


@njit(cache=True)
def _logistic(arms: Arms, features: Floats, scale: float, ridge: float, key: np.uint64, actions: Actions) -> None:
    many, count = features.shape[1], arms.means.shape[2]
    m, q, value = np.empty((many, count)), np.empty((many, count)), np.empty(count)
    width = np.empty(count)
    for replication in range(actions.shape[0]):
        m[:], q[:] = 0.0, ridge
        learned = 0
        for step in range(actions.shape[1]):
            limit = seen(arms, step)
            while learned < limit:
                arm = int(actions[replication, learned])
                x = features[row_of(arms, learned, replication)]
                learn_logistic(m, q, x, arm, paid(arms, learned, replication, arm))
                learned += 1
            x = features[row_of(arms, step, replication)]
            value[:], width[:] = 0.0, 0.0
            for i in range(many):
                for arm in range(count):
                    value[arm] += x[i] * m[i, arm]
                    width[arm] += x[i] * x[i] / q[i, arm]
            for arm in range(count):
                value[arm] += scale * math.sqrt(width[arm]) * gaussian(bits(key, step, replication, arm))
            actions[replication, step] = largest(value)


@njit(cache=True)
def learn_logistic(m: Floats, q: Floats, x: Floats, arm: int, reward: float) -> None:
    """Add an observation to the posterior of one arm; m and q have shape (d, arms)."""
    logit, spread = 0.0, 0.0
    for i in range(len(x)):
        logit += x[i] * m[i, arm]
        spread += x[i] * x[i] / q[i, arm]
    c = mode(logit, spread, reward)
    p = _sigmoid(logit + spread * c)
    for i in range(len(x)):
        m[i, arm] += c * x[i] / q[i, arm]
        q[i, arm] += x[i] * x[i] * p * (1 - p)
