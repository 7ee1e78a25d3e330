"""Tasks: what is to be done and how it is judged, and the values that go to a strategy and come from a judge."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Protocol, TypedDict, TypeVar, cast

import numpy.typing as npt

from harness.declare.checks import (
    check_search,
    check_strategy,
    check_sweeps,
    check_value,
    options_of,
)
from harness.declare.model import Model, ModelFunction
from harness.declare.names import caller, importer, wrong
from harness.declare.values import (
    DIVERGED,
    STRESS,
    THREADS,
    TUNED,
    Chart,
    Dataset,
    DeviceName,
    Metric,
    Param,
    Profile,
    Scenario,
    Strategy,
    StrategyFunction,
    Stress,
    Summed,
    Takes,
    Tuning,
    Work,
)
from harness.records import Curve, Scalar

Output = TypeVar("Output")


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
    n
        By the name of a metric that is a rate, the number of cases that it is a share of.
    diverged
        The step at which training diverged, in the unit of the curves. The task's guess then gives the metrics that are
        not among `metrics`, and curves end there.
    undefined
        Metrics that these data leave undefined, such as an error relative to a true value of 0. The record lacks them.
    """

    metrics: Mapping[str, float]
    curves: Mapping[str, Curve] = field(default_factory=dict)
    examples: Mapping[str, Examples] = field(default_factory=dict)
    n: Mapping[str, int] = field(default_factory=dict)
    diverged: float | None = None
    undefined: Collection[str] = ()


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a strategy returns if it also predicted the altered test sets.

    Attributes
    ----------
    plain
        What it returns without them.
    altered
        Name of each altered test set, as in `Problem.altered`, to the same for that set.
    """

    plain: Any
    altered: Mapping[str, Any]


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
    altered
        Altered test sets by name, each as the task's view of the data, for the phase ``stress``; empty where none are
        handed out.
    """

    data: Any
    params: Mapping[str, Any]
    seed: int
    altered: Mapping[str, Any] = field(default_factory=dict)

    @property
    def threads(self) -> int:
        """Number of threads that the strategy may use."""
        return int(self.params[THREADS])

    def with_altered(self, output: Output, phase: PhaseClock, predict: Callable[[Any], Output]) -> Output:
        """Return an output together with those for the altered test sets, predicted in the phase ``stress``.

        It is an `Outputs` where altered test sets are handed out, else the output as it is. Its type says the latter,
        so that the annotation of a strategy need not change.

        Parameters
        ----------
        predict
            ``predict(data)``: what the fitted model returns for an altered view of the data.
        """
        if not self.altered:
            return output
        with phase(STRESS):
            altered = {name: predict(data) for name, data in self.altered.items()}
        both: Any = Outputs(output, altered)
        return cast(Output, both)


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


class StrategySettings(TypedDict, total=False):
    """The keyword arguments of `Task.strategy`, for what passes them on."""

    needs: str | Sequence[str]
    device: DeviceName
    sweep: Mapping[str, Sequence[Scalar]]
    note: str
    search: Mapping[str, Sequence[Scalar]]
    tries: int | None
    quick: bool
    hand_tuned: bool
    yardstick: bool


class ListedCase(NamedTuple):
    """A case of a task that lists its cases.

    Attributes
    ----------
    reason
        Why it cannot be measured; empty if it can.
    measured
        Whether its times and memory are judged, beside its metrics.
    """

    strategy: str
    dataset: str
    scenario: str
    params: Mapping[str, Scalar]
    options: Mapping[str, Scalar]
    reason: str = ""
    measured: bool = True


