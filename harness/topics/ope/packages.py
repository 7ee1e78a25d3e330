"""Estimators and intervals of Open Bandit Pipeline (obp)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.topics.ope.coverage import task
from harness.topics.ope.direct import MODELS, fitter
from harness.topics.ope.evaluation import MODEL, estimator, real, value
from harness.topics.ope.intervals import DRAWS, NEEDS
from harness.topics.ope.selection import selection
from harness.topics.ope.worlds import ENGINE

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem
    from harness.declare.values import StrategyFunction

OBP = ("obp.ope", f"{ENGINE}.obp_examples")
PLAIN = "obp 0.4.1, the last version that pip installs together with numpy 2; a new object for each log."
MODELLED = (
    f"{PLAIN} Its reward model is the same as that of the other strategies; model=obp-logistic and model=obp-boosting "
    "fit the models of obp's examples, in three folds."
)
# obp 0.4.1 does not tune these; they are the central values of what its later examples try.
TAU, SHRINKAGE = 10.0, 100.0


def _replayed(problem: Problem, phase: PhaseClock, name: str, model: str = "", **options: float) -> Any:
    from harness.topics.ope.engine import obp_examples
    from harness.topics.ope.engine.replay import replay

    return replay(
        problem,
        phase,
        lambda log, fitted: obp_examples.estimate(name, log, fitted, **options),
        fit=fitter(model) if model else None,
    )


@estimator("obp-ips", needs=OBP, note=PLAIN)
def obp_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Average weighted rewards, with obp."""
    return _replayed(problem, phase, "ips")


@estimator("obp-snips", needs=OBP, note=PLAIN)
def obp_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Divide the sum of weighted rewards by the sum of the weights, with obp."""
    return _replayed(problem, phase, "snips")


def _modelled(name: str, **real_only: Any) -> Callable[[StrategyFunction], StrategyFunction]:
    """Register in all tasks; `real_only` arguments such as a sweep apply to real data, where figures are published."""

    def register(function: StrategyFunction) -> StrategyFunction:
        needs = (*OBP, *MODELS)
        estimator(f"obp-{name}", needs=needs, note=MODELLED, tasks=(value, selection))(function)
        return estimator(f"obp-{name}", needs=needs, note=MODELLED, tasks=(real,), **real_only)(function)

    return register


@_modelled("dm", sweep={"model": ["obp-logistic", "obp-boosting"]})
def obp_dm(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Average the rewards that a model predicts for the target policy, with obp."""
    return _replayed(problem, phase, "dm", model)


@_modelled("dr", sweep={"model": ["obp-boosting"]})
def obp_dr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Correct a reward model by its weighted residuals, with obp."""
    return _replayed(problem, phase, "dr", model)


@_modelled("sndr")
def obp_sndr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Correct a reward model by its weighted residuals, divided by the sum of the weights, with obp."""
    return _replayed(problem, phase, "sndr", model)


@_modelled("switch-dr")
def obp_switch_dr(problem: Problem, phase: PhaseClock, model: str = MODEL, tau: float = TAU) -> Any:
    """Correct a reward model where the weight is at most tau, with obp."""
    return _replayed(problem, phase, "switch-dr", model, tau=tau)


@_modelled("dr-os")
def obp_dr_os(problem: Problem, phase: PhaseClock, model: str = MODEL, lam: float = SHRINKAGE) -> Any:
    """Correct a reward model with shrunk weights, with obp."""
    return _replayed(problem, phase, "dr-os", model, lambda_=lam)


def _interval(problem: Problem, phase: PhaseClock, name: str) -> Any:
    from harness.topics.ope.engine.intervals import interval
    from harness.topics.ope.engine.replay import replay

    return replay(
        problem, phase, lambda log, _model: interval(log, "obp", estimator=name, seed=problem.seed % 2**32, draws=DRAWS)
    )


@task.strategy("obp-ips", needs=(*NEEDS, "obp.ope"), note=PLAIN)
def obp_ips_interval(problem: Problem, phase: PhaseClock) -> Any:
    """Use obp's bootstrap of the mean of weighted rewards."""
    return _interval(problem, phase, "ips")


@task.strategy("obp-snips", needs=(*NEEDS, "obp.ope"), note=f"{PLAIN} It does not resample the sum of the weights.")
def obp_snips_interval(problem: Problem, phase: PhaseClock) -> Any:
    """Use obp's bootstrap of weighted rewards divided by the mean weight of the log."""
    return _interval(problem, phase, "snips")
