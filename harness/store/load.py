"""Files of runs as data frames, and as tables of a database."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from harness.errors import UsageError
from harness.store.frames import Frames
from harness.store.read import open_runs
from harness.store.runs import distinct, runs


class Tables(NamedTuple):
    """The three frames made from runs; docs/schema.md lists their columns."""

    trials: pd.DataFrame
    samples: pd.DataFrame
    runs: pd.DataFrame


def load(*paths: Path | str) -> pd.DataFrame:
    """Read runs into a frame with one row for each trial.

    Parameters
    ----------
    paths
        Files of runs, results folders, or machines' folders; the folder ``results`` when none is given.

    Returns
    -------
    DataFrame
        Its columns are listed in docs/schema.md; what a trial lacks is missing (NaN).

    Raises
    ------
    UsageError
        When a path does not exist, or a file cannot be read.
    """
    return _gather(paths).trials()


def samples(*paths: Path | str) -> pd.DataFrame:
    """Read runs into a frame with one row for each sample; its columns are listed in docs/schema.md."""
    return _gather(paths).samples()


def tables(*paths: Path | str, read: Callable[[], None] = lambda: None) -> Tables:
    """Read runs once and make all three frames; `read` is called after each file."""
    frames = _gather(paths, read)
    return Tables(frames.trials(), frames.samples(), frames.runs())


def run_files(paths: Sequence[Path | str]) -> list[Path]:
    """List the files of runs that paths mean: files, results folders, machines' folders; ``results`` without a path.

    Raises
    ------
    UsageError
        When a path does not exist.
    """
    files: list[Path] = []
    for path in map(Path, paths or ("results",)):
        if not os.path.lexists(path):
            raise UsageError(f"there is no run or results folder {path}")
        files += runs(path) if path.is_dir() else [path]
    return distinct(files)


def _gather(paths: tuple[Path | str, ...], read: Callable[[], None] = lambda: None) -> Frames:
    files = run_files(paths)
    frames = Frames()
    with open_runs(files) as streams:
        for header, records in streams:
            frames.add(header, records)
            read()
    return frames


# Without external access SQL reaches neither files nor the network, nor variables of the calling Python code.
_CONFIG = {"enable_external_access": "false", "lock_configuration": "true"}


def query(sql: str, frames: Tables) -> pd.DataFrame:
    """Answer a question in SQL over the tables ``trials``, ``samples`` and ``runs``.

    A column name with a dot is written in double quotes: ``SELECT label, median("fit.cpu_s") FROM trials GROUP BY 1``.

    Raises
    ------
    UsageError
        When DuckDB is not installed, or refuses the statement.
    """
    try:
        import duckdb
    except ImportError:
        raise UsageError("bakeoff query needs duckdb (in a checkout of Bakeoff: pip install '.[query]')") from None
    with duckdb.connect(":memory:", config=_CONFIG) as connection:
        for name, table in frames._asdict().items():
            connection.register(name, table)
        try:
            answer = connection.sql(sql)
            frame: pd.DataFrame | None = None if answer is None else answer.df()
        except duckdb.Error as error:
            raise UsageError(f"the query failed: {str(error).splitlines()[0]}") from None
    if frame is None:
        raise UsageError("the query returns nothing: give a SELECT over the tables trials, samples and runs")
    for place, kind in enumerate(frame.dtypes):
        # A missing truth value is pandas.NA there, which raises an error wherever it is compared.
        if isinstance(kind, pd.BooleanDtype):
            column = frame.iloc[:, place]
            frame.isetitem(place, column.astype(object).where(column.notna(), None).to_numpy())
    return frame
