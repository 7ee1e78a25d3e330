"""The values that the harness hands to a strategy, and that the judge of a task returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import numpy.typing as npt

from harness.declare.values import THREADS
from harness.records import Curve


@dataclass(frozen=True, eq=False)
class Examples:
    """The values of one metric, one for each example of the test set.

    Only a metric that is a mean over examples or an area under the ROC curve has them: a root of a mean or a
    calibration error does not.

    Parameters
    ----------
    values
        Numbers whose mean is the metric, shape (n,): the log loss or squared error of a row, 1 for a wrong answer, the
        NDCG of a user, the regret of a round. With `labels`, scores whose area under the ROC curve is the metric. The
        order of the examples depends on the data alone.
    labels
        Classes 0 or 1 of the scores, shape (n,).
    """

    values: npt.NDArray[Any]
    labels: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class Judgement:
    """What a task's judge makes of an output.

    Attributes
    ----------
    metrics
        One number for each metric.
    curves
        Curves worth drawing.
    examples
        By the name of a metric, its values for each example, where it has them. They are not written to records: a live
        gate compares both sides example by example.
    """

    metrics: Mapping[str, float]
    curves: Mapping[str, Curve] = field(default_factory=dict)
    examples: Mapping[str, Examples] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """What a strategy is given.

    Attributes
    ----------
    data
        The task's view of the data: everything except what only the judge may see. Arrays are read-only.
    params
        The task's parameters, the same for every strategy.
    seed
        Seed of the strategy's randomness.
    """

    data: Any
    params: Mapping[str, Any]
    seed: int

    @property
    def threads(self) -> int:
        """Number of threads that the strategy may use."""
        return int(self.params[THREADS])


class Measured(Protocol):
    """One use of a phase.

    The body of a ``with`` statement is measured once; that of a ``for`` statement is repeated while it is short.
    """

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def __iter__(self) -> Iterator[None]: ...


class PhaseClock(Protocol):
    """The clock that a strategy gets as `phase`; `harness.measure.clock.PhaseClock` implements it."""

    def __call__(self, name: str, /) -> Measured:
        """Return the phase of that name."""
