"""Networks of one modality, and ensembles of them that are not trained jointly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness import CannotRunError
from harness.topics.fusion.classification import NEEDS, Predicted, measured, task
from harness.topics.fusion.examples import only
from harness.topics.fusion.joint import DECAY, EPOCHS, RATE, SEARCH, joined

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

#: Modalities that have a network of their own: those of cards, then those of generated data.
ALONE = ("text", "image", "links", "numbers", "a", "b")


def alone(problem: Problem, phase: PhaseClock, name: str, **budget: Any) -> Predicted:
    """Fit and predict with the member of the ensembles that sees one modality.

    Raises
    ------
    CannotRunError
        When the data lack it.
    """
    from harness.topics.fusion.engine.networks import Concatenation, Late, matched

    if name not in problem.data.train.modalities:
        raise CannotRunError(f"these data have no modality {name}")
    size = matched(Late, problem.data)
    return measured(problem, phase, lambda data: Concatenation(only(data, name), size), **budget)


def _strategy(name: str) -> Callable[..., Predicted]:
    def strategy(
        problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
    ) -> Predicted:
        return alone(problem, phase, name, rate=rate, weight_decay=weight_decay, epochs=epochs)

    strategy.__doc__ = f"See the modality {name} alone: its encoder, its mean, and a head of two layers."
    return strategy


for _name in ALONE:
    task.strategy(
        f"{_name}-only",
        needs=NEEDS,
        search=SEARCH,
        note="It has the parameters of one modality's member of the late ensembles.",
    )(_strategy(_name))


@task.strategy("late-average", needs=NEEDS, search=SEARCH)
def late_average(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Average the probabilities of networks of one modality, each trained alone."""
    from harness.topics.fusion.engine.networks import Late

    return joined(problem, phase, Late, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("late-product", needs=NEEDS, search=SEARCH)
def late_product(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Multiply the probabilities of networks of one modality, each trained alone."""
    from harness.topics.fusion.engine.networks import LateProduct

    return joined(problem, phase, LateProduct, rate=rate, weight_decay=weight_decay, epochs=epochs)
