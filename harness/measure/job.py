"""From a trial to its outcome: the one way that runs, suites and both sides of a live gate take.

A strategy whose package or device is missing on this machine does not run; `why_not` says what is missing.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from harness.declare import Dataset, Judgement, Outputs, Problem, Scenario, Strategy, Task, Topic
from harness.declare.values import STRESS
from harness.errors import DivergedError, InvalidOutputError, TuningError
from harness.measure import device, judging, threads
from harness.measure.clock import PhaseClock
from harness.plan.data import prepare
from harness.records import Scalar, Trial
from harness.registry import BUILTIN, Registry


def missing_module(name: str) -> bool:
    """Return whether a module's top-level package is not installed; imports nothing."""
    return importlib.util.find_spec(name.split(".", 1)[0]) is None


def why_not(strategy: Strategy, topic: Topic) -> str:
    """Return why a topic's strategy cannot run on this machine; empty if it can."""
    for need in (*strategy.needs, *topic.needs):
        if missing_module(need):
            package = need.split(".", 1)[0]
            return f"package {package} is not installed{_remedy(topic.name, package)}"
    return device.missing(strategy.device)


def _remedy(topic: str, package: str) -> str:
    """Name the extra that installs a package: its own if it has one, else that of the topic."""
    builtin = importlib.util.find_spec(f"{BUILTIN}.{topic}") is not None
    extra = package if package in _extras() else topic
    return f" (in a checkout of Bakeoff: pip install '.[{extra}]')" if builtin else ""


def _extras() -> Sequence[str]:
    try:
        return importlib.metadata.metadata("bakeoff").get_all("Provides-Extra") or ()
    except importlib.metadata.PackageNotFoundError:
        return ()


_REASON_LENGTH = 300
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Job:
    """A trial with the declarations that it names, and the cores that it runs on.

    Attributes
    ----------
    cores
        Empty where processes are not pinned.
    choice
        The options that tuning chose; ``None`` before tuning, and without it.
    """

    trial: Trial
    topic: Topic
    task: Task
    strategy: Strategy
    dataset: Dataset
    scenario: Scenario
    cores: list[int]
    choice: Mapping[str, Scalar] | None = None

    @classmethod
    def of(cls, trial: Trial, registry: Registry, cores: list[int], choice: Mapping[str, Scalar] | None = None) -> Job:
        """Look up what a trial names."""
        topic = registry.topics[trial.topic]
        task = topic.tasks[trial.task]
        return cls(
            trial=trial,
            topic=topic,
            task=task,
            strategy=task.strategies[trial.strategy],
            dataset=registry.dataset(trial.dataset),
            scenario=next(scenario for scenario in task.scenarios if scenario.name == trial.scenario),
            cores=cores,
            choice=choice,
        )

    @property
    def untuned(self) -> bool:
        """Whether the strategy has yet to be tuned."""
        return bool(self.strategy.search) and self.choice is None

    def take_cores(self, controller: ThreadpoolController) -> None:
        """Pin this process to the job's cores, and limit its threads to what the trial declares."""
        if self.cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, self.cores)
        threads.limit(controller, int(self.trial.params["threads"]))

    def prepare(self) -> Any:
        """Load the data, apply the scenario to them, and make all their arrays read-only.

        The judge must see the data that the strategy was given.
        """
        data = prepare(self.trial, self.task, self.dataset, self.scenario)
        freeze(data)
        return data

    def alter(self, data: Any) -> dict[str, Any]:
        """Make the altered data of the task by the name of the test set, with read-only arrays.

        Test sets of stresses that these data have nothing for are left out.
        """
        made: dict[str, Any] = {}
        for stress in self.task.stress:
            for level in stress.levels:
                name = stress.key(level)
                rng = np.random.default_rng([self.trial.seeds.data, zlib.crc32(name.encode())])
                altered = stress.alter(data, level, rng)
                if altered is not None:
                    made[name] = altered
        freeze(made)
        return made

    def problem(self, data: Any, altered: Mapping[str, Any] = _NONE) -> Problem:
        """Return what the strategy is given of the prepared data, and of the altered ones."""
        view = self.task.view
        return Problem(
            data=view(data),
            params=self.trial.params,
            seed=self.trial.seeds.model,
            altered={name: view(part) for name, part in altered.items()},
        )

    def call(self, problem: Problem, clock: PhaseClock) -> Any:
        """Call the strategy once and return its output; without altered test sets, its plain one.

        If its training diverged, a `judging.Diverged` stands in for the output.

        Raises
        ------
        InvalidOutputError
            When it left a phase open, entered none that is measured, or predicted altered test sets outside of their
            phase.
        """
        try:
            output = self.strategy.run(problem, clock, **self.trial.options, **(self.choice or {}))
        except DivergedError as error:
            return judging.Diverged(error.step)
        if clock.running is not None:
            raise InvalidOutputError(f"phase {clock.running!r} was left by break or return inside of its for statement")
        if not any(figures.in_total for figures in clock.figures.values()):
            measured = (phase for phase in self.task.phases if phase not in self.task.setup)
            raise InvalidOutputError(f"it entered none of the task's phases: {', '.join(measured)}")
        if not isinstance(output, Outputs):
            return output
        if problem.altered and STRESS not in clock.figures:
            raise InvalidOutputError(f"it predicted altered test sets outside of the phase {STRESS}")
        return output if output.altered else output.plain

    def work(self, problem: Problem) -> dict[str, float]:
        """Count the units of work of each phase in the data; nothing where the task's parameters say it."""
        if self.task.sizes is None:
            return {}
        sizes = {**problem.params, **self.task.sizes(problem.data)}
        return {phase: work.count(sizes) for phase, work in self.task.work.items()}

    def judge(self, data: Any, output: Any, altered: Mapping[str, Any] = _NONE) -> Judgement:
        """Judge the strategy's output, and those for altered data; see `judging.judge`."""
        return judging.judge(self.task, data, output, altered)

    def overlap(self, data: Any) -> float:
        """Return the rows of the test set for each other row, where blocks draw both from the same rows; else 0."""
        takes = self.task.takes
        if takes is not None and takes.overlap is not None and self.dataset.kind:
            return float(takes.overlap(data))
        return 0.0 if self.dataset.overlap is None else float(self.dataset.overlap(self.trial.params))


def import_installed(modules: Iterable[str]) -> None:
    """Import those modules whose packages are installed.

    A package that is installed and broken fails the trials that need it, with its own message, so its errors are
    ignored here.
    """
    for name in sorted(set(modules)):
        if not missing_module(name):
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def freeze(value: object) -> None:
    """Make all arrays within a value read-only."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value):
        for field in fields(value):
            freeze(getattr(value, field.name))
    elif isinstance(value, Mapping):
        freeze(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            freeze(part)


def reason_of(error: BaseException) -> str:
    """Say in one line why a strategy or its judge failed."""
    if isinstance(error, SystemExit):
        return f"called sys.exit({error.code if error.code is not None else ''})"
    first = next(iter(str(error).splitlines()), "")[:_REASON_LENGTH]
    if isinstance(error, InvalidOutputError | TuningError):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
