"""Collected benchmarks as declarations: a task for each module or class, a strategy for each benchmark."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import Any

from harness.declare import Dataset, Judgement, Metric, Param, Problem, Profile, Scenario, Task, Topic
from harness.declare.names import SCENARIO
from harness.declare.task import ListedCase
from harness.declare.values import THREADS, Generator, Strategy
from harness.interop.imported_runs import PHASE, ImportedResult, trial_of
from harness.measure.clock import PhaseClock
from harness.records import Scalar, Trial
from harness.registry import Registry

#: The phase of what is done once in a process; it is in no total.
SETUP = "setup"
#: A phase is to last this long, so that neither the clock nor a single interrupt matters.
_LONG_S = 0.025
_MOST_CALLS = 10**7
#: The share of the base's value by which a tracked number may grow.
_TRACKED_MARGIN = 0.01


class Body(ABC):
    """What one collected case does, called again and again in one process.

    Attributes
    ----------
    number
        How many calls of the benchmark a phase has.
    once
        Whether the phase has one call only, as where memory is read.
    """

    def __init__(self, *, once: bool) -> None:
        self.number = 1
        self.once = once
        self._prepared = False

    def __call__(self, phase: PhaseClock) -> Any:
        """Prepare the process at the first call; then measure."""
        if not self._prepared:
            with phase(SETUP):
                self.prepare()
            self._prepared = True
        return self.measure(phase)

    @abstractmethod
    def prepare(self) -> None:
        """Do what a process does once, and choose the number of calls."""

    @abstractmethod
    def measure(self, phase: PhaseClock) -> Any:
        """Measure the calls in the phase, with their set-up and tear-down around it."""

    def calls(self, phase: PhaseClock, function: Callable[[], Any]) -> Any:
        """Call a function `number` times in the phase, and return what the last call returned."""
        with phase(PHASE):
            output = several(function, self.number)
        # The phase's times are those of all calls; who reads them divides.
        phase.figures[PHASE].calls = self.number
        return output

    def choose(self, seconds_of: Callable[[int], float]) -> None:
        """Choose the number of calls, such that they take at least 20 ms.

        Parameters
        ----------
        seconds_of
            Makes a number of calls, and returns the seconds that they took.
        """
        while not self.once and (taken := seconds_of(self.number)) < _LONG_S and self.number < _MOST_CALLS:
            growth = min(10.0, max(1.5, 1.2 * _LONG_S / max(taken, 1e-9)))
            self.number = int(self.number * growth) + 1


def several(function: Callable[[], Any], number: int) -> Any:
    """Call a function some times, with as little around the calls as Python allows."""
    for _ in repeat(None, number - 1):
        function()
    return function()


def seconds_of(function: Callable[[], Any], number: int) -> float:
    """Return the seconds that some calls take."""
    start = time.perf_counter()
    several(function, number)
    return time.perf_counter() - start


@dataclass(frozen=True)
class CollectedCase:
    """A benchmark with one combination of its parameters.

    Attributes
    ----------
    named
        Its names, as an import of the tool's results gives them.
    body
        ``None`` where it cannot be gated.
    where
        File and line.
    metric, unit
        Name and unit of the number that it tracks; its times and memory are not judged then.
    reason
        Why it cannot be gated.
    """

    named: ImportedResult
    body: Body | None
    where: str = ""
    metric: str = ""
    unit: str = "1"
    reason: str = ""


@dataclass(frozen=True)
class _Work:
    """The function of a strategy: it finds the case by what a trial says."""

    cases: dict[tuple[Any, ...], CollectedCase] = field(default_factory=dict)

    def __call__(self, problem: Problem, phase: PhaseClock, **options: Scalar) -> Any:
        dataset, scenario = problem.data
        case = self.cases[_key(dataset, scenario, problem.params, options)]
        if case.body is None:
            raise RuntimeError(case.reason)
        return case.body(phase)


def registry_of(tool: str, cases: Iterable[CollectedCase]) -> Registry:
    """Declare collected cases, and nothing else."""
    topic = Topic(tool, title=f"Benchmarks of {tool}")
    made: dict[str, _Declared] = {}
    for case in cases:
        trial = trial_of(tool, case.named)
        made.setdefault(trial.task, _Declared(topic.name, trial.task, case.named.task)).add(trial, case)
    datasets: dict[str, Dataset] = {}
    topic.tasks.update({name: declared.task(datasets) for name, declared in made.items()})
    return Registry({topic.name: topic}, datasets, {})


@dataclass
class _Declared:
    """A task while its cases are added."""

    topic: str
    name: str
    title: str
    work: dict[str, _Work] = field(default_factory=dict)
    strategies: dict[str, Strategy] = field(default_factory=dict)
    listed: dict[tuple[Any, ...], ListedCase] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)

    def add(self, trial: Trial, case: CollectedCase) -> None:
        """Add a case; one that has the names of another is the other."""
        scenario, params, options = trial.scenario, dict(trial.params), dict(trial.options)
        if THREADS in params:  # it says on how many cores a pair runs
            options[THREADS] = params.pop(THREADS)
        if not SCENARIO.fullmatch(scenario):
            scenario, options = "clean", {**options, "scenario": scenario}
        key = _key(trial.dataset, scenario, params, options)
        if (trial.strategy, *key) in self.listed:
            return
        work = self.work.setdefault(trial.strategy, _Work())
        work.cases[key] = case
        self.listed[trial.strategy, *key] = ListedCase(
            trial.strategy, trial.dataset, scenario, params, options, case.reason, measured=not case.metric
        )
        self.strategies.setdefault(
            trial.strategy, Strategy(trial.strategy, work, case.named.summary, (), "cpu", {}, {}, "", case.where)
        )
        if case.metric:
            margin = _TRACKED_MARGIN
            self.metrics[case.metric] = Metric(
                case.metric, direction="lower", unit=case.unit, margin=margin, relative=True
            )

    def task(self, datasets: dict[str, Dataset]) -> Task:
        """Declare the task."""
        listed = tuple(self.listed.values())
        for name in dict.fromkeys(case.dataset for case in listed):
            datasets.setdefault(name, Dataset(name, partial(_name_of, name)))
        scenarios = dict.fromkeys(case.scenario for case in listed)
        profile = Profile(blocks=2)
        return Task(
            topic=self.topic,
            name=self.name,
            title=self.title,
            datasets=tuple(datasets[name] for name in dict.fromkeys(case.dataset for case in listed)),
            scenarios=tuple(Scenario(name, partial(_with_scenario, name)) for name in scenarios),
            phases=(SETUP, PHASE),
            setup=(SETUP,),
            metrics=tuple(self.metrics.values()),
            judge=self._judge,
            view=lambda data: data,
            params={THREADS: Param(1, low=1)},
            sweep={},
            reference=None,
            baseline=None,
            charts=(),
            work={},
            quick=profile,
            full=profile,
            defaults={},
            tuning=None,
            stress=(),
            guess=None,
            sizes=None,
            takes=None,
            where=next(iter(self.strategies.values())).where,
            strategies=self.strategies,
            listed=listed,
        )

    def _judge(self, _data: Any, output: Any) -> Judgement:
        """Judge what a case tracks; the others return nothing that could be judged."""
        metrics = dict(output) if isinstance(output, Tracked) else {}
        return Judgement(metrics, undefined=[name for name in self.metrics if name not in metrics])


def _name_of(name: str, _params: Mapping[str, Scalar], _rng: Generator) -> str:
    """Load no data: a case is found by the names of its data set and scenario."""
    return name


def _with_scenario(name: str, data: str, _rng: Generator) -> tuple[str, str]:
    return data, name


class Tracked(dict[str, float]):
    """The output of a case that tracks a number: its name and value."""


def _key(dataset: str, scenario: str, params: Mapping[str, Scalar], options: Mapping[str, Scalar]) -> tuple[Any, ...]:
    own = {name: value for name, value in params.items() if name != THREADS}
    return (dataset, scenario, *(tuple(sorted((k, repr(v)) for k, v in part.items())) for part in (own, options)))
