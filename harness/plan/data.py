"""The data of a plan, checked before its first trial."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from harness.data.tabular import Split
from harness.declare import CLEAN, Dataset, Scenario, Takes, Task
from harness.errors import MissingDataError, UsageError
from harness.records import Trial
from harness.registry import Registry


def missing_data(dataset: Dataset) -> str:
    """Return the command that gets a data set which is not on this machine; empty if it is here.

    Raises
    ------
    UsageError
        When the data are here and wrong.
    """
    try:
        dataset.verify()
    except MissingDataError as error:
        return error.remedy
    return ""


def check_data(trials: Iterable[Trial], registry: Registry) -> dict[str, str]:
    """Verify the data sets of trials, and what each block draws from them.

    Returns
    -------
    dict
        Each data set that is not on this machine, whose trials are skipped, with the command that gets it.

    Raises
    ------
    UsageError
        When data are damaged or not what their card says, or a block would draw rows that cannot be judged.
    """
    missing: dict[str, str] = {}
    drawn: set[tuple[str, bytes, int]] = set()
    stressed: set[tuple[str | bytes | int, ...]] = set()
    for trial in trials:
        dataset = registry.dataset(trial.dataset)
        if dataset.name not in missing:
            missing[dataset.name] = missing_data(dataset)
        params = {name: value for name, value in trial.params.items() if name in dataset.params}
        draw = (dataset.name, msgspec.json.encode(params, order="sorted"), trial.seeds.data)
        if not missing[dataset.name] and draw not in drawn:
            drawn.add(draw)
            dataset.check(params, np.random.default_rng([trial.seeds.data]))
        scenario = (trial.topic, trial.task, trial.scenario, *draw)
        if not missing[dataset.name] and scenario not in stressed:
            stressed.add(scenario)
            _check_scenario(trial, registry, dataset)
    return {name: remedy for name, remedy in missing.items() if remedy}


def prepare(trial: Trial, task: Task, dataset: Dataset, scenario: Scenario) -> Any:
    """Load the data of a trial, make of them what the task needs, and apply the scenario."""
    draw = np.random.default_rng([trial.seeds.data])
    data = dataset.load(trial.params, draw)
    if task.takes is not None and dataset.kind:
        data = task.takes.prepare(data, trial.params, draw)
    return scenario.apply(data, np.random.default_rng([trial.seeds.data, zlib.crc32(scenario.name.encode())]))


def _check_scenario(trial: Trial, registry: Registry, dataset: Dataset) -> None:
    """Refuse a scenario that leaves rows of one class; `Dataset.check` has seen to the data as they are."""
    if trial.scenario == CLEAN.name or (dataset.kind, dataset.target) != ("table", "binary"):
        return
    task = registry.topics[trial.topic].tasks[trial.task]
    if task.takes is not None and task.takes.prepare is not Takes.prepare:
        return  # the task's own division of the rows
    data = prepare(trial, task, dataset, next(made for made in task.scenarios if made.name == trial.scenario))
    if not isinstance(data, Split):
        return
    for name, part in (("training", data.train), ("test", data.test)):
        if len(classes := np.unique(part.y)) < 2:
            raise UsageError(
                f"data set {dataset.name}: scenario {trial.scenario} leaves {len(part)} {name} rows, all of class "
                f"{classes[0] if len(classes) else 'none'}; ask for more with --set rows, or leave the scenario out"
            )
