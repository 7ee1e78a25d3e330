"""The declared values: metrics, parameters, scenarios, data sets, profiles, strategies and claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from harness.declare.evidence import Evidence, Verdict
from harness.declare.names import IDENTIFIER, NAME, SCENARIO, check_name, wrong
from harness.records import TOTALS, Scalar

StrategyFunction: TypeAlias = Callable[..., Any]
Generator: TypeAlias = np.random.Generator
DeviceName: TypeAlias = Literal["cpu", "cuda", "opencl"]
#: How a curve over the levels of a stress becomes one figure, see `Stress`.
Summed: TypeAlias = Literal["over", "change"]

THREADS = "threads"
#: Phases that the harness adds to a task: that of tuning, and that of predicting altered test sets.
TUNE, STRESS = "tune", "stress"
#: Metric that the harness adds to a task with a guess: 1 for a trial that diverged.
DIVERGED = "diverged"
#: End of the name of a strategy that tuning makes of another one.
TUNED = "-tuned"


@dataclass(frozen=True)
class Metric:
    """A judged number.

    Parameters
    ----------
    direction
        Which way is better; there is no default, because a wrong guess would invert every verdict.
    unit
        Unit of the number; ``"1"`` for a dimensionless one.
    margin
        Largest difference, in that unit, that does not matter to a user; 0 when every difference matters.
    limit
        Worst value with which a strategy can be recommended, in that unit.
    rate
        Whether it is the share of cases that have a property; the judge says of how many cases in `Judgement.n`, so
        that its interval is exact.
    relative
        Whether `margin` is a share of the base's value, for a number whose size is not known when it is declared.
    """

    name: str
    direction: Literal["higher", "lower"] | None = None
    unit: str | None = None
    summary: str = ""
    margin: float = 0.0
    limit: float | None = None
    rate: bool = False
    relative: bool = False

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
        if self.rate and self.unit != "1":
            raise wrong(f"metric {self.name} is a rate, so its unit must be '1', not {self.unit!r}")


@dataclass(frozen=True)
class Param:
    """A parameter of a task or data set: its default and the values that make sense.

    Attributes
    ----------
    low, high
        The range, both ends included.
    multiple
        What every value is a multiple of.
    choices
        The only values that a text can have; empty for any.
    """

    default: Scalar
    low: float | None = None
    high: float | None = None
    summary: str = ""
    multiple: int = 1
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: Scalar) -> Scalar:
        """Return the value in the default's type.

        Raises
        ------
        ValueError
            When the value has another type or is not allowed.
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
            if self.multiple > 1 and value % self.multiple:
                raise ValueError(f"{name}={value} is not a multiple of {self.multiple}")
        if isinstance(value, str) and self.choices and value not in self.choices:
            raise ValueError(f"{name}={value} is none of {', '.join(self.choices)}")
        return value


@dataclass(frozen=True)
class Scenario:
    """A stress laid on the data before any strategy sees it.

    Parameters
    ----------
    apply
        ``apply(data, rng) -> data``; it returns new data and does not change its argument.
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
        Raises `UsageError` when the data are damaged or not what their card says, and `MissingDataError` when they are
        not on this machine; called once before a run.
    version
        Text that changes with the data, such as the checksum of their file.
    overlap
        For data whose blocks draw training and test sets from the same rows, such as those of one file: the function
        that returns, for the parameters, the rows of the test set for each other row. Intervals of metrics are then
        corrected (Nadeau & Bengio 2003, "Inference for the generalization error").
    check
        ``check(params, rng)``: raises `UsageError` when what `load` would return for the same arguments cannot be
        judged, such as test rows of one class; called for each block before a run.
    kind, target
        Of data with a card: the kind of data, and the kind of their target if they have one. A task says which it
        takes, see `Takes`.
    """

    name: str
    load: Callable[[Mapping[str, Scalar], Generator], Any]
    summary: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    provides: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    verify: Callable[[], None] = lambda: None
    version: str = ""
    overlap: Callable[[Mapping[str, Scalar]], float] | None = None
    check: Callable[[Mapping[str, Scalar], Generator], None] = lambda _params, _rng: None
    kind: str = ""
    target: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "dataset", NAME)

    @property
    def description(self) -> str:
        """Kind of the data and of their target in words, such as "table with a binary target"."""
        return _kind_in_words(self.kind or "made in code", (self.target,) if self.target else ())


