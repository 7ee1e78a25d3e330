"""asv's benchmarks as results of trials: of our suites by their declaration, of any other project by a rule.

In another project the methods of a class compete with each other, and parameters that are numbers make cells.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.declare import Metric
from harness.errors import UsageError
from harness.interop.asv.files import AsvRow, Benchmark, value_of
from harness.interop.figures import AXES, MappedFigure, figures_of, original, set_phase_figure, suite_prefix
from harness.interop.imported_runs import PHASE, ImportedMetric, ImportedResult
from harness.interop.reading import calls_of, finite, line, memory, seconds
from harness.records import Phase, Scalar
from harness.registry import Registry

_MOST_FAILED = 10_000
_UNITS = {"time": "seconds", "timeraw": "seconds", "mem": "bytes", "peakmem": "bytes"}


class SuiteTask(NamedTuple):
    """A declared task: its figures by the names of its suite's benchmarks, its metrics by name, its set-up phases."""

    topic: str
    name: str
    figures: dict[str, MappedFigure]
    metrics: dict[str, Metric]
    setup: tuple[str, ...] = ()


def suite_tasks(registry: Registry) -> dict[str, SuiteTask]:
    """Return the tasks by the beginning of the names of their suites' benchmarks."""
    return {
        suite_prefix(task.topic, task.name): SuiteTask(
            task.topic,
            task.name,
            {figure.name: figure for figure in figures_of(task.phases, task.metrics)},
            {metric.name: metric for metric in task.metrics},
            task.setup,
        )
        for task in registry.tasks()
    }


def suite_results(task: SuiteTask, methods: Mapping[str, AsvRow]) -> list[ImportedResult]:
    """Put together what asv measured with a task's suite.

    asv does not store which block a sample belongs to, so all samples of a case become one trial.
    """
    results: dict[tuple[str, ...], ImportedResult] = {}
    for method, row in methods.items():
        figure = task.figures.get(method)
        if figure is None or len(row.params) != len(AXES):
            continue
        for params, value, samples, calls in _cases(row):
            number = finite(value)
            if number is None and value is not None:
                continue
            case = tuple(map(str, params))
            if case not in results:
                strategy, dataset, scenario = case
                results[case] = ImportedResult(
                    task.name,
                    strategy,
                    topic=task.topic,
                    dataset=dataset,
                    scenario=scenario,
                    status="failed",
                    reason="asv: failed",
                )
            if number is not None:
                results[case].status, results[case].reason = "ok", ""
                _add_suite_figure(results[case], task, figure, number, samples, calls)
    for result in results.values():
        for phase in result.phases.values():
            _equalise_samples(phase)
    return list(results.values())


