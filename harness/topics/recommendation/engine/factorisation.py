"""Matrix factorisation of implicit feedback with the package implicit, and of ratings with biases.

A user u and an item i have factors x_u and y_i of equal length; x_u'y_i is the score of the item. n_ui is the weight of
their interaction, 0 where there is none, and p_ui is 1 where there is one, else 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from harness import CannotRunError, UsageError
from harness.topics.recommendation.engine.feedback import Matrix, Score, Visible

Reals = npt.NDArray[np.float32]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep BLAS to one thread, as implicit's own threads call it, and its progress bar from starting a thread."""
    from implicit.cpu.als import tqdm  # that of all its models

    interval, tqdm.monitor_interval = tqdm.monitor_interval, 0
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        tqdm.monitor_interval = interval


def interactions(matrix: Matrix, weights: str = "ones") -> Any:
    """Return the interactions in the form that implicit takes and may write into.

    Parameters
    ----------
    weights
        ``"ones"``, or ``"data"`` to keep the weights, such as ratings or counts.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32, of the same shape.

    Raises
    ------
    UsageError
        When `weights` is neither, or a weight is not positive.
    """
    if weights not in ("ones", "data"):
        raise UsageError(f"invalid weights {weights!r}: choose ones or data")
    if weights == "data" and matrix.nnz and matrix.data.min() <= 0:
        raise UsageError(f"a weight is {matrix.data.min():g}: weights of implicit feedback must be positive")
    values = matrix.data.astype(np.float32) if weights == "data" else np.ones(matrix.nnz, dtype=np.float32)
    return csr_matrix((values, matrix.indices.copy(), matrix.indptr.copy()), shape=matrix.shape)


def als(
    confidence: Any,
    *,
    factors: int,
    regularization: float,
    alpha: float,
    iterations: int,
    cholesky: bool = False,
    threads: int = 1,
    seed: int = 0,
) -> Any:
    """Fit factors by alternating least squares.

    They minimise, over all users and all items (Hu, Koren & Volinsky 2008, Collaborative filtering for implicit
    feedback datasets, equation 3),

        sum_ui c_ui (p_ui - x_u'y_i)^2 + regularization (sum_u |x_u|^2 + sum_i |y_i|^2).

    With the factors of the items in the rows of Y and C_u = diag(c_u1, c_u2, ...), those of a user are (equation 4)

        x_u = (Y'C_u Y + regularization I)^-1 Y'C_u p_u,

    where Y'C_u Y = Y'Y + Y'(C_u - I)Y costs only the user's own items; those of an item follow from X alike.
    The confidence c_ui is 1 where there is no interaction. Where there is one, implicit takes alpha n_ui, and the paper
    1 + alpha n_ui. So implicit's default alpha = 1 gives all pairs the same confidence.

    Parameters
    ----------
    confidence
        n_ui, as from `interactions`, shape (users, items).
    cholesky
        Whether to solve each system exactly, at a cost cubic in the factors; else by three steps of the conjugate
        gradient method from the factors of the previous iteration (Takacs, Pilaszy & Tikk 2011, Applications of the
        conjugate gradient method for implicit feedback collaborative filtering), quadratic in the factors.

    Returns
    -------
    implicit.cpu.als.AlternatingLeastSquares
        With float32 `user_factors`, shape (users, factors), and `item_factors`, shape (items, factors).
    """
    from implicit.cpu.als import AlternatingLeastSquares

    with _undisturbed():
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=iterations,
            use_cg=not cholesky,
            num_threads=threads,
            random_state=seed,
        )
        model.fit(confidence, show_progress=False)
    return model


