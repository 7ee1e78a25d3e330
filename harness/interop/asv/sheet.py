"""A run laid out as asv keeps results: a benchmark a figure, its axes strategy, data, scenario and parameters."""

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
from harness.interop.asv.files import Benchmark, written
from harness.interop.figures import RUN_AXES, Figure, Turn, figures_of, run_prefix
from harness.interop.names import digest
from harness.interop.sources import milliseconds
from harness.records import Record, Status, Trial, figures, typed
from harness.store.header import Header

Case: TypeAlias = tuple[str, ...]
#: Case to its numbers, each with the index of the trial that it is of.
Samples: TypeAlias = dict[Case, list[tuple[int, float]]]

_MOST_COMBINATIONS = 200_000


class Mark(msgspec.Struct):
    """What an exported trial carries besides its figures."""

    trial: Trial
    status: Status
    reason: str = ""


class Carried(msgspec.Struct):
    """What an exported file carries for its way back.

    Attributes
    ----------
    figures
        Benchmark to its measure and how its numbers were turned.
    trials
        All trials of the run.
    places
        Benchmark to a list a combination of its parameters: the index in `trials` of each of its samples.
    """

    header: Header
    figures: dict[str, tuple[str, Turn]]
    trials: list[Mark]
    places: dict[str, list[list[int]]]


class _Grid(NamedTuple):
    """One task's axes.

    Attributes
    ----------
    axes
        The values of each axis that some trial has.
    cases
        The trials' own combinations, in the order of the trials.
    """

    task: str
    prefix: str
    axes: list[list[str]]
    cases: list[Case]
    failed: set[Case]


class Sheet:
    """A run laid out.

    Parameters
    ----------
    listed
        What the results folder lists, by the benchmark's name: values that other runs brought to an axis are filed as
        not measured, which asv would show as failed otherwise.

    Attributes
    ----------
    entries
        Benchmark to what benchmarks.json says of it.
    results
        Benchmark to its row in the file of results.
    unfit
        How many numbers asv cannot hold: of a metric of which more is better, and that is not positive when turned.

    Raises
    ------
    UsageError
        When a task has too many combinations of its axes.
    """

    def __init__(self, header: Header, records: Sequence[Record], listed: Mapping[str, Benchmark]) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.results: dict[str, list[Any]] = {}
        self.unfit = 0
        marks = [Mark(record.trial, record.status, record.reason) for record in records]
        self.carried = Carried(header, {}, marks, {})
        self._listed = listed
        self._started = milliseconds(header.started)
        tasks: dict[tuple[str, str], list[int]] = {}
        for index, record in enumerate(records):
            tasks.setdefault((record.trial.topic, record.trial.task), []).append(index)
        for (topic, task), indices in tasks.items():
            own = [records[index] for index in indices]
            metrics = [metric for metric in header.metrics if metric.task == f"{topic}/{task}"]
            phases = dict.fromkeys(phase for record in own for phase in record.phases)
            self._lay_out(_grid(topic, task, own), indices, own, list(figures_of(phases, metrics)))

    def _lay_out(self, grid: _Grid, indices: Sequence[int], records: Sequence[Record], known: Sequence[Figure]) -> None:
        measured: dict[str, Samples] = {}
        for case, index, record in zip(grid.cases, indices, records, strict=True):
            for name, number in figures(record).items():
                measured.setdefault(name, {}).setdefault(case, []).append((index, number))
        for figure in known:
            samples = self._turned(figure, measured.get(figure.measure, {}))
            holds = any(number for own in samples.values() for _, number in own)
            # That nothing was held before a phase is the rule, and no figure worth a page.
            if samples and (holds or not figure.measure.endswith(".held_bytes")):
                self._add(grid, figure, samples)

    def _turned(self, figure: Figure, measured: Samples) -> Samples:
        found: Samples = {}
        for case, numbers in measured.items():
            turned = [(index, value) for index, number in numbers if (value := figure.turned(number)) is not None]
            self.unfit += len(numbers) - len(turned)
            if turned:
                found[case] = turned
        return found

    def _add(self, grid: _Grid, figure: Figure, samples: Samples) -> None:
        name = f"{grid.prefix}.{figure.name}"
        version = digest(json.dumps((name, RUN_AXES, figure.unit)), 16)
        axes = _widened(grid.axes, self._listed.get(name), version)
        combinations = math.prod(map(len, axes))
        if combinations > _MOST_COMBINATIONS:
            raise UsageError(
                f"{grid.task} has {combinations:,} combinations of strategies, data and parameters, and asv files "
                f"each, measured or not (at most {_MOST_COMBINATIONS:,}): export runs with fewer sweeps, or elsewhere"
            )
        self.entries[name] = {
            "code": f"# {figure.measure} of {grid.task}, exported from runs of bakeoff",
            "name": name,
            "param_names": list(RUN_AXES),
            "params": axes,
            "type": "time" if figure.unit == "seconds" else "track",
            "unit": figure.unit,
            "version": version,
        }
        order = list(itertools.product(*axes))
        numbers = [[number for _, number in samples.get(case, ())] for case in order]
        stats = [_stats(own) for own in numbers]
        self.results[name] = [
            [_middle(own, failed=case in grid.failed) for case, own in zip(order, numbers, strict=True)],
            axes,
            version,
            self._started,
            None,
            *([one and one[column] for one in stats] for column in range(6)),
            [own or None for own in numbers],
        ]
        self.carried.figures[name] = (figure.measure, figure.turn)
        self.carried.places[name] = [[index for index, _ in samples.get(case, ())] for case in order]