class ProjectResults:
    """The results of the benchmarks in one file; figures of the same strategy and parameters are put together.

    Attributes
    ----------
    results
        The results by task, strategy and parameters.
    skipped, unfit
        How many numbers are left out because asv did not measure them, or because they cannot be figures.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.results: dict[tuple[Any, ...], ImportedResult] = {}
        self.skipped = 0
        self.unfit = 0
        self._environment = environment

    def add(self, name: str, row: AsvRow, benchmark: Benchmark, path: Path) -> None:
        """Add the results of a benchmark.

        Raises
        ------
        UsageError
            When it has very many combinations and all failed; a run need not list each of them.
        """
        method = name.rpartition(".")[2]
        unit = benchmark.unit or _UNITS.get(method.partition("_")[0], "unit")
        if row.values is None and row.combinations > _MOST_FAILED:
            raise UsageError(f"{path}: all {row.combinations:,} results of {name!r} failed; measure again with asv")
        names = [*benchmark.param_names, *(f"param{place + 1}" for place in range(len(row.params)))][: len(row.params)]
        for case, value, samples, calls in _cases(row):
            number = self._figure(value, unit)
            if number is None and value is not None:
                continue
            result = self._result(name, dict(zip(names, case, strict=True)))
            if number is None:
                # The other figures of the same result still count.
                result.reason = f"asv: {line(method)} failed"
                result.status = "ok" if result.phases or result.metrics else "failed"
            else:
                result.status = "ok"
                measure = _add_project_figure(result, method, unit, number, samples, calls)
                if row.version:
                    result.versions[measure] = row.version

    def _figure(self, value: Any, unit: str) -> float | None:
        """Return a value as a figure; ``None`` where it is not one, counted unless asv measured it and failed."""
        number = finite(value)
        if number is not None and (number >= 0 or unit not in ("seconds", "bytes")):
            return number
        if isinstance(value, float) and math.isnan(value):  # asv writes NaN for what it did not measure
            self.skipped += 1
        elif value is not None:
            self.unfit += 1
        return None

    def _result(self, name: str, params: dict[str, Any]) -> ImportedResult:
        made = named(name, params)
        key = (made.task, made.strategy, *((key, type(value).__name__, value) for key, value in sorted(params.items())))
        if key not in self.results:
            known = {*made.params, *made.options}
            made.params |= {f"env {key}" if key in known else key: text for key, text in self._environment.items()}
            self.results[key] = made
        return self.results[key]


def named(name: str, params: Mapping[str, Any]) -> ImportedResult:
    """Return the empty result of a benchmark with one combination of its parameters, under the names that it gets.

    Parameters
    ----------
    name
        As asv writes it: module, class and method.
    params
        Parameters with their values, read from the text that asv writes.
    """
    module, _, method = name.rpartition(".")
    kind, _, rest = method.partition("_")
    # Time and peak memory of the same name belong to one strategy; any other benchmark is a strategy by itself.
    strategy = rest if rest and kind in ("time", "peakmem") else method
    task, remaining = module or "benchmarks", dict(params)
    result = ImportedResult(task, strategy, f"{task}.{method}")
    for place in ("dataset", "scenario"):
        if isinstance(remaining.get(place), str):
            setattr(result, place, remaining.pop(place))
    # Each size is a cell; options compete within a cell.
    result.params = {name: value for name, value in remaining.items() if _is_size(value)}
    result.options = {name: value for name, value in remaining.items() if not _is_size(value)}
    return result


def _cases(row: AsvRow) -> Iterator[tuple[tuple[Scalar, ...], Any, list[Any] | None, int]]:
    """Yield each combination of a row's parameters with its value, its samples, and the calls in each sample."""
    values = row.values or [None] * row.combinations
    samples = row.samples or [None] * row.combinations
    calls = row.calls or [None] * row.combinations
    for case, value, of_case, count in zip(itertools.product(*row.params), values, samples, calls, strict=True):
        yield tuple(map(value_of, case)), value, of_case, calls_of(count)


def _add_suite_figure(
    result: ImportedResult, task: SuiteTask, figure: MappedFigure, number: float, samples: list[Any] | None, calls: int
) -> None:
    phase, dot, measure = figure.measure.partition(".")
    if dot:
        values = seconds(samples or []) if figure.is_time else []
        own = result.phases.setdefault(phase, Phase([], [], in_total=phase not in task.setup))
        set_phase_figure(own, measure, values or [number])
        if figure.is_time:
            own.calls = calls
        return
    metric = task.metrics.get(figure.measure)
    value = original(number, figure.conversion)
    if metric is not None and metric.direction and value is not None:
        result.metrics[metric.name] = ImportedMetric(value, metric.direction, str(metric.unit))


def _add_project_figure(
    result: ImportedResult, method: str, unit: str, number: float, samples: list[Any] | None, calls: int
) -> str:
    """Add a figure to a result, and return its measure."""
    if unit == "seconds":
        phase = result.phases.setdefault(PHASE, Phase([], []))
        phase.wall_s, phase.calls = seconds(samples or []) or [number], calls
        return "wall_s"
    if unit == "bytes":
        result.phases.setdefault(PHASE, Phase([], [])).peak_bytes = memory(number)
        return "peak_bytes"
    name = method.removeprefix("track_")
    result.metrics[name] = ImportedMetric(number, "lower", "1" if unit == "unit" else line(unit))
    return name


def _equalise_samples(phase: Phase) -> None:
    """Reduce wall and CPU times to their medians where asv stored more samples of one than of the other."""
    if phase.wall_s and phase.cpu_s and len(phase.wall_s) != len(phase.cpu_s):
        phase.wall_s, phase.cpu_s = phase.wall_s[:1], phase.cpu_s[:1]


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
