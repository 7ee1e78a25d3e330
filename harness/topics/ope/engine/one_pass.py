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
Triple = tuple[float, float, float]
Options = tuple[float, float, float, float]

NAMES: Final = ("dm", "ips", "clipped_ips", "sub_gaussian_ips", "snips", "dr", "sndr", "switch_dr", "dr_os")
PLAIN: Final = ("dm", "ips", "clipped_ips", "sub_gaussian_ips", "dr", "switch_dr", "dr_os")
#: Rounds of the pass that finds the origins.
PILOT: Final = 1_000


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
    target, model, actions = _plain(log.target), _plain(model), log.actions
    rewards, propensities = _plain(log.rewards), _plain(log.propensities)
    options = (clip, tau, lam, sub_gaussian_lam)
    # Of large numbers that hardly differ the sum of squares has no digit left for their differences. So what is summed
    # is the difference to an origin, the mean over the first rounds.
    few = min(len(actions), PILOT)
    terms, mass, _, gains, rests, _ = _pass(
        target[:few], model[:few], actions[:few], rewards, propensities, options, (0.0,) * len(PLAIN), (0.0, 0.0)
    )
    origins = tuple(total / few for total, _ in terms)
    centres = (gains[0] / mass, rests[0] / mass) if mass > 0 else (0.0, 0.0)
    terms, mass, w2, gains, rests, crossed = _pass(
        target, model, actions, rewards, propensities, options, origins, centres
    )
    if mass <= 0:
        raise UsageError("all weights are 0: the target policy takes none of the logged actions")
    count = len(actions)
    sums, squares = np.array(terms).T
    means = dict(zip(PLAIN, origins + sums / count, strict=True))
    spreads = dict(zip(PLAIN, squares - sums**2 / count, strict=True))
    # Self-normalised: base + w (x - ratio) / mass with x a reward or a residual, by the delta method.
    scale = count / mass
    ratio, spread = _ratio(gains, mass, w2)
    means["snips"], spreads["snips"] = centres[0] + ratio, spread * scale**2
    ratio, spread = _ratio(rests, mass, w2)
    means["sndr"] = means["dm"] + centres[1] + ratio
    spreads["sndr"] = spreads["dm"] + spread * scale**2 + 2 * (crossed[1] - ratio * crossed[0]) * scale
    return {name: Summary(float(means[name]), _error(spreads[name], count)) for name in NAMES}


def _plain(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _error(spread: float, count: int) -> float:
    return sqrt(max(spread, 0.0) / (count - 1) / count) if count > 1 else float("nan")


def _ratio(sums: Triple, mass: float, w2: float) -> Pair:
    """Return the sum of w x over that of w, and the sum of squares of w (x - ratio)."""
    ratio = sums[0] / mass
    return ratio, sums[1] - 2 * ratio * sums[2] + ratio**2 * w2


@njit(cache=True, inline="always")
def _add(sums: Pair, term: float) -> Pair:
    return sums[0] + term, sums[1] + term * term


@njit(cache=True, inline="always")
def _add_weighted(sums: Triple, weight: float, value: float) -> Triple:
    term = weight * value
    return sums[0] + term, sums[1] + term * term, sums[2] + weight * term


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _pass(
    target: Floats,
    model: Floats,
    actions: Ints,
    rewards: Floats,
    propensities: Floats,
    options: Options,
    origins: tuple[float, ...],
    centres: Pair,
) -> tuple[tuple[Pair, ...], float, float, Triple, Triple, Pair]:
    """Return sums and sums of squares of the terms of PLAIN minus their origins, and what self-normalisation needs.

    That is the sums of w and w^2; the sums of w x, (w x)^2 and w (w x) for x the reward and then its residual, minus
    their centres; and those of the direct method's term, minus its origin, times w and times w x.
    """
    clip, tau, lam, bend = options
    # Scalars and not arrays: they stay in registers, which saves a quarter of the time.
    dm = ips = clipped = bent = dr = switch = shrunk = (0.0, 0.0)
    gains = rests = (0.0, 0.0, 0.0)
    mass = w2 = base_w = base_rest = 0.0
    for i in range(len(actions)):
        base = 0.0
        for j in range(target.shape[1]):
            base += target[i, j] * model[i, j]
        weight = target[i, actions[i]] / propensities[i]
        gain = weight * rewards[i]
        residual = rewards[i] - model[i, actions[i]]
        rest = weight * residual
        dm = _add(dm, base - origins[0])
        ips = _add(ips, gain - origins[1])
        clipped = _add(clipped, min(weight, clip) * rewards[i] - origins[2])
        bent = _add(bent, (gain / (1 - bend + bend * weight) if weight > 0 else 0.0) - origins[3])
        dr = _add(dr, base + rest - origins[4])
        switch = _add(switch, base + (rest if weight <= tau else 0.0) - origins[5])
        shrunk = _add(shrunk, base + (rest / (1 + weight * weight / lam) if weight > 0 else 0.0) - origins[6])
        mass += weight
        w2 += weight * weight
        gains = _add_weighted(gains, weight, rewards[i] - centres[0])
        rests = _add_weighted(rests, weight, residual - centres[1])
        base_w += (base - origins[0]) * weight
        base_rest += (base - origins[0]) * weight * (residual - centres[1])
    return (dm, ips, clipped, bent, dr, switch, shrunk), mass, w2, gains, rests, (base_w, base_rest)
