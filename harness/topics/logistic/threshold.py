"""The task threshold: from which probability on to act, chosen on a validation set that is a part of the training rows.

All strategies of a block fit the same model on the same three quarters of the training rows, and choose on the last
quarter; in order of time, that is the latest. The option `model` makes it gradient boosting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness import CLEAN, TEMPORAL, Param, Profile, Work, label_noise
from harness.data.tabular import visible
from harness.topics._shared.binary import METRICS
from harness.topics.logistic import topic
from harness.topics.logistic.decisions import (
    BOOSTING,
    CHARTS,
    COST_RATIO,
    EXPECTED_COST,
    F1,
    FALSE_ALARMS,
    FLAGGED,
    MODULES,
    PRECISION,
    RARE_LOGIT,
    RECALL,
    REGRET,
    TABLES,
    Decisions,
    judge,
)
from harness.topics.logistic.scenarios import prior_shift

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.data.tabular import Visible
    from harness.topics.logistic.engine.classifiers import Floats

SWEEP = {"model": ("boosting",)}
NEEDS = (*MODULES, BOOSTING)

task = topic.task(
    "threshold",
    title="From which probability on to act: thresholds chosen on a validation set",
    datasets=["nass-cds", RARE_LOGIT, "flights"],
    takes=TABLES,
    scenarios=[CLEAN, prior_shift(0.25), prior_shift(4), label_noise(0.1), TEMPORAL],
    phases=["fit", "choose", "predict"],
    metrics=[EXPECTED_COST, REGRET, F1, RECALL, PRECISION, FLAGGED, FALSE_ALARMS, *METRICS],
    judge=judge,
    view=visible,
    params={
        "rows": Param(20_000, low=100, summary="training rows, a quarter of which is the validation set"),
        # Not the ratio of other rows to events, with which Youden's index would be the cost.
        "cost_ratio": replace(COST_RATIO, default=5.0),
        "least_precision": Param(0.2, low=0.0, high=1.0, summary="least precision of recall-at-precision"),
    },
    work={"fit": Work("row", of=("rows",))},
    sizes=lambda data: {"rows": len(data.train)},
    sweep={"cost_ratio": [1.0, 20.0]},
    reference="cost-theory",
    baseline="prior",
    charts=CHARTS,
    quick=Profile(
        3,
        {"rows": 3_000},
        datasets=("nass-cds",),
        scenarios=("clean",),
        strategies=("prior", "half", "youden", "cost-theory", "cost-empirical"),
    ),
    full=Profile(blocks=10, datasets=("nass-cds", "rare-logit"), sweeps=True),
)

Choose = Callable[["Floats", "Floats"], float]


def _choose(problem: Problem, phase: PhaseClock, model: str, choose: Choose) -> Decisions:
    """Fit the model, and choose a threshold from the labels and scores of the validation set."""
    from harness.topics.logistic.engine.classifiers import divide, fit

    data: Visible = problem.data
    train, validation = divide(data.train)
    for _ in phase("fit"):
        predict = fit(model, train, problem.seed)
    for _ in phase("choose"):
        threshold = choose(validation.y.astype(np.float64), predict(validation.X))
    with phase("predict"):
        scores = predict(data.test)
    return Decisions(scores, float(threshold))


@task.strategy("prior", needs=MODULES, note="Flags every row or none, whichever costs less at the rate of events.")
def prior(problem: Problem, phase: PhaseClock) -> Decisions:
    """Predict the rate of events in the training rows for every row; threshold of the costs."""
    from harness.topics.logistic.engine.costs import theoretical_threshold

    data: Visible = problem.data
    for _ in phase("fit"):
        rate = float(data.train.y.mean())
    with phase("predict"):
        scores = np.full(len(data.test), rate)
    return Decisions(scores, theoretical_threshold(float(problem.params["cost_ratio"])))


@task.strategy("one-feature", needs=MODULES)
def one_feature(problem: Problem, phase: PhaseClock) -> Decisions:
    """Fit a logistic regression on the best single column; threshold of the costs."""
    from harness.topics.logistic.engine.classifiers import divide, fit_one_feature
    from harness.topics.logistic.engine.costs import theoretical_threshold

    data: Visible = problem.data
    train, _ = divide(data.train)
    for _ in phase("fit"):
        predict = fit_one_feature(train, problem.seed)
    with phase("predict"):
        scores = predict(data.test)
    return Decisions(scores, theoretical_threshold(float(problem.params["cost_ratio"])))


@task.strategy("half", needs=NEEDS, sweep=SWEEP)
def half(problem: Problem, phase: PhaseClock, model: str = "logistic") -> Decisions:
    """Flag from a probability of 0.5 on, as a library's predict does; right only if both errors cost the same."""
    return _choose(problem, phase, model, lambda _labels, _scores: 0.5)


