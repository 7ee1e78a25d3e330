"""Estimated propensities: what they recover, and that none of them makes weights explode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("sklearn")

from threadpoolctl import threadpool_limits
from topics.ope.logs import drawn, tiny, uniform

from harness.errors import UsageError
from harness.topics.ope import worlds
from harness.topics.ope.engine.check import check
from harness.topics.ope.engine.estimators import ESTIMATORS
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.models import fit_propensities, with_propensities
from harness.topics.ope.engine.weights import importance_weights


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep threads from waiting for each other where the machine is busy."""
    with threadpool_limits(1):
        yield


def error(found: Floats, truth: Floats) -> float:
    """Return the root mean square of the difference."""
    return float(np.sqrt(np.square(found - truth).mean()))


def of_digits() -> tuple[Log, float]:
    """Return a log of the digits, and the value of its target."""
    data = worlds.DIGITS.load({"splits": 1, "replications": 2}, np.random.default_rng(0))
    return data.make(0)[0], float(data.truth[0, 0])


def test_propensities_come_near_those_that_were() -> None:
    log, _ = drawn(6000, 7)
    assert log.logging is not None
    found = fit_propensities(log)
    assert error(found, log.logging) < 0.03
    assert found.sum(axis=1) == pytest.approx(1)
    assert found.min() > 0
    estimated = with_propensities(log, found)
    check(estimated)
    assert (estimated.propensities == found[np.arange(6000), log.actions]).all()
    exact, near = (ESTIMATORS["ips"](each) for each in (log, estimated))
    assert near.value == pytest.approx(exact.value, abs=3 * exact.standard_error)


def test_propensities_of_actions_that_a_fold_never_saw() -> None:
    log, _ = uniform(40, 4, actions=3)
    actions = np.zeros(40, dtype=np.int64)
    actions[5] = 2
    found = fit_propensities(replace(log, actions=actions, logging=None))
    assert found.min() > 0
    assert found.sum(axis=1) == pytest.approx(1)


def test_uninformative_contexts_leave_the_shares_of_the_actions() -> None:
    log, _ = uniform(2000, 5, actions=4)
    noise = np.random.default_rng(1).normal(size=(2000, 20))
    found = fit_propensities(replace(log, contexts=noise))
    assert found == pytest.approx(0.25, abs=0.05)


def test_rewards_and_stated_propensities_are_not_used() -> None:
    log, _ = drawn(300, 8)
    other = replace(log, rewards=1 - log.rewards, propensities=np.full(300, 0.5), logging=None)
    np.testing.assert_array_equal(fit_propensities(log), fit_propensities(other))


def test_weights_of_actions_logged_once_do_not_explode() -> None:
    """With 500 actions and 300 rounds most logged actions are unknown to the other parts."""
    log, _ = uniform(300, 6, actions=500, favour=0.0)
    weights = importance_weights(with_propensities(log, fit_propensities(log)))
    assert weights.max() < 5  # all are 1 in truth
    assert weights.mean() == pytest.approx(1, abs=0.5)


def test_weights_of_the_digits_do_not_explode() -> None:
    """A penalty of 1 leaves a mean weight of 22 and a largest of 9,086 in this log, where 1 and 15 are true."""
    log, truth = of_digits()
    estimated = with_propensities(log, fit_propensities(log))
    weights = importance_weights(estimated)
    assert weights.mean() < 1.8
    assert weights.max() < 100
    assert ESTIMATORS["snips"](estimated).value == pytest.approx(truth, rel=0.2)


def test_too_few_rounds() -> None:
    with pytest.raises(UsageError, match="at least 2 folds and a round in each, not 1 folds of 4 rounds"):
        fit_propensities(tiny(), folds=1)
    with pytest.raises(UsageError, match="not 5 folds of 4 rounds"):
        fit_propensities(tiny())
