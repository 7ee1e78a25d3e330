"""Records as data frames with one row for each trial, each sample, or each run and machine.

Records are added one at a time and not stored, so that a long run need not fit in memory.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import nan
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.records import Phase, Record, Trial, label
from harness.store.header import Header

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = list[tuple[Any, ...]]
Cells: TypeAlias = tuple["array[int]", "array[float]"]

_RUN = {
    "run": "run",
    "machine": "machine.name",
    "started": "started",
    "schema": "schema",
    "commit": "environment.commit",
    "dirty": "environment.dirty",
    "command": "command",
    "plan": "plan",
    "parent": "parent",
    "session": "session",
    "planned": "trials",
}
_VARIANT = ("topic", "task", "strategy", "label", "dataset", "scenario")
_TRIAL = (
    *("key", "block", "status", "reason", "memory_source", "elapsed_s"),
    *("seed.data", "seed.model", "seed.order", "contaminated"),
)
_run_row = attrgetter(*_RUN.values())


class _Variant(NamedTuple):
    number: int
    digest: str


class Frames:
    """Makes data frames of the runs that are added; docs/schema.md lists the columns."""

    def __init__(self) -> None:
        self._runs: Rows = []
        self._trials: Rows = []
        # Trials repeat a few variants over many blocks: what they share is computed and stored once.
        self._variants: dict[tuple[Any, ...], _Variant] = {}
        self._metrics: dict[str, Cells] = defaultdict(_cells)
        self._phases: dict[str, _PhaseCells] = defaultdict(_PhaseCells)

    def add(self, header: Header, records: Iterable[Record]) -> None:
        """Add a run, or the part of it that one machine measured; its records were checked while they were read."""
        before, run = len(self._trials), len(self._runs)
        for row, record in enumerate(records, start=before):
            parts = _parts(record.trial)
            variant = self._variants.get(parts)
            if variant is None:
                variant = self._variants[parts] = _Variant(len(self._variants), record.trial.variant)
            key = f"{variant.digest}-{record.trial.block}"
            self._trials.append((run, variant.number, key, *_trial_row(record)))
            for name, value in record.metrics.items():
                rows, values = self._metrics[name]
                rows.append(row)
                values.append(value)
            # The time and memory of a trial that diverged compare with nothing.
            for name, phase in record.phases.items() if record.diverged is None else ():
                self._phases[name].add(row, phase)
        self._runs.append((*_run_row(header), len(self._trials) - before))

    def trials(self) -> pd.DataFrame:
        """Make the frame with one row for each trial; what a trial lacks is missing (NaN)."""
        length = len(self._trials)
        frame = _frame(["run", "variant", *_TRIAL], self._trials)
        variants, params = self._variant_frames()
        shared = [
            self._of_runs(frame["run"].to_numpy()),
            frame[["key"]],
            variants.take(frame["variant"].to_numpy()),
            frame[list(_TRIAL[1:])],
        ]
        columns: dict[str, Any] = {str(name): part[name].array for part in shared for name in part}
        for name in params:
            values = params[name].take(frame["variant"].to_numpy()).array
            columns[f"param.{name}" if name in columns else str(name)] = values
        for name, phase in self._phases.items():
            columns |= {f"{name}.{figure}": column for figure, column in phase.columns(length).items()}
        for name, (rows, figures) in self._metrics.items():
            column = _spread(np.array(rows), np.array(figures), length)
            columns[f"metric.{name}" if name in columns else name] = column
        return pd.DataFrame(columns, index=range(length))

    def samples(self) -> pd.DataFrame:
        """Make the frame with one row for each sample, sorted by phase, then trial, then repeat."""
        frame = _frame(["run", "variant", *_TRIAL], self._trials)
        trials = self._of_runs(frame["run"].to_numpy())[["run"]].assign(key=frame["key"].array)
        nothing = trials.assign(phase="", sample=0, wall_s=0.0, cpu_s=0.0).iloc[:0]
        parts = [phase.samples(name, trials) for name, phase in self._phases.items()]
        return pd.concat(parts or [nothing], ignore_index=True)

    def runs(self) -> pd.DataFrame:
        """Make the frame with one row for each run and machine."""
        return _frame([*_RUN, "recorded"], self._runs)

    def _of_runs(self, run: Ints) -> pd.DataFrame:
        return self.runs()[["run", "machine", "started"]].take(run)

    def _variant_frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        rows, params = [], []
        for topic, task, strategy, dataset, scenario, common, options in self._variants:
            rows.append((topic, task, strategy, label(strategy, dict(options)), dataset, scenario))
            params.append(dict(common) | dict(options))
        return _frame(_VARIANT, rows), pd.DataFrame(params, index=range(len(params)))


class _PhaseCells:
    """Figures of one phase: the samples of all trials one after the other, and the rows of the trials in the frame."""

    def __init__(self) -> None:
        self.rows, self.counts = array("q"), array("q")
        self.wall_s, self.cpu_s = array("d"), array("d")
        self.peak_bytes, self.held_bytes, self.device_bytes = array("d"), array("d"), array("d")

    def add(self, row: int, phase: Phase) -> None:
        self.rows.append(row)
        count = max(len(phase.wall_s), len(phase.cpu_s))
        self.counts.append(count)
        # An imported phase may have only one of the two times.
        self.wall_s.extend(phase.wall_s or [nan] * count)
        self.cpu_s.extend(phase.cpu_s or [nan] * count)
        self.peak_bytes.append(nan if phase.peak_bytes is None else phase.peak_bytes)
        self.held_bytes.append(phase.held_bytes)
        self.device_bytes.append(nan if phase.device_bytes is None else phase.device_bytes)

    def columns(self, length: int) -> dict[str, Any]:
        rows, counts = np.array(self.rows), np.array(self.counts)
        figures = {
            "wall_s": _medians(np.array(self.wall_s), counts),
            "cpu_s": _medians(np.array(self.cpu_s), counts),
            "peak_bytes": np.array(self.peak_bytes),
            "held_bytes": np.array(self.held_bytes),
            "device_bytes": np.array(self.device_bytes),
        }
        return {name: _spread(rows, values, length) for name, values in figures.items()}

    def samples(self, name: str, trials: pd.DataFrame) -> pd.DataFrame:
        rows, counts = np.array(self.rows), np.array(self.counts)
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        return trials.iloc[np.repeat(rows, counts)].assign(
            phase=name,
            sample=np.arange(len(starts)) - starts,
            wall_s=np.array(self.wall_s),
            cpu_s=np.array(self.cpu_s),
        )


def _parts(trial: Trial) -> tuple[Any, ...]:
    params, options = tuple(trial.params.items()), tuple(trial.options.items())
    return trial.topic, trial.task, trial.strategy, trial.dataset, trial.scenario, params, options


def _trial_row(record: Record) -> tuple[Any, ...]:
    trial, conditions, seeds = record.trial, record.conditions, record.trial.seeds
    return (
        *(trial.block, record.status, record.reason, record.memory_source, record.elapsed_s),
        *(seeds.data, seeds.model, seeds.order, conditions is not None and conditions.contaminated),
    )


def _frame(names: Sequence[str], rows: Rows) -> pd.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    table: pd.DataFrame = pa.table([pa.array(column) for column in columns], names=names).to_pandas()
    return table


def _cells() -> Cells:
    return array("q"), array("d")


def _spread(rows: Ints, values: Floats, length: int) -> Floats:
    """Place values at their rows and NaN at the others."""
    column = np.full(length, np.nan)
    column[rows] = values
    return column


def _medians(values: Floats, counts: Ints) -> Floats:
    """Take the median of each group of adjacent values of the sizes `counts`; an empty one gives NaN."""
    starts = np.cumsum(counts) - counts
    medians = np.full(len(counts), np.nan)
    for count in np.unique(counts[counts > 0]):
        chosen = np.flatnonzero(counts == count)
        medians[chosen] = np.median(values[starts[chosen, None] + np.arange(count)], axis=1)
    return medians
