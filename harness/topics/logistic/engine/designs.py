"""Problems for solvers: a penalised logistic regression without an intercept, with its optimum."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import expit, xlogy

from harness import UsageError
from harness.topics.logistic.engine.world import draw

if TYPE_CHECKING:
    from harness.data.readers.text import TextSplit

Floats: TypeAlias = npt.NDArray[np.float64]
Matrix: TypeAlias = Any  # an array, or a scipy.sparse.csr_matrix, which has no types
Penalty = Literal["l1", "l2"]

ZERO = log(2)  # the objective at coefficients of 0
WORDS_PER_COLUMN = 50  # a sparse design has this many times the columns of the dense one


@dataclass(frozen=True, eq=False)
class Design:
    """The objective mean log(1 + exp(-sign x'w)) + strength |w|_1, or + strength / 2 |w|_2^2, in float64.

    Arrays are read-only.

    Attributes
    ----------
    X
        Shape (n, d), C-contiguous or in compressed sparse rows.
    signs
        -1 or 1, shape (n,).
    optimum
        The least value of the objective, to 1e-12 of its distance from the value at 0.
    """

    X: Matrix
    signs: Floats
    penalty: Penalty
    strength: float
    optimum: float = 0.0

    def __post_init__(self) -> None:
        if sp.issparse(self.X):
            self.X.sum_duplicates()  # sorts too; libraries would do so themselves, in place
        parts = (self.X.data, self.X.indices, self.X.indptr) if sp.issparse(self.X) else (self.X,)
        for array in (*parts, self.signs):
            array.flags.writeable = False

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return cast(tuple[int, int], self.X.shape)

    def objective(self, w: Floats) -> float:
        """Return the value at coefficients of shape (d,)."""
        size = np.abs(w).sum() if self.penalty == "l1" else w @ w / 2
        return float(np.logaddexp(0, -self.signs * (self.X @ w)).mean() + self.strength * size)

    def slope(self, w: Floats) -> Floats:
        """Return the gradient of the mean log loss alone, shape (d,)."""
        residual = self.signs * expit(-self.signs * (self.X @ w))
        return np.asarray(-(self.X.T @ residual) / len(self.signs))

    def bound(self, w: Floats) -> float:
        """Return how far the objective is above its least value, at most.

        With L2 it is strongly convex, so that it is at most |gradient|^2 / (2 strength) (Boyd & Vandenberghe 2004,
        "Convex optimization", section 9.1.2). With L1 it is the duality gap (Koh, Kim & Boyd 2007, "An interior-point
        method for large-scale l1-regularized logistic regression").
        """
        if self.penalty == "l2":
            gradient = self.slope(w) + self.strength * w
            return float(gradient @ gradient / (2 * self.strength))
        p = expit(-self.signs * (self.X @ w))
        p = p * min(1.0, self.strength / max(np.abs(self.slope(w)).max(), 1e-300))
        return self.objective(w) + float((xlogy(p, p) + xlogy(1 - p, 1 - p)).mean())

    def suboptimality(self, w: Floats) -> float:
        """Return the distance from the least value, divided by that of coefficients of 0; it is 1 at 0."""
        return (self.objective(w) - self.optimum) / (ZERO - self.optimum)


def dense(rng: np.random.Generator, rows: int, columns: int, decades: float = 0.0) -> tuple[Floats, npt.NDArray[Any]]:
    """Draw correlated columns and labels of a logistic model on ten of them.

    Parameters
    ----------
    decades
        The largest scale of a column, divided by the smallest, as a power of 10; the scales are spaced equally in
        logarithms, in random order.
    """
    support = min(10, columns)
    split = draw(
        rng,
        rows=rows,
        test_rows=1,
        columns=columns,
        support=support,
        correlation=0.5,
        signal=2.0,
        event_rate=0.5,
    ).split
    scales = 10 ** (decades * rng.permutation(np.linspace(-0.5, 0.5, columns)))
    return split.train.X.astype(np.float64) * scales, split.train.y


def sparse(rng: np.random.Generator, rows: int, columns: int) -> tuple[sp.csr_matrix, npt.NDArray[Any]]:
    """Draw texts whose words have Zipf's frequencies, weigh them as TF-IDF does, and draw labels that depend on a few.

    A text has columns / 2 words out of 50 columns; so a sparse design stores about half the numbers of a dense one.
    """
    words = WORDS_PER_COLUMN * columns
    rates = 1 / np.arange(1, words + 1)
    drawn = rng.choice(words, size=(rows, max(1, columns // 2)), p=rates / rates.sum())
    X = sp.csr_matrix((np.ones(drawn.size), (np.repeat(np.arange(rows), drawn.shape[1]), drawn.ravel())), (rows, words))
    X.sum_duplicates()
    X = _weighed(X)
    effects = np.zeros(words)
    chosen = rng.choice(max(1, words // 5), size=min(columns, words // 5), replace=False)
    effects[chosen] = rng.choice([-1.0, 1.0], len(chosen))
    eta = X @ effects
    return X, (rng.random(rows) < expit(2 * (eta - eta.mean()) / max(eta.std(), 1e-12))).astype(np.int8)


def _weighed(X: sp.csr_matrix) -> sp.csr_matrix:
    """Multiply by the inverse document frequency and give rows unit length, as scikit-learn's TfidfTransformer does."""
    rows = X.shape[0]
    frequency = np.bincount(X.indices, minlength=X.shape[1])
    X = X @ sp.diags(np.log((1 + rows) / (1 + frequency)) + 1)
    return sp.csr_matrix(sp.diags(1 / np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())) @ X)


def texts(split: TextSplit) -> tuple[sp.csr_matrix, npt.NDArray[Any]]:
    """Turn training texts into TF-IDF of words that two texts have, and classes into the most frequent or not.

    Raises
    ------
    UsageError
        When the texts have no classes.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    train = split.train
    if train.y is None:
        raise UsageError("the texts have no target, so there is nothing to predict")
    most, _ = Counter(train.y.tolist()).most_common(1)[0]
    X = TfidfVectorizer(min_df=2, dtype=np.float64).fit_transform(train.strings)
    return sp.csr_matrix(X), (train.y == most).astype(np.int8)
