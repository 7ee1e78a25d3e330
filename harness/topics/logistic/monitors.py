"""Monitors of the task monitoring: each returns its statistic divided by its limit, for each stream and period."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.topics.logistic.monitoring import MODELS, PERIODS, monitoring

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.logistic.engine.periods import Watched

Floats = npt.NDArray[np.float64]
NEEDS = (PERIODS, "harness.topics.logistic.engine.monitors", *MODELS)
NO_LABELS = "Needs no labels."
NORMAL = "Its limit takes means for normal, which needs tens of events in a period."


def _watched(problem: Problem, phase: PhaseClock, watch: Callable[[Watched, float], Floats]) -> Floats:
    for _ in phase("watch"):
        statistic = watch(problem.data, float(problem.params["level"]))
    return statistic


@monitoring.strategy("silent", needs=NEEDS)
def silent(problem: Problem, phase: PhaseClock) -> Floats:
    """Never raise an alarm."""
    return _watched(problem, phase, lambda data, _level: np.zeros(data.scores.shape[:2]))


@monitoring.strategy("p-chart", needs=NEEDS, note="Its limit does not depend on the declared level.")
def p_chart(problem: Problem, phase: PhaseClock) -> Floats:
    """Raise an alarm when the event rate deviates by 3 standard errors, whatever the scores (Shewhart 1931)."""
    from harness.topics.logistic.engine import monitors

    return _watched(problem, phase, lambda data, _level: monitors.p_chart(data))


@monitoring.strategy(
    "psi",
    needs=NEEDS,
    sweep={"limit": [0.1, 0.25]},
    note=f"{NO_LABELS} A limit above 0 (0.1 and 0.25 are common) replaces that of the declared level.",
)
def psi(problem: Problem, phase: PhaseClock, limit: float = 0.0) -> Floats:
    """Compare the distribution of scores with the reference's: population stability index, in tenths."""
    from harness.topics.logistic.engine import monitors

    return _watched(problem, phase, lambda data, level: monitors.psi(data, level, limit))


@monitoring.strategy("calibration-in-the-large", needs=NEEDS, note=NORMAL)
def calibration_in_the_large(problem: Problem, phase: PhaseClock) -> Floats:
    """Compare observed with expected events, against their difference in the reference."""
    from harness.topics.logistic.engine import monitors

    return _watched(problem, phase, lambda data, level: monitors.two_sided(monitors.large_z(data), level))


@monitoring.strategy("calibration-slope", needs=NEEDS, note=NORMAL)
def calibration_slope(problem: Problem, phase: PhaseClock) -> Floats:
    """Fit labels on the log odds of scores, and compare the slope with the reference's (Cox 1958)."""
    from harness.topics.logistic.engine import monitors

    return _watched(problem, phase, lambda data, level: monitors.two_sided(monitors.slope_z(data), level))


@monitoring.strategy("recall", needs=NEEDS, note="Looks at the events alone, and for a fall alone.")
def recall(problem: Problem, phase: PhaseClock) -> Floats:
    """Compare recall at the threshold that a fifth of the reference exceeds, by Fisher's exact test."""
    from harness.topics.logistic.engine import monitors

    def watch(data: Watched, level: float) -> Floats:
        return monitors.ratio_of_logs(monitors.recall_p(data), monitors.each(level, data.periods))

    return _watched(problem, phase, watch)


@monitoring.strategy("log-loss", needs=NEEDS, note="It looks for a rise alone.")
def log_loss(problem: Problem, phase: PhaseClock) -> Floats:
    """Compare the log loss with the reference's."""
    from harness.topics.logistic.engine import monitors

    return _watched(problem, phase, monitors.log_loss)


@monitoring.strategy("cusum", needs=NEEDS, note=NORMAL)
def cusum(problem: Problem, phase: PhaseClock) -> Floats:
    """Sum deviations of calibration in the large over periods (Page 1954), with a simulated limit."""
    from harness.topics.logistic.engine import monitors

    return _watched(problem, phase, monitors.cusum)


@monitoring.strategy("combined", needs=NEEDS, note=NORMAL)
def combined(problem: Problem, phase: PhaseClock) -> Floats:
    """Watch calibration in the large, calibration slope and stability index at a third of the level each."""
    from harness.topics.logistic.engine import monitors

    return _watched(problem, phase, monitors.combined)
