"""Propensities estimated from the log's contexts and actions, cross-fitted."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from harness.topics.ope.engine.log import Floats, Ints, Log
from harness.topics.ope.engine.models import folds_of, standardised

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
