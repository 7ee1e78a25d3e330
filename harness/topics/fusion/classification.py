"""The task classification: which class an example with several modalities has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from harness import CLEAN, InvalidOutputError, Judgement, Metric, Profile, Takes, Tuning
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.fusion import predicting, topic
from harness.topics.fusion.examples import PARAMS, Divided, holdout, prepare, visible
from harness.topics.fusion.scenarios import RANDOM_SPLIT, label_noise, long_tail
from harness.topics.fusion.worlds import INTERACTION

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.fusion.networks import Make

    Floats = npt.NDArray[np.float64]

COSTS = (
    Metric("parameters", direction="lower", unit="parameters", summary="Number of trained parameters."),
    Metric(
        "saved_bytes",
        direction="lower",
        unit="byte",
        summary="Bytes of activations that a batch of training examples keeps for its gradients.",
    ),
)


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a strategy of this task returns: probabilities, shape (n, classes), and the values of `COSTS`."""

    probabilities: Floats
    parameters: int
    saved_bytes: int


def _judge(data: Divided, output: Any) -> Judgement:
    if not isinstance(output, Predicted):
        raise InvalidOutputError(f"expected a Predicted of this task, not a {type(output).__name__}")
    judged = predicting.judge(data, output.probabilities)
    costs = {"parameters": float(output.parameters), "saved_bytes": float(output.saved_bytes)}
    return replace(judged, metrics={**judged.metrics, **costs})


def _guess(data: Divided) -> Mapping[str, float]:
    return {**predicting.guess(data), "parameters": 0.0, "saved_bytes": 0.0}


task = topic.task(
    "classification",
    title="The class of an example with several modalities",
    datasets=["emoji", "debian-packages", INTERACTION],
    takes=Takes("arrays", prepare=prepare, overlap=attrgetter("overlap")),
    scenarios=[CLEAN, RANDOM_SPLIT, label_noise(0.2), long_tail(20)],
    phases=["compile", "fit", "predict", "single"],
    setup=["compile"],
    metrics=(*METRICS, *COSTS),
    judge=_judge,
    guess=_guess,
    view=visible,
    params=PARAMS,
    reference="concatenation",
    charts=[RELIABILITY],
    tuning=Tuning(6, holdout),
    quick=Profile(
        3,
        {"rows": 500},
        datasets=("emoji",),
        scenarios=("clean",),
        strategies=("text-only", "concatenation", "late-product"),
    ),
    full=Profile(25),
)


def measured(problem: Problem, phase: PhaseClock, make: Make, device: str = "cpu", **budget: Any) -> Predicted:
    """Fit a network in the phase `fit`, predict all test examples and then one, and count its costs.

    Parameters
    ----------
    device
        Where `make` puts the network.
    """
    from harness.topics._shared.deep import parameter_count, seeded
    from harness.topics.fusion.engine.fitting import Budget, fit, predict, saved_bytes

    data: Divided = problem.data
    seeded(problem.seed)
    with phase("fit"):
        network = fit(make(), data, Budget(**budget), problem.seed, device=device)
    with phase("predict"):
        probabilities = predict(network, data.test, device)
    first = data.test.take(slice(0, 1))
    for _ in phase("single"):
        predict(network, first, device)
    return Predicted(probabilities, parameter_count(network), saved_bytes(network, data, device))
