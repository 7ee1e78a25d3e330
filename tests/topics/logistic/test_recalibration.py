"""Repairs of a deployed model against statsmodels and what was planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit
from unmeasured import unmeasured

pytest.importorskip("sklearn")

from harness.data.tabular import Split, Table
from harness.declare import Problem
from harness.errors import UsageError
from harness.topics.logistic import recalibration
from harness.topics.logistic.engine import updating
from harness.topics.logistic.engine.scored import Scored
from harness.topics.logistic.engine.updating import Aged

TASK = recalibration.recalibration
PARAMS: Any = {"rows": 4_000, "points": 1_000, "shift": 0.5}


def made(kind: str, seed: int = 0, **changes: Any) -> Aged:
    return updating.generated(kind, PARAMS | changes, np.random.default_rng(seed))


def run(name: str, data: Aged) -> Any:
    return TASK.strategies[name].run(Problem(TASK.view(data), PARAMS, 0), unmeasured)


def losses(data: Aged) -> dict[str, float]:
    return {name: TASK.judge(data, run(name, data)).metrics["log_loss"] for name in TASK.strategies}


def test_intercept_and_line_are_statsmodels() -> None:
    import statsmodels.api as sm

    data = made("slope").deployed
    here, there = logit(data.scored.scores), logit(data.scored.test)
    binomial = sm.families.Binomial()
    shift = sm.GLM(data.update.y, np.ones(1_000), family=binomial, offset=here).fit(tol=1e-12).params[0]
    np.testing.assert_allclose(updating.intercept(data), expit(shift + there), atol=1e-7)
    line = sm.GLM(data.update.y, sm.add_constant(here), family=binomial).fit(tol=1e-12).params
    np.testing.assert_allclose(updating.line(data), expit(line[0] + line[1] * there), atol=1e-6)


def test_a_new_intercept_makes_expected_events_observed_ones() -> None:
    data = made("intercept").deployed
    same = updating.Deployed(data.train, data.update, data.update.X, data.scored)
    on_update = Scored(data.scored.scores, data.scored.labels, data.scored.scores)
    fixed = updating.intercept(updating.Deployed(same.train, same.update, same.test, on_update))
    assert fixed.sum() == pytest.approx(data.update.y.sum(), abs=1e-4)


def test_each_repair_is_enough_for_its_change() -> None:
    best = {"none": 0.0}
    for kind, enough in (("intercept", "intercept"), ("slope", "intercept-slope"), ("coefficients", "refit")):
        data = made(kind, points=4_000)
        loss = losses(data)
        assert data.truth is not None
        least = float(-(data.truth * np.log(data.truth) + (1 - data.truth) * np.log1p(-data.truth)).mean())
        assert loss["none"] > loss[enough] + 0.008
        assert loss[enough] < least + 0.012  # labels of 10,000 rows add noise
        best[kind] = loss[enough]
        assert loss["closed-test"] < loss[enough] + 0.004
    unchanged = losses(made("none"))
    assert unchanged["closed-test"] == unchanged["none"]
    assert unchanged["prior"] > unchanged["none"] + 0.05


def test_closed_test_is_its_likelihood_ratios() -> None:
    import statsmodels.api as sm

    for kind, seed in (("none", 0), ("intercept", 1), ("slope", 2), ("coefficients", 3)):
        data = made(kind, seed).deployed
        y, odds, binomial = data.update.y, logit(data.scored.scores), sm.families.Binomial()
        offset = sm.GLM(y, np.ones(len(y)), family=binomial, offset=odds).fit(tol=1e-12)
        line = sm.GLM(y, sm.add_constant(odds), family=binomial).fit(tol=1e-12)
        full = sm.GLM(y, sm.add_constant(data.update.X.astype(float)), family=binomial).fit(tol=1e-12)
        as_it_is = stats.bernoulli.logpmf(y, data.scored.scores).sum()
        there = logit(data.scored.test)
        wanted = expit(full.params[0] + data.test.astype(float) @ full.params[1:])
        # From the most complex update not rejected to the least: the last assignment wins.
        if stats.chi2.sf(2 * (full.llf - line.llf), 9) > 0.05:
            wanted = expit(line.params[0] + line.params[1] * there)
        if stats.chi2.sf(2 * (full.llf - offset.llf), 10) > 0.05:
            wanted = expit(offset.params[0] + there)
        if stats.chi2.sf(2 * (full.llf - as_it_is), 11) > 0.05:
            wanted = data.scored.test
        np.testing.assert_allclose(updating.closed_test(data), wanted, atol=1e-3)


def test_refit_sees_the_rows_that_its_name_says() -> None:
    from sklearn.metrics import log_loss

    data = made("coefficients")
    y = data.test.y
    new, both, old = (log_loss(y, run(name, data)) for name in ("refit", "refit-all", "none"))
    assert new < both < old


def test_change_is_what_was_planted() -> None:
    sizes = {"points": 30_000, "rows": 30_000}
    for kind, intercept, slope in (("intercept", -1.5, 1.0), ("slope", -2.0, 0.5), ("none", -2.0, 1.0)):
        data = made(kind, **sizes)
        import statsmodels.api as sm

        before, after = (
            sm.GLM(part.y, sm.add_constant(part.X.astype(float)), family=sm.families.Binomial()).fit().params
            for part in (data.train, data.calibration)
        )
        assert before[0] == pytest.approx(-2, abs=0.1)
        assert after[0] == pytest.approx(intercept, abs=0.1)
        assert (after[1:] @ before[1:]) / (before[1:] @ before[1:]) == pytest.approx(slope, abs=0.08)


def timed(n: int) -> Split:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 2), dtype=np.float32)
    y = (rng.random(n) < expit(X[:, 0] + (np.arange(n) > n // 2))).astype(np.int8)
    table = Table(X, y, np.arange(n)).take(rng.permutation(n))
    return Split(table.take(np.arange(n // 2)), table.take(np.arange(n // 2, n)), ())


def test_table_is_divided_by_time() -> None:
    split = timed(2_000)
    data = updating.of_table(split, {"points": 200}, np.random.default_rng(0))
    assert [len(part) for part in (data.train, data.calibration, data.test)] == [1_000, 200, 800]
    # The log odds rise by one after half of the rows, which a new intercept repairs.
    assert losses(data)["intercept"] < losses(data)["none"] - 0.03
    with pytest.raises(UsageError, match="points=1000 leaves no rows to judge on: there are 2000"):
        updating.of_table(split, {"points": 1_000}, np.random.default_rng(0))


def test_curve_over_time_by_hand() -> None:
    data = made("intercept")
    curve = TASK.judge(data, run("none", data)).curves["over_time"]
    first = data.test.y[:1_000]
    assert curve.y[0] == pytest.approx(first.mean() / data.scored.test[:1_000].mean())
    interval = stats.binomtest(int(first.sum()), 1_000).proportion_ci(method="exact")
    assert curve.low[0] == pytest.approx(interval.low / data.scored.test[:1_000].mean())
    assert curve.high[0] == pytest.approx(interval.high / data.scored.test[:1_000].mean())
    assert all(ratio > 1.1 for ratio in curve.y)


def test_separated_classes_are_said() -> None:
    scores = np.array([0.1, 0.2, 0.8, 0.9])
    update = Table(np.zeros((4, 1), dtype=np.float32), np.array([0, 0, 1, 1], dtype=np.int8))
    data = updating.Deployed(update, update, np.zeros((4, 1), dtype=np.float32), Scored(scores, update.y, scores))
    with pytest.raises(UsageError, match="the scores separate the classes of the new rows"):
        updating.line(data)


def test_one_class_of_new_rows_is_said() -> None:
    data = made("none")
    update = data.calibration.take(np.flatnonzero(data.calibration.y == 0))
    with pytest.raises(UsageError, match="rows of the calibration set are of class 0"):
        TASK.view(Aged(data.train, update, data.test, "logistic"))


def test_data_sets_of_the_task_load() -> None:
    for dataset in TASK.datasets:
        if not isinstance(dataset, str):
            data = dataset.load(PARAMS, np.random.default_rng(0))
            assert (len(data.train), len(data.calibration)) == (4_000, 1_000)
