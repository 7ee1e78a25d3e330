"""The task few-labels: fusion where few labels may be used, and whether aligning all pairs helps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Generator, Param, Profile, Scalar, Takes
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.fusion import ENGINE, predicting, topic
from harness.topics.fusion.classification import Predicted, measured
from harness.topics.fusion.classification import task as classification
from harness.topics.fusion.examples import UNLABELLED, Divided, prepare, visible
from harness.topics.fusion.fusions import DECAY, EPOCHS, RATE, SEARCH

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem

SWEEP: Mapping[str, Sequence[Scalar]] = {"weight": [0.1, 0.3, 1.0], "temperature": [0.03, 0.1, 0.3]}
NEEDS = (*predicting.NEEDS, f"{ENGINE}.alignment")
LABELLED = Param(0.1, low=0.001, high=1.0, summary="share of the training examples whose labels may be used")


def few(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Divided:
    """Divide the arrays of a card, and hide the labels of all but a share of the training examples.

    Training examples are in random order, so the first of them are labelled; a smaller share is part of a larger one.
    """
    divided = prepare(data, params, rng)
    labels = divided.train.labels.copy()
    labels[max(1, round(float(params["labelled"]) * len(labels))) :] = UNLABELLED
    return replace(divided, train=replace(divided.train, labels=labels))


task = topic.task(
    "few-labels",
    title="The class of an example, learned from few labels and many pairs",
    datasets=["emoji", "debian-packages"],
    takes=Takes("arrays", prepare=few, overlap=attrgetter("overlap")),
    scenarios=[CLEAN],
    phases=["fit", "predict"],
    metrics=METRICS,
    judge=predicting.judge,
    guess=predicting.guess,
    view=visible,
    params={**predicting.SMALL, "labelled": LABELLED},
    sweep={"labelled": [0.1, 0.3, 1.0]},
    reference="concatenation",
    charts=[RELIABILITY],
    quick=Profile(3, {"rows": 300, "labelled": 0.3}, datasets=("emoji",)),
    full=Profile(10, sweeps=True),
)


def fitted(
    problem: Problem, phase: PhaseClock, weight: float, temperature: float, **budget: Any
) -> npt.NDArray[np.float64]:
    """Fit concatenation with an alignment of that weight beside it; with weight 0, without."""
    from harness.topics.fusion.engine.alignment import AlignedConcatenation, Alignment, fit_few
    from harness.topics.fusion.engine.fitting import Budget

    data: Divided = problem.data
    alignment = Alignment(weight, temperature)
    return predicting.fitted(
        problem,
        phase,
        lambda: fit_few(AlignedConcatenation(data, alignment=alignment), data, Budget(**budget), problem.seed),
    )


@task.strategy("concatenation", needs=NEEDS)
def concatenation(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> npt.NDArray[np.float64]:
    """Fit to the examples with labels alone, in as many steps as there are for all."""
    return fitted(problem, phase, 0.0, 1.0, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("contrastive", needs=NEEDS, sweep=SWEEP)
def contrastive(
    problem: Problem,
    phase: PhaseClock,
    rate: float = RATE,
    weight_decay: float = DECAY,
    epochs: int = EPOCHS,
    weight: float = 0.3,
    temperature: float = 0.1,
) -> npt.NDArray[np.float64]:
    """Like concatenation, while InfoNCE aligns the first two modalities of all examples, labelled or not."""
    return fitted(problem, phase, weight, temperature, rate=rate, weight_decay=weight_decay, epochs=epochs)


@classification.strategy("contrastive", needs=NEEDS, search=SEARCH)
def contrastive_fusion(
    problem: Problem,
    phase: PhaseClock,
    rate: float = RATE,
    weight_decay: float = DECAY,
    epochs: int = EPOCHS,
    weight: float = 0.3,
    temperature: float = 0.1,
) -> Predicted:
    """Concatenation, while InfoNCE aligns the means of the first two modalities (Radford et al. 2021)."""
    from harness.topics.fusion.engine.alignment import AlignedConcatenation, Alignment
    from harness.topics.fusion.engine.networks import matched

    size = matched(AlignedConcatenation, problem.data)
    make = partial(AlignedConcatenation, problem.data, size, alignment=Alignment(weight, temperature))
    return measured(problem, phase, make, rate=rate, weight_decay=weight_decay, epochs=epochs)
