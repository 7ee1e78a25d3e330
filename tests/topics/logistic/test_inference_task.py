"""The task inference: what its data and scenarios are, by theory, and every strategy in the smallest setting."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("sklearn")

from harness.declare import Problem
from harness.measure.job import freeze
from harness.topics.logistic.engine.likelihoods import Likelihood, maximise
from harness.topics.logistic.engine.replications import Population, Replications, replicate
from harness.topics.logistic.inference import task
from harness.topics.logistic.odds_ratios import PARAMS, case_control, label_noise, missed_events

Floats = npt.NDArray[np.float64]
EXACT = {"wald", "profile", "firth-wald", "firth-profile"}


def large(population: Population, rows: int = 400_000) -> Replications:
    """Return one data set that is as good as the population."""
    return replicate([population], np.random.default_rng(0), replications=1, rows=rows)


def fitted(data: Replications) -> Floats:
    """Maximum likelihood: the intercept, then the coefficients."""
    features, outcomes = data.samples.features, data.samples.outcomes
    X = np.concatenate([np.ones((*features.shape[:2], 1)), features], axis=2)
    beta = np.zeros((1, X.shape[2]))
    assert maximise(Likelihood(X, outcomes.astype(np.float64)), beta, np.arange(X.shape[2])).converged.all()
    coefficients: Floats = beta[0]
    return coefficients


@pytest.mark.parametrize("exposed", [0.2, None])
def test_data_are_those_of_the_population(exposed: float | None) -> None:
    population = Population(np.log(3), 4, 0.6, exposed, 0.07)
    data = large(population)
    features, outcomes = data.samples.features[0], data.samples.outcomes[0]
    assert outcomes.mean() == pytest.approx(0.07, abs=4 * np.sqrt(0.07 * 0.93 / 400_000))
    if exposed is None:
        assert np.corrcoef(features.T)[0, 2] == pytest.approx(0.36, abs=0.01)
    else:
        assert set(np.unique(features[:, 0])) == {0.0, 1.0}
        assert features[:, 0].mean() == pytest.approx(exposed, abs=0.003)
        assert np.corrcoef(features.T)[0, 1] > 0.3
    np.testing.assert_allclose(fitted(data), [population.intercept(), np.log(3), 0.5, -0.5, 0.5], atol=0.04)


def test_sampling_by_outcome_moves_the_intercept_alone() -> None:
    # Prentice & Pyke 1979: by the log odds of the share of events after, less those before.
    population = Population(np.log(3), 3, 0.5, 0.3, 0.05)
    data = case_control(0.4).apply(large(population, 100_000), np.random.default_rng(1))
    assert data.samples.outcomes.mean() == 0.4
    moved = population.intercept() + np.log(0.4 / 0.6) - np.log(0.05 / 0.95)
    np.testing.assert_allclose(fitted(data), [moved, *population.coefficients], atol=0.05)
    assert data.truth == np.log(3)


@pytest.mark.parametrize(("scenario", "missed", "false"), [(label_noise(0.1), 0.1, 0.1), (missed_events(0.2), 0.2, 0)])
def test_misclassified_outcomes_have_the_odds_ratio_of_the_mixture(scenario: Any, missed: float, false: float) -> None:
    population = Population(np.log(4), 1, 0.0, 0.5, 0.2)
    data = scenario.apply(large(population), np.random.default_rng(1))
    risk = 1 / (1 + np.exp(-population.intercept() - np.array([0, np.log(4)])))
    seen = risk * (1 - missed) + (1 - risk) * false
    expected = np.log(seen[1] / (1 - seen[1])) - np.log(seen[0] / (1 - seen[0]))
    assert fitted(data)[1] == pytest.approx(expected, abs=0.04)
    assert expected < np.log(4) - (0.4 if false else 0.05)


def test_true_odds_ratios_take_turns() -> None:
    (grid,) = (each for each in task.datasets if not isinstance(each, str) and each.name == "odds-ratio-grid")
    params = {name: param.default for name, param in PARAMS.items()} | {"odds_ratio": 16.0, "replications": 12}
    data = grid.load(params, np.random.default_rng(0))
    np.testing.assert_allclose(np.exp(data.truth), [1, 2, 4, 8, 16, 1, 2, 4, 8, 16, 1, 2])
    assert all(
        population.log_odds_ratio == truth for population, truth in zip(data.populations, data.truth, strict=True)
    )


class Phase:
    """One use of a phase that is not measured."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def small(dataset: str = "binary-exposure", **changes: Any) -> Replications:
    (source,) = (each for each in task.datasets if not isinstance(each, str) and each.name == dataset)
    params = {name: param.default for name, param in PARAMS.items()} | {"replications": 8, "rows": 30} | changes
    data: Replications = source.load(params, np.random.default_rng(3))
    freeze(data)
    return data


def ran(name: str, data: Replications, **options: Any) -> tuple[Floats, Floats]:
    output: tuple[Floats, Floats] = task.strategies[name].run(
        Problem(task.view(data), {}, 7), lambda _: Phase(), **options
    )
    return output


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", sorted(task.strategies))
@pytest.mark.parametrize("dataset", ["binary-exposure", "continuous-exposure", "odds-ratio-grid"])
def test_every_strategy_is_judged_in_the_smallest_setting(name: str, dataset: str) -> None:
    if name.startswith("statsmodels"):
        pytest.importorskip("statsmodels")
    data = small(dataset, event_rate=0.1)
    options = {"draws": 30} if "draws" in task.strategies[name].options else {}
    output = ran(name, data, **options)
    judged = task.judge(data, output)
    assert set(judged.metrics) == {metric.name for metric in task.metrics}
    assert all(np.isfinite(value) for value in judged.metrics.values())
    assert set(judged.n) == {metric.name for metric in task.metrics if metric.rate}
    np.testing.assert_array_equal(output[1], ran(name, data, **options)[1])


@pytest.mark.parametrize("name", sorted(EXACT | {"unadjusted"}))
def test_intervals_contain_their_estimates(name: str) -> None:
    estimates, intervals = ran(name, small(rows=60, event_rate=0.4))
    assert ((intervals[:, 0] < estimates) & (estimates < intervals[:, 1])).all()


def test_strategies_see_no_truth() -> None:
    assert not hasattr(task.view(small()), "truth")


def test_declaring_imports_no_library() -> None:
    code = (
        "from harness.topics.logistic import inference, claims_inference\n"
        "import sys\n"
        "print([name for name in ('sklearn', 'scipy', 'statsmodels', 'torch', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
