"""A selection becomes an ordered list of trials, in blocks."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import msgspec
import numpy as np

from harness.declare import CLEAN, Dataset, Param, Profile, Scenario, Strategy, Task
from harness.errors import NothingSelectedError, UsageError, did_you_mean
from harness.grid import option_grid, option_sweep, param_grid, param_sweep
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
    tasks = [task for task in registry.tasks() if _matches(_name(task), _full(selection.tasks))]
    _check_values(selection.values, selection.strategies, tasks, registry)
    cells = [cell for task in tasks for cell in _cells(task, selection, registry)]
    trials = tuple(_order(cells, selection.seed))
    if not trials:
        raise NothingSelectedError("nothing matches this selection; `bakeoff list` shows what there is")
    _check_used(selection.values, cells)
    digest = hashlib.blake2b(msgspec.json.encode(trials, order="sorted"), digest_size=8).hexdigest()
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
        grid = param_grid(task, dataset, profile, selection.values)
        swept = list(param_sweep(task, dataset, grid, selection.values)) if profile.sweeps else []
        for scenario in _scenarios(task, dataset, selection, profile):
            # Sweeps run on clean data, and an option is swept where every parameter stands where it was given.
            sweeps = profile.sweeps and scenario.name == CLEAN.name
            for params in grid:
                yield _Cell(task, dataset, scenario, params, _variants(strategies, selection, sweeps=sweeps), blocks)
            for params in swept if sweeps else ():
                yield _Cell(task, dataset, scenario, params, _variants(strategies, selection, sweeps=False), blocks)


def _variants(
    strategies: Sequence[Strategy], selection: Selection, *, sweeps: bool
) -> tuple[tuple[Strategy, dict[str, Scalar]], ...]:
    return tuple(
        (strategy, options)
        for strategy in strategies
        for options in (
            *option_grid(strategy, selection.values),
            *(option_sweep(strategy, selection.values) if sweeps else ()),
        )
    )


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


def _name(task: Task) -> str:
    return f"{task.topic}/{task.name}"


def _full(patterns: Sequence[str]) -> list[str]:
    return [pattern if "/" in pattern else f"{pattern}/*" for pattern in patterns]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _check_patterns(selection: Selection, registry: Registry) -> None:
    tasks = list(registry.tasks())
    topics = [pattern for pattern in selection.tasks if "/" not in pattern]
    known = {
        "topic": (topics, list(registry.topics)),
        "task": ([pattern for pattern in selection.tasks if "/" in pattern], [_name(task) for task in tasks]),
        "strategy": (selection.strategies, [name for task in tasks for name in task.strategies]),
        "data set": (selection.datasets, registry.dataset_names()),
        "scenario": (selection.scenarios, [scenario.name for task in tasks for scenario in task.scenarios]),
    }
    for what, (patterns, names) in known.items():
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UsageError(f"no {what} matches {pattern!r}{did_you_mean(pattern, names)}")


def _check_values(
    values: Mapping[str, tuple[Scalar, ...]], chosen: Sequence[str], tasks: Sequence[Task], registry: Registry
) -> None:
    """Refuse values of unknown parameters and of wrong types before anything is combined."""
    known: dict[str, list[Scalar]] = {}
    for task in tasks:
        options = [strategy.options for strategy in task.strategies.values() if _matches(strategy.name, chosen)]
        params = [*(dataset.params for dataset in registry.datasets_of(task)), task.params]
        for defaults in (*options, *({name: param.default for name, param in own.items()} for own in params)):
            for name, default in defaults.items():
                known.setdefault(name, []).append(default)
    for name, given in values.items():
        if name not in known:
            raise UsageError(f"--set {name}: there is no such parameter here{did_you_mean(name, known)}")
        for default, value in itertools.product(known[name], given):
            try:
                Param(default).check(name, value)
            except ValueError as error:
                raise UsageError(f"--set {error}") from None


def _check_used(values: Mapping[str, tuple[Scalar, ...]], cells: Sequence[_Cell]) -> None:
    used = {name for cell in cells for name in cell.params}
    used |= {name for cell in cells for strategy, _ in cell.variants for name in strategy.options}
    for name in values:
        if name not in used:
            raise UsageError(f"--set {name}: no selected strategy or data set has that parameter")
