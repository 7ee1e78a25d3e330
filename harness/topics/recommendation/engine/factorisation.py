"""Matrix factorisation of implicit feedback with the package implicit.

A user u and an item i have factors x_u and y_i of equal length; x_u'y_i is the score of the item. n_ui is the weight of
their interaction, 0 where there is none, and p_ui is 1 where there is one, else 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from harness import UsageError
from harness.topics.recommendation.engine.feedback import Matrix, Score, Visible

Reals = npt.NDArray[np.float32]


@contextmanager
def undisturbed() -> Iterator[None]:
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
    feedback datasets),

        sum_ui c_ui (p_ui - x_u'y_i)^2 + regularization (sum_u |x_u|^2 + sum_i |y_i|^2).

    With the factors of the items in the rows of Y and C_u = diag(c_u1, c_u2, ...), those of a user are

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

    with undisturbed():
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
    those of the items (Hu, Koren & Volinsky 2008); without a history they are 0.

    Returns
    -------
    numpy.ndarray
        Shape (test users, factors).
    """
    users: Reals = model.user_factors[np.maximum(data.rows, 0)]
    new = np.flatnonzero(data.rows < 0)
    if len(new):
        with undisturbed():
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

    with undisturbed():
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

    Its log-odds are s_ui = x_u'y_i + b_u + b_i; maximised is (with n_ui for the paper's alpha r_ui)

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

    with undisturbed():
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
