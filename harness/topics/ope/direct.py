"""Estimators with a reward model: the direct method is the model alone.

The doubly robust ones correct the model by its weighted residuals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.ope import topic
from harness.topics.ope.evaluation import ESTIMATION, MODEL, TASKS
from harness.topics.ope.weighting import ESTIMATED, PROPENSITIES, TUNING, estimated, tuned
from harness.topics.ope.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.ope.engine.replay import Fit


MODELS = (
    f"{ENGINE}.models",
    f"{ENGINE}.obp",
    "scipy.sparse",
    "scipy.special",
    "sklearn.ensemble",
    "sklearn.linear_model",
)
OBP_KIND = "obp-"  # prefix of the kinds of model that obp fits


@topic.strategy("dm", tasks=TASKS, needs=(*ESTIMATION, *MODELS), sweep={"model": ["logistic", "boosting"]})
def dm(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Average the rewards that a model predicts for the target policy."""
    from harness.topics.ope.engine import estimators
    from harness.topics.ope.engine.replay import replay

    return replay(problem, phase, lambda log, fitted: estimators.dm(log, fitted).value, fit=fitter(model))


def fitter(kind: str) -> Fit:
    """Return a function that fits a reward model: a kind of `engine.models.fit_model`, obp-logistic or obp-boosting.

    Models are cross-fitted, so no round is predicted by a model that was fitted on it: in two folds, obp's in three.
    """
    from harness.topics.ope.engine import models, obp

    if kind.startswith(OBP_KIND):
        return lambda log, _seed: obp.fit(log, kind.removeprefix(OBP_KIND))
    return lambda log, seed: models.fit_model(log, kind=kind, seed=seed)


def _replayed(problem: Problem, phase: PhaseClock, name: str, model: str, **options: float) -> Any:
    from harness.topics.ope.engine.estimators import ESTIMATORS
    from harness.topics.ope.engine.replay import replay

    estimate = ESTIMATORS[name]
    return replay(problem, phase, lambda log, fitted: estimate(log, fitted, **options).value, fit=fitter(model))


@topic.strategy("dr", tasks=TASKS, needs=(*ESTIMATION, *MODELS), sweep={"model": ["logistic", "boosting"]})
def dr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Correct a reward model by its weighted residuals."""
    return _replayed(problem, phase, "dr", model)


@topic.strategy("sndr", tasks=TASKS, needs=(*ESTIMATION, *MODELS))
def sndr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Correct a reward model by its weighted residuals, divided by the sum of the weights."""
    return _replayed(problem, phase, "sndr", model)


@topic.strategy("switch-dr", tasks=TASKS, needs=(*ESTIMATION, *MODELS), sweep={"tau": [2.0, 50.0]})
def switch_dr(problem: Problem, phase: PhaseClock, tau: float = 10.0, model: str = MODEL) -> Any:
    """Correct a reward model where the weight is at most tau, and use the model alone elsewhere."""
    return _replayed(problem, phase, "switch_dr", model, tau=tau)


@topic.strategy("switch-dr-tuned", tasks=TASKS, needs=(*ESTIMATION, *MODELS, TUNING), sweep={"by": ["bound"]})
def switch_dr_tuned(problem: Problem, phase: PhaseClock, by: str = "slope", model: str = MODEL) -> Any:
    """Like switch-dr, with the threshold tau chosen from the log."""
    return tuned(problem, phase, "switch_dr", by, fitter(model))


@topic.strategy("dr-os", tasks=TASKS, needs=(*ESTIMATION, *MODELS), sweep={"lam": [1.0, 1000.0]})
def dr_os(problem: Problem, phase: PhaseClock, lam: float = 100.0, model: str = MODEL) -> Any:
    """Correct a reward model with shrunk weights lam w / (w^2 + lam)."""
    return _replayed(problem, phase, "dr_os", model, lam=lam)


@topic.strategy("dr-os-tuned", tasks=TASKS, needs=(*ESTIMATION, *MODELS, TUNING), sweep={"by": ["bound"]})
def dr_os_tuned(problem: Problem, phase: PhaseClock, by: str = "slope", model: str = MODEL) -> Any:
    """Like dr-os, with lam chosen from the log."""
    return tuned(problem, phase, "dr_os", by, fitter(model))


@topic.strategy("dr-estimated", tasks=TASKS, needs=(*ESTIMATION, *MODELS, *PROPENSITIES), note=ESTIMATED)
def dr_estimated(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Correct a reward model by its residuals, weighted with propensities that are estimated from the log."""
    return estimated(problem, phase, "dr", fitter(model))