@dataclass(frozen=True)
class Task:
    """What is to be done and how it is judged. Made by `Topic.task`.

    Attributes
    ----------
    where
        File and line of the declaration.
    phases
        Those that the author declares, then ``tune`` and ``stress`` where the task has them.
    setup
        Phases that are in no total: set-up, tuning and stress.
    metrics
        Those that the author declares, then ``diverged`` if there is a guess; `altered_metrics` are apart.
    takes
        Which data sets with cards can join; ``None`` for none.
    joined
        Data sets that a project has added, and in `joined_at` the file and line of each.
    models
        Models that predict from what was measured.
    listed
        All cases of the task, where it was collected from another tool; empty where data, scenarios and sweeps say it.
    """

    topic: str
    name: str
    title: str
    datasets: tuple[str | Dataset, ...]
    scenarios: tuple[Scenario, ...]
    phases: tuple[str, ...]
    setup: tuple[str, ...]
    metrics: tuple[Metric, ...]
    judge: Callable[[Any, Any], Judgement]
    view: Callable[[Any], Any]
    params: Mapping[str, Param]
    sweep: Mapping[str, tuple[Scalar, ...]]
    reference: str | None
    baseline: str | None
    charts: tuple[Chart, ...]
    work: Mapping[str, Work]
    quick: Profile
    full: Profile
    defaults: Mapping[str, Scalar]
    tuning: Tuning | None
    stress: tuple[Stress, ...]
    guess: Callable[[Any], Mapping[str, float]] | None
    sizes: Callable[[Any], Mapping[str, Scalar]] | None
    takes: Takes | None
    where: str
    strategies: dict[str, Strategy] = field(default_factory=dict)
    joined: list[Dataset] = field(default_factory=list)
    joined_at: list[str] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)
    listed: tuple[ListedCase, ...] = ()

    @property
    def full_name(self) -> str:
        """The task with its topic, as in ``boosting/tabular-binary``."""
        return f"{self.topic}/{self.name}"

    @property
    def altered_metrics(self) -> dict[str, tuple[Metric, Stress, float | Summed]]:
        """The metrics of altered test sets by name, as ``auc_at_missing_50``, with the stress and its level.

        For a figure that sums up a curve, as ``auc_over_missing``, the level is ``over`` or ``change``.
        """
        return {
            name: (metric, stress, level)
            for stress in self.stress
            for metric in self.metrics
            if metric.name != DIVERGED
            for name, level in stress.figures(metric.name).items()
        }

    @property
    def only_named(self) -> bool:
        """Whether the quick profile runs the task only where a selection names it or one of its strategies."""
        return self.quick.strategies == ()

    @property
    def not_quick(self) -> tuple[str, ...]:
        """The strategies that the quick profile leaves out.

        A list of the profile concerns those that are declared beside the task: a project's own run, as its data do.
        """
        listed, folder = self.quick.strategies, Path(self.where).parent
        return tuple(
            name
            for name, strategy in self.strategies.items()
            if not strategy.quick
            or (listed is not None and name not in listed and Path(strategy.where).is_relative_to(folder))
        )

    def places(self) -> Iterator[str]:
        """Go through the places, file and line, that the task, its strategies and its joined data come from."""
        yield self.where
        yield from (strategy.where for strategy in self.strategies.values())
        yield from self.joined_at

    def model(self, *, title: str) -> Callable[[ModelFunction], ModelFunction]:
        """Register the decorated function as a model of what was not measured; the task's page draws its map.

        The function is called with the measurements of one machine and returns a `WinnerMap`. It raises
        `NotMeasuredError` when measurements are missing.

        Parameters
        ----------
        title
            Names the map on the page.
        """

        def register(function: ModelFunction) -> ModelFunction:
            if not title:
                raise wrong(f"a model of task {self.name} needs a title")
            if any(model.title == title for model in self.models):
                raise wrong(f"task {self.name} has a model with the title {title!r} already")
            if len(inspect.signature(function).parameters) != 1:
                raise wrong(f"model {title!r} of task {self.name} must take one argument, the measurements")
            self.models.append(Model(title, function, caller()))
            return function

        return register

    def join(self, dataset: Dataset) -> None:
        """Add a data set made in code, from a project; like one that joins by its card, it always runs."""
        if any(dataset.name == getattr(known, "name", known) for known in (*self.datasets, *self.joined)):
            raise wrong(f"task {self.name} has a data set {dataset.name!r} already; choose another name")
        self.joined.append(dataset)
        self.joined_at.append(importer())

    def strategy(
        self,
        name: str,
        *,
        needs: str | Sequence[str] = (),
        device: DeviceName = "cpu",
        sweep: Mapping[str, Sequence[Scalar]] = MappingProxyType({}),
        note: str = "",
        search: Mapping[str, Sequence[Scalar]] = MappingProxyType({}),
        tries: int | None = None,
        quick: bool = True,
        hand_tuned: bool = False,
        yardstick: bool = False,
    ) -> Callable[[StrategyFunction], StrategyFunction]:
        """Register the decorated function as a strategy.

        The function is called as ``function(problem, phase, **options)`` and returns what the task's judge takes. Its
        keyword arguments with defaults are its options.

        Parameters
        ----------
        needs
            Modules without which it cannot run; they are imported before any clock starts.
        sweep
            Values to try for its options in the full profile.
        note
            Where it departs from the task's common budget.
        search
            Values of its options that tuning tries. The task needs ``tuning``, and there are then two strategies: this
            one at its defaults, and ``NAME-tuned``.
        tries
            Number of tries where it is not that of the task; tables show it. A search of fewer sets has fewer tries.
        quick
            Whether the quick profile of ``bakeoff run`` includes it. The gate, asv and pytest-benchmark always do.
        hand_tuned
            Whether you tuned its defaults on data of the task; tables then write ``NAME (constants tuned)``.
        yardstick
            Whether it does other work than the task asks for, such as a bare copy, so that the others can be held
            against it; it is shown beside them and never recommended.
        """

        def register(function: StrategyFunction) -> StrategyFunction:
            check_strategy(name, device, self.strategies)
            options = options_of(name, function, self.params)
            changed = {option: value for option, value in self.defaults.items() if option in options}
            for option, value in changed.items():
                check_value(f"task {self.name}, strategy {name}", option, value, Param(options[option]))
            options |= changed
            check_sweeps(name, sweep, options)
            check_search(name, search, tries, options, tunable=self.tuning is not None)
            self.strategies[name] = plain = Strategy(
                name=name,
                run=partial(function, **changed) if changed else function,
                summary=(inspect.getdoc(function) or "").split("\n", 1)[0],
                needs=(needs,) if isinstance(needs, str) else tuple(needs),
                device=device,
                sweep={option: tuple(values) for option, values in sweep.items()},
                options=options,
                note=note,
                where=caller(),
                quick=quick,
                hand_tuned=hand_tuned,
                yardstick=yardstick,
            )
            if search and self.tuning is not None:
                tuned = _tuned(plain, search, tries or self.tuning.tries)
                check_strategy(tuned.name, device, self.strategies)
                self.strategies[tuned.name] = tuned
            return function

        return register


def _tuned(plain: Strategy, search: Mapping[str, Sequence[Scalar]], tries: int) -> Strategy:
    """Return the strategy that tunes another one, with no more tries than there are sets of options."""
    values = {option: tuple(dict.fromkeys(given)) for option, given in search.items()}
    count = min(tries, _sets(values, plain.options))
    return replace(
        plain,
        name=f"{plain.name}{TUNED}",
        summary=f"Like {plain.name}, with the best of {count} tries of {', '.join(values)}.",
        sweep={},
        options={},
        search=values,
        tries=count,
        hand_tuned=False,
    )


def _sets(search: Mapping[str, Sequence[Scalar]], defaults: Mapping[str, Scalar]) -> int:
    """Count the sets of options of a search, with the defaults, which may be one of them."""
    among = all(defaults[option] in values for option, values in search.items())
    return math.prod(map(len, search.values())) + (not among)
