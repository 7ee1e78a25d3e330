"""The task categories: names and gaps in a table, handled by the library or encoded before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness import CLEAN, Judgement, Takes, UsageError, Work
from harness.data.tabular import Table, visible
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics._shared.multiclass import judge as judge_classes
from harness.topics.boosting import ONLY_NAMED, budget, topic
from harness.topics.boosting.learners import Goal, MakeLearner, Scores

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Floats, Split, Visible

ENCODINGS = ("native", "codes", "one-hot", "target")
#: What encoders import; libraries add their own.
MODULES = ("sklearn.compose", "sklearn.model_selection", "sklearn.preprocessing")
#: Most categories of a column that scikit-learn's trees and a one-hot encoding keep; the rarest share one.
MOST = 255


def judge(split: Split, output: Scores) -> Judgement:
    """Judge probabilities of shape (n, classes); a binary target has two classes."""
    return judge_classes(split.test.y.astype(np.int64), _classes(split), output)


task = topic.task(
    "categories",
    title="Classes from names and numbers with gaps, at an equal budget: categories handled or encoded",
    datasets=["loans", "flights"],
    takes=Takes("table", targets=("multiclass", "binary")),
    scenarios=[CLEAN],
    phases=["encode", "build", "fit", "predict"],
    metrics=METRICS,
    judge=judge,
    view=visible,
    params=budget(rows=8_000, depth=6),
    work={"fit": Work("row", of=("rows",))},
    reference="xgboost-hist",
    baseline="constant",
    charts=[RELIABILITY],
    quick=ONLY_NAMED,
)


def _classes(data: Split | Visible) -> int:
    return len(data.classes) or 2


class Encoder(Protocol):
    """Turns the columns of categories into others."""

    def fit_transform(self, X: Floats, y: object) -> Floats:
        """Learn the encoding of training rows, and return them encoded."""

    def transform(self, X: Floats) -> Floats:
        """Encode other rows."""


class _Same:
    """Leaves all columns as they are: numbers of categories in alphabetical order."""

    def fit_transform(self, X: Floats, _y: object) -> Floats:
        return X

    def transform(self, X: Floats) -> Floats:
        return X


def encoder(encoding: str, categorical: list[int], seed: int, most: int | None = None) -> Encoder:
    """Make an encoder of some columns; a missing value is a category of its own, except among plain numbers.

    Parameters
    ----------
    encoding
        ``native`` and ``codes``: numbers. ``one-hot``: a column of 0 and 1 for each of the most frequent categories.
        ``target``: for each class the mean of its indicator among the rows of a category, shrunk to that of all
        rows; training rows are encoded by the other folds of five (cross-fitting).
    most
        Most categories that the library takes.

    Raises
    ------
    UsageError
        When there is no such encoding.
    """
    if encoding not in ENCODINGS:
        raise UsageError(f"there is no encoding {encoding!r}; choose one of {', '.join(ENCODINGS)}")
    if not categorical or encoding == "codes" or (encoding == "native" and most is None):
        return _Same()
    from sklearn.compose import ColumnTransformer
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

    made = {
        "native": lambda: OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=most, dtype=np.float32
        ),
        "one-hot": lambda: OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=MOST, sparse_output=False, dtype=np.float32
        ),
        "target": lambda: TargetEncoder(cv=StratifiedKFold(5, shuffle=True, random_state=seed)),
    }[encoding]()
    # Columns of categories come first, so that their positions are known.
    return _AsFloats(ColumnTransformer([("categories", made, categorical)], remainder="passthrough"))


class _AsFloats:
    """What scikit-learn's transformer returns, as a table's matrix."""

    def __init__(self, transformer: Encoder) -> None:
        self._transformer = transformer

    def fit_transform(self, X: Floats, y: object) -> Floats:
        return np.ascontiguousarray(self._transformer.fit_transform(X, y), dtype=np.float32)

    def transform(self, X: Floats) -> Floats:
        return np.ascontiguousarray(self._transformer.transform(X), dtype=np.float32)


def run(problem: Problem, phase: PhaseClock, learner: MakeLearner, encoding: str, most: int | None = None) -> Scores:
    """Encode, build, fit and predict.

    Parameters
    ----------
    most
        Most categories that the library takes by itself; ``None`` for any number.
    """
    data: Visible = problem.data
    train, classes = data.train, _classes(data)
    columns = [data.features.index(name) for name in data.categorical]
    encode = encoder(encoding, columns, problem.seed, most)
    for _ in phase("encode"):
        X = encode.fit_transform(train.X, train.y)
    native = encoding == "native"
    positions = tuple(range(len(columns)) if most is not None else columns) if native else ()
    model = learner(problem, Goal("multiclass" if classes > 2 else "binary", classes, positions))
    for _ in phase("build"):
        model.build(Table(X, train.y))
    with phase("fit"):
        model.fit()
    for _ in phase("predict"):
        scores = model.predict(encode.transform(data.test))
        if classes == 2:
            scores = np.column_stack([1 - scores, scores])
    return scores


@task.strategy("constant")
def constant(problem: Problem, phase: PhaseClock) -> Scores:
    """Predict the rate of each class in the training rows for every row."""
    data: Visible = problem.data
    for _ in phase("fit"):
        rates = np.bincount(data.train.y, minlength=_classes(data)) / len(data.train)
    for _ in phase("predict"):
        scores = np.tile(rates, (len(data.test), 1))
    return scores


@task.strategy(
    "logistic-regression",
    needs=(*MODULES, "sklearn.impute", "sklearn.linear_model", "sklearn.pipeline"),
    note="It has no trees, so trees, depth and learning_rate have no effect. Categories are one-hot, at most 255 of a "
    "column; a missing number is the median of its column, and a column says that it was missing.",
)
def logistic_regression(problem: Problem, phase: PhaseClock) -> Scores:
    """Fit a logistic regression with an L2 penalty by L-BFGS, on one-hot categories and standardised numbers."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data: Visible = problem.data
    columns = [data.features.index(name) for name in data.categorical]
    encode = encoder("one-hot", columns, problem.seed)
    for _ in phase("encode"):
        X = encode.fit_transform(data.train.X, data.train.y)
    with phase("fit"):
        model = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), LogisticRegression(max_iter=1000)
        )
        model.fit(X, data.train.y)
    for _ in phase("predict"):
        found = model.predict_proba(encode.transform(data.test))
        scores = np.zeros((len(data.test), _classes(data)))
        scores[:, model.classes_] = found
    return scores
