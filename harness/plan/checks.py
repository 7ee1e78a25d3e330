"""Refuses selections whose names or values mean nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from harness.declare import Param, Task
from harness.errors import UsageError, did_you_mean
from harness.plan.cells import PlannedCell, matches
from harness.registry import Registry
from harness.selection import Selection
from harness.trial import Scalar


def check_patterns(selection: Selection, registry: Registry) -> None:
    """Refuse patterns that match nothing there is."""
    tasks = list(registry.tasks())
    topics = [pattern for pattern in selection.tasks if "/" not in pattern]
    known = {
        "topic": (topics, list(registry.topics)),
        "task": ([pattern for pattern in selection.tasks if "/" in pattern], [task.full_name for task in tasks]),
        "strategy": (selection.strategies, [name for task in tasks for name in task.strategies]),
        "data set": (selection.datasets, registry.dataset_names()),
        "scenario": (selection.scenarios, [scenario.name for task in tasks for scenario in task.scenarios]),
    }
    for what, (patterns, names) in known.items():
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UsageError(f"no {what} matches {pattern!r}{did_you_mean(pattern, names)}")


def check_values(
    values: Mapping[str, tuple[Scalar, ...]], chosen: Sequence[str], tasks: Sequence[Task], registry: Registry
) -> None:
    """Refuse values of unknown parameters and of wrong types before anything is combined."""
    known: dict[str, list[Scalar]] = {}
    for task in tasks:
        options = [strategy.options for strategy in task.strategies.values() if matches(strategy.name, chosen)]
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


def check_used(values: Iterable[str], cells: Sequence[PlannedCell]) -> None:
    """Refuse values that no chosen cell uses."""
    used = {name for cell in cells for name in cell.params}
    used |= {name for cell in cells for strategy, _ in cell.variants for name in strategy.options}
    for name in values:
        if name not in used:
            raise UsageError(f"--set {name}: no selected strategy or data set has that parameter")
