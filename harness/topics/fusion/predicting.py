"""What tasks share whose strategies fit one network and return the probabilities of the classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness import Judgement, Param
from harness.topics.fusion import ENGINE
from harness.topics.fusion.examples import UNLABELLED, Divided

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.fusion.engine.networks import Network

#: Fewer rows than in the task classification: most tasks compare what is trained, on small data.
SMALL = {
    "rows": Param(2_000, low=20, summary="training examples at most"),
    "tested": Param(2_000, low=20, summary="test examples at most, of a fifth of all"),
}
#: Modules that every strategy needs. An optimiser imports torch._dynamo when it is first used, which takes 2 seconds.
NEEDS = (f"{ENGINE}.fitting", "torch._dynamo")


def judge(data: Divided, output: Any) -> Judgement:
    """Judge the probabilities of the classes of the test examples, shape (n, classes)."""
    from harness.topics._shared.multiclass import judge as judge_classes

    return judge_classes(data.test.labels, data.classes, output)


def guess(data: Divided) -> Mapping[str, float]:
    """Return the metrics of the rates of the training labels that may be used: those of a trial that diverged."""
    from harness.topics._shared.multiclass import majority

    labels = data.train.labels
    return majority(labels[labels != UNLABELLED], data.test.labels, data.classes)


def fitted(problem: Problem, phase: PhaseClock, fit: Callable[[], Network]) -> npt.NDArray[np.float64]:
    """Fit a network in the phase `fit`, and predict the test examples in the phase `predict`, then all altered ones.

    Parameters
    ----------
    fit
        Makes a network and fits it; torch is seeded before.
    """
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.fitting import predict

    seeded(problem.seed)
    with phase("fit"):
        network = fit()
    with phase("predict"):
        probabilities = predict(network, problem.data.test)
    return problem.with_altered(probabilities, phase, lambda data: predict(network, data.test))