def fold_in(model: Any, data: Visible, weights: str = "ones") -> Reals:
    """Return the factors of the test users under a model of `als`.

    A user who is in training has those of the fit. The factors of another one are solved for from the history, given
    those of the items (equation 4 of Hu, Koren & Volinsky 2008); without a history they are 0.

    Returns
    -------
    numpy.ndarray
        Shape (test users, factors).
    """
    users: Reals = model.user_factors[np.maximum(data.rows, 0)]
    new = np.flatnonzero(data.rows < 0)
    if len(new):
        with _undisturbed():
            users[new] = model.recalculate_user(new, interactions(data.history[new], weights))
    return users


def bpr(
    train: Matrix,
    *,
    factors: int,
    learning_rate: float,
    regularization: float,
    iterations: int,
    threads: int,
    seed: int,
) -> Any:
    """Fit factors so that a user's own items score higher than others (Rendle et al. 2009, BPR, arXiv 1205.2618).

    They maximise, over triples of a user u, an item i of that user and another item j (their section 4.1, BPR-OPT),

        sum_uij ln sigma(x_ui - x_uj) - regularization |Theta|^2,    x_ui = x_u'y_i + b_i,

    by stochastic gradient ascent: each step draws an interaction, and j from the items of a second one.
    With more than one thread the threads overwrite each other's steps, and results differ between runs.

    Returns
    -------
    implicit.cpu.bpr.BayesianPersonalizedRanking
        The last factor of a user is 1 and that of an item is b_i.
    """
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    with _undisturbed():
        model = BayesianPersonalizedRanking(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            num_threads=threads,
            random_state=seed,
        )
        model.fit(interactions(train), show_progress=False)
    return model


def lmf(
    train: Matrix,
    *,
    factors: int,
    learning_rate: float,
    regularization: float,
    iterations: int,
    negatives: int,
    threads: int,
    seed: int,
) -> Any:
    """Fit the probability of an interaction (Johnson 2014, Logistic matrix factorization for implicit feedback data).

    Its log-odds are s_ui = x_u'y_i + b_u + b_i; maximised is (their equation 4, with alpha r_ui = n_ui)

        sum_ui [n_ui s_ui - (1 + n_ui) ln(1 + exp s_ui)] - regularization / 2 (sum_u |x_u|^2 + sum_i |y_i|^2)

    by alternating gradient ascent with AdaGrad's steps. The sum over pairs without an interaction is sampled, by
    popularity: `negatives` items for each interaction of a user, but in implicit 0.7.3 at most factors + 2 for a user
    (https://github.com/benfred/implicit/issues/745).

    Returns
    -------
    implicit.cpu.lmf.LogisticMatrixFactorization
        The last two factors of a user are 1 and b_u, those of an item b_i and 1.
    """
    from implicit.cpu.lmf import LogisticMatrixFactorization

    with _undisturbed():
        model = LogisticMatrixFactorization(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            neg_prop=negatives,
            num_threads=threads,
            random_state=seed,
        )
        model.fit(interactions(train), show_progress=False)
    return model


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
    techniques for recommender systems, equation 5)

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


def popularity(train: Matrix) -> Reals:
    """Count the users of each item, shape (items,)."""
    return np.bincount(train.indices, minlength=train.shape[1]).astype(np.float32)


def products(users: Reals, items: Reals) -> Score:
    """Score by the products of factors, shapes (test users, factors) and (items, factors)."""
    return lambda start, stop: users[start:stop] @ items.T


def backed_off(score: Score, unknown: npt.NDArray[np.bool_], train: Matrix) -> Score:
    """Score by `score`, and by popularity for the test users who are `unknown`, shape (test users,)."""
    counts = popularity(train)

    def mixed(start: int, stop: int) -> npt.NDArray[np.floating]:
        scores = score(start, stop)
        scores[unknown[start:stop]] = counts
        return scores

    return mixed


def of_trained(users: Reals, items: Reals, train: Matrix) -> Callable[[Visible], Score]:
    """Return a function that scores test users in training by their factors, and others by popularity."""

    def score(data: Visible) -> Score:
        return backed_off(products(users[np.maximum(data.rows, 0)], items), data.rows < 0, train)

    return score
