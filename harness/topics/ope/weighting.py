"""Importance weighting: rewards of the log, weighted by the ratio of target to logging probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.ope import topic
from harness.topics.ope.evaluation import ESTIMATION, TASKS
from harness.topics.ope.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

TUNING = f"{ENGINE}.tuning"
PROPENSITIES = (f"{ENGINE}.models", "sklearn.linear_model")
ESTIMATED = (
    "Does not use the propensities of the log: a cross-fitted logistic regression estimates them in the phase fit. If "
    "it cannot learn the policy, weights are biased. On the digits it estimates 0.27 where 0.46 is true, and the mean "
    "weight is 1.5 instead of 1; that biases ips and dr, snips much less."
)


def _replayed(problem: Problem, phase: PhaseClock, name: str, **options: float) -> Any:
    from harness.topics.ope.engine.estimators import ESTIMATORS
    from harness.topics.ope.engine.replay import replay

    estimate = ESTIMATORS[name]
    return replay(problem, phase, lambda log, _model: estimate(log, **options).value)


@topic.strategy("ips", tasks=TASKS, needs=ESTIMATION)
def ips(problem: Problem, phase: PhaseClock) -> Any:
    """Average weighted rewards."""
    return _replayed(problem, phase, "ips")


@topic.strategy("snips", tasks=TASKS, needs=ESTIMATION)
def snips(problem: Problem, phase: PhaseClock) -> Any:
    """Divide the sum of weighted rewards by the sum of the weights."""
    return _replayed(problem, phase, "snips")


@topic.strategy("clipped-ips", tasks=TASKS, needs=ESTIMATION, sweep={"clip": [2.0, 50.0]})
def clipped_ips(problem: Problem, phase: PhaseClock, clip: float = 10.0) -> Any:
    """Average weighted rewards, with weights clipped at a bound."""
    return _replayed(problem, phase, "clipped_ips", clip=clip)


@topic.strategy("clipped-ips-tuned", tasks=TASKS, needs=(*ESTIMATION, TUNING), sweep={"by": ["bound"]})
def clipped_ips_tuned(problem: Problem, phase: PhaseClock, by: str = "slope") -> Any:
    """Like clipped-ips, with the bound chosen from the log."""
    return tuned(problem, phase, "clipped_ips", by)


@topic.strategy("sub-gaussian-ips", tasks=TASKS, needs=ESTIMATION, sweep={"lam": [0.01, 0.2]})
def sub_gaussian_ips(problem: Problem, phase: PhaseClock, lam: float = 0.05) -> Any:
    """Average rewards with the weights w / (1 - lam + lam w)."""
    return _replayed(problem, phase, "sub_gaussian_ips", lam=lam)


@topic.strategy(
    "mips",
    tasks=TASKS,
    needs=ESTIMATION,
    note="Needs features of the actions, and is right only if rewards depend on an action through them alone. On the "
    "digits the only feature of an action is its number.",
)
def mips(problem: Problem, phase: PhaseClock) -> Any:
    """Average rewards weighted by the probability ratio of the action's features instead of the action."""
    return _replayed(problem, phase, "mips")


@topic.strategy("ips-estimated", tasks=TASKS, needs=(*ESTIMATION, *PROPENSITIES), note=ESTIMATED)
def ips_estimated(problem: Problem, phase: PhaseClock) -> Any:
    """Average weighted rewards, with propensities that are estimated from the log."""
    return estimated(problem, phase, "ips")


@topic.strategy("snips-estimated", tasks=TASKS, needs=(*ESTIMATION, *PROPENSITIES), note=ESTIMATED)
def snips_estimated(problem: Problem, phase: PhaseClock) -> Any:
    """Divide by the sum of the weights, with propensities that are estimated from the log."""
    return estimated(problem, phase, "snips")


def estimated(problem: Problem, phase: PhaseClock, name: str, fit: Any = None) -> Any:
    """Run an estimator with propensities that are estimated from the log."""
    from harness.topics.ope.engine.estimators import ESTIMATORS
    from harness.topics.ope.engine.models import fit_propensities, with_propensities
    from harness.topics.ope.engine.replay import replay

    estimate = ESTIMATORS[name]
    return replay(
        problem,
        phase,
        lambda log, model: estimate(log, model).value,
        fit=fit,
        prepare=lambda log, seed: with_propensities(log, fit_propensities(log, seed=seed)),
    )


def tuned(problem: Problem, phase: PhaseClock, name: str, by: str, fit: Any = None) -> Any:
    """Run an estimator with options chosen from the log; choosing them is part of the phase ``estimate``."""
    from harness.topics.ope.engine.estimators import ESTIMATORS
    from harness.topics.ope.engine.replay import replay
    from harness.topics.ope.engine.tuning import tune

    estimate = ESTIMATORS[name]
    return replay(
        problem, phase, lambda log, model: estimate(log, model, **tune(log, model, name, by=by)).value, fit=fit
    )
