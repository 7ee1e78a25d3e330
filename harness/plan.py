"""A selection becomes an ordered list of trials, in blocks."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from harness.declare import CLEAN, Dataset, Param, Profile, Scenario, Strategy, Task
from harness.errors import NothingSelectedError, UsageError, did_you_mean
from harness.registry import Registry
from harness.selection import Selection
from harness.trial import Scalar, Seeds, Trial

_DATA, _MODEL, _ORDER = range(3)


@dataclass(frozen=True)
class Plan:
    """Trials in the order in which they run, and a digest that tells whether two plans are the same."""

    trials: tuple[Trial, ...]
    digest: str


@dataclass(frozen=True)
class _Cell:
    """What the trials of one block share, and the strategies with the options that compete in it."""

    task: Task
    dataset: Dataset
    scenario: Scenario
    params: dict[str, Scalar]
    variants: tuple[tuple[Strategy, dict[str, Scalar]], ...]
    blocks: int


def make_plan(selection: Selection, registry: Registry) -> Plan:
    """Make the plan of a selection; the same selection of the same declarations gives the same plan.

    Raises
    ------
    UsageError
        When a pattern or a name matches nothing, or a value is out of range.
    NothingSelectedError
        When every part is known but nothing matches them together.
    """
    _check_patterns(selection, registry)
    tasks = [
        task
        for task in registry.tasks()
        if _matches(task.topic, selection.topics) and _matches(task.name, selection.tasks)
    ]
    _check_values(selection.values, tasks, registry)
    cells = [cell for task in tasks for cell in _cells(task, selection, registry)]
    trials = tuple(_order(cells, selection.seed))
    if not trials:
        raise NothingSelectedError("nothing matches this selection; `bakeoff list` shows what there is")
    digest = hashlib.blake2b("".join(trial.key for trial in trials).encode(), digest_size=8).hexdigest()
    return Plan(trials, digest)


def _order(cells: Sequence[_Cell], seed: int) -> Iterator[Trial]:
    """Go block by block through all cells, so that a drift of the machine meets all of them alike."""
    for block in range(max((cell.blocks for cell in cells), default=0)):
        seeds = Seeds(
            data=_seed(seed, block, _DATA), model=_seed(seed, block, _MODEL), order=_seed(seed, block, _ORDER)
        )
        shuffle = np.random.default_rng(seeds.order)
        for cell in cells:
            if block >= cell.blocks:
                continue
            for index in shuffle.permutation(len(cell.variants)):
                strategy, options = cell.variants[index]
                yield Trial(
                    topic=cell.task.topic,
                    task=cell.task.name,
                    strategy=strategy.name,
                    dataset=cell.dataset.name,
                    scenario=cell.scenario.name,
                    params=cell.params,
                    options=options,
                    block=block,
                    seeds=seeds,
                )


def _seed(seed: int, block: int, kind: int) -> int:
    return int(np.random.SeedSequence(seed, spawn_key=(block, kind)).generate_state(1)[0])


def _cells(task: Task, selection: Selection, registry: Registry) -> Iterator[_Cell]:
    profile = task.quick if selection.profile == "quick" else task.full
    strategies = [s for s in task.strategies.values() if _matches(s.name, selection.strategies)]
    blocks = selection.blocks or profile.blocks
    if not strategies:
        return
    for dataset in _datasets(task, selection, profile, registry):
        for scenario in _scenarios(task, dataset, selection, profile):
            for params, swept in _params(task, dataset, selection, profile, sweeps=scenario.name == CLEAN.name):
                # An option is swept where everything else stands at its default.
                with_options = profile.sweeps and scenario.name == CLEAN.name and not swept
                variants = tuple(
                    (strategy, options)
                    for strategy in strategies
                    for options in _options(strategy, selection.values, sweeps=with_options)
                )
                yield _Cell(task, dataset, scenario, params, variants, blocks)


def _datasets(task: Task, selection: Selection, profile: Profile, registry: Registry) -> Iterator[Dataset]:
    own = {dataset if isinstance(dataset, str) else dataset.name for dataset in task.datasets}
    left_out = own - set(profile.datasets) if profile.datasets is not None else set()
    for dataset in registry.datasets_of(task):
        if _matches(dataset.name, selection.datasets) if selection.datasets else dataset.name not in left_out:
            yield dataset


def _scenarios(task: Task, dataset: Dataset, selection: Selection, profile: Profile) -> Iterator[Scenario]:
    for scenario in task.scenarios:
        if not set(scenario.requires) <= set(dataset.provides):
            continue
        if selection.scenarios:
            chosen = _matches(scenario.name, selection.scenarios)
        else:
            chosen = profile.scenarios is None or scenario.name in profile.scenarios
        if chosen:
            yield scenario


def _params(
    task: Task, dataset: Dataset, selection: Selection, profile: Profile, *, sweeps: bool
) -> Iterator[tuple[dict[str, Scalar], bool]]:
    known = {**dataset.params, **task.params}
    base = {name: param.default for name, param in known.items()} | dict(profile.params)
    limits = {name: [task.params.get(name), dataset.params.get(name)] for name in known}
    # A default asks for no more than the data have; a value that a person gives must fit.
    base = {name: _lowered(value, dataset.params.get(name)) for name, value in base.items()}
    given = {name: selection.values[name] for name in known if name in selection.values}
    combinations = [dict(zip(given, values, strict=True)) for values in itertools.product(*given.values())]
    for combination in combinations:
        yield base | {name: _checked(name, value, limits[name], dataset) for name, value in combination.items()}, False
    if not (sweeps and profile.sweeps):
        return
    for name, values in task.sweep.items():
        for value in values:
            if name not in given and value != base[name] and _fits(name, value, limits[name]):
                for combination in combinations:
                    yield base | combination | {name: value}, True


def _options(
    strategy: Strategy, values: Mapping[str, tuple[Scalar, ...]], *, sweeps: bool
) -> Iterator[dict[str, Scalar]]:
    """Go through a strategy's options; only what differs from its defaults is named."""
    given = {name: values[name] for name in strategy.options if name in values}
    for combination in itertools.product(*given.values()):
        yield {
            name: Param(strategy.options[name]).check(name, value)
            for name, value in zip(given, combination, strict=True)
            if value != strategy.options[name]
        }
    if sweeps:
        for name, swept in strategy.sweep.items():
            for value in swept:
                if name not in given and value != strategy.options[name]:
                    yield {name: value}


