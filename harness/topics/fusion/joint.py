"""Fusions that are trained as one network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.topics.fusion.classification import NEEDS, fitted, task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem, Scalar

SEARCH: Mapping[str, Sequence[Scalar]] = {
    "rate": [1e-3, 3e-3, 1e-2],
    "weight_decay": [0.01, 0.1, 1.0],
    "epochs": [4, 8, 16],
}


@task.strategy("concatenation", needs=NEEDS, search=SEARCH)
def concatenation(
    problem: Problem, phase: PhaseClock, rate: float = 3e-3, weight_decay: float = 0.01, epochs: int = 8
) -> npt.NDArray[np.float64]:
    """Put the means of all modalities side by side, and score them by a head of two layers."""
    from harness.topics.fusion.engine.networks import Concatenation

    return fitted(problem, phase, Concatenation, rate=rate, weight_decay=weight_decay, epochs=epochs)
