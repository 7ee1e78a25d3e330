"""A run laid out as asv stores results, and read back: a benchmark for each figure, with the axes of `RUN_AXES`."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from scipy.stats import binom

from harness.errors import UsageError
from harness.interop.asv.files import AsvRow, Benchmark, written
from harness.interop.figures import (
    RUN_AXES,
    Conversion,
    MappedFigure,
    figures_of,
    original,
    run_prefix,
    set_phase_figure,
)
from harness.interop.reading import finite, milliseconds
from harness.records import TOTALS, Phase, Record, Status, Trial, depends_on_setup, figures, typed
from harness.store.header import Header
from harness.store.imported_names import digest

Case: TypeAlias = tuple[str, ...]
#: Case to its numbers, each with the index of its trial.
Samples: TypeAlias = dict[Case, list[tuple[int, float]]]

_MOST_COMBINATIONS = 200_000


class ExportedTrial(msgspec.Struct):
    """A trial in an exported file, without its figures."""

    trial: Trial
    status: Status
    reason: str = ""


class ExportedRun(msgspec.Struct):
    """Everything in an exported file that asv's own fields cannot represent.

    Attributes
    ----------
    figures
        Benchmark to its measure and how its numbers were converted.
    trials
        All trials of the run.
    places
        Benchmark to one list for each combination of its parameters: the index in `trials` of each sample.
    """

    header: Header
    figures: dict[str, tuple[str, Conversion]]
    trials: list[ExportedTrial]
    places: dict[str, list[list[int]]]


class _Grid(NamedTuple):
    """The axes of one task.

    Attributes
    ----------
    axes
        The values of each axis that some trial has.
    cases
        The combination of each trial, in the order of the trials.
    setup
        Phases that the task declares set-up.
    """

    task: str
    prefix: str
    axes: list[list[str]]
    cases: list[Case]
    failed: set[Case]
    setup: list[str]


class AsvLayout:
    """A run laid out for asv.

    Parameters
    ----------
    listed
        The benchmarks that the results folder lists already. Values that other runs have on an axis are stored as not
        measured; asv would show them as failed otherwise.

    Attributes
    ----------
    entries
        Benchmark to its entry in benchmarks.json.
    results
        Benchmark to its row in the file of results.
    unfit
        How many numbers asv's ratios cannot order: they are not positive after conversion.

    Raises
    ------
    UsageError
        When a task has too many combinations of its axes.
    """

    def __init__(self, header: Header, records: Sequence[Record], listed: Mapping[str, Benchmark]) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.results: dict[str, list[Any]] = {}
        self.unfit = 0
        trials = [ExportedTrial(record.trial, record.status, record.reason) for record in records]
        self.exported = ExportedRun(header, {}, trials, {})
        self._listed = listed
        self._started = milliseconds(header.started)
        tasks: dict[tuple[str, str], list[int]] = {}
        for index, record in enumerate(records):
            tasks.setdefault((record.trial.topic, record.trial.task), []).append(index)
        for (topic, task), indices in tasks.items():
            of_task = [records[index] for index in indices]
            metrics = [metric for metric in header.metrics if metric.task == f"{topic}/{task}"]
            phases = dict.fromkeys(phase for record in of_task for phase in record.phases)
            setup = sorted(header.setup(f"{topic}/{task}"))
            self._add_task(_grid(topic, task, of_task, setup), indices, of_task, list(figures_of(phases, metrics)))

    def _add_task(
        self, grid: _Grid, indices: Sequence[int], records: Sequence[Record], mapped: Sequence[MappedFigure]
    ) -> None:
        measured: dict[str, Samples] = {}
        for case, index, record in zip(grid.cases, indices, records, strict=True):
            for name, number in figures(record).items():
                measured.setdefault(name, {}).setdefault(case, []).append((index, number))
        for figure in mapped:
            samples = self._converted(figure, measured.get(figure.measure, {}))
            numbers = [number for of_case in samples.values() for _, number in of_case]
            if numbers and figure.is_reported(numbers):
                self._add_benchmark(grid, figure, samples)

    def _converted(self, figure: MappedFigure, measured: Samples) -> Samples:
        found: Samples = {}
        for case, numbers in measured.items():
            converted = [(index, value) for index, number in numbers if (value := figure.converted(number)) is not None]
            self.unfit += len(numbers) - len(converted)
            if converted:
                found[case] = converted
        return found

    def _add_benchmark(self, grid: _Grid, figure: MappedFigure, samples: Samples) -> None:
        name = f"{grid.prefix}.{figure.name}"
        # Where other phases are set-up, asv begins a new series of what depends on it.
        setup = [grid.setup] if grid.setup and depends_on_setup(figure.measure) else []
        version = digest(json.dumps((name, RUN_AXES, figure.unit, *setup)), 16)
        axes = _widened(grid.axes, self._listed.get(name), version)
        combinations = math.prod(map(len, axes))
        if combinations > _MOST_COMBINATIONS:
            raise UsageError(
                f"{grid.task} has {combinations:,} combinations of strategies, data and parameters, and asv stores "
                f"each, measured or not (at most {_MOST_COMBINATIONS:,}): export runs with fewer sweeps, or elsewhere"
            )
        self.entries[name] = {
            "code": f"# {figure.measure} of {grid.task}, exported from runs of bakeoff",
            "name": name,
            "param_names": list(RUN_AXES),
            "params": axes,
            "type": "time" if figure.is_time else "track",
            "unit": figure.unit,
            "version": version,
        }
        order = list(itertools.product(*axes))
        numbers = [[number for _, number in samples.get(case, ())] for case in order]
        stats = [_stats(of_case) for of_case in numbers]
        self.results[name] = [
            [_result(of_case, failed=case in grid.failed) for case, of_case in zip(order, numbers, strict=True)],
            axes,
            version,
            self._started,
            None,
            *([None if one is None else one[column] for one in stats] for column in range(6)),
            [of_case or None for of_case in numbers],
        ]
        self.exported.figures[name] = (figure.measure, figure.conversion)
        self.exported.places[name] = [[index for index, _ in samples.get(case, ())] for case in order]


def restored_records(run: ExportedRun, rows: Mapping[str, AsvRow]) -> list[Record] | None:
    """Put the records of an exported run together again; ``None`` where the file was changed and does not fit."""
    records = [Record(exported.trial, exported.status, exported.reason) for exported in run.trials]
    setups = {card.name: card.setup for card in run.header.tasks}
    for name, places in run.places.items():
        row = rows.get(name)
        if row is None or name not in run.figures or len(places) != row.combinations:
            return None
        measure, conversion = run.figures[name]
        for indices, samples in zip(places, row.samples or [None] * len(places), strict=True):
            numbers = [finite(sample) for sample in samples or ()]
            if len(numbers) != len(indices) or None in numbers or not all(0 <= i < len(records) for i in indices):
                return None
            for index, number in zip(indices, numbers, strict=True):
                value = None if number is None else original(number, conversion)
                if value is not None and measure not in TOTALS:
                    _set_figure(records[index], measure, value, setups)
    return records


def _set_figure(record: Record, name: str, value: float, setups: Mapping[str, Sequence[str]]) -> None:
    phase, dot, measure = name.partition(".")
    if dot:
        in_total = phase not in setups.get(record.trial.cell.full_task, ())
        set_phase_figure(record.phases.setdefault(phase, Phase([], [], in_total=in_total)), measure, [value])
    else:
        record.metrics[name] = value


def _grid(topic: str, task: str, records: Sequence[Record], setup: list[str]) -> _Grid:
    cases = [_case(record.trial) for record in records]
    axes = [list(dict.fromkeys(axis)) for axis in zip(*cases, strict=True)]
    states = zip(cases, (record.status for record in records), strict=True)
    failed = {case for case, status in states if status not in ("ok", "skipped")}
    return _Grid(f"{topic}/{task}", run_prefix(topic, task), axes, cases, failed, setup)


def _widened(axes: list[list[str]], listed: Benchmark | None, version: str) -> list[list[str]]:
    """Add to the values of each axis those that are listed already, in their natural order."""
    known = listed.params if listed and listed.version == version and len(listed.params) == len(axes) else axes
    return [sorted({*axis, *more}, key=_natural) for axis, more in zip(axes, known, strict=True)]


def _case(trial: Trial) -> Case:
    params = " ".join(f"{name}={typed(value)}" for name, value in sorted(trial.params.items()))
    return tuple(map(written, (trial.label, trial.dataset, trial.scenario, params)))


def _natural(text: str) -> list[tuple[float, str]]:
    """Return a key that sorts by the numbers in a text, so that rows=1000 comes before rows=10000."""
    return [(float(part), "") if part.isdecimal() else (-1.0, part) for part in re.split(r"(\d{1,18})", text)]


def _result(samples: Sequence[float], *, failed: bool) -> float | None:
    """Return asv's ``result`` of a case: the median, NaN where nothing was measured, ``None`` where it failed."""
    if samples:
        return median(samples)
    return None if failed else math.nan


def _stats(samples: Sequence[float]) -> tuple[float, ...] | None:
    """Return asv's statistics: the 99 % interval of the median, the quartiles, and the numbers of calls and repeats.

    The ends of the interval are order statistics (binomial); with fewer than 8 samples they are infinite, as in asv.
    """
    if not samples:
        return None
    ordered = sorted(samples)
    rank = int(binom.ppf(0.005, len(ordered), 0.5))
    low, high = (ordered[rank - 1], ordered[-rank]) if rank else (-math.inf, math.inf)
    quarter, three_quarters = np.quantile(ordered, (0.25, 0.75))
    return low, high, float(quarter), float(three_quarters), 1, len(ordered)
