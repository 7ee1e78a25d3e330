"""Tuning: SLOPE as published, the bound's arithmetic, and a gain where there is something to gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from topics.ope.logs import drawn, tiny, uniform

from harness.errors import UsageError
from harness.topics.ope.engine.estimators import ESTIMATORS
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.tuning import METHODS, TUNED, candidates, tune
from harness.topics.ope.engine.weights import importance_weights

HALF = np.full((4, 3), 0.5)


def heavy(rounds: int, seed: int) -> tuple[Log, Floats, float]:
    """Return a log in which one action in 500 carries half of the target's mass, a fair model, and the truth."""
    rng = np.random.default_rng(seed)
    logging, target, chance = np.array([0.002, 0.499, 0.499]), np.array([0.5, 0.25, 0.25]), np.array([0.5, 0.3, 0.6])
    actions = rng.choice(3, size=rounds, p=logging)
    rewards = (rng.random(rounds) < chance[actions]).astype(np.float64)
    log = Log(actions, rewards, logging[actions], np.tile(target, (rounds, 1)), (0.0, 1.0), None)
    log = replace(log, logging=np.tile(logging, (rounds, 1)))
    return log, np.tile([0.45, 0.35, 0.55], (rounds, 1)), float(target @ chance)


@pytest.mark.parametrize("estimator", TUNED)
@pytest.mark.parametrize("seed", range(4))
def test_slope_is_the_last_that_agrees_with_all_before(estimator: str, seed: int) -> None:
    """The rule of SLOPE (arXiv 2002.07729): |difference| <= own width + (sqrt(6) - 1) other's width."""
    log, chance = drawn(300, seed, sharpness=3.0)
    option = TUNED[estimator].option
    points = candidates(importance_weights(log), estimator)
    estimates = [ESTIMATORS[estimator](log, 0.3 * chance, **{option: float(point)}) for point in points]
    widths = [1.959964 * estimate.standard_error for estimate in estimates]
    agree = [
        all(abs(estimates[i].value - estimates[j].value) <= widths[i] + (6**0.5 - 1) * widths[j] for j in range(i))
        for i in range(len(points))
    ]
    last = agree.index(False) - 1 if False in agree else len(points) - 1
    assert tune(log, 0.3 * chance, estimator, "slope") == {option: points[last]}


@pytest.mark.parametrize("by", METHODS)
@pytest.mark.parametrize("estimator", TUNED)
def test_same_log_same_answer(estimator: str, by: str) -> None:
    log, model, _ = heavy(300, 1)
    first, second = (tune(log, model, estimator, by) for _ in range(2))
    assert first == second
    assert list(first) == [TUNED[estimator].option]


@pytest.mark.parametrize("by", METHODS)
@pytest.mark.parametrize("estimator", TUNED)
def test_gains_where_weights_are_heavy(estimator: str, by: str) -> None:
    """Over 150 logs the squared error is lower than with the weights as they are."""
    tuned, plain = [], []
    for seed in range(150):
        log, model, truth = heavy(300, seed)
        tuned.append(ESTIMATORS[estimator](log, model, **tune(log, model, estimator, by)).value - truth)
        plain.append(ESTIMATORS["dr" if TUNED[estimator].modelled else "ips"](log, model).value - truth)
    assert np.square(tuned).mean() < np.square(plain).mean()


@pytest.mark.parametrize("by", METHODS)
@pytest.mark.parametrize("estimator", ["switch_dr", "dr_os"])
def test_leaves_a_bad_model_behind_where_data_abound(estimator: str, by: str) -> None:
    """The model is off by .5 and the weights are light: the error must be DR's, not DM's."""
    log, truth = uniform(20_000, 3, favour=0.3)
    model = np.clip(np.tile(np.linspace(0.7, 0.1, 10), (20_000, 1)) + 0.5, 0, 1)
    value = ESTIMATORS[estimator](log, model, **tune(log, model, estimator, by)).value
    assert abs(value - truth) < 0.05 < abs(ESTIMATORS["dm"](log, model).value - truth)


def test_bound_keeps_weights_that_cost_nothing() -> None:
    """With the true model of sure rewards DR has the variance of DM and no bias."""
    log, _, _ = heavy(300, 2)
    truth = np.tile([0.5, 0.3, 0.6], (300, 1))
    log = replace(log, rewards=truth[0][log.actions])
    assert tune(log, truth, "dr_os", "bound", np.array([np.inf, 0.0])) == {"lam": np.inf}


def test_bound_in_closed_form() -> None:
    """Weights .5, 2, 1, 0 and rewards 1, 1, 0, 1; clipping at 1 loses 1 in the second round alone."""
    from harness.topics.ope.engine.estimators import parts_of
    from harness.topics.ope.engine.tuning import _mse_bound, _reach

    log = replace(tiny(), logging=None)
    terms, lost = np.array([0.5, 1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])
    confidence = np.log(2 / 0.05)
    direct = 0.25 + np.sqrt(2 * lost.var() * confidence / 4) + confidence / 12
    bias = min(direct, 0.25)
    expected = terms.var() / 4 + bias**2
    parts, clipped = parts_of(log, None), TUNED["clipped_ips"]
    found = _mse_bound(parts, clipped, 1.0, _reach(log, parts, clipped), 0.95)
    assert found == pytest.approx(expected)
    # With the logging policy known all actions count, each with what its weight is above 1 times its share.
    reach = _reach(tiny(), parts, clipped)
    gap = (reach.shares * np.maximum(reach.weights - 1, 0)).sum(axis=1)
    assert gap == pytest.approx([0.5, 0.25 + 0.25, 0.0, 0.75])
    assert _mse_bound(parts, clipped, 1.0, reach, 0.95) == pytest.approx(
        terms.var() / 4 + min(0.25 + np.sqrt(2 * lost.var() * confidence / 4) + 0.75 * confidence / 12, gap.mean()) ** 2
    )


def test_candidates_lie_in_order_of_bias() -> None:
    weights = np.array([0.0, 0.5, 1.0, 2.0, 40.0])
    for estimator in ("clipped_ips", "switch_dr", "dr_os"):
        points = candidates(weights, estimator)
        assert points[0] == np.inf
        assert (np.diff(points[1:]) <= 0).all()
    assert candidates(weights, "switch_dr")[-1] == 0
    assert candidates(weights, "clipped_ips")[-1] > 0
    bends = candidates(weights, "sub_gaussian_ips")
    assert bends[0] == 0
    assert (np.diff(bends) > 0).all()
    assert bends[-1] == pytest.approx(1)
    # A target that takes none of the logged actions still has candidates.
    assert np.isfinite(candidates(np.zeros(3), "clipped_ips")[1:]).all()


def test_says_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="snips has nothing to tune; known: "):
        tune(tiny(), HALF, "snips")
    with pytest.raises(UsageError, match="unknown tuning 'lepski'"):
        tune(tiny(), HALF, "dr_os", "lepski")
    with pytest.raises(UsageError, match="dr_os needs a reward model"):
        tune(tiny(), None, "dr_os")
    with pytest.raises(UsageError, match="grid of candidates is empty"):
        tune(tiny(), HALF, "dr_os", grid=np.zeros(0))
