"""What passes between the harness, a strategy and the judge of a task."""

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
    """What the test set says of one metric, example by example.

    A metric that is no mean over examples and no area under the ROC curve (a root of a mean, a calibration error) has
    none.

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
        One number a metric.
    curves
        Curves worth drawing.
    examples
        Metric to what it rests on, for the metrics that have it. No record keeps it: the gate compares it pair by pair.
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
        The task's view of the data: everything but what the judge keeps to itself. Arrays are read-only.
    params
        The task's parameters, the same for every strategy.
    seed
        Seed of the strategy's own randomness.
    """

    data: Any
    params: Mapping[str, Any]
    seed: int

    @property
    def threads(self) -> int:
        """Number of threads that the strategy may use."""
        return int(self.params[THREADS])


class Measured(Protocol):
    """One use of a phase: measured once in a ``with`` statement, and while it is short again in a ``for``."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def __iter__(self) -> Iterator[None]: ...


class PhaseClock(Protocol):
    """What a strategy gets as `phase`; see `harness.measure.clock.PhaseClock`."""

    def __call__(self, name: str, /) -> Measured:
        """Return the phase of that name."""
