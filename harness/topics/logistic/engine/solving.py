"""How a solver is run: until the first step of a ladder of iterations at which it is close enough to the optimum."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from harness import CannotRunError, Curve, InvalidOutputError, Judgement
from harness.topics.logistic.engine.designs import Design, Floats

#: ``run(iterations)``: coefficients, shape (d,), after at most so many iterations from 0.
Run: TypeAlias = Callable[[int], Floats]

RATIO = 1.25  # of the steps of the ladder
UNREACHABLE = 1e-14  # tolerance of a solver that is to be ended by its iterations alone
LEAST = 1e-16  # the logarithm of 0 is taken of this


@dataclass(frozen=True)
class Solved:
    """What a strategy returns.

    Attributes
    ----------
    coefficients
        Shape (d,).
    iterations
        After which they were reached.
    seconds, suboptimality
        CPU time of the run at each step of the ladder, and how close it came.
    """

    coefficients: Floats
    iterations: int
    seconds: list[float]
    suboptimality: list[float]


def solve(problem: Any, phase: Any, run: Run) -> Solved:
    """Find the least number of iterations that suffices, then measure a run of so many.

    The first run, in the phase ``compile``, compiles and imports. The phase ``search`` climbs the ladder, each step
    from coefficients of 0. Both are set-up.

    Raises
    ------
    CannotRunError
        When the solver does not come as close as the task's target, because further iterations change nothing, or a
        run would take longer than the task's patience.
    """
    design, params = problem.data, problem.params
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge: the ladder ends it early
        with phase("compile"):
            run(1)
        with phase("search"):
            found = climb(run, design, float(params["target"]), float(params["patience"]))
        for _ in phase("solve"):
            coefficients = run(found.iterations)
    return Solved(coefficients, found.iterations, found.seconds, found.suboptimality)


def climb(run: Run, design: Design, target: float, patience: float) -> Solved:
    """Run a solver with ever more iterations until its relative suboptimality is at most `target`."""
    iterations, seconds, reached = 1, list[float](), list[float]()
    before = np.zeros(design.shape[1])
    while True:
        start = time.process_time()
        coefficients = run(iterations)
        seconds.append(time.process_time() - start)
        reached.append(design.suboptimality(coefficients))
        if reached[-1] <= target:
            return Solved(coefficients, iterations, seconds, reached)
        said = f"it comes within {reached[-1]:.1g} of the optimum, not {target:g}, in {iterations} iterations"
        if len(reached) > 1 and np.array_equal(coefficients, before):
            raise CannotRunError(f"{said}, and stops by itself")
        if seconds[-1] * RATIO > patience:
            raise CannotRunError(f"{said}, and more would take longer than the patience of {patience:g} s")
        before, iterations = coefficients, following(iterations)


def following(iterations: int) -> int:
    """Return the next step of the ladder: 1, 2, 3, 4, 5, 7, 9, 12, 15 ..."""
    return max(iterations + 1, int(np.ceil(RATIO * iterations)))


def judge(design: Design, output: Any) -> Judgement:
    """Compare the objective with the optimum.

    Raises
    ------
    InvalidOutputError
        When the output is not a `Solved`, its coefficients are not finite or of another shape, or the objective lies
        below the optimum, which is then wrong.
    """
    d = design.shape[1]
    if not isinstance(output, Solved):
        raise InvalidOutputError(f"expected a Solved, not a {type(output).__name__}")
    w = np.asarray(output.coefficients, dtype=np.float64)
    if w.shape != (d,) or not np.isfinite(w).all():
        raise InvalidOutputError(f"expected {d} finite coefficients, one for each column")
    reached = design.suboptimality(w)
    if reached < -1e-11:
        raise InvalidOutputError(f"the objective is below the optimum by {-reached:.1g}: the optimum is wrong")
    return Judgement(
        {"digits": float(-np.log10(max(reached, LEAST))), "iterations": float(output.iterations)},
        {"descent": Curve(list(output.seconds), [max(each, LEAST) for each in output.suboptimality])},
    )


def scikit_learn(problem: Any, solver: str) -> Run:
    """Make the runs of a solver of scikit-learn's LogisticRegression."""
    from sklearn.linear_model import LogisticRegression

    design = problem.data

    def run(iterations: int) -> Floats:
        model = LogisticRegression(
            C=1 / (design.strength * len(design.signs)),
            l1_ratio=1.0 if design.penalty == "l1" else 0.0,
            solver=solver,
            fit_intercept=False,
            tol=UNREACHABLE,
            max_iter=iterations,
            random_state=problem.seed,
        )
        coefficients: Floats = model.fit(design.X, design.signs).coef_[0]
        return coefficients

    return run


def glum(problem: Any) -> Run:
    """Make the runs of glum: iteratively reweighted least squares, with coordinate descent inside where L1 is."""
    from glum import GeneralizedLinearRegressor

    design = problem.data
    labels = (design.signs > 0).astype(np.float64)

    def run(iterations: int) -> Floats:
        model = GeneralizedLinearRegressor(
            family="binomial",
            alpha=design.strength,
            l1_ratio=1.0 if design.penalty == "l1" else 0.0,
            fit_intercept=False,
            gradient_tol=UNREACHABLE,
            max_iter=iterations,
        )
        coefficients: Floats = model.fit(design.X, labels).coef_
        return coefficients

    return run


def skglm(problem: Any) -> Run:
    """Make the runs of skglm: coordinate descent on working sets with Anderson acceleration (Bertrand et al. 2022)."""
    from skglm import GeneralizedLinearEstimator
    from skglm.datafits import Logistic
    from skglm.penalties import L1_plus_L2
    from skglm.solvers import AndersonCD

    design = problem.data
    penalty = L1_plus_L2(design.strength, 1.0 if design.penalty == "l1" else 0.0)

    def run(iterations: int) -> Floats:
        solver = AndersonCD(max_iter=iterations, tol=UNREACHABLE, fit_intercept=False)
        model = GeneralizedLinearEstimator(Logistic(), penalty, solver).fit(design.X, design.signs)
        return np.asarray(model.coef_, dtype=np.float64).ravel()

    return run
