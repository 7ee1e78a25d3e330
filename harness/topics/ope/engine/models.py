"""Models fitted on a log, of its rewards and of its propensities, both cross-fitted.

The model that predicts a round was not fitted on it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from harness import UsageError
from harness.errors import did_you_mean
from harness.topics.ope.engine.log import Floats, Ints, Log

# Penalty of a ridge model on standardised features.
PENALTY = 1.0
# Rows that boosting predicts in one call, which limits both the number of calls and the memory for copies of contexts.
AT_ONCE = 200_000


def fit_model(log: Log, kind: str = "ridge", folds: int = 2, seed: int = 0) -> Floats:
    """Return the estimated reward of every action in every round, shape (n, actions), within the reward range.

    Parameters
    ----------
    log
        The log; without contexts the models use only the action.
    kind
        ``ridge``: ridge regression on the context, then one per action on the residuals. ``logistic``: one logistic
        regression per action, for rewards of 0 and 1. ``logistic-shared``: one for the context and the one-hot action,
        without interactions, like obp's RegressionModel. ``ridge-shared``: the same with a ridge regression.
        ``shared``: logistic-shared where all rewards are 0 or 1, ridge-shared elsewhere. ``boosting``: scikit-learn's
        histogram gradient boosting on context and action.
    folds
        Number of parts of the log, at least 2; each is predicted by a model fitted on the others.
    seed
        Seed of the parts and the models.

    Raises
    ------
    UsageError
        An unknown kind, too few rounds for the folds, or a logistic model of rewards that are not 0 and 1.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown reward model {kind!r}{did_you_mean(kind, KINDS)}")
    binary = bool(np.isin(log.rewards, (0.0, 1.0)).all())
    if kind == SHARED:
        kind = f"{'logistic' if binary else 'ridge'}-{SHARED}"
    if kind.startswith("logistic") and not binary:
        raise UsageError(
            "a logistic reward model needs rewards of 0 and 1, and this log has others: use shared, ridge or boosting"
        )
    contexts, actions = standardised(log), log.target.shape[1]
    model = np.empty(log.target.shape)
    for train, test in folds_of(len(log.actions), folds, seed):
        model[test] = FITTERS[kind](
            contexts[train], log.actions[train], log.rewards[train], contexts[test], actions, seed
        )
    clipped: Floats = np.clip(model, *log.reward_range)
    return clipped


