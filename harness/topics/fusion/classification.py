"""The task classification: which class an example with several modalities has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness import CLEAN, InvalidOutputError, Judgement, Metric, Profile, Takes, Tuning
from harness.topics._shared.multiclass import METRICS, RELIABILITY
from harness.topics.fusion import ENGINE, judging, topic
from harness.topics.fusion.examples import PARAMS, TEST, Divided, holdout, prepare, visible
from harness.topics.fusion.scenarios import RANDOM_SPLIT, label_noise, long_tail
from harness.topics.fusion.worlds import INTERACTION

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.fusion.engine.networks import Network

    Floats = npt.NDArray[np.float64]

#: Modules that every strategy needs. An optimiser imports torch._dynamo when it is first used, which takes 2 seconds.
NEEDS = (f"{ENGINE}.fitting", f"{ENGINE}.networks", "harness.topics._shared.deep", "torch._dynamo")
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
    judged = judging.judge(data, output.probabilities)
    costs = {"parameters": float(output.parameters), "saved_bytes": float(output.saved_bytes)}
    return replace(judged, metrics={**judged.metrics, **costs})


def _guess(data: Divided) -> Mapping[str, float]:
    return {**judging.guess(data), "parameters": 0.0, "saved_bytes": 0.0}


task = topic.task(
    "classification",
    title="The class of an example with several modalities",
    datasets=["emoji", "debian-packages", INTERACTION],
    takes=Takes("arrays", prepare=prepare, overlap=TEST / (1 - TEST)),
    scenarios=[CLEAN, RANDOM_SPLIT, label_noise(0.2), long_tail(20)],
    phases=["fit", "predict", "single"],
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
        {"rows": 700},
        datasets=("emoji",),
        scenarios=("clean",),
        strategies=("text-only", "image-only", "concatenation", "late-product"),
    ),
    full=Profile(25),
)


def fitted(
    problem: Problem, phase: PhaseClock, build: Callable[[Divided], Network], device: str = "cpu", **budget: Any
) -> Floats:
    """Fit a network in the phase `fit`, and return its probabilities for the test examples in the phase `predict`."""
    from harness.topics.fusion.engine.fitting import predict

    network = _trained(problem, phase, build, device, budget)
    with phase("predict"):
        probabilities = predict(network, problem.data.test, device)
    return problem.with_altered(probabilities, phase, lambda data: predict(network, data.test, device))


def measured(
    problem: Problem, phase: PhaseClock, build: Callable[[Divided], Network], device: str = "cpu", **budget: Any
) -> Predicted:
    """Do as `fitted`, predict one example in the phase `single`, and count parameters and saved bytes."""
    from harness.topics._shared.deep import parameter_count
    from harness.topics.fusion.engine.fitting import predict, saved_bytes

    network = _trained(problem, phase, build, device, budget)
    with phase("predict"):
        probabilities = predict(network, problem.data.test, device)
    first = problem.data.test.take(slice(0, 1))
    for _ in phase("single"):
        predict(network, first, device)
    return Predicted(probabilities, parameter_count(network), saved_bytes(network, problem.data, device))


def _trained(
    problem: Problem,
    phase: PhaseClock,
    build: Callable[[Divided], Network],
    device: str,
    budget: Mapping[str, Any],
) -> Network:
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.fitting import Budget, fit

    seeded(problem.seed)
    with phase("fit"):
        return fit(build(problem.data).to(device), problem.data, Budget(**budget), problem.seed, device=device)
