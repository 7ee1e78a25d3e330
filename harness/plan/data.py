"""The data of a plan, checked before its first trial."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from harness.declare import Dataset
from harness.errors import MissingDataError
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
    for trial in trials:
        dataset = registry.dataset(trial.dataset)
        if dataset.name not in missing:
            missing[dataset.name] = missing_data(dataset)
        params = {name: value for name, value in trial.params.items() if name in dataset.params}
        draw = (dataset.name, msgspec.json.encode(params, order="sorted"), trial.seeds.data)
        if not missing[dataset.name] and draw not in drawn:
            drawn.add(draw)
            dataset.check(params, np.random.default_rng([trial.seeds.data]))
    return {name: remedy for name, remedy in missing.items() if remedy}
