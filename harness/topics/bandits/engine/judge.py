"""Judges the arms that a policy chose: regret against the best arm of every step, computed from the known means."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.topics.bandits.engine.world import Floats, Ints, World

POINTS = 100
_QUANTILE = 0.9


def checked(world: World, actions: npt.ArrayLike) -> npt.NDArray[np.integer]:
    """Return the actions as an array of integers.

    Raises
    ------
    InvalidOutputError
        Unless they are integers of shape (horizon, replications), each the number of an arm.
    """
    try:
        chosen = np.asarray(actions)
    except ValueError:
        raise InvalidOutputError("expected an array of arms, not lists of different lengths") from None
    shape = (world.horizon, world.replications)
    if chosen.shape != shape:
        raise InvalidOutputError(f"expected arms of shape {shape} (horizon, replications), not {chosen.shape}")
    if not np.issubdtype(chosen.dtype, np.integer):
        raise InvalidOutputError(f"arms must be integers, not {chosen.dtype}")
    if chosen.size and (chosen.min() < 0 or chosen.max() >= world.arms):
        raise InvalidOutputError(f"arms must lie in 0 to {world.arms - 1}, not in {chosen.min()} to {chosen.max()}")
    return chosen


def regret(world: World, actions: npt.ArrayLike) -> Floats:
    """Return the regret of each step: the mean of the best arm minus that of the chosen one.

    It is the pseudo-regret if means are constant (Bubeck & Cesa-Bianchi 2012, "Regret analysis of stochastic and
    nonstochastic multi-armed bandit problems"), the dynamic regret if they change (Garivier & Moulines 2011, "On
    upper-confidence bound policies for switching bandit problems"); not cumulated.

    Returns
    -------
    numpy.ndarray
        Shape (horizon, replications), 0 exactly where the best arm was chosen.

    Raises
    ------
    InvalidOutputError
        When the actions do not have that shape, are not integers, or are not numbers of arms.
    """
    chosen = checked(world, actions)
    steps = np.arange(world.horizon, dtype=np.int64)[:, None]
    rows = world.rows(steps)
    best = world.means.max(axis=2)
    stage = world.stage[:, None]
    lost: Floats = best[stage, rows] - world.means[stage, rows, chosen]
    return lost


def marks(horizon: int, points: int = POINTS) -> Ints:
    """Return the numbers of steps at which curves are drawn, the last being the horizon."""
    steps: Ints = np.unique(np.linspace(1, horizon, min(points, horizon)).astype(np.int64))
    return steps


def judge(world: World, actions: npt.ArrayLike) -> Judgement:
    """Judge the arms that a policy chose.

    Returns
    -------
    Judgement
        Metrics ``regret`` (mean over replications at the horizon), ``regret_q90`` and ``best_arm`` (share of steps);
        curve ``regret`` over steps, with a band from the 10 % to the 90 % quantile; examples of ``regret``, one per
        replication.

    Raises
    ------
    InvalidOutputError
        See `regret`.
    """
    lost = regret(world, actions)
    at = marks(world.horizon)
    so_far = lost.cumsum(axis=0)[at - 1]
    low, high = np.quantile(so_far, (1 - _QUANTILE, _QUANTILE), axis=1)
    total = lost.sum(axis=0)
    return Judgement(
        metrics={
            "regret": float(total.mean()),
            "regret_q90": float(np.quantile(total, _QUANTILE)),
            "best_arm": float((lost == 0).mean()),
        },
        curves={"regret": Curve(at.astype(float).tolist(), so_far.mean(axis=1).tolist(), low.tolist(), high.tolist())},
        examples={"regret": Examples(total)},
    )


def lai_robbins(world: World) -> Floats:
    """Return the smallest factor of log(step) in the regret of a policy that is good on all instances.

    The sum over arms of gap / KL(arm, best): Lai & Robbins 1985, "Asymptotically efficient adaptive allocation rules";
    with the divergence of Bernoulli or Gaussian rewards, as in the world. It is a limit for step to infinity: at a
    finite step the regret may be smaller.

    Returns
    -------
    numpy.ndarray
        One number per row of the world, shape (rows,).

    Raises
    ------
    ValueError
        When means change or depend on contexts.
    """
    if len(world.means) > 1 or world.features is not None:
        raise ValueError("the bound of Lai and Robbins is for arms with constant means and without contexts")
    means = world.means[0]
    best = means.max(axis=1, keepdims=True)
    gaps = best - means
    apart = gaps**2 / (2 * world.sigma**2) if world.sigma else bernoulli_kl(means, np.broadcast_to(best, means.shape))
    with np.errstate(invalid="ignore"):
        terms: Floats = np.where(gaps > 0, gaps / apart, 0.0)
    factors: Floats = terms.sum(axis=1)
    return factors


def bernoulli_kl(p: Floats, q: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of Bernoulli(p) from Bernoulli(q), in nats."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.where(p > 0, p * np.log(p / q), 0.0)
        other = np.where(p < 1, (1 - p) * np.log((1 - p) / (1 - q)), 0.0)
    total: Floats = one + other
    return total
