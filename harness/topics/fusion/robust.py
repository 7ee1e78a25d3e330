"""The strategies of the task missing: networks as they are, with modality dropout, and with mean imputation.

All are fitted to complete examples. A modality alone and late fusions need no remedy: a late fusion combines the
modalities that are there, and each of its members was trained alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import CannotRunError
from harness.topics.fusion import ENGINE
from harness.topics.fusion.examples import only
from harness.topics.fusion.missing import MODALITIES, task

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.fusion.engine.networks import Network
    from harness.topics.fusion.examples import Divided

NEEDS = (f"{ENGINE}.fitting", f"{ENGINE}.imputation", f"{ENGINE}.attention", f"{ENGINE}.products")
#: Share of the modalities that modality dropout drops.
DROPPED = 0.3
#: Networks whose encoders are trained together: module and class, and what they are.
JOINT = {
    "concatenation": ("networks", "Concatenation", "the means of all modalities side by side"),
    "full-tensor": ("products", "FullTensor", "the outer product of the means"),
    "cross-attention": ("attention", "CrossAttention", "tokens that attend to those of the other modalities"),
    "bottleneck": ("attention", "Bottleneck", "modalities that exchange a few tokens"),
}
LATE = {
    "late-average": ("networks", "Late", "the average of the modalities' own probabilities"),
    "late-product": ("networks", "LateProduct", "the product of the modalities' own probabilities"),
}


def fitted(
    problem: Problem,
    phase: PhaseClock,
    build: Callable[[Divided], Network],
    *,
    dropped: float = 0.0,
    imputed: bool = False,
) -> npt.NDArray[np.float64]:
    """Fit a network, predict the test examples, and then all altered ones.

    Parameters
    ----------
    dropped
        Probability with which a modality of a training example is dropped, see `fitting.fit`.
    imputed
        Whether a missing modality is replaced by its mean encoding.
    """
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.fitting import Budget, fit, predict
    from harness.topics.fusion.engine.imputation import Imputed
    from harness.topics.fusion.engine.networks import Fusion

    seeded(problem.seed)
    network = build(problem.data)
    with phase("fit"):
        network = fit(network, problem.data, Budget(modality_dropout=dropped), problem.seed)
        if imputed:
            assert isinstance(network, Fusion)
            network = Imputed(network, problem.data)
    with phase("predict"):
        probabilities = predict(network, problem.data.test)
    return problem.with_altered(probabilities, phase, lambda data: predict(network, data.test))


def _register(name: str, summary: str, build: Callable[[Divided], Network], **how: Any) -> None:
    """Register a network under a name; options of `fitted` say how it is fitted."""

    def run(problem: Problem, phase: PhaseClock) -> npt.NDArray[np.float64]:
        return fitted(problem, phase, build, **how)

    run.__doc__ = summary
    task.strategy(name, needs=NEEDS)(run)


def _network(module: str, kind: str) -> Callable[[Divided], Network]:
    def build(data: Divided) -> Network:
        from importlib import import_module

        from harness.topics.fusion.engine.networks import matched

        network = getattr(import_module(f"{ENGINE}.{module}"), kind)
        made: Network = network(data, matched(network, data))
        return made

    return build


def _alone(name: str) -> Callable[[Divided], Network]:
    def build(data: Divided) -> Network:
        from harness.topics.fusion.engine.networks import Concatenation, Late, matched

        if name not in data.train.modalities:
            raise CannotRunError(f"these data have no modality {name}")
        return Concatenation(only(data, name), matched(Late, data))

    return build


for _name, (_module, _kind, _what) in JOINT.items():
    _made = _network(_module, _kind)
    _register(_name, f"Join {_what}.", _made)
    _register(f"{_name}-dropout", f"Like {_name}; a modality is dropped at random in training.", _made, dropped=DROPPED)
    _register(f"{_name}-imputed", f"Like {_name}; a missing encoding is replaced by the mean one.", _made, imputed=True)
for _name, (_module, _kind, _what) in LATE.items():
    _register(_name, f"Predict {_what}.", _network(_module, _kind))
for _name in MODALITIES:
    _register(f"{_name}-only", f"Look at the modality {_name} and at no other.", _alone(_name))
