"""Rows in three parts: those that a model is fitted on, those that its scores are calibrated on, and those to judge on.

The model's fit belongs to no strategy. It is made when the scores are first asked for, which is before any phase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from harness import Generator, UsageError
from harness.data.tabular import Split, Table, read_only
from harness.topics.logistic.engine.lines import Floats

Labels = npt.NDArray[np.int8]
GIVEN = "given"
BOOSTING_ROUNDS, BOOSTING_RATE, BOOSTING_LEAVES = 100, 0.05, 15
LARGEST = 1_000  # iterations of the solver


@dataclass(frozen=True, eq=False)
class Scored:
    """What a calibrator may see. Arrays are read-only.

    Attributes
    ----------
    scores, labels
        The model's probabilities of class 1 for the rows of the calibration set, and their classes, shape (m,).
    test
        The model's probabilities for the rows of the test set, shape (n,).
    """

    scores: Floats
    labels: Labels
    test: Floats

    def __post_init__(self) -> None:
        read_only(self.scores, self.labels, self.test)


@dataclass(frozen=True, eq=False)
class Parts:
    """A model's rows, the calibration set and the test set; the whole data, as the judge knows them.

    Attributes
    ----------
    train
        Rows that the model is fitted on; without rows if the scores are given.
    calibration, test
        Rows of the calibration set and the test set.
    model
        Name of the model; ``given`` if the first column of X has the log odds of the scores.
    truth
        Probabilities of class 1 that the labels of the test set were drawn with, shape (n,), where they are known.
    """

    train: Table
    calibration: Table
    test: Table
    model: str
    truth: Floats | None = None

    @cached_property
    def scored(self) -> Scored:
        """The scores of the model.

        Raises
        ------
        UsageError
            When the calibration set or the model's rows are of one class.
        """
        for name, part in (("calibration set", self.calibration), ("rows to fit the model on", self.train)):
            if len(part) and part.y.min() == part.y.max():
                raise UsageError(
                    f"all {len(part)} rows of the {name} are of class {part.y[0]}; ask for more with --set rows, points"
                )
        score = _given if self.model == GIVEN else MODELS[self.model](self.train)
        return Scored(score(self.calibration.X), self.calibration.y, score(self.test.X))


def divide(split: Split, params: Mapping[str, Any], _rng: Generator) -> Parts:
    """Divide the training rows: the first half for the model, and `points` of the second half for calibration.

    The model is then the same for any number of points, and a smaller calibration set is the beginning of a larger one.
    """
    model = str(params["model"])
    half = len(split.train) // 2
    rows = np.arange(half, min(half + int(params["points"]), len(split.train)))
    return Parts(split.train.take(np.arange(half)), split.train.take(rows), split.test, model)


def by_time(parts: Parts) -> Parts:
    """Fit on the first rows in time, calibrate on those after them, and test on the last; sizes stay as they are.

    Raises
    ------
    UsageError
        When the rows have no time.
    """
    tables = (parts.train, parts.calibration, parts.test)
    times = [table.time for table in tables if table.time is not None]
    if len(times) < len(tables):
        raise UsageError("to divide by time, the data need a time column")
    pool = Table(
        np.concatenate([table.X for table in tables]),
        np.concatenate([table.y for table in tables]),
        np.concatenate(times),
    )
    order = np.argsort(np.concatenate(times), kind="stable")
    ends = np.cumsum([len(table) for table in tables])
    train, calibration, test = (pool.take(rows) for rows in np.split(order, ends[:-1]))
    return replace(parts, train=train, calibration=calibration, test=test)


def flip(parts: Parts, share: float, rng: Generator) -> Parts:
    """Flip each label of the calibration set with probability `share`; the model and the test set stay."""
    labels = parts.calibration
    flipped = (rng.random(len(labels)) < share).astype(np.int8)
    return replace(parts, calibration=Table(labels.X, labels.y ^ flipped, labels.time))


def thin(parts: Parts, keep: float, rng: Generator) -> Parts:
    """Keep each row of class 1 of the test set with probability `keep`, so that the odds of class 1 change by it.

    Within a class nothing changes: prior shift (Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a
    classifier to new a priori probabilities"). By Bayes' rule, the odds of every row change by the same factor.
    """
    kept = np.flatnonzero((parts.test.y == 0) | (rng.random(len(parts.test)) < keep))
    truth = parts.truth
    if truth is not None:
        odds = keep * truth[kept]
        truth = odds / (odds + 1 - truth[kept])
    return replace(parts, test=parts.test.take(kept), truth=truth)


Scorer = Callable[[npt.NDArray[np.float32]], Floats]


def _given(X: npt.NDArray[np.float32]) -> Floats:
    scores: Floats = expit(X[:, 0].astype(np.float64))
    return scores


def _scorer(model: Any, train: Table) -> Scorer:
    model.fit(train.X, train.y)
    return lambda X: np.asarray(model.predict_proba(X)[:, 1], dtype=np.float64)


def _naive_bayes(train: Table) -> Scorer:
    """Fit normal features, independent within a class: overconfident where they depend on each other."""
    from sklearn.impute import SimpleImputer
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline

    return _scorer(make_pipeline(SimpleImputer(keep_empty_features=True), GaussianNB()), train)


def _logistic(train: Table) -> Scorer:
    """Fit a logistic regression on standardised columns, with the ridge penalty of scikit-learn's default."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(max_iter=LARGEST)
    return _scorer(make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), regression), train)


def _boosting(train: Table) -> Scorer:
    """Fit gradient boosting: strong, and near calibrated already, because it minimises the log loss."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _scorer(
        HistGradientBoostingClassifier(
            max_iter=BOOSTING_ROUNDS,
            learning_rate=BOOSTING_RATE,
            max_leaf_nodes=BOOSTING_LEAVES,
            early_stopping=False,
            random_state=0,
        ),
        train,
    )


MODELS: dict[str, Callable[[Table], Scorer]] = {
    "naive-bayes": _naive_bayes,
    "logistic": _logistic,
    "boosting": _boosting,
}


def known(kind: str, rng: Generator, points: int, test_rows: int) -> Parts:
    """Draw labels whose probabilities are known, and scores that distort them.

    The true log odds t are normal with mean -1 and standard deviation 1.5. The log odds of the score are t if the
    scores are ``calibrated``, 2 t + 0.5 if they are ``overconfident``, which a sigmoid undoes, and (t + 1)^3 / 2 if
    they are ``misspecified``, which no line in the log odds undoes. All of them rise in t, so the probability of class
    1 given the score is that given t.
    """
    tests, trains = rng.spawn(2)

    def draw(n: int, stream: Generator) -> tuple[Table, Floats]:
        values, labels = stream.spawn(2)
        true = values.normal(MEAN, DEVIATION, n)
        probability = expit(true)
        X = DISTORTIONS[kind](true).astype(np.float32)[:, None]
        return Table(X, (labels.random(n) < probability).astype(np.int8)), probability

    test, truth = draw(test_rows, tests)
    calibration, _ = draw(points, trains)
    return Parts(calibration.take(np.arange(0)), calibration, test, GIVEN, truth)


MEAN, DEVIATION = -1.0, 1.5
DISTORTIONS: dict[str, Callable[[Floats], Floats]] = {
    "calibrated": lambda true: true,
    "overconfident": lambda true: 2 * true + 0.5,
    "misspecified": lambda true: (true - MEAN) ** 3 / 2,
}