@dataclass(frozen=True)
class Takes:
    """The data sets of cards that can join a task.

    Parameters
    ----------
    kind
        Kind of data, as a card names it: ``table``, ``log``, ``interactions``, ``text`` or ``arrays``.
    targets
        Kinds of targets: ``binary``, ``multiclass``, ``real``; empty for any, and for none.
    prepare
        ``prepare(data, params, rng) -> data``: what the task makes of such data before any scenario, such as a division
        into training and test. Data made in code are what the task needs already.
    overlap
        ``overlap(data)``, where `prepare` tests other rows of a file than the data hold out, or fewer: the rows of the
        test set for each other row of the file, from what `prepare` and a scenario made. It takes the place of
        `Dataset.overlap`.
    """

    kind: str
    targets: tuple[str, ...] = ()
    prepare: Callable[[Any, Mapping[str, Scalar], Generator], Any] = lambda data, _params, _rng: data
    overlap: Callable[[Any], float] | None = None

    def __str__(self) -> str:
        return _kind_in_words(self.kind, self.targets)

    def accepts(self, dataset: Dataset) -> bool:
        """Return whether a data set can join."""
        return dataset.kind == self.kind and (not self.targets or dataset.target in self.targets)


def _kind_in_words(kind: str, targets: tuple[str, ...]) -> str:
    return f"{kind} with a {' or '.join(targets)} target" if targets else kind


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
    strategies
        For the quick profile, names of the strategies to run; ``None`` for all. Those of the user's project always
        run. The gate, asv and pytest-benchmark run all strategies. Empty for a task that the quick profile runs only
        where a selection names it, as ``topic/task``, or names a strategy that no other selected task has; the gate,
        asv and pytest-benchmark too.
    stress
        Whether the altered test sets of the task's stresses are handed out.
    """

    blocks: int
    params: Mapping[str, Scalar] = field(default_factory=dict)
    datasets: tuple[str, ...] | None = None
    scenarios: tuple[str, ...] | None = None
    sweeps: bool = False
    strategies: tuple[str, ...] | None = None
    stress: bool = True

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise wrong(f"a profile needs at least one block, not {self.blocks}")


FULL = Profile(blocks=10, sweeps=True)


class Chart(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a page draws a curve that the judge records.

    Attributes
    ----------
    curve
        Name of the curve in the judgement.
    x, y
        Titles of the axes, with units where there are any.
    diagonal
        Whether the line y = x is drawn for comparison.
    log_x, log_y
        Whether an axis is logarithmic.
    reading
        One or two sentences on how to read it.
    limit, limit_title
        Name and title of another curve in the judgement, one for all strategies, drawn as a dashed line: a bound, a
        Bayes error, a budget. Where it was not recorded, none is drawn.
    """

    curve: str
    title: str
    x: str
    y: str
    diagonal: bool = False
    log_x: bool = False
    log_y: bool = False
    reading: str = ""
    limit: str = ""
    limit_title: str = ""


class Work(msgspec.Struct, frozen=True):
    """The unit of work that a phase repeats, so that its time and memory can be shown per unit.

    Attributes
    ----------
    unit
        Name of the unit: step, row, token.
    of
        The parameters whose product is the number of units; a task's ``sizes`` says what they are in the data.
    """

    unit: str
    of: tuple[str, ...]

    def count(self, params: Mapping[str, Scalar]) -> float:
        """Return the number of units; 0 if a parameter is missing."""
        return math.prod(float(params.get(name, 0)) for name in self.of)


