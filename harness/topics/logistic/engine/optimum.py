"""The optimum that solvers are compared with, to 1e-12; none of the compared solvers is trusted with it."""

from __future__ import annotations

import warnings
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit

from harness import UsageError
from harness.topics.logistic.engine.designs import ZERO, Design, Floats, Matrix, Penalty

PRECISION = 1e-12  # relative to the distance of the objective at 0 from its least value
NEWTON_STEPS = 500
STILL = 1e-12  # largest slope of the coefficients that are not 0 at their optimum, divided by the strength


def posed(X: Matrix, labels: npt.NDArray[Any], *, penalty: str, l1: float, l2: float) -> Design:
    """Make a problem and solve it.

    Parameters
    ----------
    labels
        0 or 1, shape (n,).
    l1
        Strength of the L1 penalty, divided by the least at which all coefficients are 0.
    l2
        Strength of the L2 penalty, divided by that of a standard normal prior: scikit-learn's 1 / C.

    Raises
    ------
    UsageError
        When the penalty is unknown, labels are of one class, or the columns say nothing about them.
    """
    if penalty not in ("l1", "l2"):
        raise UsageError(f"penalty={penalty} is neither l1 nor l2")
    if labels.min() == labels.max():
        raise UsageError(f"all {len(labels)} rows are of class {labels[0]}; ask for more with --set rows")
    signs = np.where(labels == 1, 1.0, -1.0)
    largest = float(np.abs(X.T @ signs).max()) / (2 * len(signs))
    if largest == 0:
        raise UsageError("no column varies with the labels, so the optimum is 0 and there is nothing to solve")
    strength = l1 * largest if penalty == "l1" else l2 / len(signs)
    design = Design(X, signs, cast(Penalty, penalty), strength)
    return Design(X, signs, design.penalty, strength, design.objective(minimise(design)))


def minimise(design: Design) -> Floats:
    """Return coefficients whose objective is certified to be within 1e-12 of the least; see `Design.bound`.

    Raises
    ------
    UsageError
        When it is not.
    """
    w = _ridge(design) if design.penalty == "l2" else _lasso(design)
    if not _certified(design, w):
        reached = design.bound(w) / (ZERO - design.objective(w))
        raise UsageError(f"the optimum is known to {reached:.1g} only, not {PRECISION:g}; choose a stronger penalty")
    return w


def _certified(design: Design, w: Floats) -> bool:
    return design.bound(w) <= PRECISION * (ZERO - design.objective(w))


def _ridge(design: Design) -> Floats:
    """Take Newton steps, found by conjugate gradients with the diagonal as preconditioner."""
    X, (n, d) = design.X, design.shape
    squares = X.multiply(X) if sp.issparse(X) else X * X
    w = np.zeros(d)
    for _ in range(NEWTON_STEPS):
        if _certified(design, w):
            break
        p = expit(X @ w)
        weight = p * (1 - p) / n
        diagonal = squares.T @ weight + design.strength
        hessian = LinearOperator((d, d), matvec=lambda v, weight=weight: X.T @ (weight * (X @ v)) + design.strength * v)
        inverse = LinearOperator((d, d), matvec=lambda v, diagonal=diagonal: v / diagonal)
        gradient = design.slope(w) + design.strength * w
        step, _ = cg(hessian, gradient, rtol=1e-8, maxiter=20 * d, M=inverse)
        w = _shortened(design, w, step, 1.0)
    return w


def _lasso(design: Design) -> Floats:
    """Take Newton steps on the coefficients that are not 0, with their signs fixed, from where liblinear ends.

    A step ends where a coefficient becomes 0, which is then left out. At the optimum of the others, those that break
    the condition |slope| <= strength enter.
    """
    X, strength = design.X, design.strength
    w = _near(design)
    signs = np.sign(w)
    for _ in range(NEWTON_STEPS):
        if _certified(design, w):
            break
        slope, active = design.slope(w), np.flatnonzero(signs)
        gradient = slope[active] + strength * signs[active]
        step = np.zeros_like(w)
        step[active] = np.linalg.lstsq(_hessian(X, w, active), gradient, rcond=1e-14)[0]
        if not len(active) or np.abs(gradient).max() < STILL * strength:
            entering = (signs == 0) & (np.abs(slope) > strength)
            signs[entering] = -np.sign(slope[entering])
            if not entering.any():
                break
            continue
        crossing = (signs != 0) & (signs * (w - step) < 0)
        limits = np.where(crossing, w / np.where(crossing, step, 1.0), np.inf)
        first = int(limits.argmin())
        w = _shortened(design, w, step, min(1.0, limits[first]))
        if crossing.any() and signs[first] * w[first] <= 1e-15:
            w[first] = signs[first] = 0.0
    return w


def _near(design: Design) -> Floats:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=1 / (design.strength * len(design.signs)),
        l1_ratio=1,
        solver="liblinear",
        fit_intercept=False,
        tol=1e-6,
        max_iter=1_000,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge does not matter here
        return np.asarray(model.fit(design.X, design.signs).coef_[0], dtype=np.float64)


def _hessian(X: Any, w: Floats, active: npt.NDArray[np.intp]) -> Floats:
    p = expit(X @ w)
    part = X[:, active]
    part = part.toarray() if sp.issparse(part) else part
    return np.asarray(part.T @ (part * (p * (1 - p) / len(p))[:, None]))


def _shortened(design: Design, w: Floats, step: Floats, size: float) -> Floats:
    """Subtract a step, halved until the objective does not grow beyond rounding."""
    before = design.objective(w)
    while size > 1e-12 and design.objective(w - size * step) > before + 1e-15:
        size /= 2
    return w - size * step
