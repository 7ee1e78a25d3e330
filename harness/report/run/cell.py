"""One cell's part of a page: the values of every strategy in each block, and the table against the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, StrategyAggregate
from harness.analysis.run_set import RunSet, TaskInfo
from harness.analysis.verdicts import Compared, compare, outliers
from harness.plan.selection import command
from harness.records import Cell
from harness.stats.paired import Interval
from harness.stats.pareto import front_share
from harness.store.header import JudgedMetric, titled

Plain: TypeAlias = dict[str, Any]

_FRONTS = ("cpu_s", "wall_s", "peak_bytes")
_IMPORTED = "bakeoff import "


class Measure(NamedTuple):
    """A column of the table."""

    name: str
    title: str
    unit: str
    better: Literal["higher", "lower"]
    margin: float
    summary: str
    cost: bool


class CellMaker:
    """Makes the parts of the cells of one task."""

    def __init__(
        self,
        task: TaskInfo,
        run_set: RunSet,
        machines: Sequence[str],
        names: Mapping[str, int],
        measures: Sequence[Measure],
        reference: str,
    ) -> None:
        self._task = task
        self._machines = {name: index for index, name in enumerate(machines)}
        self._runs = {(header.run, header.machine.name): index for index, header in enumerate(run_set.headers)}
        self._headers = {header.run: header for header in run_set.headers}
        self._names = names
        self._measures = measures
        self._reference = reference
        self._noise_sd = run_set.noise_sd
        self._seeds: dict[int, int] = {}

    def cell(self, aggregates: CellAggregate) -> Plain:
        """Build a cell's part."""
        cell = aggregates.cell
        shares = self._fronts(aggregates)
        labels = [label for label in self._names if label in aggregates.entries]
        against = self._against(aggregates, labels)
        return {
            "machine": self._machines[aggregates.machine],
            "dataset": cell.dataset,
            "scenario": cell.scenario,
            "params": dict(cell.params),
            "units": [
                (
                    self._runs[unit.run, aggregates.machine],
                    unit.block,
                    self._seed(unit.seed),
                )
                for unit in aggregates.units
            ],
            "overlap": aggregates.overlap,
            "rows": [self._row(label, aggregates, shares.get(label, {})) for label in labels],
            "table": self._table(aggregates, labels, against),
            "outliers": list(chain(*outliers(against, self._titles(labels)).values())),
        }

    def _seed(self, seed: int) -> int:
        """Return the number of a seed, in the order in which seeds appear."""
        return self._seeds.setdefault(seed, len(self._seeds))

    def _row(self, label: str, aggregates: CellAggregate, shares: Mapping[str, float]) -> Plain:
        entry = aggregates.entries[label]
        values = {m.name: entry.values[m.name].tolist() for m in self._measures if m.name in entry.values}
        return {
            "strategy": self._names[label],
            "values": values,
            "steps": {name: aggregates.step(label, name) for name in entry.cases},
            "rates": {name: found.plain() for name in entry.cases if (found := aggregates.rate(label, name))},
            "statuses": dict(entry.statuses),
            "troubles": [(status, reason, count) for (status, reason), count in entry.troubles.items()],
            "diverged": wording.diverged(list(entry.diverged.values()), len(aggregates.units)),
            "front": shares,
            "chosen": wording.chosen(entry.choices),
            "work": [rate.plain(entry) for rate in aggregates.work_rates(self._task.card.work)],
            "command": self._command(entry, aggregates.cell, aggregates.units[-1].run, entry.statuses.total()),
        }

    def _command(self, entry: StrategyAggregate, cell: Cell, run: str, blocks: int) -> str:
        header = self._headers[run]
        if header.command.startswith(_IMPORTED):
            # No task of Bakeoff measures an imported figure, so the line is a comment: a shell ignores it.
            return f"# imported with: {' '.join(header.command.split())}"
        values = {name: (value,) for name, value in (*cell.params, *entry.options.items())}
        return command(
            self._task.card.name,
            strategies=[entry.strategy],
            datasets=[cell.dataset],
            scenarios=[cell.scenario],
            values=values,
            blocks=blocks,
            seed=header.selection.seed,
            stress=any(metric.of for metric in header.metrics if metric.task == self._task.card.name),
        )

    def _titles(self, labels: Sequence[str]) -> dict[str, str]:
        return {label: titled(label, self._task.strategies) for label in labels}

    def _against(self, aggregates: CellAggregate, labels: Sequence[str]) -> dict[str, dict[str, Compared]]:
        return compare(
            [aggregates],
            labels,
            self._reference,
            {m.name: m.better for m in self._measures},
            noise_sd=self._noise_sd.get(aggregates.machine),
        )

    def _table(
        self, aggregates: CellAggregate, labels: Sequence[str], against: Mapping[str, Mapping[str, Compared]]
    ) -> list[Plain]:
        return [
            {
                "strategy": self._names[label],
                "cells": [
                    {
                        "median": aggregates.entries[label].median(m.name),
                        "rate": found.plain() if (found := aggregates.rate(label, m.name)) else None,
                        **_interval(against[m.name][label].effect),
                        "p": against[m.name][label].p,
                        "verdict": against[m.name][label].word,
                    }
                    for m in self._measures
                ],
            }
            for label in labels
        ]

    def _fronts(self, aggregates: CellAggregate) -> dict[str, dict[str, float]]:
        """Return the share of resamples in which each strategy is on the front, by ``cost|primary metric``."""
        found: dict[str, dict[str, float]] = {}
        for cost in _FRONTS:
            for metric in self._task.metrics[:1]:
                labels = [
                    label
                    for label, entry in aggregates.entries.items()
                    if cost in entry.values and metric.name in entry.values
                ]
                if not labels:
                    continue
                points = np.stack([_point(aggregates.entries[label], cost, metric) for label in labels], axis=1)
                for label, share in zip(labels, front_share(points, seed=0), strict=True):
                    found.setdefault(label, {})[f"{cost}|{metric.name}"] = round(float(share), 3)
        return found


def _point(entry: StrategyAggregate, cost: str, metric: JudgedMetric) -> np.ndarray:
    """Return a strategy's points, one for each unit, smaller is better in both coordinates: shape (units, 2)."""
    sign = -1 if metric.direction == "higher" else 1
    with np.errstate(divide="ignore"):
        return np.stack([np.log(entry.values[cost]), sign * entry.values[metric.name]], axis=1)


def _interval(found: Interval | None) -> Plain:
    none = {"estimate": None, "low": None, "high": None, "blocks": 0, "same": False}
    return none if found is None else found.plain()