@dataclass(frozen=True)
class Tuning:
    """How strategies of a task are tuned: equal tries for all, judged on data held out of the training data.

    Parameters
    ----------
    tries
        Number of sets of options that each tuned strategy tries; the first is its defaults.
    holdout
        ``holdout(data, rng) -> data``: the same kind of data with a part of the training data in place of the test
        data. It reads nothing of the test data.
    """

    tries: int
    holdout: Callable[[Any, Generator], Any]

    def __post_init__(self) -> None:
        if self.tries < 2:
            raise wrong(f"tuning needs at least two tries, not {self.tries}: the first one is the defaults")


@dataclass(frozen=True)
class Stress:
    """Altered test sets that a fitted model predicts within one trial, one for each level.

    Their metrics are figures of their own: with the levels 0 and 50, ``auc_at_missing_0`` and ``auc_at_missing_50``.
    Pages draw each of the task's metrics over the levels.

    Parameters
    ----------
    alter
        ``alter(data, level, rng) -> data``: data with another test set; training data are not looked at. ``None`` where
        the data have nothing that it could alter: that test set is then left out.
    levels
        Numbers from 0 on, in the unit of `axis`.
    axis
        Title of the levels, with their unit: "missing values, %".
    summed
        Whether the curve of each metric over the levels gives two more figures: its mean by the trapezoid rule,
        ``auc_over_missing``, which is the area under the curve divided by the range of the levels; and the value at the
        last level minus that at the first, ``auc_change_missing``.
    """

    name: str
    alter: Callable[[Any, float, Generator], Any]
    levels: tuple[float, ...]
    axis: str
    summary: str = ""
    summed: bool = False

    def __post_init__(self) -> None:
        check_name(self.name, "stress", IDENTIFIER)
        if not self.levels or any(not (math.isfinite(level) and level >= 0) for level in self.levels):
            raise wrong(f"stress {self.name} needs levels, finite numbers from 0 on, not {self.levels}")
        if len(set(self.levels)) < len(self.levels):
            raise wrong(f"stress {self.name} lists a level twice: {self.levels}")
        if self.summed and len(self.levels) < 2:
            raise wrong(f"stress {self.name} has one level; a curve that is summed up needs two or more")

    def key(self, level: float) -> str:
        """Name the test set of a level: ``missing_50``, ``noise_0_1``."""
        return f"{self.name}_{level:g}".replace(".", "_").replace("-", "m").replace("+", "")

    def figures(self, metric: str) -> dict[str, float | Summed]:
        """Name the figures of a metric, each with its level or with how it sums up the curve over the levels."""
        found: dict[str, float | Summed] = {f"{metric}_at_{self.key(level)}": level for level in self.levels}
        if self.summed:
            found |= {f"{metric}_over_{self.name}": "over", f"{metric}_change_{self.name}": "change"}
        return found


@dataclass(frozen=True)
class Strategy:
    """One competing way to do a task.

    Attributes
    ----------
    search
        Options with the values that tuning tries; empty for a strategy that is not tuned.
    tries
        How many sets of options tuning tries.
    quick
        Whether it is run in the quick profile.
    hand_tuned
        Whether its author tuned its defaults on data of the task.
    yardstick
        Whether it does other work than the task asks for, and is never recommended.
    """

    name: str
    run: StrategyFunction
    summary: str
    needs: tuple[str, ...]
    device: DeviceName
    sweep: Mapping[str, tuple[Scalar, ...]]
    options: Mapping[str, Scalar]
    note: str
    where: str
    search: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    tries: int = 0
    quick: bool = True
    hand_tuned: bool = False
    yardstick: bool = False

    @property
    def plain(self) -> str:
        """The name of the strategy that is tuned; its own name if it is not tuned."""
        return self.name.removesuffix(TUNED) if self.search else self.name


@dataclass(frozen=True)
class Claim:
    """A falsifiable sentence with its source, and the figure that the source gives, if any.

    Attributes
    ----------
    blocks
        How many blocks it needs; ``None`` for those of its task's full profile.
    """

    text: str
    source: str
    check: Callable[[Evidence], Verdict]
    where: str
    published: str = ""
    blocks: int | None = None
