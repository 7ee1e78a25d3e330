"""Calibrators against scikit-learn, betacal and plain isotonic regression; data and judge against what was planted."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from unmeasured import unmeasured

pytest.importorskip("sklearn")

from harness.data.tabular import Split, Table
from harness.declare import Problem
from harness.errors import InvalidOutputError, UsageError
from harness.topics.logistic import calibration as tasks
from harness.topics.logistic import calibrators as strategies  # noqa: F401  registers the strategies
from harness.topics.logistic.engine import calibrators, judge_calibration, lines, scored
from harness.topics.logistic.engine.scored import Parts, known

KNOWN, REAL = tasks.calibration_known, tasks.calibration


def rows(n: int = 300, seed: int = 0, kind: str = "overconfident") -> Parts:
    return known(kind, np.random.default_rng(seed), n, 500)


def of(parts: Parts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = parts.scored
    return data.scores, data.labels, data.test


def run(name: str, parts: Parts, **options: Any) -> Any:
    problem = Problem(KNOWN.view(parts), {}, 0)
    return KNOWN.strategies[name].run(problem, unmeasured, **options)


def table(n: int, seed: int = 0) -> Split:
    rng = np.random.default_rng(seed)

    def draw(count: int, start: int) -> Table:
        X = rng.standard_normal((count, 4), dtype=np.float32)
        y = (rng.random(count) < expit(X[:, 0] + X[:, 1])).astype(np.int8)
        return Table(X, y, np.arange(start, start + count))

    return Split(draw(n, 0), draw(n // 2, n), ("a", "b", "c", "d"))


def test_platt_is_scikit_learns() -> None:
    from sklearn.calibration import _SigmoidCalibration

    for kind in ("overconfident", "misspecified"):
        scores, labels, test = of(rows(kind=kind))
        theirs = _SigmoidCalibration().fit(lines.log_odds(scores), labels).predict(lines.log_odds(test))
        np.testing.assert_allclose(calibrators.platt(scores, labels)(test), theirs, atol=2e-4)


def test_platt_is_scikit_learns_calibrated_classifier() -> None:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    split = table(400)
    model = LogisticRegression().fit(split.train.X[:200], split.train.y[:200])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid")
    theirs.fit(split.train.X[200:], split.train.y[200:])
    # With a frozen model, folds differ only in the rows of the sigmoid, so one of all rows is close.
    scores = [model.predict_proba(part)[:, 1] for part in (split.train.X[200:], split.test.X)]
    ours = calibrators.platt(scores[0].astype(float), split.train.y[200:])(scores[1].astype(float))
    np.testing.assert_allclose(ours, theirs.predict_proba(split.test.X)[:, 1], atol=0.03)


def test_platts_targets_keep_the_slope_finite() -> None:
    scores, labels = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1], dtype=np.int8)
    values = calibrators.platt(scores, labels)(scores)
    assert np.all((values > 0.1) & (values < 0.9))
    assert not lines.fit_lines(lines.log_odds(scores), labels).finite


def test_lines_are_statsmodels() -> None:
    import statsmodels.api as sm

    x = np.random.default_rng(1).normal(3, 2, (2, 3, 200))
    y = (np.random.default_rng(2).random(x.shape) < expit(-1 + 0.5 * x)).astype(np.int8)
    fitted = lines.fit_lines(x, y)
    assert fitted.finite.all()
    for i in range(2):
        for j in range(3):
            theirs = sm.GLM(y[i, j], sm.add_constant(x[i, j]), family=sm.families.Binomial()).fit(tol=1e-12)
            assert [fitted.intercept[i, j], fitted.slope[i, j]] == pytest.approx(theirs.params, abs=1e-6)
            assert fitted.slope_error[i, j] == pytest.approx(theirs.bse[1], rel=1e-5)
            offset = sm.GLM(y[i, j], np.ones(200), family=sm.families.Binomial(), offset=x[i, j]).fit(tol=1e-12)
            assert lines.fit_intercepts(x[i, j], y[i, j]) == pytest.approx(offset.params[0], abs=1e-6)


def test_temperature_is_scikit_learns() -> None:
    from sklearn.calibration import _TemperatureScaling

    scores, labels, test = of(rows())
    # Theirs takes a decision value d for the log odds 2 d.
    theirs = _TemperatureScaling().fit(lines.log_odds(scores) / 2, labels)
    wanted = theirs.predict(lines.log_odds(test) / 2)[:, 1]
    np.testing.assert_allclose(calibrators.temperature(scores, labels)(test), wanted, atol=1e-5)


def pooled(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return isotonic regression at the distinct scores by the max-min formula (Barlow et al. 1972)."""
    distinct = np.unique(scores)
    sums = np.array([labels[scores == value].sum() for value in distinct], dtype=float)
    counts = np.array([(scores == value).sum() for value in distinct], dtype=float)
    k = len(distinct)

    def mean(first: int, last: int) -> float:
        return float(sums[first : last + 1].sum() / counts[first : last + 1].sum())

    return np.array([max(min(mean(i, j) for j in range(at, k)) for i in range(at + 1)) for at in range(k)])


