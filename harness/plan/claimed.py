"""The cells that claims ask about, each with the strategies that they compare there and no others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from harness.declare import Dataset, Task, Topic
from harness.declare.questions import PLACES, Question, questions, tasks_for
from harness.errors import UsageError
from harness.plan.cells import PlannedCell, Variant, can_have, matches, merged, param_grid
from harness.plan.selection import Selection
from harness.records import Scalar, parse_label
from harness.registry import Registry

Point = dict[str, Scalar]


def cells_of_claims(topic: Topic, chosen: Sequence[str], selection: Selection, registry: Registry) -> list[PlannedCell]:
    """List the cells that a topic's claims ask about; each has the blocks of its task's full profile.

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
    asked = ((question, tasks_for(question, topic)[0]) for question in questions(topic))
    wanted = ((question, task) for question, task in asked if task.full_name in chosen)
    return merged(cell for question, task in wanted for cell in _cells(question, task, selection, registry))


def _cells(question: Question, task: Task, selection: Selection, registry: Registry) -> Iterator[PlannedCell]:
    variants = _variants(question, task, selection)
    for point, dataset in itertools.product(_points(question, task), registry.datasets_of(task)):
        params = _params(point, task, dataset)
        if params is None or not _is_at(point, "dataset", dataset.name, selection.datasets):
            continue
        for scenario in task.scenarios:
            if can_have(scenario, dataset) and _is_at(point, "scenario", scenario.name, selection.scenarios):
                yield PlannedCell(task, dataset, scenario, params, variants, selection.blocks or task.full.blocks)


def _variants(question: Question, task: Task, selection: Selection) -> tuple[Variant, ...]:
    """Return the strategies that are compared; if the question names none, all of the task at their defaults."""
    labels = question.labels or tuple(task.strategies)
    named = [(task.strategies[name], options) for name, options in map(parse_label, labels)]
    return tuple(variant for variant in named if matches(variant[0].name, selection.strategies))


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
