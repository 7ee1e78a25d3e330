"""Strategies of the task classification on a CUDA device: two of the fusions, computed in several ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.topics.fusion import ENGINE
from harness.topics.fusion.classification import Predicted, measured, task
from harness.topics.fusion.fusions import DECAY, EPOCHS, RATE
from harness.topics.fusion.networks import JOINT, sized
from harness.topics.fusion.predicting import NEEDS

if TYPE_CHECKING:
    from harness import PhaseClock, Problem


@dataclass(frozen=True)
class Way:
    """A fusion and how it is computed.

    Attributes
    ----------
    fusion
        Its name in `JOINT`.
    compiled
        Whether torch compiles it.
    bfloat16
        Whether torch computes matrix products in bfloat16 (autocast); weights stay in float32.
    """

    fusion: str
    note: str
    compiled: bool = False
    bfloat16: bool = False


ON_DEVICE: Mapping[str, Way] = {
    "concatenation-gpu": Way("concatenation", "On a CUDA device."),
    "cross-attention-gpu": Way("cross-attention", "On a CUDA device."),
    "cross-attention-compiled-gpu": Way("cross-attention", "On a CUDA device, compiled by torch.", compiled=True),
    "cross-attention-bf16-gpu": Way("cross-attention", "On a CUDA device, matrix products in bfloat16.", bfloat16=True),
}


def computed(problem: Problem, phase: PhaseClock, way: Way, device: str, **budget: Any) -> Predicted:
    """Do as `measured`, with a network that is on the device, and compiled, before the phase `fit`."""
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.devices import prepared

    seeded(problem.seed)
    network = prepared(
        sized(JOINT[way.fusion], problem.data)(),
        problem.data,
        device,
        phase,
        compiled=way.compiled,
        bfloat16=way.bfloat16,
    )
    return measured(problem, phase, lambda: network, device, **budget)


def _strategy(way: Way) -> Callable[..., Predicted]:
    def strategy(
        problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
    ) -> Predicted:
        return computed(problem, phase, way, "cuda", rate=rate, weight_decay=weight_decay, epochs=epochs)

    strategy.__doc__ = JOINT[way.fusion].summary
    return strategy


for _name, _way in ON_DEVICE.items():
    task.strategy(
        _name,
        needs=(*NEEDS, JOINT[_way.fusion].needs, f"{ENGINE}.devices"),
        note=_way.note,
        device="cuda",
        quick=False,
    )(_strategy(_way))
