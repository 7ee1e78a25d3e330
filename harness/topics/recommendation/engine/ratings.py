"""Matrix factorisation of ratings with biases."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from harness import CannotRunError
from harness.topics.recommendation.engine.factorisation import Reals
from harness.topics.recommendation.engine.feedback import Matrix


@dataclass(frozen=True, eq=False)
class Biased:
    """Ratings explained by a mean, biases and factors: mean + user_bias[u] + item_bias[i] + users[u]'items[i].

    Attributes
    ----------
    users, items
        float64, shapes (users, factors) and (items, factors).
    user_bias, item_bias
        float64, shapes (users,) and (items,).
    """

    mean: float
    users: npt.NDArray[np.float64]
    items: npt.NDArray[np.float64]
    user_bias: npt.NDArray[np.float64]
    item_bias: npt.NDArray[np.float64]

    @property
    def factors(self) -> tuple[Reals, Reals]:
        """Factors of users and of items whose products rank as the ratings do: a user's own bias changes no order."""
        users = np.column_stack([self.users, np.ones(len(self.users))])
        items = np.column_stack([self.items, self.item_bias])
        return users.astype(np.float32), items.astype(np.float32)


def biased(train: Matrix, *, factors: int, regularization: float, iterations: int, seed: int = 0) -> Biased:
    """Fit ratings with biases by alternating least squares.

    Over the pairs that have a rating r_ui alone, it minimises (Koren, Bell & Volinsky 2009, Matrix factorization
    techniques for recommender systems)

        sum (r_ui - mean - b_u - b_i - x_u'y_i)^2 + regularization (|x_u|^2 + |y_i|^2 + b_u^2 + b_i^2),

    where the regularisation of a user or an item counts once a rating. With the items fixed, (x_u, b_u) is a ridge
    regression of the user's remaining ratings on (y_i, 1); so are the items with the users fixed.

    Parameters
    ----------
    train
        CSR; its weights are the ratings.

    Raises
    ------
    CannotRunError
        When all weights are equal.
    """
    if np.ptp(train.data) == 0:
        raise CannotRunError("all interactions have the same weight, so there are no ratings to learn from")
    mean = float(train.data.mean())
    ratings = train.data.astype(np.float64) - mean
    by_user = csr_matrix((ratings, train.indices, train.indptr), shape=train.shape)
    by_item = by_user.T.tocsr()
    rng = np.random.default_rng(seed)
    # The last column is the bias.
    users = np.zeros((train.shape[0], factors + 1))
    items = np.zeros((train.shape[1], factors + 1))
    items[:, :-1] = rng.normal(0, 0.1, (len(items), factors))
    for _ in range(iterations):
        _ridge(by_user, items, regularization, users)
        _ridge(by_item, users, regularization, items)
    return Biased(mean, users[:, :-1], items[:, :-1], users[:, -1], items[:, -1])


def _ridge(ratings: Any, others: npt.NDArray[Any], regularization: float, into: npt.NDArray[Any]) -> None:
    """Solve for the factors and the bias of each row, given those of the columns; a row without ratings has zeros."""
    size = others.shape[1]
    into[:] = 0
    for row, (start, stop) in enumerate(pairwise(ratings.indptr)):
        if start == stop:
            continue
        design = others[ratings.indices[start:stop]]
        left = ratings.data[start:stop] - design[:, -1]
        design[:, -1] = 1
        penalty = regularization * (stop - start) * np.eye(size)
        into[row] = np.linalg.solve(design.T @ design + penalty, design.T @ left)
