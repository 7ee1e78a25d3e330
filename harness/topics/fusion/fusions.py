"""The strategies of the task classification: each network, with the same options and the same search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from harness.topics.fusion.classification import Predicted, measured, task
from harness.topics.fusion.examples import MODALITIES, Divided
from harness.topics.fusion.networks import JOINT, LATE, Make, alone, sized
from harness.topics.fusion.predicting import NEEDS

if TYPE_CHECKING:
    from harness import PhaseClock, Problem, Scalar

RATE, DECAY, EPOCHS = 5e-3, 0.01, 8
SEARCH: Mapping[str, Sequence[Scalar]] = {
    "rate": [2e-3, 5e-3, 1e-2],
    "weight_decay": [0.01, 0.1, 1.0],
    "epochs": [4, 8, 16],
}


def _strategy(summary: str, of: Callable[[Divided], Make]) -> Callable[..., Predicted]:
    """Return a strategy that fits what `of` makes of the data."""

    def strategy(
        problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
    ) -> Predicted:
        return measured(problem, phase, of(problem.data), rate=rate, weight_decay=weight_decay, epochs=epochs)

    strategy.__doc__ = summary
    return strategy


for _name, _kind in {**JOINT, **LATE}.items():
    task.strategy(_name, needs=(*NEEDS, _kind.needs), search=SEARCH, note=_kind.note)(
        _strategy(_kind.summary, partial(sized, _kind))
    )
for _name in MODALITIES:
    task.strategy(
        f"{_name}-only",
        needs=NEEDS,
        search=SEARCH,
        note="It has the parameters of one modality's member of the late ensembles.",
    )(
        _strategy(
            f"See the modality {_name} alone: its encoder, its mean, and a head of two layers.", partial(alone, _name)
        )
    )
