"""What the trials of one block share, and which of them a profile holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from harness.declare import CLEAN, Dataset, Profile, Scenario, Strategy, Task
from harness.plan.grid import option_grid, option_sweep, param_grid, param_sweep
from harness.registry import Registry
from harness.selection import Selection
from harness.trial import Scalar, label

Variant: TypeAlias = tuple[Strategy, dict[str, Scalar]]


@dataclass(frozen=True)
class PlannedCell:
    """What the trials of one block share, and the strategies with the options that compete in it."""

    task: Task
    dataset: Dataset
    scenario: Scenario
    params: dict[str, Scalar]
    variants: tuple[Variant, ...]
    blocks: int


def cells_of_profile(task: Task, selection: Selection, registry: Registry) -> Iterator[PlannedCell]:
    """Go through the cells of a task that a selection chooses from its profile."""
    profile = task.quick if selection.profile == "quick" else task.full
    strategies = [s for s in task.strategies.values() if matches(s.name, selection.strategies)]
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
                yield PlannedCell(
                    task, dataset, scenario, params, _variants(strategies, selection, sweeps=sweeps), blocks
                )
            for params in swept if sweeps else ():
                yield PlannedCell(
                    task, dataset, scenario, params, _variants(strategies, selection, sweeps=False), blocks
                )


def merged(cells: Iterable[PlannedCell]) -> list[PlannedCell]:
    """Make one cell of those that differ in their strategies alone; those without any are left out."""
    found: dict[str, tuple[PlannedCell, dict[str, Variant]]] = {}
    for cell in cells:
        key = repr((cell.task.full_name, cell.dataset.name, cell.scenario.name, sorted(cell.params.items())))
        _, variants = found.setdefault(key, (cell, {}))
        variants |= {label(strategy.name, options): (strategy, options) for strategy, options in cell.variants}
    return [replace(cell, variants=tuple(variants.values())) for cell, variants in found.values() if variants]


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches one of some shell-style patterns, or there are none."""
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def can_have(scenario: Scenario, dataset: Dataset) -> bool:
    """Return whether a data set provides what a scenario requires."""
    return set(scenario.requires) <= set(dataset.provides)


def _variants(strategies: Sequence[Strategy], selection: Selection, *, sweeps: bool) -> tuple[Variant, ...]:
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
        if matches(dataset.name, selection.datasets) if selection.datasets else dataset.name not in left_out:
            yield dataset


def _scenarios(task: Task, dataset: Dataset, selection: Selection, profile: Profile) -> Iterator[Scenario]:
    for scenario in task.scenarios:
        if not can_have(scenario, dataset):
            continue
        if selection.scenarios:
            chosen = matches(scenario.name, selection.scenarios)
        else:
            chosen = profile.scenarios is None or scenario.name in profile.scenarios
        if chosen:
            yield scenario
