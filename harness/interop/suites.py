"""A task as a suite: the trials that another tool asks for, and their results."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.analysis import wording
from harness.config import Config, read_config
from harness.declare import Dataset, Task
from harness.errors import UsageError, did_you_mean
from harness.execute import choose
from harness.execute.executor import Ended, Limits, blocks_of
from harness.measure.job import why_not
from harness.measure.machine import memory_budget
from harness.plan import make_plan
from harness.plan.data import check_data, missing_data
from harness.plan.selection import ProfileName, Selection
from harness.records import Record, Trial, figures
from harness.registry import Registry, load_registry


class ReplayClock:
    """A clock that replays measured samples to a tool that takes its own times.

    A tool that times `step` with `now` as its timer gets the samples in their order, and its statistics work on them.

    Parameters
    ----------
    samples
        In seconds; `load` replaces them.
    """

    def __init__(self, samples: Sequence[float] = ()) -> None:
        self.load(samples)

    def load(self, samples: Sequence[float]) -> None:
        """Take samples in seconds."""
        self._samples, self._taken, self._elapsed = list(samples), 0, 0.0

    def now(self) -> float:
        """Return the time in seconds; each call resets it, so that no sample is rounded."""
        elapsed, self._elapsed = self._elapsed, 0.0
        return elapsed

    def step(self) -> None:
        """Advance the clock by the next sample.

        Raises
        ------
        RuntimeError
            When there are no more samples: the same sample given twice would look like two.
        """
        if self._taken == len(self._samples):
            raise RuntimeError(f"there are {self._taken} samples, one for each block; set BAKEOFF_BLOCKS for more")
        self._elapsed = self._samples[self._taken]
        self._taken += 1


PROFILE, BLOCKS = "BAKEOFF_PROFILE", "BAKEOFF_BLOCKS"

#: Names of a strategy, a data set and a scenario.
Case = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Suite:
    """A task, and the trials of one profile of it.

    Attributes
    ----------
    trials
        Block by block, as `bakeoff run` takes them, but without sweeps, so that strategy, data set and scenario
        identify a case.
    """

    config: Config
    registry: Registry
    task: Task
    profile: ProfileName
    trials: tuple[Trial, ...]

    @property
    def cases(self) -> tuple[Case, ...]:
        """The valid combinations, in the order in which they are declared."""
        planned = {case_of(trial) for trial in self.trials}
        strategies, datasets = list(self.task.strategies), [dataset.name for dataset in self.datasets]
        scenarios = [scenario.name for scenario in self.task.scenarios]
        return tuple(
            (strategy, dataset, scenario)
            for dataset in datasets
            for scenario in scenarios
            for strategy in strategies
            if (strategy, dataset, scenario) in planned
        )

    @property
    def datasets(self) -> list[Dataset]:
        """The data sets that the trials need."""
        used = {trial.dataset for trial in self.trials}
        return [dataset for dataset in self.registry.datasets_of(self.task) if dataset.name in used]

    def why_not(self, strategy: str, dataset: str) -> str:
        """Return why a strategy cannot run on a data set on this machine; empty when it can."""
        topic = self.registry.topics[self.task.topic]
        return self._missing_data.get(dataset, "") or why_not(self.task.strategies[strategy], topic)

    @cached_property
    def _missing_data(self) -> dict[str, str]:
        return {dataset.name: remedy for dataset in self.datasets if (remedy := _missing(dataset))}


@dataclass
class SuiteResult:
    """The records of one case.

    Attributes
    ----------
    records
        One for each block.
    """

    records: list[Record] = field(default_factory=list)

    @property
    def skipped(self) -> str:
        """Why the strategy could not run on this machine; empty when it could."""
        return next((record.reason for record in self.records if record.status == "skipped"), "")

    @property
    def failed(self) -> str:
        """Why a trial did not finish; empty when all did."""
        states = [record for record in self.records if record.status not in ("ok", "skipped")]
        return f"block {states[0].trial.block}: {states[0].status}: {states[0].reason}" if states else ""

    @property
    def diverged(self) -> str:
        """In how many blocks training diverged, so that the case has metrics only; empty when it never did."""
        steps = [record.diverged for record in self.records if record.diverged is not None]
        return wording.diverged(steps, len(self.records))

    @property
    def samples(self) -> dict[str, list[float]]:
        """The figures that every trial has, one number for each block; names as in `harness.records.figures`.

        If trials ran once more for their memory, memory is taken from these alone. The median comes first and the
        number farthest from it last, so that a tool that uses only the first ones uses the median.
        """
        all_blocks = [figures(record) for record in self.records]
        names = list(all_blocks[0]) if all_blocks else []
        shared = [name for name in names if all(name in numbers for numbers in all_blocks)]
        memory = [figures(record) for record in self.records if record.memory_source == "quiet"] or all_blocks
        return {
            name: _median_first([numbers[name] for numbers in (memory if name.endswith("_bytes") else all_blocks)])
            for name in shared
        }


def suites(project: Path, topics: Sequence[str] = (), least_blocks: int = 1) -> list[Suite]:
    """Make the suites of a project's tasks.

    Parameters
    ----------
    project
        A folder of the project; its configuration is searched there and in the folders above.
    topics
        Names of topics; when empty, those of the project, or all where the project has none.
    least_blocks
        Blocks that the tool needs at least, unless an environment variable gives their number.

    Raises
    ------
    UsageError
        When there is no such topic, or an environment variable has no valid profile or number of blocks.
    """
    config = read_config(project.resolve())
    registry = load_registry(config)
    for topic in topics:
        if topic not in registry.topics:
            raise UsageError(f"there is no topic {topic!r}{did_you_mean(topic, registry.topics)}")
    profile, blocks = _profile(), _blocks()
    chosen = tuple(topics) or registry.default_tasks
    return [
        Suite(config, registry, task, profile, _trials(registry, task, profile, blocks, least_blocks))
        for task in registry.tasks()
        if (not chosen or task.topic in chosen or task.full_name in chosen) and task.strategies
    ]


def case_of(trial: Trial) -> Case:
    """Return the case that a trial belongs to."""
    return (trial.strategy, trial.dataset, trial.scenario)


def run_suite(suite: Suite, trials: Iterable[Trial]) -> dict[Case, SuiteResult]:
    """Run trials in fresh processes, those of the first block once more for their memory, and sort the records by case.

    A memory pass is repeatable, so one block is enough. Data sets are verified first.

    Raises
    ------
    UsageError
        When data are damaged or not what their card says.
    """
    chosen = list(trials)
    check_data(chosen, suite.registry)
    first = min((trial.block for trial in chosen), default=0)
    memory = suite.config.memory_limit_mb * 10**6 or memory_budget()
    results: dict[Case, SuiteResult] = {}

    def receive(ended: Ended) -> None:
        for response in ended.responses:
            results.setdefault(case_of(response.record.trial), SuiteResult()).records.append(response.record)

    for is_first in (True, False):
        limits = Limits(timeout_s=suite.config.timeout_s, memory_bytes=memory, memory_pass=is_first)
        part = [trial for trial in chosen if (trial.block == first) == is_first]
        choose("local", suite.registry, suite.config, limits).run(blocks_of(part), receive)
    return results


def _missing(dataset: Dataset) -> str:
    # What is wrong with data that are here is said when the trials are run, not while they are listed.
    try:
        return missing_data(dataset)
    except UsageError:
        return ""


def _trials(registry: Registry, task: Task, profile: ProfileName, blocks: int | None, least: int) -> tuple[Trial, ...]:
    blocks = blocks or max(least, (task.quick if profile == "quick" else task.full).blocks)
    selection = Selection(tasks=(task.full_name,), profile=profile, blocks=blocks)
    plan = make_plan(selection, registry, every_strategy=True)
    # In a plan the parameters of the profile come before those of sweeps.
    base: dict[str, Trial] = {}
    for trial in plan.trials:
        base.setdefault(trial.dataset, trial)
    return tuple(trial for trial in plan.trials if not trial.options and trial.params == base[trial.dataset].params)


def _profile() -> ProfileName:
    name = os.environ.get(PROFILE) or "quick"
    known: tuple[ProfileName, ...] = ("quick", "full")
    for profile in known:
        if name == profile:
            return profile
    raise UsageError(f"environment variable {PROFILE}={name}: give quick or full")


def _blocks() -> int | None:
    text = os.environ.get(BLOCKS)
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"environment variable {BLOCKS}={text}: give a number from 1 on")
    return int(text)


def _median_first(numbers: list[float]) -> list[float]:
    median = statistics.median_low(numbers)
    return sorted(numbers, key=lambda number: abs(number - median))
