"""The formulas of the derivation: automatic differentiation, finite differences, and statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.topics.logistic.engine import reference

Floats = npt.NDArray[np.float64]


def made(seed: int = 0, rows: int = 60, p: int = 4) -> tuple[Floats, Floats, Floats]:
    """Return coefficients, a design with an intercept, and outcomes."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(rows), rng.normal(size=(rows, p - 1)) * rng.uniform(0.3, 3, p - 1)])
    beta = rng.normal(size=p)
    return beta, X, (rng.random(rows) < 1 / (1 + np.exp(-X @ beta))).astype(np.float64)


def differences(function: Callable[[Floats], Any], at: Floats, by: float = 1e-6) -> Floats:
    """Central differences in each coefficient, along the last axis."""
    steps = by * np.eye(len(at))
    return np.stack([(function(at + step) - function(at - step)) / (2 * by) for step in steps], axis=-1)


@pytest.mark.parametrize("seed", range(3))
def test_derivatives_are_those_of_autograd(seed: int) -> None:
    torch = pytest.importorskip("torch")
    beta, X, y = made(seed)
    X_, y_ = torch.tensor(X), torch.tensor(y)

    def likelihood(b: Any) -> Any:  # from the Bernoulli distribution, as the derivation starts
        return torch.distributions.Bernoulli(logits=X_ @ b).log_prob(y_).sum()

    def penalised(b: Any) -> Any:
        p = torch.sigmoid(X_ @ b)
        return likelihood(b) + torch.logdet(X_.T @ ((p * (1 - p))[:, None] * X_)) / 2

    at = torch.tensor(beta)
    gradient = torch.autograd.functional.jacobian
    assert reference.log_likelihood(beta, X, y) == pytest.approx(float(likelihood(at)), rel=1e-13)
    np.testing.assert_allclose(reference.score(beta, X, y), gradient(likelihood, at), rtol=1e-10, atol=1e-11)
    second = torch.autograd.functional.hessian(likelihood, at)
    np.testing.assert_allclose(reference.hessian(beta, X), second, rtol=1e-10, atol=1e-11)
    assert reference.firth_objective(beta, X, y) == pytest.approx(float(penalised(at)), rel=1e-12)
    np.testing.assert_allclose(reference.firth_score(beta, X, y), gradient(penalised, at), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_derivatives_are_those_of_finite_differences(seed: int) -> None:
    beta, X, y = made(seed)
    variance = np.array([np.inf, 1.0, 4.0, 0.25])
    pairs: list[tuple[Floats, Callable[[Floats], Any]]] = [
        (reference.score(beta, X, y), lambda b: reference.log_likelihood(b, X, y)),
        (reference.hessian(beta, X), lambda b: reference.score(b, X, y)),
        (reference.firth_score(beta, X, y), lambda b: reference.firth_objective(b, X, y)),
        (reference.log_posterior_gradient(beta, X, y, variance), lambda b: reference.log_posterior(b, X, y, variance)),
    ]
    for derivative, function in pairs:
        np.testing.assert_allclose(derivative, differences(function, beta), rtol=1e-6, atol=1e-6)


def test_the_likelihood_is_that_of_bernoulli() -> None:
    beta, X, y = made()
    p = reference.probabilities(beta, X)
    assert reference.log_likelihood(beta, X, y) == pytest.approx(reference.bernoulli_log_likelihood(p, y), rel=1e-13)
    assert reference.log_likelihood(beta * 1e4, X, y) > -np.inf  # no overflow far away


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
def test_the_likelihood_is_concave(seed: int, share: float) -> None:
    beta, X, y = made(seed, rows=15, p=3)
    other = np.random.default_rng(seed + 1).normal(size=3) * 3
    mixed = reference.log_likelihood(share * beta + (1 - share) * other, X, y)
    chord = share * reference.log_likelihood(beta, X, y) + (1 - share) * reference.log_likelihood(other, X, y)
    assert mixed >= chord - 1e-9 * abs(chord)
    assert np.linalg.eigvalsh(reference.hessian(beta, X)).max() <= 1e-12


def test_leverages_sum_to_the_number_of_columns() -> None:
    beta, X, _ = made()
    assert reference.leverages(beta, X).sum() == pytest.approx(4)


def test_odds_ratios_and_standard_errors_are_those_of_statsmodels() -> None:
    pytest.importorskip("statsmodels")
    from statsmodels.discrete.discrete_model import Logit

    _, X, y = made(5, rows=300)
    theirs = Logit(y, X).fit(disp=False, tol=1e-12)
    beta = np.zeros(4)
    for _ in range(20):  # Newton's method with the formulas alone
        beta = beta + reference.covariance(beta, X) @ reference.score(beta, X, y)
    np.testing.assert_allclose(reference.odds_ratios(beta), np.exp(theirs.params), atol=1e-6, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(reference.covariance(beta, X))), theirs.bse, atol=1e-6, rtol=1e-6)


