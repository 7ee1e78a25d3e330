"""Odds ratios and their intervals: published examples, statsmodels, scipy's optimisers, closed forms, separation."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import optimize
from topics.logistic.published import ENDOMETRIAL, SEX2, Published

from harness.errors import InvalidOutputError
from harness.topics.logistic.engine import inference, reference, resampling
from harness.topics.logistic.engine.coverage import WIDEST, judge
from harness.topics.logistic.engine.likelihoods import Likelihood
from harness.topics.logistic.engine.replications import Population, Replications, Samples, replicate

Floats = npt.NDArray[np.float64]


@cache
def samples(rows: int = 40, event_rate: float = 0.3, sets: int = 60, columns: int = 3, seed: int = 0) -> Samples:
    population = Population(np.log(4), columns, 0.3, 0.4, event_rate)
    return replicate([population], np.random.default_rng(seed), replications=sets, rows=rows).samples


def likelihood(data: Samples, *, firth: bool = False) -> Likelihood:
    return Likelihood(*inference.design(data), firth)


def single(X: Floats, y: Floats, *, firth: bool = False) -> Likelihood:
    return Likelihood(X[None].astype(np.float64), y[None].astype(np.float64), firth)


def table(events: int, exposed: int, other_events: int, others: int) -> tuple[Floats, Floats]:
    """Return the design and outcomes of a table of two by two: events among the exposed, and among the others."""
    counts = [events, exposed - events, other_events, others - other_events]
    x, y = np.repeat([1.0, 1, 0, 0], counts), np.repeat([1.0, 0, 1, 0], counts)
    return np.column_stack([np.ones(len(x)), x]), y


@pytest.mark.parametrize("example", [ENDOMETRIAL, SEX2])
def test_firths_estimates_and_profiles_are_those_that_logistf_published(example: Published) -> None:
    X = np.column_stack([np.ones(len(example.outcomes)), example.features])
    found = inference.fit(single(X, example.outcomes, firth=True))
    np.testing.assert_allclose(found.coefficients[0], [example.intercept, *example.estimates], atol=1e-6)
    for column in range(1, X.shape[1]):
        order = [0, column, *(other for other in range(1, X.shape[1]) if other != column)]
        ends = inference.profile(inference.fit(single(X[:, order], example.outcomes, firth=True)))
        np.testing.assert_allclose(ends[0], example.limits[column - 1], atol=2e-6)


def test_without_a_penalty_the_published_example_is_separated() -> None:
    X = np.column_stack([np.ones(79), ENDOMETRIAL.features])
    found = inference.fit(single(X, ENDOMETRIAL.outcomes))
    assert found.estimates == np.inf
    assert np.isnan(inference.wald(found)).all()
    low, high = inference.profile(found)[0]
    assert np.isfinite(low)
    assert high == np.inf
    assert reference.separation(X, ENDOMETRIAL.outcomes) == "quasi-complete"


def test_fits_and_wald_intervals_are_those_of_statsmodels() -> None:
    pytest.importorskip("statsmodels")
    from harness.topics.logistic.engine.statsmodels_fits import wald_intervals

    data = samples(event_rate=0.15)
    ours = inference.fit(likelihood(data))
    estimates, intervals = wald_intervals(data)
    known = ~np.isnan(estimates)
    np.testing.assert_array_equal(known, ~ours.separated)
    assert 0 < known.sum() < len(known)
    np.testing.assert_allclose(np.exp(ours.estimates[known]), np.exp(estimates[known]), rtol=1e-6)
    np.testing.assert_allclose(inference.wald(ours)[known], intervals[known], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("firth", [False, True])
def test_profiles_are_those_of_an_independent_optimiser(firth: bool) -> None:
    objective = reference.firth_objective if firth else reference.log_likelihood
    found = inference.fit(likelihood(samples(), firth=firth))
    ends = inference.profile(found)
    regular = np.flatnonzero(np.isfinite(ends).all(axis=1))[:4]
    for at in regular:
        X, y = found.likelihood.X[at], found.likelihood.y[at]

        def best(effect: float, X: Floats = X, y: Floats = y) -> float:
            others = optimize.minimize(
                lambda b: -objective(np.array([b[0], effect, *b[1:]]), X, y), np.zeros(X.shape[1] - 1), tol=1e-10
            )
            return -float(others.fun)

        top = optimize.minimize(lambda b, X=X, y=y: -objective(b, X, y), np.zeros(X.shape[1]), tol=1e-10)
        np.testing.assert_allclose(found.coefficients[at], top.x, atol=2e-4)
        for end in ends[at]:
            assert 2 * (-top.fun - best(end)) == pytest.approx(3.841459, abs=1e-4)


def test_without_covariates_a_binary_exposure_has_woolfs_interval() -> None:
    found = inference.fit(single(*table(10, 30, 5, 40)))
    error = np.sqrt(1 / 10 + 1 / 20 + 1 / 5 + 1 / 35)
    assert found.estimates[0] == pytest.approx(np.log(3.5))
    np.testing.assert_allclose(inference.wald(found)[0], np.log(3.5) + 1.959964 * error * np.array([-1, 1]), rtol=1e-6)


def test_firths_estimate_of_a_table_adds_a_half_to_each_cell() -> None:
    # In the saturated model the penalty is that of half an observation in each cell (Firth 1993, section 4).
    found = inference.fit(single(*table(0, 30, 5, 40), firth=True))
    assert found.estimates[0] == pytest.approx(np.log((0.5 * 35.5) / (30.5 * 5.5)), abs=1e-7)


@pytest.mark.parametrize(("events", "sign"), [(0, -1), (30, 1)])
def test_an_empty_cell_has_an_infinite_estimate_and_half_a_profile(events: int, sign: int) -> None:
    found = inference.fit(single(*table(events, 30, 20, 40)))
    assert found.estimates[0] == sign * np.inf
    ends = inference.profile(found)[0] * sign
    finite, infinite = min(ends), max(ends)
    assert infinite == np.inf
    # In closed form: the deviance from the supremum, at which the exposed have all or none of the events.
    top = reference.bernoulli_log_likelihood(np.full(40, 0.5), np.repeat([1.0, 0.0], 20))

    def profile(effect: float) -> float:
        X, y = table(events, 30, 20, 40)
        found = optimize.minimize_scalar(lambda a: -reference.log_likelihood(np.array([a, sign * effect]), X, y))
        return 2 * (top + float(found.fun))

    assert profile(finite) == pytest.approx(3.841459, abs=1e-5)


def test_divergence_of_the_fit_and_linear_programming_agree_on_separation() -> None:
    separated = 0
    for rows, event_rate, columns, seed in ((15, 0.5, 3, 1), (30, 0.1, 5, 2), (20, 0.3, 1, 3)):
        found = inference.fit(likelihood(samples(rows, event_rate, 100, columns, seed)))
        says = [
            reference.separation(X, y) != "none" for X, y in zip(found.likelihood.X, found.likelihood.y, strict=True)
        ]
        np.testing.assert_array_equal(found.separated, says)
        separated += sum(says)
    assert 60 < separated < 240


def test_kinds_of_separation() -> None:
    x = np.arange(6.0)
    X = np.column_stack([np.ones(6), x])
    assert reference.separation(X, (x > 2).astype(float)) == "complete"
    assert reference.separation(X[[0, 1, 2, 2, 3, 4]], np.array([0.0, 0, 0, 1, 1, 1])) == "quasi-complete"
    assert reference.separation(X, np.array([0.0, 1, 0, 1, 0, 1])) == "none"
    assert reference.separation(1e6 * X, np.array([0.0, 1, 0, 1, 0, 1])) == "none"


def test_separation_by_a_covariate_leaves_the_odds_ratio_of_the_exposure() -> None:
    # Rows where the covariate is 1 all have the event; without them the table decides.
    X, y = table(10, 30, 5, 40)
    more = np.column_stack([X, np.zeros(70)])
    apart = np.array([[1.0, 0, 1], [1.0, 1, 1], [1.0, 0, 1]])
    found = inference.fit(single(np.concatenate([more, apart]), np.concatenate([y, np.ones(3)])))
    assert found.separated[0]
    assert found.estimates[0] == pytest.approx(np.log(3.5), abs=1e-6)
    expected = inference.profile(inference.fit(single(X, y)))
    np.testing.assert_allclose(inference.profile(found), expected, atol=1e-5)


@pytest.mark.filterwarnings("error")
def test_data_that_say_nothing_have_no_estimate() -> None:
    X, y = table(10, 30, 5, 40)
    exposed = np.column_stack([np.ones(70), np.ones(70)])
    for firth in (False, True):
        for columns, outcomes in ((X, np.zeros(70)), (X, np.ones(70)), (exposed, y)):
            found = inference.fit(single(columns, outcomes, firth=firth))
            assert np.isnan(found.estimates).all()
            assert np.isnan(inference.wald(found)).all()
            assert np.isnan(inference.profile(found)).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_the_exposure_does_not_matter(scale: float) -> None:
    data = samples(30, 0.15)
    features = data.features.copy()
    features[:, :, 0] *= scale
    for firth in (False, True):
        one, other = (inference.fit(likelihood(each, firth=firth)) for each in (data, Samples(features, data.outcomes)))
        np.testing.assert_allclose(inference.profile(other) * scale, inference.profile(one), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(other.estimates * scale, one.estimates, rtol=1e-5, atol=1e-5)


def test_percentiles_are_those_of_resamples_fitted_by_statsmodels() -> None:
    pytest.importorskip("statsmodels")
    from statsmodels.discrete.discrete_model import Logit

    found = inference.fit(likelihood(samples(200, 0.4, 1)))
    X, y = found.likelihood.X[0], found.likelihood.y[0]
    rows = np.random.default_rng(5).integers(200, size=(99, 200))
    theirs = sorted(Logit(y[draw], X[draw]).fit(disp=False).params[1] for draw in rows)
    ends = resampling.percentile(found, np.random.default_rng(5), 99)[0]
    np.testing.assert_allclose(ends, [theirs[2], theirs[96]], rtol=1e-5)  # the 3rd and the 97th of 99


def test_bca_is_that_of_scipy_on_the_same_resamples() -> None:
    from scipy.stats import bootstrap

    found = inference.fit(likelihood(samples(60, 0.4, 1, 1, 1)))
    X, y = found.likelihood.X[0], found.likelihood.y[0]

    def estimates(rows: Any, axis: int) -> Any:
        return inference.fit(Likelihood(X[np.atleast_2d(rows)], y[np.atleast_2d(rows)])).estimates

    theirs = bootstrap(
        (np.arange(60),), estimates, n_resamples=999, vectorized=True, rng=np.random.default_rng(0)
    ).confidence_interval
    ours = resampling.bca(found, np.random.default_rng(0), 999)[0]
    # scipy interpolates between order statistics.
    np.testing.assert_allclose(ours, np.ravel(theirs), atol=0.02)
    assert np.abs(resampling.percentile(found, np.random.default_rng(0), 999)[0] - ours).min() > 0.05


def test_separated_resamples_are_infinite_values() -> None:
    found = inference.fit(single(*table(1, 30, 5, 40)))
    low, high = resampling.percentile(found, np.random.default_rng(0), 200)[0]
    assert low == -np.inf  # a third of the resamples lose the only event of the exposed
    assert np.isfinite(high)
    separated = inference.fit(single(*table(0, 30, 5, 40)))
    assert np.isnan(resampling.percentile(separated, np.random.default_rng(0), 20)).all()
    assert np.isnan(resampling.bca(separated, np.random.default_rng(0), 20)).all()


def known(truth: Floats) -> Replications:
    empty = Samples(np.zeros((len(truth), 1, 1)), np.zeros((len(truth), 1), np.int8))
    return Replications(empty, truth, ())


def test_the_judge_by_hand() -> None:
    truth = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    ends = [[0, 2], [1.5, np.inf], [-1, 0.5], [np.nan, np.nan], [-np.inf, 3], [2.5, 3]]
    estimates = [1.5, np.inf, 0.0, np.nan, 2.0, 2.7]
    judged = judge(known(truth), (estimates, ends))
    assert judged.metrics == pytest.approx(
        {
            "miscoverage": 0.95 - 1 / 3,
            "coverage": 1 / 3,
            "finite_coverage": 1 / 3,
            "too_high": 1 / 3,
            "too_low": 1 / 6,
            "unbounded": 1 / 2,
            "no_interval": 1 / 6,
            "median_width": WIDEST,
            "bias": (0.5 - 1 + 0 + 0.7) / 4,
            "median_bias": 0.5,
        }
    )
    assert judged.n["coverage"] == 6
    assert judged.n["finite_coverage"] == 3
    assert judged.curves["coverage"].x == pytest.approx(np.exp([1, 2]))
    assert judged.curves["coverage"].y == [0.25, 0.5]
    assert judge(known(truth[:3]), (estimates[:3], ends[:3])).metrics["median_width"] == 2


def test_no_interval_at_all_is_judged_as_the_worst() -> None:
    nothing = np.full(3, np.nan)
    metrics = judge(known(np.ones(3)), (nothing, np.full((3, 2), np.nan))).metrics
    assert metrics["coverage"] == metrics["finite_coverage"] == 0
    assert metrics["bias"] == metrics["median_bias"] == metrics["median_width"] == WIDEST


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (None, "a pair of estimates and intervals"),
        ((["a"], [[0, 1]]), "a pair of estimates and intervals"),
        (([1.0, 2.0], [[0, 1]]), r"estimates of shape \(1,\), not \(2,\)"),
        (([1.0], [0, 1]), r"intervals of shape \(1, 2\), not \(2,\)"),
        (([1.0], [[0, np.nan]]), "replication 0 has only one end"),
        (([1.0], [[2, 1]]), "replication 0 ends before it starts"),
    ],
)
def test_a_wrong_output_is_refused_in_words(output: Any, message: str) -> None:
    with pytest.raises(InvalidOutputError, match=message):
        judge(known(np.ones(1)), output)
