"""Boosting on test rows with missing values, and its linear model with a step that is too large."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from topics.test_boosting import DECLARED, PARAMS, auc, synthetic
from unmeasured import Phase

from harness.data.stress import missing
from harness.declare import Outputs, Problem
from harness.errors import DivergedError
from harness.topics import boosting
from harness.topics._shared.binary import constant_rate, judge
from harness.topics.boosting.baselines import first_beyond

ON_CPU = [name for name, strategy in DECLARED.items() if strategy.device == "cpu" and not strategy.search]


def altered() -> dict[str, Any]:
    stress = missing()
    return {stress.key(level): stress.alter(synthetic(), level, np.random.default_rng(0)) for level in (0, 50)}


def run(name: str, **options: Any) -> Outputs:
    task = boosting.task
    views = {key: task.view(data) for key, data in altered().items()}
    problem = Problem(task.view(synthetic()), PARAMS, 0, views)
    output = task.strategies[name].run(problem, lambda name: Phase(), **options)
    assert isinstance(output, Outputs)
    return output


@pytest.mark.parametrize("name", ON_CPU)
def test_every_strategy_predicts_rows_with_missing_values(name: str) -> None:
    output, data = run(name), altered()
    np.testing.assert_array_equal(output.altered["missing_0"], output.plain)
    half = auc(data["missing_50"], output.altered["missing_50"])
    assert half == 0.5 if name == "constant" else 0.5 < half < auc(synthetic(), output.plain)


def test_a_missing_value_is_the_mean_to_logistic_regression() -> None:
    X = synthetic().train.X
    data = altered()["missing_50"].test.X
    filled = np.where(np.isnan(data), X.mean(axis=0, dtype=np.float64).astype(np.float32), data)
    task = boosting.task
    view = task.view(synthetic())
    problem = Problem(type(view)(view.train, filled, view.features), PARAMS, 0)
    plain = task.strategies["logistic-regression"].run(problem, lambda name: Phase())
    np.testing.assert_allclose(run("logistic-regression").altered["missing_50"], plain, atol=1e-6)


def test_newton_steps_that_are_too_long_diverge() -> None:
    with pytest.raises(DivergedError):
        run("gblinear", step=4.0)
    linear, regression = (run(name).plain for name in ("gblinear", "logistic-regression"))
    assert auc(synthetic(), linear) == pytest.approx(auc(synthetic(), regression), abs=0.005)


def test_the_first_loss_beyond_that_of_an_untrained_model_is_found() -> None:
    assert first_beyond([0.6, 0.5, 0.4]) is None
    assert first_beyond([0.6, 0.7, 0.4]) == 2
    assert first_beyond([0.6, 0.5, math.nan]) == 3


def test_the_guess_is_the_constant_strategy() -> None:
    assert constant_rate(synthetic()) == judge(synthetic(), run("constant").plain).metrics
