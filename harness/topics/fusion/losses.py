"""The task losses: one network, concatenation, fitted with several losses."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from harness import CLEAN, Param, Profile, Takes
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.fusion import ENGINE, predicting, topic
from harness.topics.fusion.examples import prepare, visible
from harness.topics.fusion.scenarios import label_noise, long_tail

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.fusion.engine.networks import Loss
    from harness.topics.fusion.examples import Divided

NEEDS = (*predicting.NEEDS, f"{ENGINE}.losses")

task = topic.task(
    "losses",
    title="One network under several losses, with imbalance and label noise",
    datasets=["emoji", "debian-packages"],
    takes=Takes("arrays", prepare=prepare, overlap=attrgetter("overlap")),
    scenarios=[CLEAN, long_tail(20), label_noise(0.2), label_noise(0.4)],
    phases=["fit", "predict"],
    metrics=METRICS,
    judge=predicting.judge,
    guess=predicting.guess,
    view=visible,
    params={**predicting.SMALL, "epochs": Param(8, low=1, summary="passes through the training examples")},
    reference="cross-entropy",
    charts=[RELIABILITY],
    quick=Profile(
        3,
        {"rows": 150, "epochs": 16},
        datasets=("emoji",),
        scenarios=("label_noise(0.4)",),
        strategies=("cross-entropy", "label-smoothing"),
    ),
    full=Profile(10, sweeps=True),
)


def fitted(problem: Problem, phase: PhaseClock, loss: Loss) -> npt.NDArray[np.float64]:
    """Fit concatenation with a loss, and return its probabilities."""
    from harness.topics.fusion.engine.fitting import Budget, fit
    from harness.topics.fusion.engine.networks import Concatenation

    data: Divided = problem.data
    budget = Budget(problem.params["epochs"])
    return predicting.fitted(problem, phase, lambda: fit(Concatenation(data), data, budget, problem.seed, loss=loss))


@task.strategy("cross-entropy", needs=NEEDS)
def cross_entropy(problem: Problem, phase: PhaseClock) -> npt.NDArray[np.float64]:
    """Minimise the mean of -log p of the label."""
    from torch.nn.functional import cross_entropy as loss

    return fitted(problem, phase, loss)


@task.strategy("class-weighted", needs=NEEDS)
def class_weighted(problem: Problem, phase: PhaseClock) -> npt.NDArray[np.float64]:
    """Weight each class by one over its size, so that all count the same."""
    from harness.topics.fusion.engine.losses import class_weights, weighted

    data: Divided = problem.data
    return fitted(problem, phase, weighted(class_weights(data.train.labels, data.classes)))


@task.strategy("logit-adjusted", needs=NEEDS, sweep={"strength": [0.5, 1.0]})
def logit_adjusted(problem: Problem, phase: PhaseClock, strength: float = 1.0) -> npt.NDArray[np.float64]:
    """Add the logarithms of the classes' rates to the scores in training, and leave them out in prediction."""
    from harness.topics.fusion.engine.losses import adjusted

    data: Divided = problem.data
    return fitted(problem, phase, adjusted(data.train.labels, data.classes, strength))


@task.strategy("focal", needs=NEEDS, sweep={"gamma": [1.0, 2.0, 5.0]})
def focal(problem: Problem, phase: PhaseClock, gamma: float = 2.0) -> npt.NDArray[np.float64]:
    """Weight each example by (1 - p)^gamma, so that what is known already counts for less."""
    from harness.topics.fusion.engine.losses import focal as loss

    return fitted(problem, phase, loss(gamma))


@task.strategy("label-smoothing", needs=NEEDS, sweep={"smoothing": [0.1, 0.2, 0.4]})
def label_smoothing(problem: Problem, phase: PhaseClock, smoothing: float = 0.1) -> npt.NDArray[np.float64]:
    """Move a share of each label evenly to all classes."""
    from harness.topics.fusion.engine.losses import smoothed

    return fitted(problem, phase, smoothed(smoothing))
