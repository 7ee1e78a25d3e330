"""Models of the tasks about decisions: a logistic regression and gradient boosting, on the same prepared columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harness import CannotRunError, UsageError
from harness.data.tabular import Table
from harness.errors import did_you_mean

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]
Matrix = npt.NDArray[np.floating]
Resampling = Literal["none", "over", "under", "smote"]
Predict = Callable[[Matrix], Floats]

MODELS = ("logistic", "boosting")
NEIGHBOURS = 5  # of SMOTE, as Chawla et al. 2002 and imbalanced-learn choose
# Weighted quantiles are slow (scikit-learn 1.9: 0.2 ms each), so there are fewer bins than by default, for all fits.
ROUNDS, RATE, LEAVES, BINS = 50, 0.1, 15, 63
STEPS = 1_000  # most iterations of the solver


def check(train: Table) -> None:
    """Refuse training rows that no model can learn from.

    Raises
    ------
    UsageError
        When they are of one class, or no column has two values.
    """
    if train.y.min() == train.y.max():
        raise UsageError(f"all {len(train)} training rows are of class {train.y[0]}; ask for more with --set rows")
    X = train.X
    present = np.isfinite(X)
    low, high = np.where(present, X, np.inf).min(axis=0), np.where(present, X, -np.inf).max(axis=0)
    if not (low < high).any():
        raise UsageError(f"none of the {X.shape[1]} columns of the training rows has two values; no model can use them")


@dataclass(frozen=True)
class Columns:
    """How columns are prepared: gaps become the mean of the training rows, then columns have mean 0 and variance 1.

    Columns without spread, such as those of zeros alone, become 0.
    """

    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, X: Matrix) -> Columns:
        """Take mean and standard deviation of the training rows; gaps are left out."""
        present = np.isfinite(X)
        count = np.maximum(present.sum(axis=0), 1)
        mean = np.where(present, X, 0.0).sum(axis=0, dtype=np.float64) / count
        spread = np.sqrt((np.where(present, X - mean, 0.0) ** 2).sum(axis=0) / count)
        return cls(mean, np.where(spread > np.finfo(np.float32).eps * np.abs(mean), spread, np.inf))

    def __call__(self, X: Matrix) -> Floats:
        """Prepare columns, those of the training rows or of others."""
        prepared: Floats = np.where(np.isfinite(X), X - self.mean, 0.0) / self.spread
        return prepared


def fit(model: str, train: Table, seed: int, *, resampling: Resampling = "none", event_weight: float = 1.0) -> Predict:
    """Fit a model, and return the function from features to probabilities of class 1.

    Parameters
    ----------
    model
        One of `MODELS`.
    resampling
        How the classes are made equal before the fit.
    event_weight
        Weight of a row of class 1 in the loss; that of the others is 1.

    Raises
    ------
    UsageError
        When the rows cannot be learnt from, or there is no such model.
    CannotRunError
        When there are too few events for SMOTE.
    """
    check(train)
    columns = Columns.of(train.X)
    X, y = _resampled(columns(train.X), train.y, resampling, seed)
    # Weights that are all 1 would change nothing, and make scikit-learn bin columns by weighted quantiles.
    weights = None if event_weight == 1 else np.where(y == 1, event_weight, 1.0)
    fitted = _classifier(model, seed).fit(X, y, sample_weight=weights)

    def predict(features: Matrix) -> Floats:
        scores: Floats = fitted.predict_proba(columns(features))[:, 1]
        return scores

    return predict


def fit_one_feature(train: Table, seed: int) -> Predict:
    """Fit a logistic regression on the column that alone has the largest AUC, or the smallest, on the training rows."""
    from sklearn.metrics import roc_auc_score

    check(train)
    X = Columns.of(train.X)(train.X)
    apart = [abs(float(roc_auc_score(train.y, column)) - 0.5) for column in X.T]
    best = int(np.argmax(apart))
    fitted = fit("logistic", Table(np.ascontiguousarray(train.X[:, [best]]), train.y), seed)
    return lambda features: fitted(features[:, [best]])


def divide(train: Table) -> tuple[Table, Table]:
    """Divide training rows into those to fit on and the validation set, their last quarter.

    Rows of a card are in random order, and in order of time in the scenario temporal.

    Raises
    ------
    UsageError
        When the validation set is of one class.
    """
    first = len(train) - max(1, len(train) // 4)
    rows = np.arange(len(train))
    part, validation = train.take(rows[:first]), train.take(rows[first:])
    if validation.y.min() == validation.y.max():
        raise UsageError(
            f"all {len(validation)} rows of the validation set are of class {validation.y[0]}, so no threshold can be "
            "chosen; ask for more training rows with --set rows"
        )
    return part, validation


def _classifier(model: str, seed: int) -> Any:
    if model == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=STEPS)
    if model == "boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=ROUNDS,
            learning_rate=RATE,
            max_leaf_nodes=LEAVES,
            max_bins=BINS,
            early_stopping=False,
            random_state=seed,
        )
    raise UsageError(f"there is no model {model!r}{did_you_mean(model, MODELS)}")


def _resampled(X: Floats, y: Labels, resampling: Resampling, seed: int) -> tuple[Floats, Labels]:
    if resampling == "none":
        return X, y
    from imblearn.over_sampling import SMOTE, RandomOverSampler
    from imblearn.under_sampling import RandomUnderSampler

    rarest = int(np.bincount(y).min())
    if resampling == "smote" and rarest <= NEIGHBOURS:
        raise CannotRunError(f"SMOTE needs more than {NEIGHBOURS} rows of each class, and one has {rarest}")
    makers = {"over": RandomOverSampler, "under": RandomUnderSampler}
    maker = (
        SMOTE(k_neighbors=NEIGHBOURS, random_state=seed)
        if resampling == "smote"
        else makers[resampling](random_state=seed)
    )
    made: tuple[Floats, Labels] = maker.fit_resample(X, y)
    return made
