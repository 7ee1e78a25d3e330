"""Ways to an interval, on the estimators that they are known for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.topics.ope.coverage import task
from harness.topics.ope.direct import MODELS, fitter
from harness.topics.ope.evaluation import MODEL
from harness.topics.ope.worlds import COMPILED, ENGINE

if TYPE_CHECKING:
    from harness.declare import PhaseClock, Problem

NEEDS = (f"{ENGINE}.intervals", f"{ENGINE}.replay", *COMPILED)
GUARANTEED = "Holds at any number of rounds, if the log states true propensities and the range of rewards."
DRAWS = 1_000  # of a bootstrap


def _replayed(problem: Problem, phase: PhaseClock, kind: str, estimator: str, fit: Any = None) -> Any:
    from harness.topics.ope.engine.intervals import interval
    from harness.topics.ope.engine.replay import replay

    return replay(
        problem,
        phase,
        lambda log, model: interval(log, kind, estimator=estimator, model=model, seed=problem.seed, draws=DRAWS),
        fit=fit,
    )


@task.strategy("normal-ips", needs=NEEDS)
def normal_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Take 1.96 standard errors of the mean of weighted rewards."""
    return _replayed(problem, phase, "normal", "ips")


@task.strategy("normal-snips", needs=NEEDS)
def normal_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Take 1.96 standard errors of the ratio, by the delta method."""
    return _replayed(problem, phase, "normal", "snips")


@task.strategy("normal-mips", needs=NEEDS)
def normal_mips(problem: Problem, phase: PhaseClock) -> Any:
    """Take 1.96 standard errors of the mean of rewards weighted by the kind of action."""
    return _replayed(problem, phase, "normal", "mips")


@task.strategy("normal-dr", needs=(*NEEDS, *MODELS))
def normal_dr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Take 1.96 standard errors of the corrected model, fitted in two folds."""
    return _replayed(problem, phase, "normal", "dr", fitter(model))


@task.strategy("bootstrap-ips", needs=NEEDS)
def bootstrap_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Take percentiles of the estimate over 1,000 resamples of the rounds."""
    return _replayed(problem, phase, "bootstrap", "ips")


@task.strategy("bootstrap-snips", needs=NEEDS)
def bootstrap_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Take percentiles of the ratio over 1,000 resamples of the rounds."""
    return _replayed(problem, phase, "bootstrap", "snips")


@task.strategy("bootstrap-dr", needs=(*NEEDS, *MODELS), note="The model is not fitted anew in a resample.")
def bootstrap_dr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Take percentiles of the corrected model over 1,000 resamples of the rounds."""
    return _replayed(problem, phase, "bootstrap", "dr", fitter(model))


@task.strategy("poisson-ips", needs=NEEDS)
def poisson_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Take percentiles over 1,000 resamples in which each round counts a Poisson number of times."""
    return _replayed(problem, phase, "poisson", "ips")


@task.strategy("poisson-snips", needs=NEEDS)
def poisson_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Take percentiles of the ratio over 1,000 resamples in which each round counts a Poisson number of times."""
    return _replayed(problem, phase, "poisson", "snips")


@task.strategy("hoeffding-ips", needs=NEEDS, note=GUARANTEED)
def hoeffding_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Bound the mean of weighted rewards by their largest possible size."""
    return _replayed(problem, phase, "hoeffding", "ips")


@task.strategy("bernstein-ips", needs=NEEDS, note=GUARANTEED)
def bernstein_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Bound the mean of weighted rewards by their largest possible size and their variance in the log."""
    return _replayed(problem, phase, "bernstein", "ips")


@task.strategy("betting-ips", needs=NEEDS, note=GUARANTEED)
def betting_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Keep the values against which no gambler has grown rich."""
    return _replayed(problem, phase, "betting", "ips")


@task.strategy("betting-mips", needs=NEEDS, note=GUARANTEED)
def betting_mips(problem: Problem, phase: PhaseClock) -> Any:
    """Keep the values against which no gambler has grown rich, with rewards weighted by the kind of action."""
    return _replayed(problem, phase, "betting", "mips")
