"""All estimators except MIPS in one pass over the log, for logs larger than the processor's caches."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numba import njit

from harness import UsageError
from harness.topics.ope.engine.check import check_model
from harness.topics.ope.engine.log import Floats, Ints, Log

Pair = tuple[float, float]
Options = tuple[float, float, float, float]
Moments = dict[str, float]

NAMES: Final = ("dm", "ips", "clipped_ips", "sub_gaussian_ips", "snips", "dr", "sndr", "switch_dr", "dr_os")
PLAIN: Final = ("dm", "ips", "clipped_ips", "sub_gaussian_ips", "dr", "switch_dr", "dr_os")


@dataclass(frozen=True)
class Summary:
    """An estimated value and its standard error (NaN for a single round)."""

    value: float
    standard_error: float


def estimate_all(
    log: Log,
    model: Floats | None,
    *,
    clip: float = 10.0,
    tau: float = 1.0,
    lam: float = 1.0,
    sub_gaussian_lam: float = 0.05,
) -> dict[str, Summary]:
    """Return value and standard error of every estimator except MIPS, from one pass over the log.

    The values equal those of the functions in ``estimators``. Target and model, of n x actions numbers each, are read
    once, and no array of that size is written.

    Parameters
    ----------
    log, model
        The log, and the estimated reward of every action, shape (n, actions).
    clip, tau, lam, sub_gaussian_lam
        Options of clipped_ips, switch_dr, dr_os and sub_gaussian_ips.

    Raises
    ------
    UsageError
        There is no model, its shape differs from that of the target, an option is out of range, or all weights are 0.
    """
    model = check_model(log, model, "estimate_all")
    if not (clip >= 0 and tau >= 0 and lam >= 0 and 0 <= sub_gaussian_lam <= 1):
        raise UsageError("clip, tau and lam must be at least 0, and sub_gaussian_lam must lie between 0 and 1")
    target, rewards, propensities = _plain(log.target), _plain(log.rewards), _plain(log.propensities)
    pairs, moments = _pass(
        target, _plain(model), log.actions, rewards, propensities, (clip, tau, lam, sub_gaussian_lam)
    )
    if moments[0] <= 0:
        raise UsageError("all weights are 0: the target policy takes none of the logged actions")
    count = len(log.actions)
    totals, squares = np.array(pairs).T
    values, spreads = totals / count, squares - totals**2 / count
    means = dict(zip(PLAIN, values, strict=True))
    sums = dict(zip(PLAIN, spreads, strict=True))
    _normalise(means, sums, np.array(moments) / count, squares / count, count)
    return {name: Summary(float(means[name]), _error(sums[name], count)) for name in NAMES}


def _plain(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _error(spread: float, count: int) -> float:
    return sqrt(max(spread, 0.0) / (count - 1) / count) if count > 1 else float("nan")


def _normalise(means: Moments, sums: Moments, moments: Floats, squares: Floats, count: int) -> None:
    """Add the self-normalised estimators: base + w (residual - ratio) / mass, by the delta method."""
    mass, w2, w_gain, w_rest, base_w, base_rest = moments
    base, gain, rest = means["dm"], means["ips"], means["dr"] - means["dm"]
    ratio = gain / mass
    means["snips"] = ratio
    sums["snips"] = count * (squares[1] - 2 * ratio * w_gain + ratio**2 * w2) / mass**2
    ratio = rest / mass
    rest2 = squares[4] - squares[0] - 2 * base_rest
    ratio_spread = (rest2 - 2 * ratio * w_rest + ratio**2 * w2) / mass**2
    means["sndr"] = base + ratio
    sums["sndr"] = sums["dm"] + count * (ratio_spread + 2 * (base_rest - ratio * base_w) / mass)


@njit(cache=True, inline="always")
def _add(sums: Pair, term: float) -> Pair:
    return sums[0] + term, sums[1] + term * term


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _pass(
    target: Floats, model: Floats, actions: Ints, rewards: Floats, propensities: Floats, options: Options
) -> tuple[tuple[Pair, ...], tuple[float, ...]]:
    """Return sums and sums of squares of the terms of PLAIN, and the sums that self-normalisation needs."""
    clip, tau, lam, bend = options
    # Scalars and not arrays: they stay in registers, which saves a quarter of the time.
    dm = ips = clipped = bent = dr = switch = shrunk = (0.0, 0.0)
    mass = w2 = w_gain = w_rest = base_w = base_rest = 0.0
    for i in range(len(actions)):
        base = 0.0
        for j in range(target.shape[1]):
            base += target[i, j] * model[i, j]
        weight = target[i, actions[i]] / propensities[i]
        gain = weight * rewards[i]
        rest = weight * (rewards[i] - model[i, actions[i]])
        dm = _add(dm, base)
        ips = _add(ips, gain)
        clipped = _add(clipped, min(weight, clip) * rewards[i])
        bent = _add(bent, gain / (1 - bend + bend * weight) if weight > 0 else 0.0)
        dr = _add(dr, base + rest)
        switch = _add(switch, base + (rest if weight <= tau else 0.0))
        shrunk = _add(shrunk, base + (rest / (1 + weight * weight / lam) if weight > 0 else 0.0))
        mass += weight
        w2 += weight * weight
        w_gain += weight * gain
        w_rest += weight * rest
        base_w += base * weight
        base_rest += base * rest
    return (dm, ips, clipped, bent, dr, switch, shrunk), (mass, w2, w_gain, w_rest, base_w, base_rest)
