"""Reward models: what they recover, and that no round's own reward is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits
from topics.ope.logs import drawn, tiny, uniform

from harness.errors import UsageError
from harness.topics.ope.engine.estimators import ESTIMATORS
from harness.topics.ope.engine.log import Floats
from harness.topics.ope.engine.models import FITTERS, fit_model


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep boosting's threads from waiting for each other where the machine is busy."""
    with threadpool_limits(1):
        yield


def error(found: Floats, truth: Floats) -> float:
    """Return the root mean square of the difference."""
    return float(np.sqrt(np.square(found - truth).mean()))


@pytest.mark.parametrize("kind", FITTERS)
def test_no_round_sees_its_own_reward(kind: str) -> None:
    log, _ = drawn(200, 1)
    before = fit_model(log, kind, seed=3)
    assert before.shape == log.target.shape
    assert before.min() >= 0
    assert before.max() <= 1
    for at in (0, 57, 199):
        rewards = log.rewards.copy()
        rewards[at] = 1 - rewards[at]
        after = fit_model(replace(log, rewards=rewards), kind, seed=3)
        assert (after[at] == before[at]).all()
        assert (after != before).any()


@pytest.mark.parametrize("kind", FITTERS)
def test_repeats_with_its_seed(kind: str) -> None:
    log, _ = drawn(150, 2)
    assert (fit_model(log, kind, seed=1) == fit_model(log, kind, seed=1)).all()
    assert (fit_model(log, kind, seed=1) != fit_model(log, kind, seed=2)).any()


def test_ridge_recovers_linear_rewards() -> None:
    """Rewards without noise, linear in the context for each action: all but the penalty's pull is found."""
    rng = np.random.default_rng(0)
    log, _ = drawn(3000, 3)
    assert log.contexts is not None
    truth = log.contexts @ rng.normal(size=(3, 5)) + rng.normal(size=5)
    log = replace(log, rewards=truth[np.arange(3000), log.actions], reward_range=(-50.0, 50.0))
    assert error(fit_model(log, "ridge"), truth) < 0.03


@pytest.mark.parametrize(("kind", "most"), [("logistic", 0.06), ("boosting", 0.13), ("ridge", 0.1)])
def test_recovers_chances(kind: str, most: float) -> None:
    log, chance = drawn(6000, 4)
    baseline = error(np.full(chance.shape, log.rewards.mean()), chance)
    assert error(fit_model(log, kind), chance) < min(most, baseline)


def test_shared_logistic_has_no_products() -> None:
    """Its log-odds are a sum of one part of the context and one of the action."""
    log, _ = drawn(500, 5)
    model = fit_model(log, "logistic-shared")
    odds = np.log(model / (1 - model))
    parts = odds - odds[:, :1]
    # Two folds: two sets of actions' parts.
    assert len(np.unique(parts.round(9), axis=0)) == 2


def test_shared_follows_the_rewards_of_the_log() -> None:
    """Logistic for rewards of 0 and 1; else a ridge regression, which finds the sum of its two parts."""
    log, _ = drawn(500, 5)
    np.testing.assert_array_equal(fit_model(log, "shared"), fit_model(log, "logistic-shared"))
    assert log.contexts is not None
    parts = 3 * log.contexts[:, :1] + np.arange(5.0)
    paid = replace(log, rewards=parts[np.arange(500), log.actions], reward_range=(-50.0, 50.0))
    assert error(fit_model(paid, "shared"), parts) < 0.2
    with pytest.raises(UsageError, match="rewards of 0 and 1, and this log has others: use shared"):
        fit_model(paid, "logistic-shared")


@pytest.mark.parametrize("kind", FITTERS)
def test_without_contexts_it_is_the_mean_of_the_action(kind: str) -> None:
    log, _ = uniform(4000, 1, actions=3)
    model = fit_model(log, kind)
    assert error(model, np.tile([0.7, 0.4, 0.1], (4000, 1))) < 0.04


@pytest.mark.parametrize("kind", FITTERS)
def test_actions_that_were_never_logged_have_a_prediction(kind: str) -> None:
    log, _ = uniform(300, 2, actions=4)
    actions = np.where(log.actions == 3, 0, log.actions)
    model = fit_model(replace(log, actions=actions), kind)
    assert np.isfinite(model).all()


def test_more_actions_than_categories() -> None:
    log, _ = uniform(600, 3, actions=300)
    assert np.isfinite(fit_model(log, "boosting")).all()


def test_a_model_lowers_the_error_of_dr() -> None:
    log, _ = drawn(3000, 6)
    assert ESTIMATORS["dr"](log, fit_model(log)).standard_error < ESTIMATORS["ips"](log).standard_error


def test_says_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="unknown reward model 'forest'; known: "):
        fit_model(tiny(), "forest")
    with pytest.raises(UsageError, match="at least 2 folds and a round in each, not 5 folds of 4 rounds"):
        fit_model(tiny(), folds=5)
    halves = replace(tiny(), rewards=np.array([0.5, 0.0, 1.0, 1.0]))
    with pytest.raises(UsageError, match="rewards of 0 and 1"):
        fit_model(halves, "logistic")