def test_isotonic_is_the_max_min_formula() -> None:
    rng = np.random.default_rng(0)
    scores = np.round(rng.random(30), 1)
    labels = (rng.random(30) < scores).astype(np.int8)
    np.testing.assert_allclose(calibrators.isotonic(scores, labels)(np.unique(scores)), pooled(scores, labels))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000))
def test_venn_abers_is_two_isotonic_fits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.random(12), 1)
    labels = (rng.random(12) < scores).astype(np.int8)
    labels[:2] = 0, 1
    test = np.array([0.05, 0.3, 0.55, 0.7, 1.0])
    wanted = []
    for value in test:
        p0, p1 = (
            pooled(np.append(scores, value), np.append(labels, label))[
                np.searchsorted(np.unique(np.append(scores, value)), value)
            ]
            for label in (0, 1)
        )
        wanted.append(p1 / (1 - p0 + p1))
    np.testing.assert_allclose(calibrators.venn_abers(scores, labels)(test), wanted, atol=1e-12)


def test_beta_maximises_the_likelihood() -> None:
    import statsmodels.api as sm

    scores, labels, test = of(rows(600))
    # Without constraints, where both coefficients have the right sign.
    inputs = [np.column_stack([np.ones_like(s), np.log(s), -np.log1p(-s)]) for s in (scores, test)]
    theirs = sm.GLM(labels, inputs[0], family=sm.families.Binomial()).fit(tol=1e-12)
    assert (theirs.params[1:] > 0).all()
    np.testing.assert_allclose(calibrators.beta(scores, labels)(test), theirs.predict(inputs[1]), atol=2e-3)


def test_a_package_does_not_switch_warnings_off() -> None:
    before, errors = list(warnings.filters), np.geterr()
    scores, labels, _ = of(rows())
    calibrators.beta(scores, labels)
    calibrators.venn_abers(scores, labels)
    assert warnings.filters == before
    assert np.geterr() == errors


def test_histogram_predicts_the_rate_of_each_bin() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    labels = np.array([0, 0, 0, 1, 1, 1], dtype=np.int8)
    predict = calibrators.histogram(scores, labels, bins=3)
    np.testing.assert_allclose(predict(np.array([0.0, 0.15, 0.35, 0.7])), [0, 0, 0.5, 1])
    # One score alone: a single rate.
    one = calibrators.histogram(np.full(6, 0.5), labels, bins=3)
    np.testing.assert_allclose(one(np.array([0.5, 0.9])), [0.5, 0.5])


@pytest.mark.parametrize("name", list(KNOWN.strategies))
def test_every_strategy_returns_probabilities_in_the_order_of_scores(name: str) -> None:
    parts = rows(200)
    output = run(name, parts)
    judged = KNOWN.judge(parts, output)
    assert {metric.name for metric in KNOWN.metrics} <= set(judged.metrics)
    # The rates of bins need not rise.
    assert name == "histogram" or np.all(np.diff(output[np.argsort(parts.scored.test)]) >= -1e-12)


def test_the_right_shape_is_recovered_and_the_wrong_one_is_not() -> None:
    errors = {}
    for kind in ("overconfident", "misspecified"):
        parts = rows(20_000, kind=kind)
        errors[kind] = {
            name: judge_calibration.true_error(parts, run(name, parts)) for name in ("none", "platt", "isotonic")
        }
    assert errors["overconfident"]["platt"] < 0.01 < 0.08 < errors["overconfident"]["none"]
    assert errors["misspecified"]["isotonic"] < 0.03 < 0.06 < errors["misspecified"]["platt"]


def test_known_scores_distort_known_probabilities() -> None:
    calibrated, over = rows(kind="calibrated"), rows()
    assert calibrated.truth is not None
    np.testing.assert_allclose(calibrated.scored.test, calibrated.truth, rtol=1e-5)
    np.testing.assert_allclose(logit(over.scored.test), 2 * logit(over.truth) + 0.5, atol=1e-3)
    assert abs(calibrated.test.y.mean() - calibrated.truth.mean()) < 4 * 0.5 / np.sqrt(500)


