"""asv results that stem from our own declarations: exported runs, and what asv measured with the suites."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from harness.interop.asv.files import AsvRow, value_of
from harness.interop.asv.sheet import Carried
from harness.interop.figures import AXES, Figure, figures_of, suite_prefix
from harness.interop.foreign import ImportedMetric, ImportedResult
from harness.interop.sources import finite, memory, seconds
from harness.records import TOTALS, Phase, Record
from harness.registry import Registry
from harness.store.header import JudgedMetric


@dataclass(frozen=True)
class SuiteTask:
    """A declared task, as far as its suite's results need it."""

    topic: str
    name: str
    figures: dict[str, Figure]
    metrics: dict[str, JudgedMetric]


def suite_tasks(registry: Registry) -> dict[str, SuiteTask]:
    """Return the tasks by what the names of their suites' benchmarks begin with."""
    found = {}
    for task in registry.tasks():
        metrics = [
            JudgedMetric(task.full_name, metric.name, metric.direction, metric.unit)
            for metric in task.metrics
            if metric.direction and metric.unit
        ]
        found[suite_prefix(task.topic, task.name)] = SuiteTask(
            task.topic,
            task.name,
            {figure.name: figure for figure in figures_of(task.phases, metrics)},
            {metric.name: metric for metric in metrics},
        )
    return found


def suite_found(task: SuiteTask, methods: Mapping[str, AsvRow]) -> list[ImportedResult]:
    """Put together what asv measured with a task's suite; samples lose their blocks there, so they are one trial's."""
    found: dict[tuple[str, ...], ImportedResult] = {}
    for method, row in methods.items():
        figure = task.figures.get(method)
        if figure is None or len(row.params) != len(AXES):
            continue
        cases = [tuple(str(value_of(text)) for text in case) for case in itertools.product(*row.params)]
        samples = row.samples or [None] * len(cases)
        for case, value, own in zip(cases, row.values or [None] * len(cases), samples, strict=True):
            number = finite(value)
            if number is None and value is not None:
                continue
            strategy, dataset, scenario = case
            one = found.setdefault(
                case,
                ImportedResult(
                    task.name, strategy, topic=task.topic, dataset=dataset, scenario=scenario, status="failed"
                ),
            )
            if number is not None:
                one.status = "ok"
                _fill(one, task, figure, number, own)
    for one in found.values():
        one.reason = "" if one.status == "ok" else "asv: failed"
        for phase in one.phases.values():
            _even(phase)
    return list(found.values())


def restore(own: Carried, rows: Mapping[str, AsvRow]) -> list[Record] | None:
    """Put an exported run together again; ``None`` when asv's figures and what the file carries do not fit."""
    records = [Record(mark.trial, mark.status, mark.reason) for mark in own.trials]
    for name, places in own.places.items():
        row = rows.get(name)
        if row is None or name not in own.figures or len(places) != row.combinations:
            return None
        measure, turn = own.figures[name]
        figure = Figure(name, measure, "", turn)
        for indices, samples in zip(places, row.samples or [None] * len(places), strict=True):
            numbers = [finite(sample) for sample in samples or ()]
            if len(numbers) != len(indices) or None in numbers or not all(0 <= i < len(records) for i in indices):
                return None
            for index, number in zip(indices, numbers, strict=True):
                value = figure.back(number) if number is not None else None
                if value is not None and measure not in TOTALS:
                    _put(records[index], measure, value)
    return records


def _put(record: Record, measure: str, value: float) -> None:
    phase, dot, figure = measure.partition(".")
    if not dot:
        record.metrics[measure] = value
        return
    own = record.phases.setdefault(phase, Phase([], []))
    if figure in ("wall_s", "cpu_s"):
        setattr(own, figure, [value])
    elif figure in ("peak_bytes", "held_bytes", "device_bytes"):
        setattr(own, figure, memory(value) or 0)


def _fill(one: ImportedResult, task: SuiteTask, figure: Figure, number: float, samples: list[object] | None) -> None:
    name, dot, part = figure.measure.partition(".")
    if not dot:
        metric = task.metrics.get(figure.measure)
        value = figure.back(number)
        if metric is not None and value is not None:
            one.metrics[metric.name] = ImportedMetric(value, metric.direction, metric.unit)
        return
    phase = one.phases.setdefault(name, Phase([], []))
    if part in ("wall_s", "cpu_s"):
        setattr(phase, part, seconds(samples or []) or seconds(number))
    elif part == "peak_bytes":
        phase.peak_bytes = memory(number)


def _even(phase: Phase) -> None:
    """Leave as many wall as CPU samples: only their medians where asv kept more of one."""
    if phase.wall_s and phase.cpu_s and len(phase.wall_s) != len(phase.cpu_s):
        phase.wall_s, phase.cpu_s = phase.wall_s[:1], phase.cpu_s[:1]
