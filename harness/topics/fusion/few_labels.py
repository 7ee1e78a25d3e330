"""The task few-labels: fusion where few labels may be used, and whether aligning all pairs helps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import CLEAN, Generator, Param, Profile, Scalar, Takes
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.fusion import ENGINE, topic
from harness.topics.fusion.classification import NEEDS as NETWORKS
from harness.topics.fusion.classification import task as classification
from harness.topics.fusion.examples import PARAMS, TEST, Divided, prepare, visible
from harness.topics.fusion.joint import SEARCH

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness import PhaseClock, Problem

NEEDS = (*NETWORKS, f"{ENGINE}.alignment")
#: Label of a training example whose label may not be used.
UNLABELLED = -1
LABELLED = Param(0.1, low=0.001, high=1.0, summary="share of the training examples whose labels may be used")


def few(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Divided:
    """Divide the arrays of a card, and hide the labels of all but a share of the training examples.

    Training examples are in random order, so the first of them are labelled; a smaller share is part of a larger one.
    """
    divided = prepare(data, params, rng)
    labels = divided.train.labels.copy()
    labels[max(1, round(float(params["labelled"]) * len(labels))) :] = UNLABELLED
    return replace(divided, train=replace(divided.train, labels=labels))


def _guess(data: Divided) -> Mapping[str, float]:
    labelled = np.flatnonzero(data.train.labels != UNLABELLED)
    return classification.guess(replace(data, train=data.train.take(labelled)))


task = topic.task(
    "few-labels",
    title="The class of an example, learned from few labels and many pairs",
    datasets=["emoji", "debian-packages"],
    takes=Takes("arrays", prepare=few, overlap=TEST / (1 - TEST)),
    scenarios=[CLEAN],
    phases=["fit", "predict"],
    metrics=METRICS,
    judge=classification.judge,
    guess=_guess,
    view=visible,
    params={**PARAMS, "labelled": LABELLED},
    sweep={"labelled": [0.1, 0.3, 1.0]},
    reference="concatenation",
    charts=[RELIABILITY],
    quick=Profile(3, datasets=("emoji",)),
    full=Profile(10, sweeps=True),
)


def fitted(
    problem: Problem, phase: PhaseClock, weight: float, temperature: float, **budget: Any
) -> npt.NDArray[np.float64]:
    """Fit concatenation with an alignment of that weight beside it; with weight 0, without."""
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.alignment import AlignedConcatenation, Alignment, fit_aligned
    from harness.topics.fusion.engine.fitting import Budget, predict

    data: Divided = problem.data
    seeded(problem.seed)
    with phase("fit"):
        start = AlignedConcatenation(data)
        network = fit_aligned(start, data, Budget(**budget), Alignment(weight, temperature), problem.seed)
    with phase("predict"):
        probabilities = predict(network, data.test)
    return problem.with_altered(probabilities, phase, lambda altered: predict(network, altered.test))


@task.strategy("concatenation", needs=NEEDS)
def concatenation(
    problem: Problem, phase: PhaseClock, rate: float = 3e-3, weight_decay: float = 0.01, epochs: int = 8
) -> npt.NDArray[np.float64]:
    """Fit to the examples with labels alone, in as many steps as there are for all."""
    return fitted(problem, phase, 0.0, 1.0, rate=rate, weight_decay=weight_decay, epochs=epochs)


SWEEP: Mapping[str, tuple[Scalar, ...]] = {"weight": (0.1, 0.3, 1.0), "temperature": (0.03, 0.1, 0.3)}


@classification.strategy("contrastive", needs=NEEDS, search={**SEARCH, "weight": (0.1, 0.3, 1.0)})
@task.strategy("contrastive", needs=NEEDS, sweep=SWEEP)
def contrastive(
    problem: Problem,
    phase: PhaseClock,
    rate: float = 3e-3,
    weight_decay: float = 0.01,
    epochs: int = 8,
    weight: float = 0.3,
    temperature: float = 0.1,
) -> npt.NDArray[np.float64]:
    """Like concatenation, while InfoNCE aligns the first two modalities of all examples, labelled or not."""
    return fitted(problem, phase, weight, temperature, rate=rate, weight_decay=weight_decay, epochs=epochs)