def _lowered(value: Scalar, limit: Param | None) -> Scalar:
    if limit is None or limit.high is None or isinstance(value, str | bool):
        return value
    return type(value)(min(value, limit.high))


def _checked(name: str, value: Scalar, limits: Sequence[Param | None], dataset: Dataset) -> Scalar:
    try:
        for limit in limits:
            if limit is not None:
                value = limit.check(name, value)
    except ValueError as error:
        raise UsageError(
            f"data set {dataset.name}: {error}; change --set {name} or choose data with --dataset"
        ) from None
    return value


def _fits(name: str, value: Scalar, limits: Sequence[Param | None]) -> bool:
    try:
        for limit in limits:
            if limit is not None:
                limit.check(name, value)
    except ValueError:
        return False
    return True


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _check_patterns(selection: Selection, registry: Registry) -> None:
    tasks = list(registry.tasks())
    known = {
        "topic": (selection.topics, list(registry.topics)),
        "task": (selection.tasks, [task.name for task in tasks]),
        "strategy": (selection.strategies, [name for task in tasks for name in task.strategies]),
        "data set": (selection.datasets, registry.dataset_names()),
        "scenario": (selection.scenarios, [scenario.name for task in tasks for scenario in task.scenarios]),
    }
    for what, (patterns, names) in known.items():
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UsageError(f"no {what} matches {pattern!r}{did_you_mean(pattern, names)}")


def _check_values(values: Mapping[str, tuple[Scalar, ...]], tasks: Sequence[Task], registry: Registry) -> None:
    known: dict[str, Param | None] = {}
    for task in tasks:
        for strategy in task.strategies.values():
            known |= {name: Param(default) for name, default in strategy.options.items()}
        for dataset in registry.datasets_of(task):
            known |= dataset.params
        known |= task.params
    for name, given in values.items():
        if name not in known:
            raise UsageError(f"--set {name}: there is no such parameter here{did_you_mean(name, known)}")
        param = known[name]
        for value in given:
            try:
                Param(param.default).check(name, value) if param else None
            except ValueError as error:
                raise UsageError(f"--set {error}") from None
