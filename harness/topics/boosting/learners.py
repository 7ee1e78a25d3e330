"""What the tasks with several targets ask of a library: one model with the task's budget, built, fitted and used.

A library's module has a class that follows `Learner`, and registers it in each task that it serves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from harness import Problem
    from harness.data.tabular import Floats, Table

Scores: TypeAlias = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Goal:
    """What a model is to predict, and from what.

    Attributes
    ----------
    classes
        Number of classes of a multiclass target.
    categorical
        Columns that the library itself is to handle as categories, by their positions.
    patience
        Rounds without a better loss on the validation rows after which training stops; 0 if all trees are grown.
    """

    target: Literal["binary", "multiclass", "real"]
    classes: int = 2
    categorical: tuple[int, ...] = ()
    patience: int = 0


class Learner(Protocol):
    """A model of one library, with the trees, depth, learning rate, penalty and threads of the task."""

    def build(self, train: Table, validation: Table | None = None) -> None:
        """Turn rows into what the library trains on; training stops by the validation rows."""

    def fit(self) -> None:
        """Train, once."""

    def predict(self, X: Floats) -> Scores:
        """Predict rows.

        Returns
        -------
        numpy.ndarray
            Shape (n,): the probability of class 1, or a real number; or shape (n, classes), probabilities that sum to
            1.
        """

    @property
    def trees(self) -> int:
        """Rounds of boosting that predictions use."""


MakeLearner: TypeAlias = Callable[["Problem", Goal], Learner]
