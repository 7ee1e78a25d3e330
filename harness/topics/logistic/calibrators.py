"""Calibrators of the tasks calibration and calibration-known: maps from a model's scores to probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.topics.logistic import topic
from harness.topics.logistic.calibration import ENGINE, MODELS, SCORED, TASKS

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.logistic.engine.scored import Scored

Floats = npt.NDArray[np.float64]
NEEDS = (f"{ENGINE}.calibrators", f"{ENGINE}.judge_calibration", SCORED, *MODELS)


def _calibrated(problem: Problem, phase: PhaseClock, fit: Callable[..., Any]) -> Floats:
    """Fit a calibrator on the calibration set, and apply it to the scores of the test set."""
    data: Scored = problem.data
    for _ in phase("fit"):
        calibrate = fit(data.scores, data.labels)
    for _ in phase("predict"):
        output: Floats = calibrate(data.test)
    return output


@topic.strategy("none", tasks=TASKS, needs=NEEDS)
def none(problem: Problem, phase: PhaseClock) -> Floats:
    """Take the scores of the model as they are."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, calibrators.identity)


@topic.strategy("prior", tasks=TASKS, needs=NEEDS, note="Looks at no score.")
def prior(problem: Problem, phase: PhaseClock) -> Floats:
    """Predict the event rate of the calibration set for every row."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, calibrators.prior)


@topic.strategy("platt", tasks=TASKS, needs=NEEDS)
def platt(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit a sigmoid of the log odds to smoothed targets: two numbers (Platt 1999)."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, calibrators.platt)


@topic.strategy("temperature", tasks=TASKS, needs=NEEDS)
def temperature(problem: Problem, phase: PhaseClock) -> Floats:
    """Divide the log odds by one number (Guo et al. 2017)."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, calibrators.temperature)


@topic.strategy("histogram", tasks=TASKS, needs=NEEDS, sweep={"bins": [5, 50]})
def histogram(problem: Problem, phase: PhaseClock, bins: int = 15) -> Floats:
    """Predict the event rate of the score's bin, with bins of equal mass (Zadrozny & Elkan 2001)."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, partial(calibrators.histogram, bins=bins))


@topic.strategy("isotonic", tasks=TASKS, needs=(*NEEDS, "sklearn.isotonic"))
def isotonic(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit a non-decreasing function (Zadrozny & Elkan 2002)."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, calibrators.isotonic)


@topic.strategy("beta", tasks=TASKS, needs=(*NEEDS, "betacal"))
def beta(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit three numbers to log(p) and log(1 - p), which bend both ends on their own (Kull et al. 2017)."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, calibrators.beta)


@topic.strategy("venn-abers", tasks=TASKS, needs=(*NEEDS, "venn_abers"))
def venn_abers(problem: Problem, phase: PhaseClock) -> Floats:
    """Merge two isotonic fits, one with the new row as a 0 and one as a 1 (Vovk et al. 2015)."""
    from harness.topics.logistic.engine import calibrators

    return _calibrated(problem, phase, calibrators.venn_abers)
