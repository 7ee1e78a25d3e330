"""The task classification: which class an example with several modalities has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Judgement, Profile, Takes, Tuning
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.fusion import ENGINE, topic
from harness.topics.fusion.examples import PARAMS, TEST, Divided, holdout, prepare, visible

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.fusion.engine.networks import Network

#: Modules that every strategy needs.
NEEDS = (f"{ENGINE}.fitting", f"{ENGINE}.networks", "harness.topics._shared.deep")


def _judge(data: Divided, output: Any) -> Judgement:
    from harness.topics._shared.multiclass import judge

    return judge(data.test.labels, data.classes, output)


def _guess(data: Divided) -> Mapping[str, float]:
    from harness.topics._shared.multiclass import majority

    return majority(data.train.labels, data.test.labels, data.classes)


task = topic.task(
    "classification",
    title="The class of an example with several modalities",
    datasets=["emoji", "debian-packages"],
    takes=Takes("arrays", prepare=prepare, overlap=TEST / (1 - TEST)),
    scenarios=[CLEAN],
    phases=["fit", "predict"],
    metrics=METRICS,
    judge=_judge,
    guess=_guess,
    view=visible,
    params=PARAMS,
    reference="concatenation",
    charts=[RELIABILITY],
    tuning=Tuning(6, holdout),
    quick=Profile(3, datasets=("emoji",)),
    full=Profile(25),
)


def fitted(
    problem: Problem, phase: PhaseClock, build: Callable[[Divided], Network], device: str = "cpu", **budget: Any
) -> npt.NDArray[np.float64]:
    """Fit a network in the phase `fit`, and return its probabilities for the test examples in the phase `predict`."""
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.fitting import Budget, fit, predict

    seeded(problem.seed)
    with phase("fit"):
        network = fit(build(problem.data).to(device), problem.data, Budget(**budget), problem.seed, device=device)
    with phase("predict"):
        probabilities = predict(network, problem.data.test, device)
    return problem.with_altered(probabilities, phase, lambda data: predict(network, data.test, device))
