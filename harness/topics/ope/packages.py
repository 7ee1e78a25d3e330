"""Estimators and intervals of Open Bandit Pipeline (obp)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.ope import topic
from harness.topics.ope.direct import MODELS, fitter
from harness.topics.ope.evaluation import ESTIMATION, MODEL, TASKS, real, selection, value
from harness.topics.ope.intervals import DRAWS, NEEDS
from harness.topics.ope.intervals import TASKS as INTERVALS
from harness.topics.ope.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

OBP = ("obp.ope", f"{ENGINE}.obp")
PLAIN = "obp 0.4.1, the last version that pip installs together with numpy 2; a new object for each log."
MODELLED = (
    f"{PLAIN} Its reward model is the same as that of the other strategies; model=obp-logistic and model=obp-boosting "
    "fit the models of obp's examples, in three folds."
)
MODELLED_NEEDS = (*ESTIMATION, *OBP, *MODELS)
# obp 0.4.1 does not tune these; they are the central values of what its later examples try.
TAU, SHRINKAGE = 10.0, 100.0


def _replayed(problem: Problem, phase: PhaseClock, name: str, model: str = "", **options: float) -> Any:
    from harness.topics.ope.engine import obp
    from harness.topics.ope.engine.replay import replay

    return replay(
        problem,
        phase,
        lambda log, fitted: obp.estimate(name, log, fitted, **options),
        fit=fitter(model) if model else None,
    )


@topic.strategy("obp-ips", tasks=TASKS, needs=(*ESTIMATION, *OBP), note=PLAIN)
def obp_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Average weighted rewards, with obp."""
    return _replayed(problem, phase, "ips")


@topic.strategy("obp-snips", tasks=TASKS, needs=(*ESTIMATION, *OBP), note=PLAIN)
def obp_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Divide the sum of weighted rewards by the sum of the weights, with obp."""
    return _replayed(problem, phase, "snips")


# What is swept is swept on measured data alone, where figures are published.
@topic.strategy(
    "obp-dm",
    tasks=[real],
    needs=MODELLED_NEEDS,
    sweep={"model": ["obp-logistic", "obp-boosting"]},
    note=MODELLED,
)
@topic.strategy("obp-dm", tasks=[value, selection], needs=MODELLED_NEEDS, note=MODELLED)
def obp_dm(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Average the rewards that a model predicts for the target policy, with obp."""
    return _replayed(problem, phase, "dm", model)


@topic.strategy(
    "obp-dr",
    tasks=[real],
    needs=MODELLED_NEEDS,
    sweep={"model": ["obp-boosting"]},
    note=MODELLED,
)
@topic.strategy("obp-dr", tasks=[value, selection], needs=MODELLED_NEEDS, note=MODELLED)
def obp_dr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Correct a reward model by its weighted residuals, with obp."""
    return _replayed(problem, phase, "dr", model)


@topic.strategy("obp-sndr", tasks=TASKS, needs=MODELLED_NEEDS, note=MODELLED)
def obp_sndr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Correct a reward model by its weighted residuals, divided by the sum of the weights, with obp."""
    return _replayed(problem, phase, "sndr", model)


@topic.strategy("obp-switch-dr", tasks=TASKS, needs=MODELLED_NEEDS, note=MODELLED)
def obp_switch_dr(problem: Problem, phase: PhaseClock, model: str = MODEL, tau: float = TAU) -> Any:
    """Correct a reward model where the weight is at most tau, with obp."""
    return _replayed(problem, phase, "switch-dr", model, tau=tau)


@topic.strategy("obp-dr-os", tasks=TASKS, needs=MODELLED_NEEDS, note=MODELLED)
def obp_dr_os(problem: Problem, phase: PhaseClock, model: str = MODEL, lam: float = SHRINKAGE) -> Any:
    """Correct a reward model with shrunk weights, with obp."""
    return _replayed(problem, phase, "dr-os", model, lambda_=lam)


def _interval(problem: Problem, phase: PhaseClock, name: str) -> Any:
    from harness.topics.ope.engine.intervals import interval
    from harness.topics.ope.engine.replay import replay

    return replay(
        problem, phase, lambda log, _model: interval(log, "obp", estimator=name, seed=problem.seed % 2**32, draws=DRAWS)
    )


@topic.strategy("obp-ips", tasks=INTERVALS, needs=(*NEEDS, "obp.ope"), note=PLAIN)
def obp_ips_interval(problem: Problem, phase: PhaseClock) -> Any:
    """Use obp's bootstrap of the mean of weighted rewards."""
    return _interval(problem, phase, "ips")


@topic.strategy(
    "obp-snips",
    tasks=INTERVALS,
    needs=(*NEEDS, "obp.ope"),
    note=f"{PLAIN} It does not resample the sum of the weights.",
)
def obp_snips_interval(problem: Problem, phase: PhaseClock) -> Any:
    """Use obp's bootstrap of weighted rewards divided by the mean weight of the log."""
    return _interval(problem, phase, "snips")
