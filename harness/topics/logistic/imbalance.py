"""The task imbalance: what weights, resampling and a moved threshold are worth where events are rare.

Strategies without ``-threshold`` or ``-corrected`` in their name flag a row from a probability of 0.5 on, as a
library's ``predict`` does. With balanced classes that is right for a missed event that costs as many false alarms as
there are other rows for each event, which is about the default of `cost_ratio` on these data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import CLEAN, Param, Profile, Work, imbalance
from harness.data.tabular import visible
from harness.topics.logistic import topic
from harness.topics.logistic.decisions import (
    BOOSTING,
    CHARTS,
    COST_RATIO,
    EXPECTED_COST,
    F1,
    FALSE_ALARMS,
    MODULES,
    PROBABILITIES,
    RARE_LOGIT,
    RECALL,
    RESAMPLING,
    TABLES,
    Decisions,
    judge,
)

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Visible
    from harness.topics.logistic.engine.classifiers import Resampling

task = topic.task(
    "imbalance",
    title="Rare events: weights, resampling or another threshold",
    datasets=["nass-cds", RARE_LOGIT, "flights"],
    takes=TABLES,
    scenarios=[CLEAN, imbalance(0.05), imbalance(0.01)],
    phases=["fit", "predict"],
    metrics=[EXPECTED_COST, *PROBABILITIES, RECALL, FALSE_ALARMS, F1],
    judge=judge,
    view=visible,
    params={"rows": Param(20_000, low=100, summary="training rows"), "cost_ratio": COST_RATIO},
    work={"fit": Work("row", of=("rows",))},
    sizes=lambda data: {"rows": len(data.train)},
    reference="logistic-threshold",
    baseline="prior",
    charts=CHARTS,
    quick=Profile(
        3,
        {"rows": 3_000},
        datasets=("nass-cds",),
        scenarios=("clean",),
        strategies=(
            "prior",
            "logistic",
            "logistic-threshold",
            "logistic-weights",
            "logistic-smote",
            "boosting-threshold",
        ),
    ),
    # All data with their own rate of events and with 5 %; 22 strategies make every further cell dear.
    full=Profile(blocks=10, scenarios=("clean", "imbalance(0.05)")),
)
HALF = 0.5


def _decide(
    problem: Problem,
    phase: PhaseClock,
    model: str,
    *,
    resampling: Resampling = "none",
    weight: str = "none",
    moved: bool = False,
    correct: bool = False,
) -> Decisions:
    """Fit a model, predict, and correct the probabilities for the balance that the fit was given.

    Parameters
    ----------
    weight
        Of an event in the loss: ``none``, ``balanced`` for classes of equal weight, ``cost`` for the cost of a miss.
    moved
        Whether the threshold is that of the costs, and not 0.5.
    """
    from harness.topics.logistic.engine.classifiers import fit
    from harness.topics.logistic.engine.costs import corrected, theoretical_threshold

    data: Visible = problem.data
    ratio = float(problem.params["cost_ratio"])
    rate = float(data.train.y.mean())
    balanced = (1 - rate) / rate
    weights = {"none": 1.0, "balanced": balanced, "cost": ratio}
    for _ in phase("fit"):
        predict = fit(model, data.train, problem.seed, resampling=resampling, event_weight=weights[weight])
    with phase("predict"):
        scores = predict(data.test)
        if correct:
            scores = corrected(scores, HALF, rate)
    return Decisions(scores, theoretical_threshold(ratio) if moved else HALF)


LOGISTIC = MODULES
TREES = (*MODULES, BOOSTING)


@task.strategy("prior", needs=MODULES, note="Flags every row or none, whichever costs less at the rate of events.")
def prior(problem: Problem, phase: PhaseClock) -> Decisions:
    """Predict the rate of events in the training rows for every row."""
    from harness.topics.logistic.engine.costs import theoretical_threshold

    data: Visible = problem.data
    for _ in phase("fit"):
        rate = float(data.train.y.mean())
    with phase("predict"):
        scores = np.full(len(data.test), rate)
    return Decisions(scores, theoretical_threshold(float(problem.params["cost_ratio"])))


@task.strategy("one-feature", needs=MODULES)
def one_feature(problem: Problem, phase: PhaseClock) -> Decisions:
    """Fit a logistic regression on the best single column of the training rows; threshold of the costs."""
    from harness.topics.logistic.engine.classifiers import fit_one_feature
    from harness.topics.logistic.engine.costs import theoretical_threshold

    data: Visible = problem.data
    for _ in phase("fit"):
        predict = fit_one_feature(data.train, problem.seed)
    with phase("predict"):
        scores = predict(data.test)
    return Decisions(scores, theoretical_threshold(float(problem.params["cost_ratio"])))


@task.strategy("logistic", needs=LOGISTIC)
def logistic(problem: Problem, phase: PhaseClock) -> Decisions:
    """Do nothing about the imbalance."""
    return _decide(problem, phase, "logistic")


@task.strategy("logistic-threshold", needs=LOGISTIC)
def logistic_threshold(problem: Problem, phase: PhaseClock) -> Decisions:
    """Do nothing about the imbalance, and flag from the threshold that the costs imply (Elkan 2001)."""
    return _decide(problem, phase, "logistic", moved=True)


@task.strategy("logistic-weights", needs=LOGISTIC)
def logistic_weights(problem: Problem, phase: PhaseClock) -> Decisions:
    """Weigh rows so that both classes have the same weight (King & Zeng 2001; class_weight="balanced")."""
    return _decide(problem, phase, "logistic", weight="balanced")


@task.strategy("logistic-cost-weights", needs=LOGISTIC)
def logistic_cost_weights(problem: Problem, phase: PhaseClock) -> Decisions:
    """Weigh an event by the cost of missing it (Elkan 2001, theorem 1)."""
    return _decide(problem, phase, "logistic", weight="cost")


@task.strategy("logistic-weights-corrected", needs=LOGISTIC, note="Undoes the balance in the odds; threshold of costs.")
def logistic_weights_corrected(problem: Problem, phase: PhaseClock) -> Decisions:
    """Weigh classes equally, then correct the probabilities for the rate of events (Saerens et al. 2002)."""
    return _decide(problem, phase, "logistic", weight="balanced", moved=True, correct=True)


@task.strategy("logistic-oversample", needs=(*LOGISTIC, *RESAMPLING))
def logistic_oversample(problem: Problem, phase: PhaseClock) -> Decisions:
    """Repeat events, drawn by chance, until there are as many as other rows."""
    return _decide(problem, phase, "logistic", resampling="over")


@task.strategy("logistic-undersample", needs=(*LOGISTIC, *RESAMPLING))
def logistic_undersample(problem: Problem, phase: PhaseClock) -> Decisions:
    """Drop other rows by chance until there are as many as events."""
    return _decide(problem, phase, "logistic", resampling="under")


@task.strategy("logistic-undersample-corrected", needs=(*LOGISTIC, *RESAMPLING), note="Threshold of the costs.")
def logistic_undersample_corrected(problem: Problem, phase: PhaseClock) -> Decisions:
    """Drop other rows, then correct the probabilities for the rate of events (Saerens et al. 2002)."""
    return _decide(problem, phase, "logistic", resampling="under", moved=True, correct=True)


@task.strategy("logistic-smote", needs=(*LOGISTIC, *RESAMPLING))
def logistic_smote(problem: Problem, phase: PhaseClock) -> Decisions:
    """Add events between neighbouring ones until there are as many as other rows (Chawla et al. 2002)."""
    return _decide(problem, phase, "logistic", resampling="smote")


@task.strategy("logistic-smote-corrected", needs=(*LOGISTIC, *RESAMPLING), note="Threshold of the costs.")
def logistic_smote_corrected(problem: Problem, phase: PhaseClock) -> Decisions:
    """Add events by SMOTE, then correct the probabilities as if they had been drawn by chance."""
    return _decide(problem, phase, "logistic", resampling="smote", moved=True, correct=True)


@task.strategy("boosting", needs=TREES)
def boosting(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees (scikit-learn, on histograms) without doing anything about the imbalance."""
    return _decide(problem, phase, "boosting")


