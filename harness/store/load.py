"""Files of runs as data frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd

from harness.errors import UsageError
from harness.store.frames import Batch, Tables, frames
from harness.store.runs import open_run, runs

_BATCH = 1000


def load(*paths: Path) -> pd.DataFrame:
    """Read runs into a frame with a row a trial.

    Parameters
    ----------
    paths
        Files of runs, results folders, or machines' folders.

    Returns
    -------
    DataFrame
        Its columns are listed in docs/schema.md; what a trial lacks is missing (NaN).

    Raises
    ------
    UsageError
        When a path does not exist, or a file cannot be read.
    """
    return tables(*paths).trials


def samples(*paths: Path) -> pd.DataFrame:
    """Read runs into a frame with a row a sample: ``run``, ``key``, ``phase``, ``sample``, ``wall_s``, ``cpu_s``."""
    return tables(*paths).samples


def tables(*paths: Path) -> Tables:
    """Read runs once and make all three frames: of trials, of samples and of runs."""
    return frames(_batches(paths))


def _batches(paths: tuple[Path, ...]) -> Iterator[Batch]:
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no run or results folder {path}")
        files |= dict.fromkeys(runs(path) if path.is_dir() else [path])
    for file in files:
        with open_run(file) as reader:
            yield reader.header, []
            records = iter(reader)
            while batch := list(islice(records, _BATCH)):
                yield reader.header, batch
