"""Penalised paths, stability selection, and how coefficients are judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("sklearn")

from harness import CLEAN, CannotRunError, InvalidOutputError, UsageError
from harness.data.tabular import Split, Table
from harness.topics.logistic import regularisation, scenarios
from harness.topics.logistic.engine import paths, selection
from harness.topics.logistic.engine.classifiers import Columns
from harness.topics.logistic.engine.world import World, draw

Floats = selection.Floats


def world(seed: int = 0, **changes: float) -> World:
    settings = {
        "rows": 120,
        "test_rows": 400,
        "columns": 12,
        "support": 3,
        "correlation": 0.4,
        "signal": 2.0,
        "event_rate": 0.4,
    } | changes
    return draw(np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


def prepared(made: World) -> tuple[Floats, Floats]:
    train = made.split.train
    return Columns.of(train.X)(train.X), train.y.astype(np.float64)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_each_point_of_a_path_has_the_conditions_of_a_minimum(l1_ratio: float) -> None:
    X, y = prepared(world())
    grid = paths.penalties(X, y, l1_ratio, 12)
    coefficients, intercepts = paths.path(X, y, grid, l1_ratio, tolerance=1e-15)
    for penalty, w, b in zip(grid, coefficients, intercepts, strict=True):
        residual = y - 1 / (1 + np.exp(-X @ w - b))
        pull = X.T @ residual / len(y) - penalty * (1 - l1_ratio) * w
        assert abs(residual.mean()) < 1e-6
        np.testing.assert_allclose(pull[w != 0], penalty * l1_ratio * np.sign(w[w != 0]), atol=1e-6)
        assert (np.abs(pull[w == 0]) <= penalty * l1_ratio + 1e-6).all()
    if l1_ratio:
        assert not coefficients[0].any()
        assert coefficients[1].any()


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_a_path_is_that_of_glum(l1_ratio: float) -> None:
    glum = pytest.importorskip("glum")
    X, y = prepared(world())
    grid = paths.penalties(X, y, l1_ratio, 6)[1:]
    coefficients, intercepts = paths.path(X, y, grid, l1_ratio, tolerance=1e-14)
    for penalty, w, b in zip(grid, coefficients, intercepts, strict=True):
        model = glum.GeneralizedLinearRegressor(
            family="binomial", alpha=penalty, l1_ratio=l1_ratio, gradient_tol=1e-9, max_iter=1000
        )
        model.fit(np.asfortranarray(X), y)
        np.testing.assert_allclose(w, model.coef_, atol=1e-5)
        assert b == pytest.approx(model.intercept_, abs=1e-5)


def test_the_penalty_is_that_with_the_least_loss_of_held_out_rows() -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = prepared(world())
    found = paths.cross_validated(X, y, 0.0, count=6, folds=4, rng=np.random.default_rng(5))
    fold = np.empty(len(y), dtype=int)
    fold[np.lexsort((np.random.default_rng(5).random(len(y)), y))] = np.arange(len(y)) % 4
    losses = np.zeros(6)
    for number in range(4):
        train = fold != number
        for at, penalty in enumerate(found.penalties):
            model = LogisticRegression(C=1 / (penalty * train.sum()), tol=1e-9, max_iter=1000)
            p = model.fit(X[train], y[train]).predict_proba(X[~train])
            losses[at] -= np.log(p[np.arange((~train).sum()), y[~train].astype(int)]).mean() / 4
    np.testing.assert_allclose(found.losses, losses, atol=1e-4)
    assert found.chosen == losses.argmin()
    simpler = paths.cross_validated(X, y, 0.0, count=6, folds=4, rng=np.random.default_rng(5), one_se=True)
    assert simpler.chosen <= found.chosen


def test_stability_selection_is_that_of_the_paper() -> None:
    """Follow the paper in plain numpy: proximal gradient descent on halves, down to the allowed number of columns."""
    X, y = prepared(world(columns=6, rows=80))
    threshold, false, subsamples, count = 0.75, 1.0, 12, 8
    found = paths.stability(
        X, y, subsamples=subsamples, threshold=threshold, false=false, count=count, rng=np.random.default_rng(3)
    )

    allowed = max(q for q in range(1, 7) if q**2 / ((2 * threshold - 1) * 6) <= false)
    assert paths.at_most(6, threshold, false) == allowed == 1
    top = np.abs(X.T @ (y - y.mean())).max() / len(y)
    grid = top * 10 ** np.linspace(0, np.log10(paths.RANGE), count)
    rng, often = np.random.default_rng(3), np.zeros(6)
    for _ in range(subsamples):
        rows = rng.permutation(80)[:40]
        seen: set[int] = set()
        for penalty in grid:
            now = seen | set(np.flatnonzero(np.abs(lasso(X[rows], y[rows], penalty)) > 1e-7).tolist())
            if len(now) > allowed:
                break
            seen = now
        often[list(seen)] += 1 / subsamples
    assert often.max() > 0
    np.testing.assert_allclose(found, often)


def lasso(X: Floats, y: Floats, penalty: float) -> Floats:
    w, b = np.zeros(X.shape[1]), 0.0
    step = (
        4
        * len(y)
        / np.linalg.eigvalsh(np.column_stack([X, np.ones(len(y))]).T @ np.column_stack([X, np.ones(len(y))]))[-1]
    )
    for _ in range(3_000):
        residual = y - 1 / (1 + np.exp(-X @ w - b))
        w = w + step * X.T @ residual / len(y)
        w = np.sign(w) * np.maximum(np.abs(w) - step * penalty, 0)
        b += step * residual.mean()
    return w


def test_false_discoveries_of_stability_selection_stay_below_the_bound() -> None:
    false = []
    for seed in range(20):
        X, _ = prepared(world(seed, columns=60, rows=100))
        y = np.random.default_rng(seed).permutation(np.repeat([0.0, 1.0], 50))  # no column has an effect
        often = paths.stability(
            X, y, subsamples=30, threshold=0.9, false=1.0, count=10, rng=np.random.default_rng(seed)
        )
        false.append((often >= 0.9).sum())
    assert np.mean(false) <= 1


def test_recovery_by_hand() -> None:
    found = selection.recovery(np.array([2.0, -1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.5, 0.0]))
    assert found == pytest.approx(
        {
            "support_f1": 0.5,
            "support_precision": 0.5,
            "support_recall": 0.5,
            "false_discoveries": 1.0,
            "coefficient_error": np.sqrt((1 + 1 + 0.25) / 5),
            "coefficient_scale": 2 / 5,
        }
    )
    nothing = selection.recovery(np.array([1.0, 0.0]), np.zeros(2))
    assert nothing["support_precision"] == 1
    assert nothing["support_f1"] == nothing["support_recall"] == nothing["coefficient_scale"] == 0


def test_unpenalised_coefficients_are_those_of_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api")
    made = world()
    X, y = prepared(made)
    w, b = selection.unpenalised(X, y)
    expected = api.Logit(y, api.add_constant(X)).fit(disp=0).params
    np.testing.assert_allclose(np.append(b, w), expected, atol=1e-4)
    fit = selection.fitted(made.split.train, selection.unpenalised_fit)
    test = made.split.test.X
    logits = np.log(fit.predict(test) / (1 - fit.predict(test)))
    centre = made.split.train.X.mean(axis=0)
    np.testing.assert_allclose(logits, (test - centre) @ fit.coefficients + fit.intercept, atol=1e-3)


def test_separated_rows_have_no_unpenalised_coefficients() -> None:
    X = np.linspace(-1, 1, 20)[:, None]
    with pytest.raises(CannotRunError, match="a plane separates the classes"):
        selection.unpenalised(X, (X[:, 0] > 0).astype(float))
    # Quasi-complete separation: rows of both classes lie on the plane.
    both = np.array([[-1.0], [0.0], [0.0], [1.0]])
    assert selection.separated(both, np.array([0.0, 0.0, 1.0, 1.0]))
    assert not selection.separated(both, np.array([0.0, 1.0, 0.0, 0.0]))


def test_missing_and_constant_columns_are_no_trouble() -> None:
    made = world()
    X = made.split.train.X.copy()
    X[:, 0], X[::7, 1] = 0, np.nan
    train = Table(X, made.split.train.y)
    for fit in (
        selection.prior,
        selection.one_feature,
        selection.unpenalised_fit,
        selection.penalised(1.0, one_se=False, count=5, folds=3, seed=0),
        selection.stable(subsamples=10, threshold=0.9, false=2.0, count=5, folds=3, seed=0),
    ):
        found = selection.fitted(train, fit)
        assert found.coefficients[0] == 0
        assert np.isfinite(found.predict(X)).all()


def test_bad_input_is_one_sentence() -> None:
    made = world()
    train = made.split.train
    with pytest.raises(UsageError, match="class 0"):
        selection.fitted(Table(train.X, train.y * 0), selection.prior)
    with pytest.raises(UsageError, match="two values"):
        selection.fitted(Table(train.X * 0, train.y), selection.prior)
    with pytest.raises(UsageError, match="with 12 columns, no selection has"):
        paths.at_most(12, 0.9, 0.01)
    for wrong in (None, selection.Fitted(np.full(400, 0.5)), selection.Fitted(np.full(400, 0.5), np.full(12, np.nan))):
        with pytest.raises(InvalidOutputError):
            selection.judge(made, wrong)


def test_the_judge_has_every_metric_of_the_task() -> None:
    made = world()
    fit = selection.fitted(made.split.train, selection.penalised(1.0, one_se=False, count=5, folds=3, seed=0))
    assert fit.path is not None
    along = fit.path.coefficients / fit.columns.spread
    output = selection.Fitted(
        fit.predict(made.split.test.X), fit.coefficients, fit.path.penalties, along, fit.path.losses
    )
    judged = selection.judge(made, output)
    assert {metric.name for metric in regularisation.task.metrics} <= set(judged.metrics)
    assert {chart.curve for chart in regularisation.task.charts} <= set(judged.curves)
    assert judged.metrics["log_loss"] < 0.69
    assert {metric.name for metric in regularisation.prediction.metrics} <= set(
        selection.judge_prediction(made.split, output).metrics
    )


def test_strategies_see_no_truth() -> None:
    seen = selection.view(world())
    assert not hasattr(seen, "coefficients")
    assert isinstance(seen.test, np.ndarray)


def test_scenarios_of_tables_apply_to_worlds() -> None:
    made = world(rows=4_000)
    for scenario in regularisation.SCENARIOS:
        changed = scenario.apply(made, np.random.default_rng(0))
        plain = scenario.apply(made.split, np.random.default_rng(0))
        assert isinstance(plain, Split)
        np.testing.assert_array_equal(changed.split.train.y, plain.train.y)
        np.testing.assert_array_equal(changed.split.test.X, plain.test.X)
        np.testing.assert_array_equal(changed.coefficients, made.coefficients)
    assert regularisation.task.scenarios[0] is CLEAN


def test_class_noise_hides_events_only() -> None:
    made = world(rows=4_000).split
    noisy = scenarios.class_noise(0.3).apply(made, np.random.default_rng(0))
    before, after = made.train.y, noisy.train.y
    assert not after[before == 0].any()
    assert after[before == 1].mean() == pytest.approx(0.7, abs=0.05)
    np.testing.assert_array_equal(noisy.test.y, made.test.y)
    several = replace(made, train=Table(made.train.X, before.astype(np.int32)))
    with pytest.raises(UsageError, match="binary target"):
        scenarios.class_noise(0.3).apply(several, np.random.default_rng(0))
