"""A deployed logistic regression whose world has changed, and ways to repair it with a few new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, chdtrc, expit

from harness import Curve, Generator, Judgement, UsageError
from harness.data.tabular import Split, Table
from harness.topics.logistic.engine.judge_calibration import judge_scored, log_losses
from harness.topics.logistic.engine.lines import Floats, fit_intercepts, fit_lines, log_odds
from harness.topics.logistic.engine.periods import in_time
from harness.topics.logistic.engine.scored import LARGEST, MODELS, Labels, Parts, Scored

COLUMNS, INTERCEPT, DEVIATION = 10, -2.0, 1.5  # of generated data; the latter two are of the log odds
TEST_ROWS = 10_000
MODEL = "logistic"
SIGNIFICANT = 0.05
PERIODS = 10
TAIL = 0.025  # of a 95 % interval, at either end


@dataclass(frozen=True, eq=False)
class Deployed:
    """What a repair may see.

    Attributes
    ----------
    train, update
        The rows that the model was fitted on, and the new ones.
    test
        Features of the rows to predict, shape (n, d).
    scored
        The model's scores of the new rows and of the rows to predict.
    """

    train: Table
    update: Table
    test: npt.NDArray[np.float32]
    scored: Scored


@dataclass(frozen=True, eq=False)
class Aged(Parts):
    """A model's rows, new rows (as `calibration`) and later rows to judge on."""

    @cached_property
    def deployed(self) -> Deployed:
        """The model and the rows that a repair may see."""
        return Deployed(self.train, self.calibration, self.test.X, self.scored)


def of_table(split: Split, params: Mapping[str, Any], _rng: Generator) -> Aged:
    """Divide all rows in time: the first half for the model, then `points` new rows, then those to judge on.

    Raises
    ------
    UsageError
        When the rows have no time, or there are too few.
    """
    X, y, order = in_time(split)
    half, points = len(order) // 2, int(params["points"])
    if half + points >= len(order):
        raise UsageError(
            f"points={points} leaves no rows to judge on: there are {len(order)}, half of them for the model"
        )
    train, update, test = (Table(X[rows], y[rows]) for rows in np.split(order, [half, half + points]))
    return Aged(train, update, test, MODEL)


