"""Judges deployments: policies that were promoted wrongly, too late or not at all, and the reward lost by that."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.topics.bandits.engine.chance import Floats, Ints
from harness.topics.bandits.engine.rollout import Launch


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
        curves={
            "traffic": Curve(x, given.mean(axis=1).tolist()),
            "lost": Curve(x, losses.mean(axis=1).cumsum().tolist()),
        },
        examples={name: Examples(values.astype(np.float64)) for name, values in parts.items() if len(values)},
    )