def test_a_perfect_model_has_no_true_error_but_a_binned_one() -> None:
    parts = known("calibrated", np.random.default_rng(0), 20, 200)
    judged = KNOWN.judge(parts, parts.truth).metrics
    assert judged["true_error"] == 0
    assert judged["expected_calibration_error"] > 0.03


def test_binned_error_by_hand() -> None:
    labels, scores = np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.2, 0.4, 0.6, 0.8])
    # Two bins of two rows: |0.3 - 0.5| and |0.7 - 1|.
    assert judge_calibration.binned_error(labels, scores) == pytest.approx((0.2 + 0.3) / 2)


def test_thinning_changes_all_odds_alike() -> None:
    parts = known("calibrated", np.random.default_rng(0), 50, 200_000)
    thinned = scored.thin(parts, 0.25, np.random.default_rng(1))
    assert thinned.truth is not None
    assert thinned.test.y.mean() == pytest.approx(thinned.truth.mean(), abs=0.005)
    wanted = np.log(0.25) + logit(thinned.scored.test)
    np.testing.assert_allclose(logit(thinned.truth), wanted, atol=1e-4)


def test_noise_flips_labels_of_the_calibration_set_alone() -> None:
    parts = rows(10_000)
    noisy = scored.flip(parts, 0.1, np.random.default_rng(0))
    assert (noisy.calibration.y != parts.calibration.y).mean() == pytest.approx(0.1, abs=0.015)
    assert noisy.test is parts.test


def test_parts_of_a_table() -> None:
    split, params = table(400), {"points": 50, "model": "logistic"}
    parts = scored.divide(split, params, np.random.default_rng(0))
    assert (len(parts.train), len(parts.calibration), len(parts.test)) == (200, 50, 200)
    np.testing.assert_array_equal(parts.calibration.X, split.train.X[200:250])
    assert len(scored.divide(split, {**params, "points": 1_000}, np.random.default_rng(0)).calibration) == 200
    shuffled = np.random.default_rng(1).permutation(400)
    mixed = scored.divide(Split(split.train.take(shuffled), split.test, ()), params, np.random.default_rng(0))
    timed = scored.by_time(mixed)
    times: Any = [part.time for part in (timed.train, timed.calibration, timed.test)]
    assert times[0].max() < times[1].min()
    assert times[1].max() < times[2].min()


@pytest.mark.parametrize("model", list(scored.MODELS))
def test_models_take_gaps_and_columns_of_zeros(model: str) -> None:
    from sklearn.metrics import roc_auc_score

    split = table(600)
    gaps = []
    for part in (split.train, split.test):
        X = part.X.copy()
        X[::7, 2] = np.nan
        X[:, 3] = 0
        gaps.append(Table(X, part.y))
    parts = scored.divide(Split(gaps[0], gaps[1], ()), {"points": 100, "model": model}, np.random.default_rng(0))
    assert roc_auc_score(parts.test.y, parts.scored.test) > 0.7


def test_what_is_refused() -> None:
    models = REAL.params["model"]
    assert models.choices == tuple(scored.MODELS)
    with pytest.raises(ValueError, match=r"model=bosting is none of .*boosting"):
        models.check("model", "bosting")
    parts = rows(20)
    one = Parts(parts.train, parts.calibration.take(np.flatnonzero(parts.calibration.y == 0)), parts.test, "given")
    with pytest.raises(UsageError, match="rows of the calibration set are of class 0; ask for more"):
        KNOWN.view(one)
    with pytest.raises(UsageError, match="need a time column"):
        scored.by_time(parts)
    with pytest.raises(InvalidOutputError, match="shape"):
        KNOWN.judge(parts, np.zeros(3))


def test_improved_compares_with_the_models_scores() -> None:
    parts = rows(2_000)
    assert KNOWN.judge(parts, run("platt", parts)).metrics["improved"] == 1
    assert KNOWN.judge(parts, run("none", parts)).metrics["improved"] == 0
    assert KNOWN.judge(parts, run("prior", parts)).n["improved"] == 1


def test_scenarios_of_the_tasks_give_data_of_the_same_kind() -> None:
    parts = scored.divide(table(200), {"points": 50, "model": "naive-bayes"}, np.random.default_rng(0))
    for scenario in REAL.scenarios:
        changed = scenario.apply(parts, np.random.default_rng(0))
        assert REAL.judge(changed, REAL.view(changed).test).metrics["improved"] == 0
