"""Problems for solvers: the optimum is one, every solver reaches it, and one that does not says so."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

pytest.importorskip("sklearn")

from harness import CannotRunError, InvalidOutputError, UsageError
from harness.data.readers.text import Texts, TextSplit
from harness.topics.logistic import solvers
from harness.topics.logistic.engine import designs, optimum, solving
from harness.topics.logistic.engine.designs import ZERO, Design, Floats

MADE: dict[str, Callable[[np.random.Generator], tuple[Any, Any]]] = {
    "dense": lambda rng: designs.dense(rng, 200, 8),
    "badly-scaled": lambda rng: designs.dense(rng, 200, 8, 3.0),
    "wide": lambda rng: designs.dense(rng, 20, 60),
    "sparse": lambda rng: designs.sparse(rng, 200, 6),
}


def made(name: str, penalty: str) -> Design:
    X, labels = MADE[name](np.random.default_rng(1))
    return optimum.posed(X, labels, penalty=penalty, l1=0.1, l2=1.0)


def as_dense(X: Any) -> Floats:
    return np.asarray(X.toarray() if sp.issparse(X) else X)


@pytest.mark.parametrize("name", MADE)
def test_the_gradient_vanishes_at_the_optimum_of_l2(name: str) -> None:
    design = made(name, "l2")
    w, X, n = optimum.minimise(design), as_dense(design.X), len(design.signs)
    value = np.log1p(np.exp(-design.signs * (X @ w))).mean() + design.strength / 2 * w @ w
    gradient = -(X.T @ (design.signs / (1 + np.exp(design.signs * (X @ w))))) / n + design.strength * w
    assert np.linalg.norm(gradient) < 1e-6 * np.sqrt(design.strength)
    assert design.optimum == pytest.approx(value, rel=1e-13)
    hessian = X.T @ (X * (0.25 / n)) + design.strength * np.eye(len(w))
    assert gradient @ np.linalg.solve(hessian, gradient) < 1e-12 * (ZERO - value)


@pytest.mark.parametrize("name", MADE)
def test_the_optimum_of_l1_has_the_conditions_of_karush_kuhn_and_tucker(name: str) -> None:
    design = made(name, "l1")
    w, X, n = optimum.minimise(design), as_dense(design.X), len(design.signs)
    slope = -(X.T @ (design.signs / (1 + np.exp(design.signs * (X @ w))))) / n
    active = w != 0
    assert 0 < active.sum() < len(w)
    np.testing.assert_allclose(slope[active], -design.strength * np.sign(w[active]), rtol=1e-5)
    assert np.abs(slope[~active]).max() <= design.strength * (1 + 1e-5)


def test_a_bound_is_never_below_the_true_distance() -> None:
    rng = np.random.default_rng(0)
    for penalty in ("l1", "l2"):
        design = made("dense", penalty)
        best = optimum.minimise(design)
        for size in (1e-3, 0.1, 1.0):
            w = best + size * rng.standard_normal(len(best))
            assert design.bound(w) >= design.objective(w) - design.optimum - 1e-14


def test_the_optimum_of_one_column_is_that_of_a_line_search() -> None:
    from scipy.optimize import minimize_scalar

    x, signs = np.array([[1.0], [2.0], [-1.0], [0.5]]), np.array([1.0, 1.0, 1.0, -1.0])
    for penalty, size in (("l1", lambda w: 0.05 * abs(w)), ("l2", lambda w: 0.05 / 2 * w * w)):
        design = Design(x, signs, penalty, 0.05)  # type: ignore[arg-type]
        found = minimize_scalar(lambda w, size=size: np.log1p(np.exp(-signs * x[:, 0] * w)).mean() + size(w), tol=1e-12)
        assert optimum.minimise(design)[0] == pytest.approx(found.x, rel=1e-6)


SOLVERS = (*solvers.SKLEARN_L2, "liblinear", "saga", "glum")


def problem(design: Design, **params: float) -> Any:
    return SimpleNamespace(data=design, seed=3, params={"target": 1e-8, "patience": 60.0, **params})


def runs(name: str, design: Design) -> solving.Run:
    if name in ("glum", "skglm"):
        pytest.importorskip(name)
        run: solving.Run = getattr(solving, name)(problem(design))
        return run
    return solving.scikit_learn(problem(design), name)


@pytest.mark.parametrize(
    ("name", "penalty"), [*((name, "l2") for name in SOLVERS), ("liblinear", "l1"), ("saga", "l1"), ("glum", "l1")]
)
@pytest.mark.parametrize("data", ["dense", "wide", "sparse"])
@pytest.mark.filterwarnings("ignore")
def test_every_solver_reaches_the_same_optimum(name: str, penalty: str, data: str) -> None:
    if data == "wide" and name in ("sag", "saga"):
        pytest.skip("thousands of passes")
    design = made(data, penalty)
    found = solving.climb(runs(name, design), design, 1e-8, 60.0)
    assert -1e-11 <= design.suboptimality(found.coefficients) <= 1e-8
    assert found.iterations == 1 or found.suboptimality[-2] > 1e-8  # the smallest step that suffices
    np.testing.assert_allclose(
        as_dense(design.X) @ found.coefficients, as_dense(design.X) @ optimum.minimise(design), atol=1e-2
    )


@pytest.mark.filterwarnings("ignore")
def test_skglm_reaches_the_same_optimum() -> None:
    design = made("dense", "l1")
    found = solving.climb(runs("skglm", design), design, 1e-8, 600.0)
    assert -1e-11 <= design.suboptimality(found.coefficients) <= 1e-8


class Clock:
    """Runs the body of a phase once."""

    def __call__(self, _name: str) -> Clock:
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_error: object) -> None: ...

    def __iter__(self) -> Any:
        yield


@pytest.mark.filterwarnings("ignore")
def test_a_solver_that_does_not_come_close_says_so() -> None:
    design = made("dense", "l2")
    still = np.zeros(8)
    with pytest.raises(CannotRunError, match="within 1 of the optimum, not 1e-08, in 2 iterations, and stops"):
        solving.solve(problem(design), Clock(), lambda _iterations: still)
    with pytest.raises(CannotRunError, match="longer than the patience of 0 s"):
        solving.solve(problem(design, patience=0.0), Clock(), runs("saga", design))
    solved = solving.solve(problem(design), Clock(), runs("lbfgs", design))
    judged = solving.judge(design, solved)
    assert judged.metrics["digits"] >= 8
    assert judged.metrics["iterations"] == solved.iterations
    assert judged.curves["descent"].y[0] > judged.curves["descent"].y[-1]


def test_the_judge_refuses_wrong_outputs_and_a_wrong_optimum() -> None:
    design = made("dense", "l2")
    w = optimum.minimise(design)
    for wrong in (None, solving.Solved(w[1:], 1, [], []), solving.Solved(w * np.nan, 1, [], [])):
        with pytest.raises(InvalidOutputError):
            solving.judge(design, wrong)
    planted = Design(design.X, design.signs, "l2", design.strength, design.optimum + 1e-6)
    with pytest.raises(InvalidOutputError, match="the optimum is wrong"):
        solving.judge(planted, solving.Solved(w, 1, [], []))


def test_bad_problems_are_refused() -> None:
    X, labels = MADE["dense"](np.random.default_rng(0))
    with pytest.raises(UsageError, match="neither l1 nor l2"):
        optimum.posed(X, labels, penalty="l3", l1=0.1, l2=1.0)
    with pytest.raises(UsageError, match="of class 0"):
        optimum.posed(X, labels * 0, penalty="l2", l1=0.1, l2=1.0)
    with pytest.raises(UsageError, match="no column varies"):
        optimum.posed(X * 0, labels, penalty="l2", l1=0.1, l2=1.0)


def test_texts_become_tf_idf_of_the_most_frequent_class() -> None:
    strings = ("red apple", "red pear", "green apple", "blue sky")
    texts = Texts(strings, np.array([2, 2, 1, 0], dtype=np.int32))
    X, labels = designs.texts(TextSplit(texts, texts, ("a", "b", "c")))
    np.testing.assert_array_equal(labels, [1, 1, 0, 0])
    # The words of two texts are apple and red; idf = log((1 + 4) / (1 + 2)) + 1 for both, so rows have equal weights.
    half = np.sqrt(0.5)
    np.testing.assert_allclose(X.toarray(), [[half, half], [0, 1], [1, 0], [0, 0]])
    with pytest.raises(UsageError, match="no target"):
        designs.texts(TextSplit(Texts(strings), Texts(strings)))


def test_sparse_weights_are_those_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfTransformer

    counts = sp.csr_matrix(np.random.default_rng(0).poisson(1.0, (30, 8)) + np.eye(30, 8))
    expected = TfidfTransformer().fit_transform(counts).toarray()
    np.testing.assert_allclose(designs._weighed(counts.astype(np.float64)).toarray(), expected, rtol=1e-12)
