"""Facts about off-policy evaluation that the documentation quotes: ratios within one run. Run with ``make facts``.

Seven estimators on 1,000,000 rounds of 10 actions: one compiled pass, numpy one by one, and Open Bandit Pipeline. The
three take turns, and time is that of the processor, so that what else the machine does hits all alike.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import pytest
from numba import njit

from harness.topics.ope.engine.check import check
from harness.topics.ope.engine.estimators import ESTIMATORS
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.one_pass import estimate_all

ope: Any = pytest.importorskip("obp.ope")

ROUNDS, ACTIONS, TURNS = 1_000_000, 10, 7
SEVEN = ("dm", "ips", "snips", "dr", "sndr", "switch_dr", "dr_os")


@pytest.fixture(scope="module")
def problem() -> tuple[Log, Floats]:
    """Return a log of a random policy, and a reward model."""
    rng = np.random.default_rng(0)
    logging = rng.dirichlet(np.full(ACTIONS, 2.0), ROUNDS)
    target = rng.dirichlet(np.ones(ACTIONS), ROUNDS)
    drawn = (logging.cumsum(axis=1) < rng.random(ROUNDS)[:, np.newaxis]).sum(axis=1)
    actions = np.minimum(drawn, ACTIONS - 1)
    rewards = (rng.random(ROUNDS) < 0.3 + 0.04 * actions).astype(np.float64)
    propensities = logging[np.arange(ROUNDS), actions]
    log = Log(actions, rewards, propensities, target, (0.0, 1.0), logging=logging)
    return log, rng.random((ROUNDS, ACTIONS))


def _by_obp(log: Log, model: Floats) -> dict[str, float]:
    estimators = {
        "dm": ope.DirectMethod(),
        "ips": ope.InverseProbabilityWeighting(),
        "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
        "dr": ope.DoublyRobust(),
        "sndr": ope.SelfNormalizedDoublyRobust(),
        "switch_dr": ope.SwitchDoublyRobust(tau=1.0),
        "dr_os": ope.DoublyRobustWithShrinkage(lambda_=1.0),
    }
    inputs = {
        "reward": log.rewards,
        "action": log.actions,
        "pscore": log.propensities,
        "action_dist": log.target[:, :, np.newaxis],
        "estimated_rewards_by_reg_model": model[:, :, np.newaxis],
        "position": np.zeros(len(log.actions), dtype=np.int64),
    }
    return {name: float(estimator.estimate_policy_value(**inputs)) for name, estimator in estimators.items()}


def _by_numpy(log: Log, model: Floats) -> dict[str, float]:
    return {name: ESTIMATORS[name](log, model).value for name in SEVEN}


def _by_one_pass(log: Log, model: Floats) -> dict[str, float]:
    summaries = estimate_all(log, model)
    return {name: summaries[name].value for name in SEVEN}


@njit(cache=True, fastmath={"reassoc", "contract"})
def _products(target: Floats, model: Floats) -> float:
    total = 0.0
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            total += target[i, j] * model[i, j]
    return total


def _timed(function: Callable[[], object]) -> float:
    start = process_time()
    function()
    return process_time() - start


def test_one_pass_is_sixty_times_faster_than_obp(problem: tuple[Log, Floats]) -> None:
    """Same values to 1e-6, and at most twice the time that reading the numbers takes, which is the limit of memory."""
    log, model = problem
    values = [way(log, model) for way in (_by_obp, _by_numpy, _by_one_pass)]
    assert values[1] == pytest.approx(values[0], abs=1e-6)
    assert values[2] == pytest.approx(values[0], abs=1e-6)
    ways: dict[str, Callable[[], object]] = {
        "one pass": lambda: _by_one_pass(log, model),
        "numpy, one by one": lambda: _by_numpy(log, model),
        "obp 0.4.1": lambda: _by_obp(log, model),
        "reading alone": lambda: _products(log.target, model),
        "checking the log": lambda: check(log),
    }
    ways["reading alone"]()
    turns = [{name: _timed(way) for name, way in ways.items()} for _ in range(TURNS)]
    for name in ways:
        ratio = median(turn[name] / turn["one pass"] for turn in turns)
        print(
            f"\n{name}: {1e3 * median(turn[name] for turn in turns):.1f} ms of CPU, {ratio:.1f} times one pass", end=""
        )
    assert median(turn["obp 0.4.1"] / turn["one pass"] for turn in turns) >= 60
    assert median(turn["one pass"] / turn["reading alone"] for turn in turns) <= 2