def _grid(topic: str, task: str, records: Sequence[Record]) -> _Grid:
    cases = [_case(record.trial) for record in records]
    axes = [list(dict.fromkeys(axis)) for axis in zip(*cases, strict=True)]
    states = zip(cases, (record.status for record in records), strict=True)
    failed = {case for case, status in states if status not in ("ok", "skipped")}
    return _Grid(f"{topic}/{task}", run_prefix(topic, task), axes, cases, failed)


def _widened(axes: list[list[str]], listed: Benchmark | None, version: str) -> list[list[str]]:
    """Add to the values of each axis those that are listed, in their natural order."""
    known = listed.params if listed and listed.version == version and len(listed.params) == len(axes) else axes
    return [sorted({*own, *more}, key=_natural) for own, more in zip(axes, known, strict=True)]


def _case(trial: Trial) -> Case:
    params = " ".join(f"{name}={typed(value)}" for name, value in sorted(trial.params.items()))
    return tuple(map(written, (trial.label, trial.dataset, trial.scenario, params)))


def _natural(text: str) -> list[tuple[float, str]]:
    """Sort by the numbers in a text, so that rows=1000 comes before rows=10000."""
    return [(float(part), "") if part.isdecimal() else (-1.0, part) for part in re.split(r"(\d{1,18})", text)]


def _middle(samples: Sequence[float], *, failed: bool) -> float | None:
    """Return what asv calls the result: NaN for what was not measured, ``None`` for what failed."""
    if samples:
        return median(samples)
    return None if failed else math.nan


def _stats(samples: Sequence[float]) -> tuple[float, ...] | None:
    """Return the bounds of the median's 99 % interval, the quartiles, and how often asv would have called and repeated.

    The bounds are order statistics (binomial); fewer than 8 samples have no finite ones, as in asv.
    """
    if not samples:
        return None
    ordered = sorted(samples)
    rank = int(binom.ppf(0.005, len(ordered), 0.5))
    low, high = (ordered[rank - 1], ordered[-rank]) if rank else (-math.inf, math.inf)
    quarter, three_quarters = np.quantile(ordered, (0.25, 0.75))
    return low, high, float(quarter), float(three_quarters), 1, len(ordered)
