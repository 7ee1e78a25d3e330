"""The intervals of Open Bandit Pipeline 0.4.1, without corrections.

Its bootstrap resamples r w / mean(w), where the mean of the weights is fixed. So the intervals of SNIPS and SNDR have
the spread of IPS and DR, which is too wide for them (zr-obp, issue 187).
"""

from __future__ import annotations

import numpy as np

from harness import UsageError
from harness.topics.ope.engine.log import Floats, Log


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
