"""Generated data whose best possible figures are known in closed form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from harness.data.tabular import Floats, Split, Table
from harness.declare import Dataset, Param
from harness.declare.values import Generator
from harness.records import Scalar

INFORMATIVE = 5
TEST_ROWS = 50_000


def rule(X: Floats) -> npt.NDArray[np.bool_]:
    """Compute the rule that noise-free labels follow, from the first five columns.

    With ``u = 2 x - 1`` in [-1, 1), the rule is 1 where

        sign(u0 u1) + sign(u2) / 2 + sin(2 pi u3) + u4 > 0,

    an interaction without main effects, a threshold, a periodic term and a linear term.

    Parameters
    ----------
    X
        Shape (n, d) with d >= 5, independent and uniform on [0, 1).

    Returns
    -------
    numpy.ndarray
        Shape (n,). Replacing u0, u2, u3 and u4 by their negatives keeps the distribution of X and negates the sum,
        so the sum is symmetric about 0 and the rule is 1 for half of the rows.
    """
    half = np.float32(0.5)
    score = np.where((X[:, 0] > half) == (X[:, 1] > half), np.float32(1), np.float32(-1))
    score += np.where(X[:, 2] > half, half, -half)
    score += np.sin(np.float32(4 * np.pi) * (X[:, 3] - half))
    score += 2 * (X[:, 4] - half)
    return score > 0


def bayes(error: float) -> dict[str, float]:
    """Compute the expected figures of the best possible classifier on `tabular` data.

    The label y is the rule g(x), flipped with probability e, so P(y=1 | x) is 1-e where g is 1 and e where it is 0.
    The best classifier predicts that probability:

    - error: it predicts the class g, which is wrong exactly where the label was flipped: e.
    - log loss: the entropy of a flip whatever x is: H(e) = -e ln e - (1-e) ln(1-e), in nats.
    - Brier score: E[p (1-p)], the variance of a flip: e (1-e).
    - AUC: g is 1 for half of the rows, hence so is y, so P(g=1 | y=1) = 1-e and P(g=1 | y=0) = e; the ROC curve has
      this one corner, and the area under it is (1 + (1-e) - e) / 2 = 1-e.

    Parameters
    ----------
    error
        Probability e of a flip, in [0, 0.5].

    Returns
    -------
    dict
        ``error``, ``log_loss``, ``brier`` and ``auc``.
    """
    entropy = -sum(p * math.log(p) for p in (error, 1 - error) if p > 0)
    return {"error": error, "log_loss": entropy, "brier": error * (1 - error), "auc": 1 - error}


def tabular(params: Mapping[str, Scalar], rng: Generator) -> Split:
    """Draw uniform features whose labels follow `rule`, flipped with probability ``bayes_error``.

    Parameters
    ----------
    params
        ``rows``: number of training rows; ``columns``: number of features, the first five informative;
        ``bayes_error``: probability of a flip.
    rng
        The test rows come first from its streams, so the same seed gives the same test rows at any number of training
        rows, and a smaller training set is the beginning of a larger one.
    """
    rows, columns, error = int(params["rows"]), int(params["columns"]), float(params["bayes_error"])
    inputs, flips = rng.spawn(2)

    def draw(n: int) -> Table:
        X = inputs.random((n, columns), dtype=np.float32)
        flipped = flips.random(n, dtype=np.float32) < error
        return Table(X, (rule(X) ^ flipped).astype(np.int8))

    test = draw(TEST_ROWS)
    return Split(draw(rows), test, tuple(f"x{column}" for column in range(columns)))


GENERATORS: Mapping[str, Dataset] = MappingProxyType(
    {
        "tabular": Dataset(
            "tabular",
            load=tabular,
            kind="table",
            target="binary",
            params={
                "rows": Param(100_000, low=100, high=10_000_000, summary="training rows"),
                "columns": Param(20, low=INFORMATIVE, high=1000, summary="features, of which five are informative"),
                "bayes_error": Param(0.1, low=0.0, high=0.5, summary="probability that a label is flipped"),
            },
        )
    }
)
