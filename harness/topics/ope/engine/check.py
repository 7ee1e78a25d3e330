"""Refuses invalid logs with one sentence each, and computes the share of the target that a log cannot contain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, types

from harness import UsageError
from harness.topics.ope.engine.log import Floats, Log

#: How far from 1 probabilities may sum: they are often kept in float32 or rounded, and obp allows the same.
SUM_TOLERANCE = 1e-5
#: Below it the square of a weight is beyond the range of numbers once rounds are summed.
LEAST_PROPENSITY = 1e-100
#: Relative difference of a propensity to the same probability in `Log.logging` that rounding explains.
ROUNDED = 1e-3


def check(log: Log) -> None:
    """Refuse a log that no estimator can use.

    Parameters
    ----------
    log
        The log to check.

    Raises
    ------
    UsageError
        Empty log; shapes that do not fit; fewer than two actions; actions out of range; missing, zero, too small or too
        large propensities, or others than `logging` has; rewards outside of the declared range; probabilities that do
        not sum to one; NaN contexts.
    """
    _check_shapes(log)
    _check_actions(log)
    _check_propensities(log)
    _check_rewards(log)
    _check_policy("target", log.target)
    if log.logging is not None:
        _check_policy("logging", log.logging)
        _check_possible(log.logging, log)
    if log.contexts is not None and not np.isfinite(log.contexts).all():
        at = _first(~np.isfinite(log.contexts))
        raise UsageError(f"the context of round {at} contains NaN or infinity: fill in or drop such rounds")


def support_violations(log: Log) -> float:
    """Return the share of the target policy's probability on actions that the logging policy never takes.

    Importance sampling cannot estimate the rewards of such actions, so their contribution to the value is its bias.

    Parameters
    ----------
    log
        A log with ``logging``.

    Returns
    -------
    float
        Between 0 and 1: mean over rounds of the target's probability of actions that have logging probability 0.

    Raises
    ------
    UsageError
        The probabilities of the logging policy are not known.
    """
    if log.logging is None:
        raise UsageError(
            "the support can be computed only if the logging policy's probability of every action is known"
        )
    return float(np.where(log.logging > 0, 0.0, log.target).sum(axis=1).mean())


def check_model(log: Log, model: Floats | None, estimator: str) -> Floats:
    """Return the model if it fits the log.

    Parameters
    ----------
    log
        The log.
    model
        Estimated reward of every action, shape (n, actions).
    estimator
        Name of the estimator, for the error.

    Raises
    ------
    UsageError
        There is no model, or its shape differs from that of the target.
    """
    if model is None:
        raise UsageError(f"{estimator} needs a reward model: give the estimated reward of every action in every round")
    if model.shape != log.target.shape:
        raise UsageError(f"the reward model has the shape {model.shape}, but the target policy has {log.target.shape}")
    return model


def _first(wrong: npt.NDArray[np.bool_]) -> int:
    """Return the first round with a true entry; ``wrong`` has the shape (n, ...)."""
    return int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))


def _check_shapes(log: Log) -> None:
    rounds = log.actions.shape[0] if log.actions.ndim == 1 else -1
    if rounds < 0 or log.target.ndim != 2:
        raise UsageError(
            f"actions must have the shape (rounds,) and target (rounds, actions), "
            f"not {log.actions.shape} and {log.target.shape}"
        )
    if rounds == 0:
        raise UsageError("the log is empty: off-policy evaluation needs at least one round")
    shape = (rounds, log.target.shape[1])
    wanted: list[tuple[str, npt.NDArray[np.generic] | None, tuple[int, ...]]] = [
        ("rewards", log.rewards, (rounds,)),
        ("propensities", log.propensities, (rounds,)),
        ("target", log.target, shape),
        ("logging", log.logging, shape),
    ]
    for name, values, expected in wanted:
        if values is not None and values.shape != expected:
            raise UsageError(f"{name} has the shape {values.shape}, but {expected} is expected")
    for name, values, length in (("contexts", log.contexts, rounds), ("embeddings", log.embeddings, shape[1])):
        if values is not None and (values.ndim != 2 or values.shape[0] != length):
            raise UsageError(f"{name} has the shape {values.shape}, but ({length}, features) is expected")
    if shape[1] < 2:
        raise UsageError("the log has one action: with nothing to choose there is no policy to evaluate")


def _check_actions(log: Log) -> None:
    if not np.issubdtype(log.actions.dtype, np.integer):
        raise UsageError(f"actions must be whole numbers from 0 on, the columns of target, not {log.actions.dtype}")
    count = log.target.shape[1]
    wrong = (log.actions < 0) | (log.actions >= count)
    if wrong.any():
        at = _first(wrong)
        raise UsageError(
            f"round {at} took action {log.actions[at]}, but the target policy knows 0 to {count - 1}: "
            "give it a probability for every action of the log"
        )


def _check_propensities(log: Log) -> None:
    wrong = ~((log.propensities >= LEAST_PROPENSITY) & (log.propensities <= 1 + SUM_TOLERANCE))
    if not wrong.any():
        return
    at = _first(wrong)
    value = log.propensities[at]
    said = "is missing" if np.isnan(value) else f"is {value:g}"
    least = f"at least {LEAST_PROPENSITY:g}" if value > 0 else "above 0"
    raise UsageError(
        f"the propensity of round {at} {said}, but it must be {least} and at most 1 (so in {wrong.sum()} rounds): "
        "state the probability with which the action was chosen"
    )


def _check_rewards(log: Log) -> None:
    low, high = log.reward_range
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise UsageError(f"the reward range must be two finite numbers, the lower first, not ({low:g}, {high:g})")
    wrong = ~((log.rewards >= low) & (log.rewards <= high))
    if wrong.any():
        at = _first(wrong)
        if np.isnan(log.rewards[at]):
            raise UsageError(f"the reward of round {at} is missing: fill in or drop such rounds")
        raise UsageError(
            f"the reward of round {at} is {log.rewards[at]:g}, outside of the declared range {low:g} to {high:g}: "
            "correct it, or declare the range that rewards can have"
        )


def _check_policy(name: str, probabilities: Floats) -> None:
    at = _first_wrong_row(np.ascontiguousarray(probabilities, dtype=np.float64))
    if at < 0:
        return
    row = probabilities[at]
    if not (row >= 0).all():
        raise UsageError(f"the {name} policy has a negative or missing probability in round {at}")
    raise UsageError(
        f"the probabilities of the {name} policy in round {at} sum to {row.sum():.8g} instead of 1 "
        f"(more than {SUM_TOLERANCE:g} off): give every action its probability, in rows that sum to 1"
    )


# With a signature it is loaded when this module is imported, before a trial begins: loading the first compiled function
# takes a process a quarter of a second, which numba spends on its registries.
@njit(types.int64(types.Array(types.float64, 2, "C", readonly=True)), cache=True)
def _first_wrong_row(probabilities: Floats) -> int:
    """Return the first row that is not a distribution, or -1; compiled, because it reads n x actions numbers."""
    for i in range(probabilities.shape[0]):
        total, negative = 0.0, False
        for j in range(probabilities.shape[1]):
            total += probabilities[i, j]
            negative |= probabilities[i, j] < 0
        # Written with "not" so that NaN is wrong as well.
        if negative or not abs(total - 1) <= SUM_TOLERANCE:
            return i
    return -1


def _check_possible(logging: Floats, log: Log) -> None:
    stated = logging[np.arange(len(log.actions)), log.actions]
    never = stated <= 0
    if never.any():
        at = _first(never)
        raise UsageError(
            f"round {at} took action {log.actions[at]}, which the logging policy never takes there: "
            "correct the probabilities of one or the other"
        )
    other = ~np.isclose(log.propensities, stated, rtol=ROUNDED, atol=SUM_TOLERANCE)
    if other.any():
        at = _first(other)
        raise UsageError(
            f"the propensity of round {at} is {log.propensities[at]:g}, but the logging policy takes its action with "
            f"probability {stated[at]:g} (they differ in {other.sum()} rounds): correct one or the other"
        )
