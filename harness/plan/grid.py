"""Values of parameters and options: defaults, what a person gives, and sweeps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from harness.declare import Dataset, Param, Profile, Strategy, Task
from harness.errors import UsageError
from harness.trial import Scalar

Values = Mapping[str, Sequence[Scalar]]


def param_grid(task: Task, dataset: Dataset, profile: Profile, values: Values) -> list[dict[str, Scalar]]:
    """Combine the given values of a task's and a data set's parameters, the others standing at their defaults.

    A default asks for no more than the data have; a value that a person gives must fit.

    Raises
    ------
    UsageError
        When a given value is out of range.
    """
    known = {**dataset.params, **task.params}
    base = {name: param.default for name, param in known.items()} | dict(profile.params)
    base = {name: _lowered(value, dataset.params.get(name)) for name, value in base.items()}
    given = {name: [_fitting(name, value, task, dataset) for value in values[name]] for name in known if name in values}
    return [base | combination for combination in _product(given)]


def param_sweep(
    task: Task, dataset: Dataset, grid: Sequence[dict[str, Scalar]], values: Values
) -> Iterator[dict[str, Scalar]]:
    """Go through the task's sweeps, each parameter on its own; values that the data cannot have are left out."""
    for name, swept in task.sweep.items():
        for value, point in itertools.product(swept, grid):
            if name not in values and value != point[name] and _fits(name, value, task, dataset):
                yield point | {name: value}


def option_grid(strategy: Strategy, values: Values) -> list[dict[str, Scalar]]:
    """Combine the given values of a strategy's options; only what differs from its defaults is named."""
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
    """Go through a strategy's sweeps, each option on its own."""
    for name, swept in strategy.sweep.items():
        for value in swept:
            if name not in values and value != strategy.options[name]:
                yield {name: value}


def _product(given: Mapping[str, Sequence[Scalar]]) -> list[dict[str, Scalar]]:
    return [dict(zip(given, values, strict=True)) for values in itertools.product(*given.values())]


def _lowered(value: Scalar, limit: Param | None) -> Scalar:
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
