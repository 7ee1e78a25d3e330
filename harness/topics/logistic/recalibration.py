"""The task recalibration: the world of a deployed model has changed, and a few new rows must repair it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness import Chart, Dataset, Generator, Judgement, Param, Profile, Scalar, Takes
from harness.topics._shared.binary import FIGURES
from harness.topics.logistic import topic
from harness.topics.logistic.calibration import IMPROVED, MODELS, SCORES

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.logistic.engine.updating import Aged, Deployed

Floats = npt.NDArray[np.float64]
UPDATING = "harness.topics.logistic.engine.updating"
NEEDS = (UPDATING, *MODELS)
OVER_TIME = Chart(
    "over_time",
    title="Calibration over time",
    x="tenth of the test rows, in time",
    y="observed / expected events",
    reading="At 1 the expected number of events is right; above it, events are more frequent than predicted. The band "
    "is the exact 95 % interval.",
)
CHANGED = {
    "rows": Param(20_000, low=40, high=1_000_000, summary="rows of the model; of a table, half of all rows"),
    "points": Param(500, low=10, high=100_000, summary="new rows"),
    "shift": Param(0.5, low=0.0, high=1.0, summary="size of the change of generated data"),
}


def _changed(kind: str) -> Callable[[Mapping[str, Scalar], Generator], Aged]:
    def load(params: Mapping[str, Scalar], rng: Generator) -> Aged:
        from harness.topics.logistic.engine.updating import generated

        return generated(kind, params, rng)

    return load


def _dataset(name: str, kind: str, summary: str) -> Dataset:
    return Dataset(name, _changed(kind), summary, CHANGED, needs=(UPDATING,))


def _prepare(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Aged:
    from harness.topics.logistic.engine.updating import of_table

    return of_table(data, params, rng)


def _view(data: Aged) -> Deployed:
    return data.deployed


def _judge(data: Aged, output: Any) -> Judgement:
    from harness.topics.logistic.engine.updating import judge

    return judge(data, output)


recalibration = topic.task(
    "recalibration",
    title="Repairing a deployed model with a few new rows",
    datasets=[
        _dataset("intercept-shift", "intercept", "The log odds of all rows rise by shift."),
        _dataset("slope-shift", "slope", "All effects shrink by the factor 1 - shift."),
        _dataset("coefficient-shift", "coefficients", "Half of the effects shrink by it and change their sign."),
        _dataset("unchanged", "none", "Nothing changes."),
        "nass-cds",
        "flights",
    ],
    takes=Takes("table", targets=("binary",), prepare=_prepare),
    phases=["update"],
    metrics=[*SCORES, IMPROVED],
    judge=_judge,
    view=_view,
    params=CHANGED,
    sweep={"points": [100, 5_000]},
    reference="none",
    baseline="prior",
    charts=[*FIGURES, OVER_TIME],
    quick=Profile(
        5,
        {"rows": 2_000},
        datasets=("intercept-shift",),
        strategies=("none", "prior", "intercept", "refit"),
    ),
    full=Profile(10, sweeps=True),
)


def _updated(problem: Problem, phase: PhaseClock, update: Callable[[Deployed], Floats]) -> Floats:
    for _ in phase("update"):
        output = update(problem.data)
    return output


@recalibration.strategy("none", needs=NEEDS)
def none(problem: Problem, phase: PhaseClock) -> Floats:
    """Leave the model as it is."""
    return _updated(problem, phase, lambda data: data.scored.test)


@recalibration.strategy("prior", needs=NEEDS, note="Looks at no feature.")
def prior(problem: Problem, phase: PhaseClock) -> Floats:
    """Predict the event rate of the new rows for every row."""
    return _updated(problem, phase, lambda data: np.full(len(data.test), data.update.y.mean(), dtype=np.float64))


@recalibration.strategy("intercept", needs=NEEDS)
def intercept(problem: Problem, phase: PhaseClock) -> Floats:
    """Shift the log odds by one number fitted on the new rows."""
    from harness.topics.logistic.engine import updating

    return _updated(problem, phase, updating.intercept)


@recalibration.strategy("intercept-slope", needs=NEEDS)
def intercept_slope(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit an intercept and a slope of the log odds on the new rows: logistic recalibration (Cox 1958)."""
    from harness.topics.logistic.engine import updating

    return _updated(problem, phase, updating.line)


@recalibration.strategy("refit", needs=NEEDS)
def refit(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit all coefficients anew on the new rows alone."""
    from harness.topics.logistic.engine import updating

    return _updated(problem, phase, lambda data: updating.refit(data, old=False))


@recalibration.strategy("refit-all", needs=NEEDS, note="Keeps the rows that the model was fitted on.")
def refit_all(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit all coefficients anew on the old and the new rows together."""
    from harness.topics.logistic.engine import updating

    return _updated(problem, phase, lambda data: updating.refit(data, old=True))


@recalibration.strategy("closed-test", needs=NEEDS)
def closed_test(problem: Problem, phase: PhaseClock) -> Floats:
    """Use the least update that the new rows do not reject (Vergouwe et al. 2017)."""
    from harness.topics.logistic.engine import updating

    return _updated(problem, phase, updating.closed_test)