@task.strategy("boosting-threshold", needs=TREES)
def boosting_threshold(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees, and flag from the threshold that the costs imply."""
    return _decide(problem, phase, "boosting", moved=True)


@task.strategy("boosting-weights", needs=TREES)
def boosting_weights(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees on rows that are weighed so that both classes have the same weight."""
    return _decide(problem, phase, "boosting", weight="balanced")


@task.strategy("boosting-oversample", needs=(*TREES, *RESAMPLING))
def boosting_oversample(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees after repeating events until there are as many as other rows."""
    return _decide(problem, phase, "boosting", resampling="over")


@task.strategy("boosting-undersample", needs=(*TREES, *RESAMPLING))
def boosting_undersample(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees after dropping other rows until there are as many as events."""
    return _decide(problem, phase, "boosting", resampling="under")


@task.strategy("boosting-undersample-corrected", needs=(*TREES, *RESAMPLING), note="Threshold of the costs.")
def boosting_undersample_corrected(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees after dropping other rows, then correct the probabilities for the rate of events."""
    return _decide(problem, phase, "boosting", resampling="under", moved=True, correct=True)


@task.strategy("boosting-smote", needs=(*TREES, *RESAMPLING))
def boosting_smote(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees after adding events by SMOTE."""
    return _decide(problem, phase, "boosting", resampling="smote")


@task.strategy("boosting-smote-corrected", needs=(*TREES, *RESAMPLING), note="Threshold of the costs.")
def boosting_smote_corrected(problem: Problem, phase: PhaseClock) -> Decisions:
    """Boost trees after SMOTE, then correct the probabilities as if the added events had been drawn by chance."""
    return _decide(problem, phase, "boosting", resampling="smote", moved=True, correct=True)
