"""Records as data frames: a row a trial, a row a sample, a row a run.

Records are taken in one at a time and let go, so that a long run need not fit in memory.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from harness.errors import UsageError
from harness.store.header import Header
from harness.trial import Phase, Record

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = list[tuple[Any, ...]]
Cells: TypeAlias = dict[int, Any]

_RUN = {
    "run": "run",
    "machine": "machine.name",
    "started": "started",
    "schema": "schema",
    "commit": "environment.commit",
    "dirty": "environment.dirty",
    "command": "command",
    "plan": "plan",
    "planned": "trials",
}
_TRIAL = {
    "key": "trial.key",
    "topic": "trial.topic",
    "task": "trial.task",
    "strategy": "trial.strategy",
    "label": "trial.label",
    "dataset": "trial.dataset",
    "scenario": "trial.scenario",
    "block": "trial.block",
    "status": "status",
    "reason": "reason",
    "memory_source": "memory_source",
    "elapsed_s": "elapsed_s",
    "seed.data": "trial.seeds.data",
    "seed.model": "trial.seeds.model",
    "seed.order": "trial.seeds.order",
}
_run_row = attrgetter(*_RUN.values())
_trial_row = attrgetter(*_TRIAL.values())


class Frames:
    """Takes in runs and makes frames of them; docs/schema.md lists their columns."""

    def __init__(self) -> None:
        self._runs: Rows = []
        self._trials: Rows = []
        self._params: dict[str, Cells] = defaultdict(dict)
        self._metrics: dict[str, Cells] = defaultdict(dict)
        self._phases: dict[str, _PhaseCells] = defaultdict(_PhaseCells)

    def add(self, header: Header, records: Iterable[Record]) -> None:
        """Take in a run.

        Raises
        ------
        UsageError
            When a phase does not have as many wall as CPU samples.
        """
        before = len(self._trials)
        of_run = (header.run, header.machine.name, header.started)
        for row, record in enumerate(records, start=before):
            contaminated = record.conditions is not None and record.conditions.contaminated
            self._trials.append((*of_run, *_trial_row(record), contaminated))
            for name, value in chain(record.trial.params.items(), record.trial.options.items()):
                self._params[name][row] = value
            for name, value in record.metrics.items():
                self._metrics[name][row] = value
            for name, phase in record.phases.items():
                if len(phase.wall_s) != len(phase.cpu_s):
                    raise UsageError(
                        f"run {header.run}, trial {record.trial.key}: phase {name} has {len(phase.wall_s)} wall but "
                        f"{len(phase.cpu_s)} CPU samples; run the trial again"
                    )
                self._phases[name].add(row, phase)
        self._runs.append((*_run_row(header), len(self._trials) - before))

    def trials(self) -> pd.DataFrame:
        """Make the frame with a row a trial; what a trial lacks is missing (NaN)."""
        length = len(self._trials)
        fixed = _frame(["run", "machine", "started", *_TRIAL, "contaminated"], self._trials)
        columns: dict[str, Any] = {str(name): column for name, column in fixed.items()}
        for name, cells in self._params.items():
            values = list(cells.values())
            column = values if len(cells) == length else pd.Series(values, list(cells))
            columns[f"param.{name}" if name in columns else name] = column
        for name, phase in self._phases.items():
            columns |= {f"{name}.{figure}": column for figure, column in phase.columns(length).items()}
        for name, cells in self._metrics.items():
            figures = _spread(np.array(list(cells)), list(cells.values()), length)
            columns[f"metric.{name}" if name in columns else name] = figures
        return pd.DataFrame(columns, index=range(length))

    def samples(self) -> pd.DataFrame:
        """Make the frame with a row a sample, in the order of phases, then trials, then repeats."""
        trials = _frame(["run", "machine", "started", "key"], [row[:4] for row in self._trials])[["run", "key"]]
        nothing = trials.assign(phase="", sample=0, wall_s=0.0, cpu_s=0.0).iloc[:0]
        parts = [phase.samples(name, trials) for name, phase in self._phases.items()]
        return pd.concat(parts or [nothing], ignore_index=True)

    def runs(self) -> pd.DataFrame:
        """Make the frame with a row a run."""
        return _frame([*_RUN, "recorded"], self._runs)


class _PhaseCells:
    """Figures of one phase: the samples of all trials in a row, and the rows of the trials."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.counts: list[int] = []
        self.wall_s = array("d")
        self.cpu_s = array("d")
        self.peak_bytes: list[int | None] = []
        self.held_bytes: list[int] = []
        self.device_bytes: list[int | None] = []

    def add(self, row: int, phase: Phase) -> None:
        self.rows.append(row)
        self.counts.append(len(phase.wall_s))
        self.wall_s.extend(phase.wall_s)
        self.cpu_s.extend(phase.cpu_s)
        self.peak_bytes.append(phase.peak_bytes)
        self.held_bytes.append(phase.held_bytes)
        self.device_bytes.append(phase.device_bytes)

    def columns(self, length: int) -> dict[str, Any]:
        rows, counts = np.array(self.rows), np.array(self.counts)
        return {
            "wall_s": _spread(rows, _medians(np.array(self.wall_s), counts), length),
            "cpu_s": _spread(rows, _medians(np.array(self.cpu_s), counts), length),
            "peak_bytes": _spread(rows, self.peak_bytes, length),
            "held_bytes": _spread(rows, self.held_bytes, length),
            "device_bytes": _spread(rows, self.device_bytes, length),
        }

    def samples(self, name: str, trials: pd.DataFrame) -> pd.DataFrame:
        counts = np.array(self.counts)
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        return trials.iloc[np.repeat(self.rows, counts)].assign(
            phase=name,
            sample=np.arange(len(starts)) - starts,
            wall_s=np.array(self.wall_s),
            cpu_s=np.array(self.cpu_s),
        )


def _frame(names: Sequence[str], rows: Rows) -> pd.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    table: pd.DataFrame = pa.table([pa.array(column) for column in columns], names=names).to_pandas()
    return table


def _spread(rows: Ints, values: Sequence[float | None] | Floats, length: int) -> Floats:
    """Place values at their rows and NaN at the others; ``None`` counts as NaN."""
    column = np.full(length, np.nan)
    column[rows] = np.array(values, dtype=float)
    return column


def _medians(values: Floats, counts: Ints) -> Floats:
    """Take the median of each stretch of values, `counts` giving their lengths; NaN for an empty one."""
    starts = np.cumsum(counts) - counts
    medians = np.full(len(counts), np.nan)
    for count in np.unique(counts[counts > 0]):
        chosen = np.flatnonzero(counts == count)
        medians[chosen] = np.median(values[starts[chosen, None] + np.arange(count)], axis=1)
    return medians
