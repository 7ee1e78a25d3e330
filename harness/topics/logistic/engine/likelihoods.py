"""Likelihoods of logistic regression on many data sets at once, and Newton's method on them.

`reference` has the same formulas for one data set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Chosen = Flags | Indices

TOLERANCE = 1e-14  # of the Newton decrement: the square of the length of a step in standard errors
# Newton's method needs about ten steps to a maximum. If the outcomes are separated there is none, and each step adds
# about 1 to the log odds of the separated rows; after 25 steps their likelihood is 1, less 1e-10 or so. On a penalised
# likelihood, whose second derivatives are approximated, the steps converge linearly.
_STEPS, _PENALISED_STEPS = 25, 100
_HALVINGS = 20
_LONGEST = 5.0  # longest step of a coefficient, in root mean squares of its column; logistf has such a limit too


@dataclass(frozen=True, eq=False)
class State:
    """What a step needs to know of each data set at its coefficients.

    Attributes
    ----------
    objective
        Log-likelihood, with the penalty; shape (data sets,).
    score
        Its derivatives, shape (data sets, p).
    information
        X'WX, the negative second derivatives of the log-likelihood; shape (data sets, p, p).
    """

    objective: Floats
    score: Floats
    information: Floats

    def of(self, which: Chosen) -> State:
        """Return the state of some data sets."""
        return State(self.objective[which], self.score[which], self.information[which])

    def replace(self, which: Indices, other: State) -> None:
        """Put another state in place of that of some data sets."""
        self.objective[which] = other.objective
        self.score[which] = other.score
        self.information[which] = other.information


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Log-likelihood of each data set, with Firth's penalty if asked for.

    The penalty is half the logarithm of the determinant of the information, Jeffreys' prior (Firth 1993, "Bias
    reduction of maximum likelihood estimates"; Heinze & Schemper 2002, "A solution to the problem of separation in
    logistic regression").

    Attributes
    ----------
    X
        Designs with a column of ones, shape (data sets, rows, p).
    y
        Outcomes 0 and 1, shape (data sets, rows).
    firth
        Whether it is penalised.
    """

    X: Floats
    y: Floats
    firth: bool = False

    def of(self, which: Chosen) -> Likelihood:
        """Return the likelihoods of some data sets."""
        return Likelihood(self.X[which], self.y[which], self.firth)

    def at(self, beta: Floats) -> State:
        """Return the state at coefficients of shape (data sets, p)."""
        log_odds = np.matmul(self.X, beta[:, :, None])[:, :, 0]
        small = np.exp(-np.abs(log_odds))  # at most 1, so that nothing overflows
        probability = np.where(log_odds >= 0, 1.0, small) / (1 + small)
        objective = (self.y * log_odds - np.maximum(log_odds, 0) - np.log1p(small)).sum(axis=1)
        weight = probability * (1 - probability)
        information = np.matmul(self.X.transpose(0, 2, 1), weight[:, :, None] * self.X)
        residual = self.y - probability
        if self.firth:
            objective += np.linalg.slogdet(information)[1] / 2
            leverage = weight * (np.matmul(self.X, np.linalg.inv(held(information))) * self.X).sum(axis=2)
            residual += leverage * (0.5 - probability)
        return State(objective, np.matmul(residual[:, None, :], self.X)[:, 0], information)


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where `maximise` ended in each data set.

    Attributes
    ----------
    objective
        Shape (data sets,).
    score
        Derivatives in all coefficients, also in those that were not free; shape (data sets, p).
    last
        The last step, shape (data sets, p).
    converged
        Whether it is a maximum, shape (data sets,).
    """

    objective: Floats
    score: Floats
    last: Floats
    converged: Flags


def maximise(likelihood: Likelihood, beta: Floats, free: Indices, tolerance: float = TOLERANCE) -> Maximum:
    """Move the free coefficients to the maximum, by Newton's steps with Fisher's information.

    Parameters
    ----------
    beta
        Coefficients to begin with, shape (data sets, p); changed in place.
    free
        Indices of the coefficients that move.
    tolerance
        Newton decrement, the product of step and score, below which a step is the last one.
    """
    last = np.zeros_like(beta)
    converged = np.zeros(len(beta), dtype=np.bool_)
    active = np.arange(len(beta))
    size = np.sqrt((likelihood.X**2).mean(axis=1))
    state = likelihood.at(beta)
    objective, score = state.objective.copy(), state.score.copy()
    for _ in range(_PENALISED_STEPS if likelihood.firth else _STEPS):
        step = np.zeros_like(state.score)
        step[:, free] = _solve(state.information[:, free[:, None], free], state.score[:, free])
        finished = (step * state.score).sum(axis=1) < tolerance
        step /= np.maximum(1, np.abs(step * size[active]).max(axis=1) / _LONGEST)[:, None]
        ahead, state = _climb(likelihood, beta[active], step, state)
        last[active], beta[active] = ahead - beta[active], ahead
        objective[active], score[active] = state.objective, state.score
        converged[active[finished]] = True
        if finished.all():
            break
        if finished.any():
            active, likelihood, state = active[~finished], likelihood.of(~finished), state.of(~finished)
    return Maximum(objective, score, last, converged)


def _climb(likelihood: Likelihood, beta: Floats, step: Floats, state: State) -> tuple[Floats, State]:
    """Take each step, or the half, quarter ... of it that does not lower the objective."""
    ahead = beta + step
    found = likelihood.at(ahead)
    for _ in range(_HALVINGS):
        lower = np.flatnonzero(~(found.objective >= state.objective - 1e-10))
        if not lower.size:
            break
        step[lower] /= 2
        ahead[lower] = beta[lower] + step[lower]
        found.replace(lower, likelihood.of(lower).at(ahead[lower]))
    return ahead, found


def held(matrix: Floats) -> Floats:
    """Add a ridge of 1e-12 of the diagonal to matrices, which holds those that separation makes singular."""
    ridge = 1e-12 * np.einsum("rii->ri", matrix) + 1e-100
    return np.asarray(matrix + ridge[:, :, None] * np.eye(matrix.shape[1]), dtype=np.float64)


def _solve(matrix: Floats, right: Floats) -> Floats:
    return np.asarray(np.linalg.solve(held(matrix), right[:, :, None])[:, :, 0], dtype=np.float64)
