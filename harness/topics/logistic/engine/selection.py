"""What strategies of the tasks regularisation and prediction return, how they fit, and how both tasks judge."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.special import expit

from harness import CannotRunError, Curve, InvalidOutputError, Judgement
from harness.data.tabular import Split, Table, Visible, visible
from harness.topics._shared import binary
from harness.topics.logistic.engine import paths
from harness.topics.logistic.engine.classifiers import Columns, check
from harness.topics.logistic.engine.world import World

Floats: TypeAlias = npt.NDArray[np.float64]

LARGE = 15.0  # log odds from which it is asked whether a plane separates the classes
STEPS = 10_000


@dataclass(frozen=True, eq=False)
class Fit:
    """A linear model.

    Attributes
    ----------
    coefficients
        Log odds ratios of the columns in their units, shape (d,).
    intercept
        Log odds at the mean of all columns.
    columns
        How columns are prepared.
    path
        The path that it was chosen from; ``None`` without one.
    """

    coefficients: Floats
    intercept: float
    columns: Columns
    path: paths.Path | None = None

    @classmethod
    def of(cls, columns: Columns, standardised: Floats, intercept: float, path: paths.Path | None = None) -> Fit:
        """Make it from coefficients of standardised columns."""
        return cls(standardised / columns.spread, float(intercept), columns, path)

    def predict(self, X: npt.NDArray[np.floating]) -> Floats:
        """Return the probability of class 1 of each row."""
        spread = np.where(np.isfinite(self.columns.spread), self.columns.spread, 0.0)
        return np.asarray(expit(self.columns(X) @ (self.coefficients * spread) + self.intercept))


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a strategy returns.

    Attributes
    ----------
    probabilities
        Probability of class 1 of each test row, shape (n_test,).
    coefficients
        Log odds ratios of the columns, shape (d,); ``None`` for a model that has none.
    penalties, path
        Penalties divided by the largest, shape (k,), and the coefficients at each, shape (k, d); empty without a path.
    losses
        Mean log loss of held-out training rows at each penalty, shape (k,).
    """

    probabilities: Floats
    coefficients: Floats | None = None
    penalties: Floats = field(default_factory=lambda: np.empty(0))
    path: Floats = field(default_factory=lambda: np.empty((0, 0)))
    losses: Floats = field(default_factory=lambda: np.empty(0))


Fitter: TypeAlias = Callable[[Columns, Floats, Floats], Fit]


def run(problem: Any, phase: Any, fit: Fitter) -> Fitted:
    """Fit standardised columns in the phase ``fit``, and predict in the phase ``predict``."""
    data: Visible = problem.data
    for _ in phase("fit"):
        model = fitted(data.train, fit)
    with phase("predict"):
        probabilities = model.predict(data.test)
    if model.path is None:
        return Fitted(probabilities, model.coefficients)
    path = model.path
    along = path.coefficients / model.columns.spread
    return Fitted(probabilities, model.coefficients, path.penalties / path.penalties[0], along, path.losses)


def fitted(train: Table, fit: Fitter) -> Fit:
    """Fit a model on training rows that can be learnt from."""
    check(train)
    columns = Columns.of(train.X)
    return fit(columns, columns(train.X), train.y.astype(np.float64))


def prior(columns: Columns, X: Floats, y: Floats) -> Fit:
    """Use no column."""
    rate = y.mean()
    return Fit.of(columns, np.zeros(X.shape[1]), np.log(rate / (1 - rate)))


def one_feature(columns: Columns, X: Floats, y: Floats) -> Fit:
    """Use the column with the largest correlation with the labels."""
    best = int(np.abs(X.T @ (y - y.mean())).argmax())
    return _among(columns, X, np.array([best]), lambda part: unpenalised(part, y))


def unpenalised_fit(columns: Columns, X: Floats, y: Floats) -> Fit:
    """Use all columns."""
    return Fit.of(columns, *unpenalised(X, y))


def penalised(l1_ratio: float, *, one_se: bool, count: int, folds: int, seed: int) -> Fitter:
    """Make the fit with a penalty that cross-validation chooses; see `paths.cross_validated`."""

    def fit(columns: Columns, X: Floats, y: Floats) -> Fit:
        rng = np.random.default_rng(seed)
        path = paths.cross_validated(X, y, l1_ratio, count=count, folds=folds, rng=rng, one_se=one_se)
        return Fit.of(columns, path.coefficients[path.chosen], path.intercepts[path.chosen], path)

    return fit


def stable(*, subsamples: int, threshold: float, false: float, count: int, folds: int, seed: int) -> Fitter:
    """Make the fit of ridge regression on the columns that stability selection chooses; see `paths.stability`."""

    def fit(columns: Columns, X: Floats, y: Floats) -> Fit:
        rng = np.random.default_rng(seed)
        often = paths.stability(X, y, subsamples=subsamples, threshold=threshold, false=false, count=count, rng=rng)
        chosen = np.flatnonzero(often >= threshold)

        def ridge(part: Floats) -> tuple[Floats, float]:
            path = paths.cross_validated(part, y, 0.0, count=count, folds=folds, rng=rng)
            return path.coefficients[path.chosen], float(path.intercepts[path.chosen])

        return _among(columns, X, chosen, ridge) if len(chosen) else prior(columns, X, y)

    return fit


