"""The direct method: a reward model alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.ope import topic
from harness.topics.ope.evaluation import ESTIMATION, MODEL, TASKS
from harness.topics.ope.worlds import ENGINE

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem
    from harness.topics.ope.engine.replay import Fit

MODELS = (
    f"{ENGINE}.models",
    f"{ENGINE}.obp_examples",
    "scipy.sparse",
    "scipy.special",
    "sklearn.ensemble",
    "sklearn.linear_model",
)
OBP_KIND = "obp-"  # begins the kinds of model that are obp's


@topic.strategy("dm", tasks=TASKS, needs=(*ESTIMATION, *MODELS), sweep={"model": ["logistic", "boosting"]})
def dm(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Average what a reward model says that the target policy would earn."""
    from harness.topics.ope.engine import estimators
    from harness.topics.ope.engine.replay import replay

    return replay(problem, phase, lambda log, fitted: estimators.dm(log, fitted).value, fit=fitter(model))


def fitter(kind: str) -> Fit:
    """Return what fits a kind of reward model: one of `engine.models.fit_model`, ``obp-logistic`` or ``obp-boosting``.

    No round is predicted by a model that was fitted on it: there are two folds, of obp's own models three.
    """
    from harness.topics.ope.engine import models, obp_examples

    if kind.startswith(OBP_KIND):
        return lambda log, _seed: obp_examples.fit(log, kind.removeprefix(OBP_KIND))
    return lambda log, seed: models.fit_model(log, kind=kind, seed=seed)