@task.strategy("cost-theory", needs=NEEDS, sweep=SWEEP, note="Does not look at the validation set.")
def cost_theory(problem: Problem, phase: PhaseClock, model: str = "logistic") -> Decisions:
    """Flag where it costs less than not to flag, if probabilities are true: from 1 / (1 + cost_ratio) (Elkan 2001)."""
    from harness.topics.logistic.engine.costs import theoretical_threshold

    ratio = float(problem.params["cost_ratio"])
    return _choose(problem, phase, model, lambda _labels, _scores: theoretical_threshold(ratio))


@task.strategy(
    "cost-adapted",
    needs=NEEDS,
    sweep=SWEEP,
    note="Reads the features of all test rows before it decides on any, which a stream does not allow.",
)
def cost_adapted(problem: Problem, phase: PhaseClock, model: str = "logistic") -> Decisions:
    """Like cost-theory, with probabilities corrected for the rate of events that EM estimates on the test rows."""
    from harness.topics.logistic.engine.classifiers import divide, fit
    from harness.topics.logistic.engine.costs import corrected, estimated_rate, theoretical_threshold

    data: Visible = problem.data
    train, _ = divide(data.train)
    rate = float(train.y.mean())
    for _ in phase("fit"):
        predict = fit(model, train, problem.seed)
    with phase("predict"):
        scores = predict(data.test)
        scores = corrected(scores, rate, estimated_rate(scores, rate))
    return Decisions(scores, theoretical_threshold(float(problem.params["cost_ratio"])))


@task.strategy("cost-empirical", needs=NEEDS, sweep=SWEEP)
def cost_empirical(problem: Problem, phase: PhaseClock, model: str = "logistic") -> Decisions:
    """Take the threshold with the lowest cost on the validation set (Sheng & Ling 2006)."""
    from harness.topics.logistic.engine.thresholds import least_cost

    ratio = float(problem.params["cost_ratio"])
    return _choose(problem, phase, model, lambda labels, scores: least_cost(labels, scores, ratio))


@task.strategy("youden", needs=NEEDS, sweep=SWEEP)
def youden_index(problem: Problem, phase: PhaseClock, model: str = "logistic") -> Decisions:
    """Maximise recall minus false positive rate (Youden 1950), which is right for one ratio of costs only."""
    from harness.topics.logistic.engine.thresholds import youden

    return _choose(problem, phase, model, youden)


@task.strategy("f1", needs=NEEDS, sweep=SWEEP)
def f1(problem: Problem, phase: PhaseClock, model: str = "logistic") -> Decisions:
    """Maximise F1."""
    from harness.topics.logistic.engine.thresholds import best_f1

    return _choose(problem, phase, model, best_f1)


@task.strategy("recall-at-precision", needs=NEEDS, sweep=SWEEP)
def recall_at(problem: Problem, phase: PhaseClock, model: str = "logistic") -> Decisions:
    """Maximise recall among thresholds with the least precision that the task asks for."""
    from harness.topics.logistic.engine.thresholds import recall_at_precision

    precision = float(problem.params["least_precision"])
    return _choose(problem, phase, model, lambda labels, scores: recall_at_precision(labels, scores, precision))
