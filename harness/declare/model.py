"""Fitted models of a task: a function that predicts, from what was measured, which strategy is the cheapest where."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.declare.names import wrong
from harness.errors import BakeoffError
from harness.records import Scalar


class Measurement(NamedTuple):
    """One strategy in one cell: what a model is fitted on.

    Attributes
    ----------
    options
        All options of the strategy, defaults included.
    values
        Measure, such as ``fit.wall_s`` or a metric, to its values by block; NaN where a block has none.
    """

    strategy: str
    options: Mapping[str, Scalar]
    dataset: str
    scenario: str
    params: Mapping[str, Scalar]
    values: Mapping[str, npt.NDArray[np.float64]]


class Prediction(NamedTuple):
    """What a model predicts at one place of its map.

    Attributes
    ----------
    x, y
        The place, both above 0.
    winner, cost
        The cheapest strategy, and its predicted cost in the unit of the map.
    second, ratio, low, high
        The next cheapest strategy, and the ratio of its cost to that of the winner with a 95 % interval.
    doubt
        Why the winner is not certain, in a few words; empty where it is. An interval of the ratio that contains 1
        needs no words: the page says so itself.
    """

    x: float
    y: float
    winner: str
    cost: float
    second: str
    ratio: float
    low: float
    high: float
    doubt: str = ""


class Panel(NamedTuple):
    """One map of winners: its title, such as ``8 workers``, and a prediction for every place of a grid."""

    title: str
    predictions: Sequence[Prediction]


class FittedConstant(NamedTuple):
    """A constant of a model with its 95 % interval."""

    name: str
    unit: str
    estimate: float
    low: float
    high: float


class Validation(NamedTuple):
    """A prediction beside the measurement of it, at a size that the model was not fitted on."""

    what: str
    where: str
    unit: str
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """The relative error: 0.3 is a prediction that is 30 % too large, -0.3 one that is 30 % too small."""
        return self.predicted / self.measured - 1


@dataclass(frozen=True)
class WinnerMap:
    """What a model predicts, beyond what was measured: which strategy is the cheapest where.

    Parameters
    ----------
    basis
        One sentence that says what the map is extrapolated from. The page shows it beside the map.
    x, y
        What varies along the axes, for example ``rows`` and ``columns``; both axes are logarithmic.
    cost, unit
        What is predicted, for example ``time of a tree``, and its unit: ``s``, ``byte`` or any other.
    panels
        Maps over the same grid.
    constants, validations, notes
        The constants of the model, its errors at sizes that were held out, and sentences on its limits.

    Raises
    ------
    DeclarationError
        When a part is empty, or a number is not finite and above 0.
    """

    basis: str
    x: str
    y: str
    cost: str
    unit: str
    panels: Sequence[Panel]
    constants: Sequence[FittedConstant] = ()
    validations: Sequence[Validation] = ()
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("basis", "x", "y", "cost", "unit"):
            if not getattr(self, name):
                raise wrong(f"a map of winners needs {name}=")
        if not self.panels or not all(panel.predictions for panel in self.panels):
            raise wrong("a map of winners needs at least one panel, and every panel a prediction")
        for panel in self.panels:
            for own in panel.predictions:
                numbers = (own.x, own.y, own.cost, own.ratio, own.low, own.high)
                if not all(math.isfinite(number) and number > 0 for number in numbers):
                    raise wrong(f"panel {panel.title} predicts {own}; all of its numbers must be finite and above 0")
        for check in self.validations:
            if not all(math.isfinite(number) and number > 0 for number in (check.predicted, check.measured)):
                raise wrong(f"a map of winners validates {check}; both of its numbers must be finite and above 0")


class NotMeasuredError(BakeoffError):
    """Raised by the function of a model that lacks measurements; the page says so, with what to run.

    Parameters
    ----------
    message
        What is missing, in one sentence.
    commands
        The commands that measure it.
    """

    def __init__(self, message: str, commands: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.commands = tuple(commands)


ModelFunction: TypeAlias = Callable[[Sequence[Measurement]], WinnerMap]


@dataclass(frozen=True)
class Model:
    """A fitted model of a task. Made by `Task.model`."""

    title: str
    fit: ModelFunction
    where: str
