"""Monitors; where possible, their thresholds give a false alarm by the horizon with the declared probability."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.topics.bandits.monitoring import monitoring

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.bandits.engine.streams import Watched

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MONITORS = "harness.topics.bandits.engine.monitors"
ASSUMES = "Its threshold assumes independent normal numbers. Each is standardised by all numbers before it."
CALIBRATION = "harness.topics.bandits.engine.calibration"
RESAMPLED = "Its threshold is set for the level by resampling the reference, which assumes independent numbers."
DRIFTS = (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)  # in standard deviations


def _watched(problem: Problem, phase: PhaseClock, find: Callable[[Watched], Ints]) -> Ints:
    """Run a monitor in the phase ``watch``, after compiling it in the phase ``compile``."""
    from harness.topics.bandits.engine.streams import Watched

    data: Watched = problem.data
    with phase("compile"):
        find(Watched(data.rewards[:1], data.contexts[:1], data.reference))
    for _ in phase("watch"):
        alarms = find(data)
    return alarms


def _on_rewards(problem: Problem, phase: PhaseClock, find: Callable[[Floats, int], Ints]) -> Ints:
    """Run a monitor on rewards that are standardised by the reference."""
    from harness.topics.bandits.engine.monitors import standardised

    return _watched(problem, phase, lambda data: find(standardised(data.rewards, data.reference), data.reference))


def _self_starting(problem: Problem, phase: PhaseClock, find: Callable[[Floats], Ints]) -> Ints:
    """Run a monitor on monitored rewards that are standardised by all before them."""
    from harness.topics.bandits.engine.monitors import self_starting

    return _watched(problem, phase, lambda data: find(self_starting(data.rewards, data.reference)))


def _key(problem: Problem) -> np.uint64:
    from harness.topics.bandits.engine.world import key_of

    return key_of(np.random.default_rng(problem.seed))


@monitoring.strategy("silent")
def silent(problem: Problem, phase: PhaseClock) -> Ints:
    """Never raise an alarm."""
    data: Watched = problem.data
    for _ in phase("watch"):
        alarms = np.full(len(data.rewards), data.horizon)
    return alarms


@monitoring.strategy(
    "three-sigma", needs=MONITORS, sweep={"size": [200]}, note="Its threshold does not depend on the declared level."
)
def three_sigma(problem: Problem, phase: PhaseClock, size: int = 50) -> Ints:
    """Raise an alarm when the mean reward of a batch deviates by 3 standard errors (Shewhart 1931)."""
    from harness.topics.bandits.engine import monitors

    return _self_starting(problem, phase, lambda z: monitors.batches(z, size, 3.0))


@monitoring.strategy("cusum", needs=MONITORS, sweep={"drift": [1.0]}, note=ASSUMES)
def cusum(problem: Problem, phase: PhaseClock, drift: float = 0.5) -> Ints:
    """Sum deviations beyond half of a drift, in both directions (Page 1954), with the threshold of Siegmund 1985."""
    from harness.topics.bandits.engine import monitors

    data: Watched = problem.data
    # False alarms arrive like a Poisson process.
    run = -data.horizon / math.log1p(-float(problem.params["level"]))
    threshold = monitors.threshold_of(run, drift / 2)
    return _self_starting(problem, phase, lambda z: monitors.cusum(z, drift / 2, threshold))


@monitoring.strategy(
    "page-hinkley",
    needs=CALIBRATION,
    sweep={"threshold": [50.0, 100.0]},
    note=f"{RESAMPLED} A threshold above 0 (50 is common in libraries) replaces that one and ignores the level.",
)
def page_hinkley(problem: Problem, phase: PhaseClock, allowance: float = 0.005, threshold: float = 0.0) -> Ints:
    """Sum deviations of rewards from their running mean, minus an allowance (Page 1954, Hinkley 1971).

    Parameters
    ----------
    threshold
        In standard deviations; 0 for the one that simulations from a stream's reference exceed with probability level.
    """
    from harness.topics.bandits.engine import calibration

    level, key = float(problem.params["level"]), _key(problem)

    def find(z: Floats, reference: int) -> Ints:
        thresholds = np.full(len(z), threshold)
        if not threshold:
            thresholds = calibration.page_hinkley_thresholds(z, reference, allowance, level, key)
        return calibration.page_hinkley(z, reference, allowance, thresholds)

    return _on_rewards(problem, phase, find)


@monitoring.strategy(
    "adwin",
    needs=CALIBRATION,
    sweep={"calibrated": [False]},
    note=(
        f"{RESAMPLED} It compares parts as short as five steps, so with heavy tails an extreme that is missing in the "
        "reference raises an alarm. With calibrated=false it puts the level into its published bound, which is for "
        "numbers with a range of 1, while here they have a standard deviation of 1."
    ),
)
def adwin(problem: Problem, phase: PhaseClock, every: int = 32, *, calibrated: bool = True) -> Ints:
    """Split the rewards so far in two in every way, and raise an alarm when two parts differ (Bifet & Gavalda 2007).

    Parameters
    ----------
    calibrated
        Whether the level in the bound is set by simulations from a stream's reference, so that a false alarm has the
        declared probability.
    """
    from harness.topics.bandits.engine import calibration

    level, key = float(problem.params["level"]), _key(problem)

    def find(z: Floats, reference: int) -> Ints:
        levels = np.full(len(z), level)
        if calibrated:
            levels = calibration.adwin_levels(z, reference, every, level, key)
        return calibration.adwin(z, reference, levels, every)

    return _on_rewards(problem, phase, find)


@monitoring.strategy("e-detector", needs=MONITORS, note=ASSUMES)
def e_detector(problem: Problem, phase: PhaseClock) -> Ints:
    """Sum the evidence for a change over all steps where it may be (Shin, Ramdas & Rinaldo 2022, arXiv 2203.03532)."""
    from harness.topics.bandits.engine import monitors

    bar = problem.data.horizon / float(problem.params["level"])
    return _self_starting(problem, phase, lambda z: monitors.e_detector(z, np.array(DRIFTS), bar))


def _windows(problem: Problem, phase: PhaseClock, name: str, window: int, every: int, *, corrected: bool) -> Ints:
    from scipy.special import kolmogorov

    from harness.topics.bandits.engine import monitors

    level = float(problem.params["level"])

    def find(data: Watched) -> Ints:
        apart = monitors.distances(getattr(data, name), data.reference, window, every)
        size = math.sqrt(data.reference * window / (data.reference + window))
        looks = apart.shape[1]
        significant = kolmogorov(size * apart) <= level / (max(looks, 1) if corrected else 1)
        steps = window - 1 + every * significant.argmax(axis=1) if looks else np.zeros(len(apart), dtype=np.int64)
        alarms: Ints = np.where(significant.any(axis=1), steps, data.horizon)
        return alarms

    return _watched(problem, phase, find)


WINDOWED = "With corrected=false it tests every window at the declared level, without a correction for their number."
TESTS = (MONITORS, "scipy.special")


@monitoring.strategy("ks-rewards", needs=TESTS, sweep={"corrected": [False], "window": [400]}, note=WINDOWED)
def ks_rewards(
    problem: Problem, phase: PhaseClock, window: int = 200, every: int = 50, *, corrected: bool = True
) -> Ints:
    """Compare the distribution of rewards in a window with the reference's (Kolmogorov-Smirnov, Bonferroni)."""
    return _windows(problem, phase, "rewards", window, every, corrected=corrected)