def standardised(log: Log) -> Floats:
    """Return standardised contexts, shape (n, d); a column of zeros without contexts."""
    if log.contexts is None:
        return np.zeros((len(log.actions), 1))
    spread = log.contexts.std(axis=0)
    standard: Floats = (log.contexts - log.contexts.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return standard


def folds_of(count: int, folds: int, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield, for each fold of `count` rounds, the rounds to fit on and the rounds to predict.

    Raises
    ------
    UsageError
        Fewer than two folds, or too few rounds for them.
    """
    if folds < 2 or count < folds:
        raise UsageError(
            f"cross-fitting needs at least 2 folds and a round in each, not {folds} folds of {count} rounds"
        )
    order = np.random.default_rng(seed).permutation(count)
    for part in np.array_split(order, folds):
        others = np.ones(count, dtype=np.bool_)
        others[part] = False
        yield np.flatnonzero(others), part


def _ridge_weights(X: Floats, y: Floats) -> Floats:
    solved = np.linalg.solve(X.T @ X + PENALTY * np.eye(X.shape[1]), X.T @ y)
    return np.asarray(solved, dtype=np.float64)


def _ridge(X: Floats, actions: Ints, rewards: Floats, X_new: Floats, count: int, seed: int) -> Floats:  # noqa: ARG001
    """Fit the context first, so that rarely logged actions fall back on what all actions share."""
    design: Floats = np.column_stack([np.ones(len(X)), X])
    design_new: Floats = np.column_stack([np.ones(len(X_new)), X_new])
    shared = _ridge_weights(design, rewards)
    left: Floats = rewards - design @ shared
    weights: Floats = np.repeat(shared[:, np.newaxis], count, axis=1)
    for action in np.unique(actions):
        rows = actions == action
        weights[:, action] += _ridge_weights(design[rows], left[rows])
    predicted: Floats = design_new @ weights
    return predicted


def _logistic(X: Floats, actions: Ints, rewards: Floats, X_new: Floats, count: int, seed: int) -> Floats:  # noqa: ARG001
    from sklearn.linear_model import LogisticRegression

    predicted = np.full((len(X_new), count), rewards.mean())
    for action in np.unique(actions):
        paid = rewards[actions == action]
        if paid.min() == paid.max():
            # With a single outcome: Laplace's rule of succession.
            predicted[:, action] = (paid.sum() + 1) / (len(paid) + 2)
        else:
            fitted = LogisticRegression(max_iter=1000).fit(X[actions == action], paid)
            predicted[:, action] = fitted.predict_proba(X_new)[:, 1]
    return predicted


def _logistic_shared(X: Floats, actions: Ints, rewards: Floats, X_new: Floats, count: int, seed: int) -> Floats:  # noqa: ARG001
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    if rewards.min() == rewards.max():
        return np.full((len(X_new), count), rewards[0])
    fitted = LogisticRegression(max_iter=10000).fit(_shared_design(X, actions, count), rewards)
    predicted: Floats = expit(_shared_scores(X_new, fitted.coef_[0], fitted.intercept_[0]))
    return predicted


def _ridge_shared(X: Floats, actions: Ints, rewards: Floats, X_new: Floats, count: int, seed: int) -> Floats:
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=PENALTY, random_state=seed).fit(_shared_design(X, actions, count), rewards)
    return _shared_scores(X_new, fitted.coef_, fitted.intercept_)


def _shared_design(X: Floats, actions: Ints, count: int) -> Any:
    """Return the context and the one-hot action of each round, sparse."""
    from scipy.sparse import csr_matrix, hstack

    places = (np.arange(len(actions)), actions)
    one_hot = csr_matrix((np.ones(len(actions)), places), shape=(len(actions), count))
    return hstack([csr_matrix(X), one_hot]).tocsr()


def _shared_scores(X_new: Floats, weights: Floats, intercept: float) -> Floats:
    """Return the linear score of every action, shape (n, actions)."""
    of_context, of_action = np.split(weights, [X_new.shape[1]])
    scores: Floats = (X_new @ of_context + intercept)[:, np.newaxis] + of_action
    return scores


def _boosting(X: Floats, actions: Ints, rewards: Floats, X_new: Floats, count: int, seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    # scikit-learn allows at most 255 categories; with more actions their number is an ordinary feature.
    categories = [X.shape[1]] if count <= 255 else None
    learner: Any = HistGradientBoostingRegressor(
        max_iter=100, max_leaf_nodes=15, categorical_features=categories, early_stopping=False, random_state=seed
    )
    learner.fit(np.column_stack([X, actions]), rewards)
    predicted = np.empty((len(X_new), count))
    for some in np.array_split(np.arange(count), min(count, 1 + len(X_new) * count // AT_ONCE)):
        rows = np.column_stack([np.tile(X_new, (len(some), 1)), np.repeat(some, len(X_new))])
        predicted[:, some] = learner.predict(rows).reshape(len(some), len(X_new)).T
    return predicted


FITTERS: Final[Mapping[str, Callable[[Floats, Ints, Floats, Floats, int, int], Floats]]] = MappingProxyType(
    {
        "ridge": _ridge,
        "logistic": _logistic,
        "logistic-shared": _logistic_shared,
        "ridge-shared": _ridge_shared,
        "boosting": _boosting,
    }
)
SHARED: Final = "shared"
KINDS: Final = (*FITTERS, SHARED)


FOLDS = 5
# Inverse penalties to try, the strongest penalty first, after a model that ignores the context.
STRENGTHS = (1e-2, 1e-1, 1.0, 10.0)
# Share of the uniform policy in every estimate, so that no probability is 0.
UNIFORM_SHARE = 1e-3


def fit_propensities(log: Log, seed: int = 0, folds: int = FOLDS) -> Floats:
    """Return estimated probabilities of every action under the logging policy, shape (n, actions), rows summing to 1.

    A multinomial logistic regression on the standardised context with a quadratic penalty, cross-fitted. Penalties are
    tried from the strongest on, which predicts the shares of the actions whatever the context, until the log loss on
    the left-out parts rises; the last one before is used. A weaker penalty would drive the probabilities of some chosen
    actions towards 0, and their weights would explode. Actions that do not occur in the other parts share the
    probability of unseen actions: the share of actions that occur once (Good 1953, "The population frequencies of
    species and the estimation of population parameters"). Rewards and the propensities of the log are not used.

    Parameters
    ----------
    log
        The log; without contexts the shares of the actions are estimated.
    seed
        Seed of the parts.
    folds
        Number of parts of the log, at least 2; each is predicted by a model fitted on the others.

    Raises
    ------
    UsageError
        Too few rounds for the folds.
    """
    contexts, rows = standardised(log), np.arange(len(log.actions))
    parts = [
        _Part(contexts[train], log.actions[train], contexts[test], test, log.target.shape[1])
        for train, test in folds_of(len(log.actions), folds, seed)
    ]
    least = np.inf
    best: Floats = np.empty(log.target.shape)
    for strength in (0.0, *STRENGTHS):
        chances = np.empty(log.target.shape)
        for part in parts:
            chances[part.rows] = part.chances(strength)
        loss = -float(np.log(chances[rows, log.actions]).mean())
        if loss >= least:
            break
        best, least = chances, loss
    return best


def with_propensities(log: Log, logging: Floats) -> Log:
    """Return the log with the probabilities of another logging policy, shape (n, actions)."""
    return replace(log, logging=logging, propensities=logging[np.arange(len(log.actions)), log.actions])


class _Part:
    """A left-out part and the regression that predicts it; each fit starts from the result of the one before."""

    def __init__(self, X: Floats, actions: Ints, X_new: Floats, rows: Ints, count: int) -> None:
        from sklearn.linear_model import LogisticRegression

        self.rows = rows
        self._data = X, actions, X_new
        self._times = np.bincount(actions, minlength=count)
        self._regression: Any = LogisticRegression(max_iter=1000, warm_start=True)
        # The first fit starts from the shares of the actions, which saves most of its steps if there are many actions.
        taken = self._times[self._times > 0]
        if len(taken) > 2:
            self._regression.coef_ = np.zeros((len(taken), X.shape[1]))
            self._regression.intercept_ = np.log(taken / taken.sum())

    def chances(self, strength: float) -> Floats:
        """Return probabilities of all actions in the left-out rounds, shape (rounds, actions)."""
        count, total = len(self._times), self._times.sum()
        seen, unseen = np.flatnonzero(self._times), np.flatnonzero(self._times == 0)
        chances = np.empty((len(self.rows), count))
        chances[:, seen] = self._seen(strength) if strength and len(seen) > 1 else self._times[seen] / total
        if len(unseen):
            missing = max(int((self._times == 1).sum()), 1) / (total + 1)
            chances[:, seen] *= 1 - missing
            chances[:, unseen] = missing / len(unseen)
        mixed: Floats = (1 - UNIFORM_SHARE) * chances + UNIFORM_SHARE / count
        mixed /= mixed.sum(axis=1, keepdims=True)
        return mixed

    def _seen(self, strength: float) -> Floats:
        X, actions, X_new = self._data
        with warnings.catch_warnings():
            # With many actions and few rounds scikit-learn warns that the target looks like a regression's.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            self._regression.set_params(C=strength).fit(X, actions)
        predicted: Floats = self._regression.predict_proba(X_new)
        return predicted
