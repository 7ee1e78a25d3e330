"""The reward model and the estimators of Open Bandit Pipeline (obp), as its examples use them."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import UsageError
from harness.errors import did_you_mean
from harness.topics.ope.engine.log import Floats, Log

FOLDS = 3
_SEED = 12345
NAMES = {
    "dm": "DirectMethod",
    "ips": "InverseProbabilityWeighting",
    "snips": "SelfNormalizedInverseProbabilityWeighting",
    "dr": "DoublyRobust",
    "sndr": "SelfNormalizedDoublyRobust",
    "switch-dr": "SwitchDoublyRobust",
    "dr-os": "DoublyRobustWithShrinkage",
}


def base_model(kind: str, rewards: Floats) -> Any:
    """Return the unfitted model of the examples (examples/multiclass/conf/hyperparams.yaml, version 0.5.2).

    Parameters
    ----------
    kind
        ``logistic`` or ``boosting``. Their example calls the latter lightgbm; it is scikit-learn's gradient boosting
        with 30 trees and a learning rate of 0.01, which shrinks all predictions towards the mean reward.
    rewards
        For rewards of 0 and 1 a classifier is returned, else the corresponding regression.

    Raises
    ------
    UsageError
        When there is no such kind.
    """
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    binary = bool(np.isin(rewards, (0.0, 1.0)).all())
    if kind == "logistic":
        return LogisticRegression(max_iter=10_000, C=100, random_state=_SEED) if binary else Ridge(alpha=0.01)
    if kind == "boosting":
        boosting = GradientBoostingClassifier if binary else GradientBoostingRegressor
        return boosting(n_estimators=30, learning_rate=0.01, max_depth=5, min_samples_leaf=10, random_state=_SEED)
    raise UsageError(f"obp's examples have no base model {kind!r}{did_you_mean(kind, ('logistic', 'boosting'))}")


def fit(log: Log, kind: str) -> Floats:
    """Fit obp's RegressionModel in three folds, as the examples do; shape (n, actions).

    An action enters with its features if it has several, as in the example of the Open Bandit Dataset, else with an
    indicator, as in the example of the digits.

    Raises
    ------
    UsageError
        When the log has no contexts, or there is no such kind.
    """
    from obp.ope import RegressionModel

    if log.contexts is None:
        raise UsageError("obp's reward model needs contexts: this log has none")
    model = RegressionModel(
        n_actions=log.target.shape[1],
        base_model=base_model(kind, log.rewards),
        action_context=log.embeddings if log.embeddings is not None and log.embeddings.shape[1] > 1 else None,
    )
    fitted: Floats = model.fit_predict(
        context=log.contexts, action=log.actions, reward=log.rewards, n_folds=FOLDS, random_state=_SEED
    )
    return fitted[:, :, 0]


def estimate(name: str, log: Log, model: Floats | None, **options: float) -> float:
    """Estimate the value of the target policy with a new estimator object of obp.

    Parameters
    ----------
    name
        One of `NAMES`.
    """
    from obp import ope

    estimator = getattr(ope, NAMES[name])(**options)
    fitted = {} if model is None else {"estimated_rewards_by_reg_model": model[:, :, None]}
    value: float = estimator.estimate_policy_value(
        reward=log.rewards,
        action=log.actions,
        pscore=log.propensities,
        action_dist=log.target[:, :, None],
        position=np.zeros(len(log.actions), dtype=int),
        **fitted,
    )
    return float(value)