@monitoring.strategy("ks-contexts", needs=TESTS, sweep={"corrected": [False], "window": [400]}, note=WINDOWED)
def ks_contexts(
    problem: Problem, phase: PhaseClock, window: int = 200, every: int = 50, *, corrected: bool = True
) -> Ints:
    """Compare the distribution of contexts in a window with the reference's (Kolmogorov-Smirnov, Bonferroni)."""
    return _windows(problem, phase, "contexts", window, every, corrected=corrected)


def _exchangeable(problem: Problem, phase: PhaseClock, name: str, jump: float) -> Ints:
    from harness.topics.bandits.engine import monitors

    key, bar = _key(problem), 1 / float(problem.params["level"])
    return _watched(
        problem,
        phase,
        lambda data: monitors.conformal(monitors.ranks(getattr(data, name), data.reference, key), jump, bar),
    )


EXCHANGEABLE = "Its false alarms have the declared probability for any distribution, if the numbers are exchangeable."


@monitoring.strategy("conformal-rewards", needs=MONITORS, sweep={"jump": [0.01]}, note=EXCHANGEABLE)
def conformal_rewards(problem: Problem, phase: PhaseClock, jump: float = 0.001) -> Ints:
    """Bet that the ranks of rewards are not uniform (Vovk et al. 2021, arXiv 2102.10439)."""
    return _exchangeable(problem, phase, "rewards", jump)


@monitoring.strategy("conformal-contexts", needs=MONITORS, sweep={"jump": [0.01]}, note=EXCHANGEABLE)
def conformal_contexts(problem: Problem, phase: PhaseClock, jump: float = 0.001) -> Ints:
    """Bet that the ranks of contexts are not uniform (Vovk et al. 2021, arXiv 2102.10439)."""
    return _exchangeable(problem, phase, "contexts", jump)
