"""Strategies side by side in Python: a table for notebooks, effects with intervals, charts for a paper."""

from __future__ import annotations

import math
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from harness.analysis.aggregates import CellAggregate, effect, in_order, reference_among
from harness.analysis.run_set import RunSet, read_run_set
from harness.analysis.verdicts import Compared, Measures, Overall, compare, measures_of, overall, reach
from harness.errors import UsageError, did_you_mean
from harness.records import Scalar, is_cost
from harness.stats.paired import Interval
from harness.store.header import titled
from harness.store.load import run_files

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COSTS = ("cpu_s", "wall_s", "peak_bytes", "device_bytes")
_MARKS = {"better": "▲", "worse": "▼", "tied": "", "unknown": "?", "reference": ""}


class Comparison:
    """The strategies of one task in some runs, compared with a reference.

    Parameters
    ----------
    paths
        Files of runs, results folders, or machines' folders; the folder ``results`` when none is given.
    task
        ``topic/task``; may be left out if the runs have only one task.
    reference
        Label of the strategy to compare with; by default the one that the task names.
    machine
        May be left out if all runs are of one machine.
    where
        Values of ``dataset``, ``scenario`` and parameters that select cells; effects are means over the selected cells.

    Attributes
    ----------
    remarks
        Sentences on what is not compared, because it does not mean the same in all runs.

    Raises
    ------
    UsageError
        If the runs have several tasks or machines and none is named, or if no cell matches.

    Examples
    --------
    >>> comparison = harness.Comparison(
    ...     "results", task="boosting/tabular-binary", scenario="clean", rows=100_000
    ... )  # doctest: +SKIP
    >>> comparison.effect("xgboost-exact", "xgboost-hist", "fit.cpu_s")  # doctest: +SKIP
    """

    def __init__(
        self,
        *paths: Path | str,
        task: str | None = None,
        reference: str | None = None,
        machine: str | None = None,
        **where: Scalar,
    ) -> None:
        self._run_set: RunSet = read_run_set(run_files(paths))
        self.task = _only("task", task, list(self._run_set.tasks()))
        aggregates = self._run_set.tasks()[self.task]
        self.machine = _only("machine", machine, list(dict.fromkeys(cell.machine for cell in aggregates)))
        self.remarks: list[str] = self._run_set.incomparable
        own = [cell for cell in aggregates if cell.machine == self.machine]
        self.cells: list[CellAggregate] = [cell for cell in own if _matches(cell, where)]
        if not self.cells:
            given = ", ".join(f"{name}={value!r}" for name, value in where.items())
            raise UsageError(
                f"no cell of {self.task} has {given}; there are {'; '.join(c.cell.short for c in own[:5])}"
            )
        declared = self._run_set.task(self.task)
        self._cards = declared.strategies
        entries = {label: entry for cell in reversed(self.cells) for label, entry in cell.entries.items()}
        self.labels: list[str] = in_order(entries, list(declared.strategies))
        if reference is not None and reference not in entries:
            raise UsageError(f"there is no strategy {reference!r} here{did_you_mean(reference, entries)}")
        self.reference: str = reference or reference_among(entries, self.labels, declared.reference)

    @cached_property
    def measures(self) -> dict[str, Literal["higher", "lower"]]:
        """Measure to the direction that is better: costs that were measured, then metrics.

        Metrics of altered test sets are not among them; methods take their names.
        """
        seen = {name for cell in self.cells for entry in cell.entries.values() for name in entry.values}
        costs: dict[str, Literal["higher", "lower"]] = {name: "lower" for name in _COSTS if name in seen}
        return costs | {metric.name: metric.direction for metric in self._run_set.task(self.task).metrics}

    def effect(self, of: str, to: str, measure: str) -> Interval | None:
        """Estimate a ratio (of a cost) or a difference (of a metric), paired by block, with its 95 % interval."""
        for label in (of, to):
            if label not in self.labels:
                raise UsageError(f"there is no strategy {label!r} here{did_you_mean(label, self.labels)}")
        return effect(self.cells, of, to, measure)

    def verdicts(self, measure: str) -> dict[str, Compared]:
        """Compare every strategy with the reference on one measure; the whole table is the family for Holm.

        A metric of altered test sets is in no table, so its strategies are a family of their own.
        """
        if measure in self._table:
            return self._table[measure]
        return self._compare({measure: self._better(measure)})[measure]

    @cached_property
    def _table(self) -> dict[str, dict[str, Compared]]:
        return self._compare(measures_of(self.cells, self._run_set.task(self.task).metrics))

    def _compare(self, measures: Measures) -> dict[str, dict[str, Compared]]:
        noise_sd = self._run_set.noise_sd.get(self.machine)
        return compare(self.cells, self.labels, self.reference, measures, noise_sd=noise_sd)

    def ranking(self, measure: str | None = None) -> Overall | None:
        """Rank the strategies over the cells: mean ranks, critical differences and ratings.

        Parameters
        ----------
        measure
            By default the primary metric.
        """
        name = measure or next(own for own in self.measures if not is_cost(own))
        return overall(
            self.cells, name, better=self._better(name), baseline=self._run_set.task(self.task).card.baseline
        )

    def to_target(self, target: float, over: str, *, cost: str = "cpu_s", metric: str | None = None) -> pd.DataFrame:
        """Estimate what each strategy spends until it reaches a target quality.

        Parameters
        ----------
        target
            Value of the metric (by default the primary one) to reach.
        over
            The budget that differs from cell to cell, such as ``trees``; everything else must be the same.

        Returns
        -------
        DataFrame
            One row for each strategy: ``median`` of the cost, its bounds, and the ``share`` of blocks that reach the
            target.
        """
        name = metric or next(own for own in self.measures if not is_cost(own))
        cells = [cell for cell in self.cells if over in dict(cell.cell.params)]
        rest = {(c.cell.dataset, c.cell.scenario, tuple(p for p in c.cell.params if p[0] != over)) for c in cells}
        if not cells:
            raise UsageError(f"no cell has the parameter {over}")
        if len(rest) > 1:
            raise UsageError(
                f"the cells must differ only in {over}, but they differ in other things too ({len(rest)} kinds): "
                "select some with dataset=, scenario= or parameters"
            )
        ordered = sorted(cells, key=lambda cell: float(dict(cell.cell.params)[over]))
        better = self._better(name)
        found = [reach(ordered, label, target, cost=cost, metric=name, better=better) for label in self.labels]
        return pd.DataFrame(found, index=pd.Index(self.labels, name="strategy"))

    def _better(self, measure: str) -> Literal["higher", "lower"]:
        altered = {metric.name: metric.direction for metric in self._run_set.task(self.task).altered}
        known = {**self.measures, **altered}
        if measure not in known:
            raise UsageError(f"there is no measure {measure!r} here{did_you_mean(measure, known)}")
        return known[measure]

    def table(self) -> pd.DataFrame:
        """Return a frame with a row for each strategy: median, effect, interval and verdict of each measure."""
        columns: dict[tuple[str, str], list[Any]] = {}
        for name in self.measures:
            compared = self.verdicts(name)
            effects = [compared[label].effect for label in self.labels]
            columns[name, "median"] = [self._median(label, name) for label in self.labels]
            for part in ("estimate", "low", "high"):
                columns[name, part] = [getattr(found, part) if found else float("nan") for found in effects]
            columns[name, "verdict"] = [compared[label].word for label in self.labels]
        return pd.DataFrame(columns, index=pd.Index(self.labels, name="strategy"))

    def plot(self, kind: str = "forest", *, ax: Axes | None = None, **choices: Any) -> Axes:
        """Draw a chart for a paper: ``forest``, ``pareto`` or ``scaling`` (needs the extra ``figures``).

        Parameters
        ----------
        choices
            Keyword arguments of the function of that name in `harness.analysis.plots`.
        """
        from harness.analysis import plots

        if kind not in plots.KINDS:
            raise UsageError(f"there is no chart {kind!r}{did_you_mean(kind, plots.KINDS)}")
        drawn: Axes = plots.KINDS[kind](self, ax=ax, **choices)
        return drawn

    def _median(self, label: str, name: str) -> float:
        values = [cell.entries[label].median(name) for cell in self.cells if label in cell.entries]
        found = [value for value in values if value is not None]
        return float(pd.Series(found, dtype=float).median())

    def _repr_html_(self) -> str:
        """Show the effects with their intervals in a notebook."""
        heads = "".join(f"<th>{escape(name)}</th>" for name in self.measures)
        compared = {name: self.verdicts(name) for name in self.measures}
        rows = "".join(
            f"<tr><th>{escape(titled(label, self._cards))}</th>"
            + "".join(
                f"<td>{_written(compared[name][label], self._median(label, name))}</td>" for name in self.measures
            )
            + "</tr>"
            for label in self.labels
        )
        remarks = "".join(f". {escape(said)}" for said in self.remarks)
        where = "; ".join(escape(cell.cell.short) for cell in self.cells)
        reference = escape(titled(self.reference, self._cards))
        return (
            f"<table><caption>{escape(self.task)} on {where}: against {reference}, ratios for costs, "
            f"differences for metrics, 95 % intervals{remarks}</caption>"
            f"<thead><tr><th>strategy</th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )


def _only(what: str, given: str | None, known: list[str]) -> str:
    if given is None and len(known) == 1:
        return known[0]
    if given is None:
        raise UsageError(f"the runs hold {len(known)} {what}s; name one with {what}=: {', '.join(known) or 'none'}")
    if given not in known:
        raise UsageError(f"there is no {what} {given!r} in these runs{did_you_mean(given, known)}")
    return given


def _matches(cell: CellAggregate, where: dict[str, Scalar]) -> bool:
    known = {"dataset": cell.cell.dataset, "scenario": cell.cell.scenario, **dict(cell.cell.params)}
    return all(name in known and known[name] == value for name, value in where.items())


def _written(compared: Compared, median: float) -> str:
    if compared.word == "reference" or compared.effect is None:
        return "-" if math.isnan(median) else f"{median:.4g}"
    found = compared.effect
    interval = f" [{found.low:.3g}, {found.high:.3g}]" if found.known else ""
    if found.same:
        interval = f" in all {found.blocks} blocks"
    return f"{_MARKS[compared.word]} {found.estimate:.3g}{interval}".strip()