def _among(
    columns: Columns, X: Floats, chosen: npt.NDArray[np.intp], fit: Callable[[Floats], tuple[Floats, float]]
) -> Fit:
    """Fit some of the columns; the coefficients of the others are 0."""
    coefficients = np.zeros(X.shape[1])
    coefficients[chosen], intercept = fit(X[:, chosen])
    return Fit.of(columns, coefficients, intercept)


def unpenalised(X: Floats, y: Floats) -> tuple[Floats, float]:
    """Maximise the likelihood.

    Returns
    -------
    coefficients, intercept
        Of standardised columns, shape (d,).

    Raises
    ------
    CannotRunError
        When a plane separates the classes, so that no finite coefficients do (Albert & Anderson 1984, "On the existence
        of maximum likelihood estimates in logistic regression models").
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, tol=1e-6, max_iter=STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no convergence, as without finite coefficients: looked at below
        model.fit(X, y)
    eta = model.decision_function(X)
    if np.abs(eta).max() > LARGE and separated(X, y):
        raise CannotRunError("a plane separates the classes of the training rows, so that no coefficients are best")
    return model.coef_[0], float(model.intercept_[0])


def separated(X: Floats, y: Floats) -> bool:
    """Return whether a plane has no row on the wrong side, and not all rows on it.

    A linear program looks for the plane (Konis 2007, "Linear programming algorithms for detecting separated data in
    binary logistic regression models", chapter 4): it maximises the sum of the margins, with coefficients in [-1, 1].
    """
    signed = np.where(y == 1, 1.0, -1.0)[:, None] * np.column_stack([X, np.ones(len(X))])
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(X)), bounds=(-1, 1), method="highs")
    return bool(found.status == 0 and -found.fun > 1e-6)


def split_of(data: World | Split) -> Split:
    """Return the training and test rows of data with or without known coefficients."""
    return data.split if isinstance(data, World) else data


def view(data: World | Split) -> Visible:
    """Return what strategies may see: all but labels of test rows and known coefficients."""
    return visible(split_of(data))


def judge_prediction(data: World | Split, output: Any) -> Judgement:
    """Judge probabilities; the curve ``path_loss`` has the log loss of held-out training rows over the penalty."""
    found = _fitted(output)
    judgement = binary.judge(split_of(data), found.probabilities)
    curves = {"path_loss": Curve(found.penalties.tolist(), found.losses.tolist())} if len(found.losses) else {}
    return Judgement(judgement.metrics, {**judgement.curves, **curves}, judgement.examples)


def judge(data: World, output: Any) -> Judgement:
    """Judge probabilities and coefficients; the curves ``path_f1`` and ``path_error`` are over the penalty."""
    found = _fitted(output)
    true = data.coefficients
    if (
        found.coefficients is None
        or found.coefficients.shape != true.shape
        or not np.isfinite(found.coefficients).all()
    ):
        raise InvalidOutputError(f"the task needs {len(true)} finite coefficients, one for each column")
    judgement = judge_prediction(data, found)
    curves = dict(judgement.curves)
    if len(found.path):
        x, along = found.penalties.tolist(), [recovery(true, each) for each in found.path]
        curves["path_f1"] = Curve(x, [each["support_f1"] for each in along])
        curves["path_error"] = Curve(x, [each["coefficient_error"] for each in along])
    return Judgement({**judgement.metrics, **recovery(true, found.coefficients)}, curves, judgement.examples)


def recovery(true: Floats, estimated: Floats) -> dict[str, float]:
    """Compare coefficients with the true ones, some of which are not 0.

    Returns
    -------
    dict
        ``support_precision`` (1 where nothing is selected), ``support_recall``, ``support_f1``, ``false_discoveries``
        (a number of columns), ``coefficient_error`` (Euclidean, divided by the length of the true coefficients) and
        ``coefficient_scale`` (length along the true coefficients, divided by theirs).
    """
    effect, selected = true != 0, estimated != 0
    hits, chosen = int((effect & selected).sum()), int(selected.sum())
    size = float(true @ true)
    return {
        "support_f1": 2 * hits / (chosen + int(effect.sum())),
        "support_precision": hits / chosen if chosen else 1.0,
        "support_recall": hits / int(effect.sum()),
        "false_discoveries": float(chosen - hits),
        "coefficient_error": float(np.sqrt(((estimated - true) ** 2).sum() / size)),
        "coefficient_scale": float(estimated @ true) / size,
    }


def _fitted(output: Any) -> Fitted:
    if not isinstance(output, Fitted):
        raise InvalidOutputError(f"expected a Fitted, not a {type(output).__name__}")
    return output
