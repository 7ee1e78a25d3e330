"""The direct method: a reward model alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.ope import topic
from harness.topics.ope.evaluation import ESTIMATION, MODEL, TASKS
from harness.topics.ope.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.ope.engine.replay import Fit

MODELS = (
    f"{ENGINE}.models",
    f"{ENGINE}.obp_examples",
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
    from harness.topics.ope.engine import models, obp_examples

    if kind.startswith(OBP_KIND):
        return lambda log, _seed: obp_examples.fit(log, kind.removeprefix(OBP_KIND))
    return lambda log, seed: models.fit_model(log, kind=kind, seed=seed)
