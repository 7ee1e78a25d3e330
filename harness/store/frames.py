"""Records as data frames: a row a trial, a row a sample, a row a run.

Records are taken in one at a time and let go, so that a long run need not fit in memory or be walked again and again.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.store.header import Header
from harness.trial import Phase, Record

Floats: TypeAlias = npt.NDArray[np.float64]
Sparse: TypeAlias = dict[str, dict[int, Any]]

_OF_RUN = {
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
_OF_TRIAL = {
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
_run_row = attrgetter(*_OF_RUN.values())
_trial_row = attrgetter(*_OF_TRIAL.values())


class Frames:
    """Takes in runs and makes frames of them; docs/schema.md lists their columns."""

    def __init__(self) -> None:
        self._runs: list[tuple[Any, ...]] = []
        self._recorded: list[int] = []
        self._trials: list[tuple[Any, ...]] = []
        self._contaminated: list[bool] = []
        self._params: Sparse = defaultdict(dict)
        self._metrics: Sparse = defaultdict(dict)
        self._phases: dict[str, _PhaseCells] = defaultdict(_PhaseCells)

    def add(self, header: Header, records: Iterable[Record]) -> None:
        """Take in a run."""
        before = len(self._trials)
        for row, record in enumerate(records, start=before):
            self._trials.append(_trial_row(record))
            self._contaminated.append(record.conditions is not None and record.conditions.contaminated)
            for name, value in chain(record.trial.params.items(), record.trial.options.items()):
                self._params[name][row] = value
            for name, value in record.metrics.items():
                self._metrics[name][row] = value
            for name, phase in record.phases.items():
                self._phases[name].add(row, phase)
        self._runs.append(_run_row(header))
        self._recorded.append(len(self._trials) - before)

    def trials(self) -> pd.DataFrame:
        """Make the frame with a row a trial; what a trial lacks is missing (NaN)."""
        length = len(self._trials)
        columns: dict[str, Any] = self._of_runs() | _columns(_OF_TRIAL, self._trials)
        columns["contaminated"] = self._contaminated
        for name, cells in self._params.items():
            columns[f"param.{name}" if name in columns else name] = pd.Series(cells.values(), cells.keys())
        for name, phase in self._phases.items():
            columns |= {f"{name}.{figure}": column for figure, column in phase.columns(length).items()}
        for name, cells in self._metrics.items():
            column = _spread(list(cells), list(cells.values()), length)
            columns[f"metric.{name}" if name in columns else name] = column
        return pd.DataFrame(columns, index=range(length))

    def samples(self) -> pd.DataFrame:
        """Make the frame with a row a sample."""
        trials = pd.DataFrame({"run": self._of_runs()["run"], "key": [row[0] for row in self._trials]})
        parts = [phase.samples(name, trials) for name, phase in self._phases.items()]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_SAMPLE)

    def runs(self) -> pd.DataFrame:
        """Make the frame with a row a run."""
        return pd.DataFrame(_columns(_OF_RUN, self._runs) | {"recorded": self._recorded})

    def _of_runs(self) -> dict[str, Any]:
        names = ["run", "machine", "started"]
        return dict(self.runs()[names].loc[lambda runs: runs.index.repeat(self._recorded)].reset_index(drop=True).items())


class _PhaseCells:
    """Figures of one phase: the samples of all trials in a row, and where they belong."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.counts: list[int] = []
        self.wall_s = array("d")
        self.cpu_s = array("d")
        self.peak_bytes: list[int | None] = []
        self.device_bytes: list[int | None] = []

    def add(self, row: int, phase: Phase) -> None:
        self.rows.append(row)
        self.counts.append(len(phase.wall_s))
        self.wall_s.extend(phase.wall_s)
        self.cpu_s.extend(phase.cpu_s)
        self.peak_bytes.append(phase.peak_bytes)
        self.device_bytes.append(phase.device_bytes)

    def columns(self, length: int) -> dict[str, Floats]:
        counts = np.array(self.counts)
        return {
            "wall_s": _spread(self.rows, _medians(np.array(self.wall_s), counts), length),
            "cpu_s": _spread(self.rows, _medians(np.array(self.cpu_s), counts), length),
            "peak_bytes": _spread(self.rows, self.peak_bytes, length),
            "device_bytes": _spread(self.rows, self.device_bytes, length),
        }


def _columns(names: Iterable[str], rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _spread(rows: list[int], values: Any, length: int) -> Floats:
    """Place values at their rows and NaN at the others; ``None`` counts as NaN."""
    column = np.full(length, np.nan)
    column[rows] = np.array(values, dtype=float)
    return column


def _medians(values: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Take the median of each stretch of values, `counts` giving their lengths; NaN for an empty one."""
    starts = np.cumsum(counts) - counts
    medians = np.full(len(counts), np.nan)
    for count in np.unique(counts[counts > 0]):
        chosen = np.flatnonzero(counts == count)
        medians[chosen] = np.median(values[starts[chosen, None] + np.arange(count)], axis=1)
    return medians
