"""The cells of a plan: what the trials of one block share, and the values that parameters and options take.

A plan for claims has the cells that they ask about, each with the strategies that they compare there and no others.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from harness.declare import CLEAN, Dataset, Param, Profile, Scenario, Strategy, Task, Topic
from harness.declare.questions import PLACES, Question, questions, tasks_for
from harness.errors import UsageError
from harness.plan.selection import Selection
from harness.records import Scalar, label, parse_label
from harness.registry import Registry

Values = Mapping[str, Sequence[Scalar]]


def param_grid(task: Task, dataset: Dataset, profile: Profile, values: Values) -> list[dict[str, Scalar]]:
    """Combine the given values of a task's and a data set's parameters, the others staying at their defaults.

    A default is lowered to what the data have; a given value that is out of range is refused.

    Raises
    ------
    UsageError
        When a given value is out of range.
    """
    known = {**dataset.params, **task.params}
    base = {name: param.default for name, param in known.items()} | dict(profile.params)
    base = {name: _at_most(value, dataset.params.get(name)) for name, value in base.items()}
    given = {name: [_fitting(name, value, task, dataset) for value in values[name]] for name in known if name in values}
    return [base | combination for combination in _product(given)]


def param_sweep(
    task: Task, dataset: Dataset, grid: Sequence[dict[str, Scalar]], values: Values
) -> Iterator[dict[str, Scalar]]:
    """Generate the points of the task's sweeps, each parameter on its own, without values out of the data's range."""
    for name, swept in task.sweep.items():
        for value, point in itertools.product(swept, grid):
            if name not in values and value != point[name] and _fits(name, value, task, dataset):
                yield point | {name: value}


def option_grid(strategy: Strategy, values: Values) -> list[dict[str, Scalar]]:
    """Combine the given values of a strategy's options; only values that differ from the defaults are listed."""
    given = {
        name: [Param(default).check(name, value) for value in values[name]]
        for name, default in strategy.options.items()
        if name in values
    }
    return [
        {name: value for name, value in combination.items() if value != strategy.options[name]}
        for combination in _product(given)
    ]


def option_sweep(strategy: Strategy, values: Values) -> Iterator[dict[str, Scalar]]:
    """Generate the points of a strategy's sweeps, each option on its own."""
    for name, swept in strategy.sweep.items():
        for value in swept:
            if name not in values and value != strategy.options[name]:
                yield {name: value}


def _product(given: Mapping[str, Sequence[Scalar]]) -> list[dict[str, Scalar]]:
    return [dict(zip(given, values, strict=True)) for values in itertools.product(*given.values())]


def _at_most(value: Scalar, limit: Param | None) -> Scalar:
    if limit is None or limit.high is None or isinstance(value, str | bool):
        return value
    return type(value)(min(value, limit.high))


def _check(name: str, value: Scalar, task: Task, dataset: Dataset) -> Scalar:
    for limit in (task.params.get(name), dataset.params.get(name)):
        value = limit.check(name, value) if limit else value
    return value


def _fitting(name: str, value: Scalar, task: Task, dataset: Dataset) -> Scalar:
    try:
        return _check(name, value, task, dataset)
    except ValueError as error:
        raise UsageError(
            f"{task.name} on {dataset.name}: {error}; change --set {name}, or choose other data with --dataset"
        ) from None


def _fits(name: str, value: Scalar, task: Task, dataset: Dataset) -> bool:
    try:
        _check(name, value, task, dataset)
    except ValueError:
        return False
    return True


class Variant(NamedTuple):
    """A strategy with its options, those that differ from its defaults, and the number of its blocks in a cell."""

    strategy: Strategy
    options: dict[str, Scalar]
    blocks: int


@dataclass(frozen=True)
class PlannedCell:
    """A cell with the strategies that compete in it."""

    task: Task
    dataset: Dataset
    scenario: Scenario
    params: dict[str, Scalar]
    variants: tuple[Variant, ...]

    @property
    def blocks(self) -> int:
        """Number of blocks; the last ones may lack a strategy that needs fewer."""
        return max((variant.blocks for variant in self.variants), default=0)


def cells_of_profile(
    task: Task, selection: Selection, registry: Registry, skip: Collection[str] = ()
) -> Iterator[PlannedCell]:
    """Generate the cells of a task that a selection chooses from its profile, without the strategies in `skip`."""
    profile = task.quick if selection.profile == "quick" else task.full
    strategies = [
        strategy
        for name, strategy in task.strategies.items()
        if name not in skip and matches(name, selection.strategies)
    ]
    blocks = selection.blocks or profile.blocks
    if not strategies:
        return
    if task.listed:
        yield from _listed(task, {strategy.name: strategy for strategy in strategies}, selection, registry, blocks)
        return
    for dataset in _datasets(task, selection, profile, registry):
        grid = param_grid(task, dataset, profile, selection.values)
        swept = list(param_sweep(task, dataset, grid, selection.values)) if profile.sweeps else []
        for scenario in _scenarios(task, dataset, selection, profile):
            # Sweeps run on clean data; options are swept at the given parameters, not along the sweeps of parameters.
            sweeps = profile.sweeps and scenario.name == CLEAN.name
            for params in grid:
                yield PlannedCell(
                    task, dataset, scenario, params, _variants(strategies, selection, blocks, sweeps=sweeps)
                )
            for params in swept if sweeps else ():
                yield PlannedCell(
                    task, dataset, scenario, params, _variants(strategies, selection, blocks, sweeps=False)
                )


