"""From a trial to its outcome: the one way that runs, suites and both sides of a live gate take.

A strategy whose package or device is missing on this machine does not run; `why_not` says what is missing.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import math
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from harness.declare import Dataset, Judgement, Problem, Scenario, Strategy, Task, Topic
from harness.errors import InvalidOutputError
from harness.measure import device, threads
from harness.measure.clock import PhaseClock
from harness.records import Trial
from harness.registry import BUILTIN, Registry


def missing_module(name: str) -> bool:
    """Return whether a module's top-level package is not installed; imports nothing."""
    return importlib.util.find_spec(name.split(".", 1)[0]) is None


def why_not(strategy: Strategy, topic: Topic) -> str:
    """Return why a topic's strategy cannot run on this machine; empty if it can."""
    for need in (*strategy.needs, *topic.needs):
        if missing_module(need):
            return f"package {need.split('.', 1)[0]} is not installed{_remedy(topic.name)}"
    return device.missing(strategy.device)


def _remedy(topic: str) -> str:
    builtin = importlib.util.find_spec(f"{BUILTIN}.{topic}") is not None
    return f" (in a checkout of Bakeoff: pip install '.[{topic}]')" if builtin else ""


_REASON_LENGTH = 300


@dataclass(frozen=True)
class Job:
    """A trial with the declarations that it names, and the cores that it runs on.

    Attributes
    ----------
    cores
        Empty where processes are not pinned.
    """

    trial: Trial
    topic: Topic
    task: Task
    strategy: Strategy
    dataset: Dataset
    scenario: Scenario
    cores: list[int]

    @classmethod
    def of(cls, trial: Trial, registry: Registry, cores: list[int]) -> Job:
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
        )

    def take_cores(self, controller: ThreadpoolController) -> None:
        """Pin this process to the job's cores, and limit its threads to what the trial declares."""
        if self.cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, self.cores)
        threads.limit(controller, int(self.trial.params["threads"]))

    def prepare(self) -> Any:
        """Load the data, apply the scenario to them, and make all their arrays read-only.

        The judge must see the data that the strategy was given.
        """
        seeds = self.trial.seeds
        draw = np.random.default_rng([seeds.data])
        data = self.dataset.load(self.trial.params, draw)
        if self.task.takes is not None and self.dataset.kind:
            data = self.task.takes.prepare(data, self.trial.params, draw)
        rng = np.random.default_rng([seeds.data, zlib.crc32(self.scenario.name.encode())])
        data = self.scenario.apply(data, rng)
        freeze(data)
        return data

    def problem(self, data: Any) -> Problem:
        """Return what the strategy is given of the prepared data."""
        return Problem(data=self.task.view(data), params=self.trial.params, seed=self.trial.seeds.model)

    def call(self, problem: Problem, clock: PhaseClock) -> Any:
        """Call the strategy once and return its output.

        Raises
        ------
        InvalidOutputError
            When it left a phase open, or entered none that is measured.
        """
        output = self.strategy.run(problem, clock, **self.trial.options)
        if clock.running is not None:
            raise InvalidOutputError(f"phase {clock.running!r} was left by break or return inside of its for statement")
        if not any(figures.in_total for figures in clock.figures.values()):
            measured = (phase for phase in self.task.phases if phase not in self.task.setup)
            raise InvalidOutputError(f"it entered none of the task's phases: {', '.join(measured)}")
        return output

    def judge(self, data: Any, output: Any) -> Judgement:
        """Judge the strategy's output.

        Raises
        ------
        InvalidOutputError
            When the judge returned something else than a judgement, the judgement lacks a metric of the task, or a
            metric is not finite.
        """
        judgement: object = self.task.judge(data, output)
        if not isinstance(judgement, Judgement):
            raise InvalidOutputError(f"the judge returned {type(judgement).__name__}; it must return a Judgement")
        for name in self._metric_names():
            if name not in judgement.metrics:
                raise InvalidOutputError(f"metric {name} is missing")
            if not math.isfinite(judgement.metrics[name]):
                raise InvalidOutputError(f"metric {name} is {judgement.metrics[name]}")
        return judgement

    def metrics(self, judgement: Judgement) -> dict[str, float]:
        """Return the task's metrics of a judgement, without what else the judge put there."""
        return {name: float(judgement.metrics[name]) for name in self._metric_names()}

    def _metric_names(self) -> list[str]:
        return [metric.name for metric in self.task.metrics]


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
    if isinstance(error, InvalidOutputError):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
