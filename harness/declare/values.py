"""The declared values: metrics, parameters, scenarios, data sets, profiles, strategies and claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.declare.checks import IDENTIFIER, NAME, SCENARIO, check_name, wrong
from harness.evidence import Evidence, Verdict
from harness.trial import TOTALS, Curve, Scalar

Strategist: TypeAlias = Callable[..., Any]
Generator: TypeAlias = np.random.Generator
DeviceName: TypeAlias = Literal["cpu", "cuda"]

THREADS = "threads"


@dataclass(frozen=True)
class Metric:
    """A judged number.

    Parameters
    ----------
    direction
        Which way is better; there is no default, because a wrong guess turns every verdict round.
    unit
        Unit of the number; ``"1"`` for a dimensionless one.
    margin
        Largest difference, in that unit, that makes no difference to a user; 0 when every difference counts.
    limit
        Worst value with which a strategy can be recommended, in that unit.
    """

    name: str
    direction: Literal["higher", "lower"] | None = None
    unit: str | None = None
    summary: str = ""
    margin: float = 0.0
    limit: float | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "metric", IDENTIFIER)
        if self.name in TOTALS:
            raise wrong(f"metric {self.name} has the name of a measured cost; rename it")
        if self.direction not in ("higher", "lower"):
            raise wrong(f"metric {self.name} needs direction='higher' or direction='lower'")
        if not self.unit:
            raise wrong(f"metric {self.name} needs a unit; write unit='1' for a dimensionless number")
        if not (self.margin >= 0 and math.isfinite(self.margin)):
            raise wrong(f"metric {self.name} has margin={self.margin}; give a finite number from 0 on, in its unit")
        if self.limit is not None and not math.isfinite(self.limit):
            raise wrong(f"metric {self.name} has limit={self.limit}; give a finite number, in its unit, or none")


@dataclass(frozen=True)
class Param:
    """A parameter of a task or data set: its default and the range in which it makes sense."""

    default: Scalar
    low: float | None = None
    high: float | None = None
    summary: str = ""

    def check(self, name: str, value: Scalar) -> Scalar:
        """Return the value in the default's type.

        Raises
        ------
        ValueError
            When the value has another type or lies outside of the range.
        """
        wanted = type(self.default)
        if wanted is float and type(value) is int:
            value = float(value)
        if wanted is int and type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not wanted:
            raise ValueError(f"{name}={value} is not of type {wanted.__name__}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise ValueError(f"{name}={value} is not finite")
            if self.low is not None and value < self.low:
                raise ValueError(f"{name}={value} is too small: the least is {self.low}")
            if self.high is not None and value > self.high:
                raise ValueError(f"{name}={value} is too large: the most is {self.high}")
        return value


@dataclass(frozen=True)
class Scenario:
    """A stress laid on the data before any strategy sees it.

    Parameters
    ----------
    apply
        ``apply(data, rng) -> data``; it returns new data and leaves its argument alone.
    requires
        What a data set must provide for the scenario to make sense, for example ``("time",)``.
    """

    name: str
    apply: Callable[[Any, Generator], Any]
    summary: str = ""
    requires: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.name, "scenario", SCENARIO)


CLEAN = Scenario("clean", lambda data, _rng: data, "The data as they are.")


@dataclass(frozen=True)
class Dataset:
    """Named data.

    Parameters
    ----------
    load
        ``load(params, rng) -> data``; it reads only the parameters that it declares.
    params
        The parameters that the data understand (rows ...), with the ranges that they allow.
    provides
        Properties that scenarios may require, for example ``("time",)``.
    needs
        Modules that `load` uses; they are imported before any clock starts.
    verify
        Raises `UsageError` when the data are missing or damaged; called once before a run.
    version
        Changes with the data: the checksum of their file, or what else tells one version from another.
    """

    name: str
    load: Callable[[Mapping[str, Scalar], Generator], Any]
    summary: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    provides: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    verify: Callable[[], None] = lambda: None
    version: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "dataset", NAME)


@dataclass(frozen=True)
class Profile:
    """How much of a task is run: the quick look or the full evidence.

    Parameters
    ----------
    params
        Values that replace the task's defaults.
    datasets
        Names of the task's data sets to run; ``None`` for all. Data of the user's project always run.
    scenarios
        Names of the scenarios to run; ``None`` for all.
    sweeps
        Whether sweeps are run, each parameter on its own with the others at their defaults, on clean data.
    """

    blocks: int
    params: Mapping[str, Scalar] = field(default_factory=dict)
    datasets: tuple[str, ...] | None = None
    scenarios: tuple[str, ...] | None = None
    sweeps: bool = False

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise wrong(f"a profile needs at least one block, not {self.blocks}")


FULL = Profile(blocks=10, sweeps=True)


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


@dataclass(frozen=True)
class Strategy:
    """One competing way to do a task."""

    name: str
    run: Strategist
    summary: str
    needs: tuple[str, ...]
    device: DeviceName
    sweep: Mapping[str, tuple[Scalar, ...]]
    options: Mapping[str, Scalar]
    note: str
    where: str


@dataclass(frozen=True)
class Claim:
    """A falsifiable sentence with its source, and the figure that the source gives, if any."""

    text: str
    source: str
    check: Callable[[Evidence], Verdict]
    where: str
    published: str = ""