def _listed(
    task: Task, strategies: Mapping[str, Strategy], selection: Selection, registry: Registry, blocks: int
) -> Iterator[PlannedCell]:
    """Generate a cell for each case that a task lists."""
    scenarios = {scenario.name: scenario for scenario in task.scenarios}
    for case in task.listed:
        chosen = matches(case.dataset, selection.datasets) and matches(case.scenario, selection.scenarios)
        if chosen and case.strategy in strategies:
            dataset = registry.dataset(case.dataset)
            (common,) = param_grid(task, dataset, task.full, selection.values)
            variant = Variant(strategies[case.strategy], dict(case.options), blocks)
            yield PlannedCell(task, dataset, scenarios[case.scenario], common | dict(case.params), (variant,))


def merged(cells: Iterable[PlannedCell]) -> list[PlannedCell]:
    """Merge cells that differ in strategies only, each of these with its most blocks; cells without any go."""
    groups: dict[str, list[PlannedCell]] = {}
    for cell in cells:
        key = repr((cell.task.full_name, cell.dataset.name, cell.scenario.name, sorted(cell.params.items())))
        groups.setdefault(key, []).append(cell)
    return [made for group in groups.values() if (made := _united(group)).variants]


def _united(cells: Sequence[PlannedCell]) -> PlannedCell:
    variants: dict[str, Variant] = {}
    for variant in itertools.chain.from_iterable(cell.variants for cell in cells):
        known = variants.setdefault(label(variant.strategy.name, variant.options), variant)
        if variant.blocks > known.blocks:
            variants[label(variant.strategy.name, variant.options)] = variant
    return replace(cells[0], variants=tuple(variants.values()))


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches one of the shell-style patterns; every name matches when there are none."""
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def can_have(scenario: Scenario, dataset: Dataset) -> bool:
    """Return whether a data set provides what a scenario requires."""
    return set(scenario.requires) <= set(dataset.provides)


def _variants(
    strategies: Sequence[Strategy], selection: Selection, blocks: int, *, sweeps: bool
) -> tuple[Variant, ...]:
    return tuple(
        Variant(strategy, options, blocks)
        for strategy in strategies
        for options in (
            *option_grid(strategy, selection.values),
            *(option_sweep(strategy, selection.values) if sweeps else ()),
        )
    )


def _datasets(task: Task, selection: Selection, profile: Profile, registry: Registry) -> Iterator[Dataset]:
    declared = {dataset if isinstance(dataset, str) else dataset.name for dataset in task.datasets}
    left_out = declared - set(profile.datasets) if profile.datasets is not None else set()
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


Point = dict[str, Scalar]


def cells_of_claims(topic: Topic, chosen: Sequence[str], selection: Selection, registry: Registry) -> list[PlannedCell]:
    """List the cells that a topic's claims ask about.

    Each strategy has the most blocks that a claim about it in the cell needs.

    If several tasks can answer a question, it is planned for the first of them.

    Parameters
    ----------
    chosen
        Full names of the tasks to plan for.

    Raises
    ------
    UsageError
        When the selection gives values: a claim states its values itself.
    """
    for name in selection.values:
        raise UsageError(f"--set {name}: claims state the values that they need; leave out --set or --profile claims")
    asked = ((claim, question, tasks_for(question, topic)[0]) for claim, question in questions(topic))
    return merged(
        cell
        for claim, question, task in asked
        if task.full_name in chosen
        for cell in _cells(question, task, selection, registry, selection.blocks or claim.blocks or task.full.blocks)
    )


def _cells(
    question: Question, task: Task, selection: Selection, registry: Registry, blocks: int
) -> Iterator[PlannedCell]:
    variants = _compared(question, task, selection, blocks)
    for point, dataset in itertools.product(_points(question, task), registry.datasets_of(task)):
        params = _params(point, task, dataset)
        if params is None or not _is_at(point, "dataset", dataset.name, selection.datasets):
            continue
        for scenario in task.scenarios:
            if can_have(scenario, dataset) and _is_at(point, "scenario", scenario.name, selection.scenarios):
                yield PlannedCell(task, dataset, scenario, params, variants)


def _compared(question: Question, task: Task, selection: Selection, blocks: int) -> tuple[Variant, ...]:
    """Return the strategies that are compared; if the question names none, all of the task at their defaults."""
    labels = question.labels or tuple(name for name, strategy in task.strategies.items() if not strategy.tries)
    named = [Variant(task.strategies[name], options, blocks) for name, options in map(parse_label, labels)]
    return tuple(variant for variant in named if matches(variant.strategy.name, selection.strategies))


def _points(question: Question, task: Task) -> Iterator[Point]:
    """Generate a point for each value of what varies; if the question names no values, those that the task sweeps."""
    if not question.over:
        yield question.where
        return
    values = question.values
    if not values and question.over in task.params:
        values = (task.params[question.over].default, *task.sweep.get(question.over, ()))
    for value in values:
        yield {**question.where, question.over: value}


def _is_at(point: Point, place: str, name: str, patterns: Sequence[str]) -> bool:
    return point.get(place, name) == name and matches(name, patterns)


def _params(point: Point, task: Task, dataset: Dataset) -> Point | None:
    """Return the parameters of a point; ``None`` where the data set has no such parameter or value."""
    given = {name: value for name, value in point.items() if name not in PLACES}
    if not set(given) <= {*task.params, *dataset.params}:
        return None
    try:
        (params,) = param_grid(task, dataset, task.full, {name: (value,) for name, value in given.items()})
    except UsageError:
        return None
    return params
