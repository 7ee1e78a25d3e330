"""Open Bandit Pipeline (obp): reward model and estimators as its examples use them, and its intervals.

The intervals are those of 0.4.1, without corrections. Its bootstrap resamples r w / mean(w), where the mean of the
weights is fixed. So the intervals of SNIPS and SNDR have the spread of IPS and DR, which is too wide for them (zr-obp,
issue 187).
"""

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


def obp_interval(
    log: Log,
    estimator: str,
    model: Floats | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
    draws: int = 1000,
    **options: float,
) -> tuple[float, float]:
    """Return the bootstrap interval of obp.

    Parameters
    ----------
    log, estimator, model
        The log; dm, ips, snips, dr, sndr, switch_dr or dr_os; estimated rewards of shape (n, actions).
    level, seed, draws
        Confidence, seed and number of draws of the bootstrap.
    **options
        tau of switch_dr, lam of dr_os; 1 by default.

    Raises
    ------
    UsageError
        obp 0.4.1 has no such estimator.
    """
    from obp import ope

    tau, lam = float(options.get("tau", 1.0)), float(options.get("lam", 1.0))
    # A new object each time: objects of obp that tune themselves reuse their first result.
    makers = {
        "dm": ope.DirectMethod,
        "ips": ope.InverseProbabilityWeighting,
        "snips": ope.SelfNormalizedInverseProbabilityWeighting,
        "dr": ope.DoublyRobust,
        "sndr": ope.SelfNormalizedDoublyRobust,
        "switch_dr": lambda: ope.SwitchDoublyRobust(tau=tau),
        "dr_os": lambda: ope.DoublyRobustWithShrinkage(lambda_=lam),
    }
    if estimator not in makers:
        raise UsageError(f"obp 0.4.1 has no interval for {estimator}; it has: {', '.join(makers)}")
    rewards = {} if model is None else {"estimated_rewards_by_reg_model": model[:, :, np.newaxis]}
    ends = makers[estimator]().estimate_interval(
        reward=log.rewards,
        action=log.actions,
        pscore=log.propensities,
        action_dist=log.target[:, :, np.newaxis],
        position=np.zeros(len(log.actions), dtype=np.int64),
        alpha=1 - level,
        n_bootstrap_samples=draws,
        random_state=seed,
        **rewards,
    )
    low, high = (next(float(value) for key, value in ends.items() if side in key) for side in ("lower", "upper"))
    return low, high
