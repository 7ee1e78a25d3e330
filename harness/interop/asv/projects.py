"""Benchmarks of any asv project as measured things: methods compete within their class, sizes make cells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.interop.asv.files import AsvRow, Benchmark, value_of
from harness.interop.foreign import PHASE, ImportedMetric, ImportedResult
from harness.interop.sources import finite, line, memory, seconds
from harness.records import Phase

_MOST_FAILED = 10_000
_UNITS = {"time": "seconds", "timeraw": "seconds", "mem": "bytes", "peakmem": "bytes"}


class Cases:
    """What the benchmarks of one file measured, those alike in all but the figure put together.

    Attributes
    ----------
    skipped, unfit
        How many results are left out because asv did not measure them, or because they are no figures.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.found: dict[tuple[Any, ...], ImportedResult] = {}
        self.skipped = 0
        self.unfit = 0
        self._environment = environment

    def add(self, name: str, row: AsvRow, benchmark: Benchmark, path: Path) -> None:
        """Add a benchmark's results.

        Raises
        ------
        UsageError
            When all of very many failed, which no run needs to hold one by one.
        """
        module, _, method = name.rpartition(".")
        kind, _, rest = method.partition("_")
        unit = benchmark.unit or _UNITS.get(kind, "unit")
        # What a benchmark takes and what memory it needs belong together; every other kind stands for itself.
        strategy = rest if rest and kind in ("time", "peakmem") else method
        if row.values is None and row.combinations > _MOST_FAILED:
            raise UsageError(f"{path}: all {row.combinations:,} results of {name!r} failed; measure again with asv")
        values = row.values or [None] * row.combinations
        samples = row.samples or [None] * row.combinations
        names = [*benchmark.param_names, *(f"param{place + 1}" for place in range(len(row.params)))][: len(row.params)]
        for case, value, own in zip(itertools.product(*row.params), values, samples, strict=True):
            figure = (method, unit, value, own)
            self._put(module or "benchmarks", strategy, dict(zip(names, map(value_of, case), strict=True)), figure)

    def _put(
        self, task: str, strategy: str, params: dict[str, Any], figure: tuple[str, str, Any, list[Any] | None]
    ) -> None:
        method, unit, value, samples = figure
        if value is None:
            one = self._found(task, strategy, params, method)
            # What else was measured of it still counts.
            one.reason = f"asv: {line(method)} failed"
            one.status = "ok" if one.phases or one.metrics else "failed"
            return
        number = finite(value)
        if number is None or (unit in ("seconds", "bytes") and number < 0):
            # asv writes NaN for what it did not measure.
            skipped = isinstance(value, float) and math.isnan(value)
            self.skipped += skipped
            self.unfit += not skipped
            return
        one = self._found(task, strategy, params, method)
        one.status = "ok"
        if unit == "seconds":
            one.phases.setdefault(PHASE, Phase([], [])).wall_s = seconds(samples or []) or [number]
        elif unit == "bytes":
            one.phases.setdefault(PHASE, Phase([], [])).peak_bytes = memory(number)
        else:
            one.metrics[method.removeprefix("track_")] = ImportedMetric(
                number, "lower", "1" if unit == "unit" else line(unit)
            )

    def _found(self, task: str, strategy: str, params: dict[str, Any], method: str) -> ImportedResult:
        key = (task, strategy, *((name, type(value).__name__, value) for name, value in sorted(params.items())))
        if key not in self.found:
            own = dict(params)
            one = ImportedResult(task, strategy, f"{task}.{method}")
            for place in ("dataset", "scenario"):
                if isinstance(own.get(place), str):
                    setattr(one, place, own.pop(place))
            # Sizes make cells of their own; kinds compete within a cell.
            one.params = {name: value for name, value in own.items() if _is_size(value)}
            one.options = {name: value for name, value in own.items() if not _is_size(value)}
            one.params |= {
                name if name not in own else f"env {name}": value for name, value in self._environment.items()
            }
            self.found[key] = one
        return self.found[key]


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