def test_a_coefficient_is_a_log_odds_ratio() -> None:
    beta, X, _ = made()
    more = X.copy()
    more[:, 2] += 1
    odds = [p / (1 - p) for p in (reference.probabilities(beta, X), reference.probabilities(beta, more))]
    np.testing.assert_allclose(odds[1] / odds[0], reference.odds_ratios(beta)[2], rtol=1e-9)


def test_of_a_table_it_is_the_ratio_of_its_products() -> None:
    # 10 of 30 exposed and 5 of 40 others have the event: (10 x 35) / (20 x 5) = 3.5, and Woolf's standard error.
    x, y = np.repeat([1.0, 1, 0, 0], [10, 20, 5, 35]), np.repeat([1.0, 0, 1, 0], [10, 20, 5, 35])
    X = np.column_stack([np.ones(70), x])
    beta = np.log([5 / 35, 3.5])
    np.testing.assert_allclose(reference.score(beta, X, y), 0, atol=1e-12)
    assert reference.covariance(beta, X)[1, 1] == pytest.approx(1 / 10 + 1 / 20 + 1 / 5 + 1 / 35)


@pytest.mark.parametrize("weight", [0.5, 5.0, 15.0])
def test_the_l1_conditions_hold_at_the_optimum_of_another_solver_and_only_there(weight: float) -> None:
    # Bounds solve it without a subgradient: beta = plus - minus, both at least 0.
    from scipy.optimize import minimize

    _, X, y = made(2)
    penalty = np.array([0.0, weight, weight, weight])
    split = np.concatenate([[0], penalty[1:], penalty[1:]])
    columns = np.column_stack([X, -X[:, 1:]])
    found = minimize(
        lambda b: split @ b - reference.log_likelihood(b, columns, y),
        np.zeros(7),
        jac=lambda b: split - reference.score(b, columns, y),
        bounds=[(None, None)] + [(0, None)] * 6,
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-9, "maxiter": 10_000},
    ).x
    beta = found[:4] - np.concatenate([[0], found[4:]])
    assert reference.l1_violation(beta, X, y, penalty).max() < 1e-5
    assert reference.l1_violation(beta + np.array([0, 0, 0.1, 0]), X, y, penalty).max() > 0.1


def test_from_the_largest_l1_penalty_on_all_coefficients_are_0() -> None:
    _, X, y = made(2)
    null = np.array([np.log(y.mean() / (1 - y.mean())), 0, 0, 0])
    largest = reference.l1_largest(X, y, null)
    for factor, inside in ((1.001, True), (0.999, False)):
        penalty = np.array([0, 1, 1, 1]) * largest * factor
        assert (reference.l1_violation(null, X, y, penalty).max() < 1e-9) == inside


def test_the_maximum_a_posteriori_is_the_fit_with_an_l2_penalty() -> None:
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression

    _, X, y = made(3)
    model = LogisticRegression(C=0.7, tol=1e-12, solver="newton-cholesky").fit(X[:, 1:], y)
    beta = np.concatenate([model.intercept_, model.coef_[0]])
    variance = np.array([np.inf, 0.7, 0.7, 0.7])
    np.testing.assert_allclose(reference.log_posterior_gradient(beta, X, y, variance), 0, atol=1e-8)
    best = reference.log_posterior(beta, X, y, variance)
    for step in 0.01 * np.eye(4):
        assert reference.log_posterior(beta + step, X, y, variance) < best
