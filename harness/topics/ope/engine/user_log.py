"""Reads a user's log, and refuses one that no estimator can use with one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness import UsageError
from harness.topics.ope.engine.check import check
from harness.topics.ope.engine.log import Floats, Ints, Log
from harness.topics.ope.engine.worlds import Recorded


def recorded(name: str, read: Callable[[], Any]) -> Recorded:
    """Return the log that a function reads, with the true value of its target policy.

    Parameters
    ----------
    name
        Name of the data set, for errors.
    read
        Function that returns a `Log`, with any sequences as fields, and the mean reward that the target policy earned.

    Raises
    ------
    UsageError
        The function fails or returns something else, or no estimator can use the log.
    """
    try:
        made = read()
    except UsageError:
        raise
    except Exception as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"data set {name}: its log cannot be read: {cause}") from error
    try:
        if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], Log)):
            raise UsageError("its function must return a Log and the value of the target policy, as (log, value)")
        log = _arrays(made[0])
        check(log)
        return Recorded(log, _value(made[1], log.reward_range))
    except UsageError as error:
        raise UsageError(f"data set {name}: {error}") from error


def _arrays(log: Log) -> Log:
    if log.propensities is None:
        raise UsageError("the log has no propensities: give the probability with which each action was chosen")
    ends = _range(log.reward_range)
    return Log(
        actions=np.asarray(log.actions),
        rewards=_within(_floats("rewards", log.rewards), ends),
        propensities=_floats("propensities", log.propensities),
        target=_floats("target", log.target),
        reward_range=ends,
        contexts=None if log.contexts is None else _floats("contexts", log.contexts),
        logging=None if log.logging is None else _floats("logging", log.logging),
        embeddings=None if log.embeddings is None else _codes(log.embeddings),
    )


def _floats(name: str, values: Any) -> Floats:
    try:
        return np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{name} must be numbers in rows of equal length") from None


def _within(rewards: Floats, ends: tuple[float, float]) -> Floats:
    """Move rewards that float32 rounded beyond an end of their range back to it."""
    slack = float(np.finfo(np.float32).eps) * max(map(abs, ends))
    moved: Floats = np.where((rewards >= ends[0] - slack) & (rewards <= ends[1] + slack), rewards.clip(*ends), rewards)
    return moved


def _codes(values: Any) -> Ints:
    codes = np.asarray(values)
    if not np.issubdtype(codes.dtype, np.integer):
        raise UsageError(f"embeddings must be whole numbers, the codes of categories, not {codes.dtype}")
    return codes.astype(np.int64)


def _range(ends: Any) -> tuple[float, float]:
    try:
        low, high = ends
        return float(low), float(high)
    except (TypeError, ValueError):
        raise UsageError("reward_range must be the smallest and the largest possible reward, such as (0, 1)") from None


def _value(value: Any, ends: tuple[float, float]) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UsageError(f"the value of the target policy must be a number, not {value!r}") from None
    if not ends[0] <= number <= ends[1]:
        raise UsageError(
            f"the value of the target policy is {number:g}, outside of the declared range of rewards, "
            f"{ends[0]:g} to {ends[1]:g}"
        )
    return number