def generated(kind: str, params: Mapping[str, Any], rng: Generator) -> Aged:
    """Draw rows of a logistic model with ten normal columns, which changes after the model's rows.

    Before the change, the log odds are -2 + x'b with a standard deviation of 1.5. After it, by kind and the size
    `shift` of the change: ``none``: the same; ``intercept``: they rise by `shift`; ``slope``: x'b shrinks by the factor
    1 - shift; ``coefficients``: of half of the columns, the coefficients do so and change their sign.
    """
    shift = float(params["shift"])
    effects, *parts = rng.spawn(4)
    before = effects.choice([-1.0, 1.0], COLUMNS) * DEVIATION / np.sqrt(COLUMNS)
    after, intercept = before.copy(), INTERCEPT + (shift if kind == "intercept" else 0.0)
    if kind == "slope":
        after *= 1 - shift
    if kind == "coefficients":
        after[: COLUMNS // 2] *= shift - 1

    def draw(n: int, constant: float, weights: Floats, stream: Generator) -> tuple[Table, Floats]:
        values, labels = stream.spawn(2)
        X = values.standard_normal((n, COLUMNS), dtype=np.float32)
        probability = expit(constant + X.astype(np.float64) @ weights)
        return Table(X, (labels.random(n) < probability).astype(np.int8)), probability

    train, _ = draw(int(params["rows"]), INTERCEPT, before, parts[0])
    update, _ = draw(int(params["points"]), intercept, after, parts[1])
    test, truth = draw(TEST_ROWS, intercept, after, parts[2])
    return Aged(train, update, test, MODEL, truth)


def intercept(data: Deployed) -> Floats:
    """Shift the log odds so that expected and observed events of the new rows agree.

    Steyerberg et al. 2004, "Validation and updating of predictive logistic regression models", Statistics in Medicine
    23: the least of their updates.
    """
    shift = fit_intercepts(log_odds(data.scored.scores), data.update.y)
    repaired: Floats = expit(shift + log_odds(data.scored.test))
    return repaired


def line(data: Deployed) -> Floats:
    """Fit intercept and slope of the log odds on the new rows: logistic recalibration (Cox 1958).

    Raises
    ------
    UsageError
        When the scores separate the classes of the new rows.
    """
    fitted = fit_lines(log_odds(data.scored.scores), data.update.y)
    if not fitted.finite:
        raise UsageError("the scores separate the classes of the new rows, so the slope has no finite estimate")
    repaired: Floats = expit(fitted.intercept + fitted.slope * log_odds(data.scored.test))
    return repaired


def refit(data: Deployed, *, old: bool) -> Floats:
    """Fit the model anew on the new rows, with the old ones or without."""
    rows = data.update
    if old:
        rows = Table(np.concatenate([data.train.X, rows.X]), np.concatenate([data.train.y, rows.y]))
    return MODELS[MODEL](rows)(data.test)


def closed_test(data: Deployed) -> Floats:
    """Use the least update that the new rows do not reject against a model fitted anew.

    Vergouwe et al. 2017, "A closed testing procedure to select an appropriate method for updating prediction models":
    likelihood-ratio tests at 5 % of the model as it is, with a new intercept, and with a new intercept and slope, with
    as many degrees of freedom as the refit has numbers more. If all are rejected, the model is fitted anew, without a
    penalty.
    """
    labels, odds = data.update.y, log_odds(data.scored.scores)
    on_update, on_test, columns = _maximum(data)
    best = _deviance(labels, on_update)
    shift, fitted = fit_intercepts(odds, labels), fit_lines(odds, labels)
    later = log_odds(data.scored.test)
    steps = (
        (columns + 1, odds, later),
        (columns, shift + odds, shift + later),
        (columns - 1, fitted.intercept + fitted.slope * odds, fitted.intercept + fitted.slope * later),
    )
    for freedom, here, there in steps:
        if chdtrc(max(freedom, 1), max(0.0, _deviance(labels, expit(here)) - best)) > SIGNIFICANT:
            on_test = expit(there)
            break
    return on_test


def _maximum(data: Deployed) -> tuple[Floats, Floats, int]:
    """Fit the new rows by maximum likelihood; return both predictions and the number of columns that vary."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(C=np.inf, max_iter=LARGEST)
    ).fit(data.update.X, data.update.y)
    varying = int((model[:2].transform(data.update.X).std(axis=0) > 0).sum())
    return model.predict_proba(data.update.X)[:, 1], model.predict_proba(data.test)[:, 1], varying


def _deviance(labels: Labels, scores: Floats) -> float:
    return 2 * float(log_losses(labels.astype(np.float64), scores).sum())


def judge(data: Aged, output: npt.ArrayLike) -> Judgement:
    """Judge as `judge_scored`, with the curve ``over_time``: observed over expected events in tenths of the test rows.

    The band is the exact 95 % interval of the observed rate, divided by the expected one.
    """
    judged = judge_scored(data, output)
    labels = np.array_split(data.test.y.astype(np.float64), PERIODS)
    expected = np.array([part.mean() for part in np.array_split(np.asarray(output, dtype=np.float64), PERIODS)])
    events, rows = np.array([part.sum() for part in labels]), np.array([len(part) for part in labels])
    with np.errstate(invalid="ignore"):
        low = np.where(events > 0, betaincinv(events, rows - events + 1, TAIL), 0.0)
        high = np.where(events < rows, betaincinv(events + 1, rows - events, 1 - TAIL), 1.0)
    ratios = np.array([events / rows, low, high]) / np.maximum(expected, np.finfo(np.float64).tiny)
    periods = np.arange(1, PERIODS + 1, dtype=np.float64)
    curve = Curve(periods.tolist(), *(row.tolist() for row in ratios))
    return replace(judged, curves={**judged.curves, "over_time": curve})
