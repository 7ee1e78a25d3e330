"""Logs that no estimator can use are refused with one sentence; the share of unlogged actions is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from topics.ope.logs import drawn, tiny

from harness.errors import UsageError
from harness.topics.ope.engine.check import check, support_violations
from harness.topics.ope.engine.log import Floats

NAN = float("nan")


def rows(changed: int, row: list[float]) -> Floats:
    """Return the target of the tiny log with one row changed."""
    target = tiny().target.copy()
    target[changed] = row
    return target


EMPTY: dict[str, Any] = {
    "actions": np.zeros(0, dtype=np.int64),
    "rewards": np.zeros(0),
    "propensities": np.zeros(0),
    "target": np.zeros((0, 3)),
}
ONE: dict[str, Any] = {
    "actions": np.zeros(4, dtype=np.int64),
    "target": np.ones((4, 1)),
    "logging": None,
    "embeddings": None,
}

BAD: list[tuple[dict[str, Any], str]] = [
    (EMPTY, "the log is empty"),
    (ONE, "the log has one action"),
    ({"propensities": np.array([0.5, 0.0, 0.5, 0.5])}, r"propensity of round 1 is 0, .* \(so in 1 rounds\)"),
    ({"propensities": np.array([0.5, 0.5, NAN, NAN])}, r"propensity of round 2 is missing, .* \(so in 2 rounds\)"),
    ({"propensities": np.array([1.5, 0.5, 0.5, 0.5])}, r"propensity of round 0 is 1\.5"),
    ({"propensities": np.array([-0.5, 0.5, 0.5, 0.5])}, r"propensity of round 0 is -0\.5"),
    ({"target": rows(2, [0.5, 0.5, 0.5])}, r"probabilities of the target policy in round 2 sum to 1\.5"),
    ({"target": rows(1, [1.5, -0.5, 0.0])}, "target policy has a negative or missing probability in round 1"),
    ({"target": rows(3, [NAN, 0.5, 0.5])}, "target policy has a negative or missing probability in round 3"),
    ({"logging": np.full((4, 3), 0.3)}, r"probabilities of the logging policy in round 0 sum to 0\.9"),
    ({"logging": np.tile([0.0, 0.5, 0.5], (4, 1))}, "round 0 took action 0, which the logging policy never takes"),
    ({"actions": np.array([0, 1, 2, 3])}, "round 3 took action 3, but the target policy knows 0 to 2: give it"),
    ({"actions": np.array([0, -1, 2, 2])}, "round 1 took action -1"),
    ({"actions": np.array([0.0, 1.0, 2.0, 1.0])}, "actions must be whole numbers from 0 on, .* not float64"),
    ({"rewards": np.array([0.0, 1.0, 2.0, 1.0])}, "reward of round 2 is 2, outside of the declared range 0 to 1"),
    ({"rewards": np.array([0.0, NAN, 1.0, 1.0])}, "reward of round 1 is missing"),
    ({"reward_range": (1.0, 0.0)}, "the reward range must be two finite numbers"),
    ({"reward_range": (0.0, np.inf)}, "the reward range must be two finite numbers"),
    ({"contexts": np.array([[0.0], [1.0], [NAN], [0.0]])}, "context of round 2 contains NaN"),
    ({"contexts": np.zeros((3, 2))}, r"contexts has the shape \(3, 2\), but \(4, features\)"),
    ({"contexts": np.zeros(4)}, r"contexts has the shape \(4,\)"),
    ({"embeddings": np.zeros((2, 1), dtype=np.int64)}, r"embeddings has the shape \(2, 1\), but \(3, features\)"),
    ({"rewards": np.zeros(3)}, r"rewards has the shape \(3,\), but \(4,\) is expected"),
    ({"propensities": np.ones((4, 1))}, r"propensities has the shape \(4, 1\)"),
    ({"target": np.ones(4)}, r"target \(rounds, actions\), not \(4,\) and \(4,\)"),
    ({"target": np.ones((3, 3)) / 3}, r"target has the shape \(3, 3\), but \(4, 3\)"),
    ({"logging": np.ones((4, 2)) / 2}, r"logging has the shape \(4, 2\)"),
    ({"actions": np.zeros((4, 1), dtype=np.int64)}, r"actions must have the shape \(rounds,\)"),
]


def test_accepts_what_is_right() -> None:
    check(tiny())
    check(drawn(100, 0)[0])
    check(replace(tiny(), contexts=None, logging=None, embeddings=None))
    check(replace(tiny(), propensities=np.ones(4), logging=None))
    check(replace(tiny(), target=tiny().target + 3e-6))
    rounded = np.round(drawn(100, 0)[0].propensities, 4)
    check(replace(drawn(100, 0)[0], propensities=rounded))


@pytest.mark.parametrize(("changes", "said"), BAD)
def test_says_in_one_sentence_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        check(replace(tiny(), **changes))
    assert "\n" not in str(error.value)


def test_support_violations() -> None:
    log = tiny()
    assert support_violations(log) == 0
    logging = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5], [0.0, 1.0, 0.0]])
    # .75 of the first round, .5 of the second, none of the third and all of the fourth.
    assert support_violations(replace(log, logging=logging)) == pytest.approx(2.25 / 4)
    with pytest.raises(UsageError, match="every action"):
        support_violations(replace(log, logging=None))
