"""Propensities estimated from the log's contexts and actions, cross-fitted."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from harness.topics.ope.engine.log import Floats, Ints, Log
from harness.topics.ope.engine.models import folds_of, standardised

FOLDS = 5
# Inverse penalties that are tried, the strongest penalty first, after a regression that sees nothing of the context.
STRENGTHS = (1e-2, 1e-1, 1.0, 10.0)
# What probabilities are mixed with so that none is 0.
UNIFORM_SHARE = 1e-3


def fit_propensities(log: Log, seed: int = 0, folds: int = FOLDS) -> Floats:
    """Return estimated probabilities of every action under the logging policy, shape (n, actions), rows summing to 1.

    A multinomial logistic regression on the standardised context with a quadratic penalty, cross-fitted. The penalty is
    the one with the least log loss on actions of the parts left out: from the strongest on, which leaves the shares of
    the actions alone, until the loss rises. A weaker one drives probabilities of actions that were taken towards 0, and
    weights without bound. Actions that the other parts do not hold share the probability of what is unseen: the share
    of actions seen once (Good 1953, "The population frequencies of species and the estimation of population
    parameters"). Neither rewards nor the log's own propensities are used.

    Parameters
    ----------
    log
        The log; without contexts the shares of the actions are estimated.
    seed
        Of the parts.
    folds
        Parts of the log, at least 2; each is predicted by a model of the others.

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
    """Return the log as if the logging policy were the one given, shape (n, actions)."""
    return replace(log, logging=logging, propensities=logging[np.arange(len(log.actions)), log.actions])


class _Part:
    """Rounds left out, and the regression on the others that predicts them; each fit starts from the one before."""

    def __init__(self, X: Floats, actions: Ints, X_new: Floats, rows: Ints, count: int) -> None:
        from sklearn.linear_model import LogisticRegression

        self.rows = rows
        self._data = X, actions, X_new
        self._times = np.bincount(actions, minlength=count)
        self._regression: Any = LogisticRegression(max_iter=1000, warm_start=True)
        # The first fit starts from the shares of the actions, which saves most of its steps where actions are many.
        taken = self._times[self._times > 0]
        if len(taken) > 2:
            self._regression.coef_ = np.zeros((len(taken), X.shape[1]))
            self._regression.intercept_ = np.log(taken / taken.sum())

    def chances(self, strength: float) -> Floats:
        """Return probabilities of all actions in the rounds left out, shape (rounds, actions)."""
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
            # Many actions for few rounds look like a regression to scikit-learn.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            self._regression.set_params(C=strength).fit(X, actions)
        predicted: Floats = self._regression.predict_proba(X_new)
        return predicted
