"""One task's part of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from harness.report.advice import advise
from harness.report.bench import Bench, Task
from harness.report.history import history
from harness.report.scaling_payload import scaling
from harness.reproduce import command
from harness.stats.cells import Cell
from harness.stats.pareto import front_share
from harness.stats.standings import Entry, Standings, in_order, reference_among
from harness.stats.verdicts import compare
from harness.store.header import JudgedMetric
from harness.store.noise import KeptNoise
from harness.trial import TOTALS

Plain: TypeAlias = dict[str, Any]

_COSTS = {"cpu_s": "CPU time", "wall_s": "wall time", "peak_bytes": "peak memory", "device_bytes": "device memory"}
_FRONTS = ("cpu_s", "wall_s", "peak_bytes")
_FOLLOWED = ("cpu_s", "peak_bytes")


class DataCard(NamedTuple):
    """What a page says of a data set."""

    name: str
    title: str
    summary: str
    licence: str
    source: str
    url: str | None
    description: str
    features: Mapping[str, str]


class Measure(NamedTuple):
    """A column of the table."""

    name: str
    title: str
    unit: str
    better: str
    margin: float
    summary: str
    cost: bool


def task_payload(
    task: Task,
    standings: Sequence[Standings],
    bench: Bench,
    noise: Mapping[str, KeptNoise],
    cards: Mapping[str, DataCard],
    tracked: Bench | None,
) -> Plain:
    """Build a task's part of the page."""
    labels = _labels(task, standings)
    names = {label: index for index, label in enumerate(labels)}
    measures = _measures(task, standings)
    reference = reference_among(labels, list(labels), task.reference)
    machines = list(dict.fromkeys(header.machine.name for header in bench.headers))
    maker = _Cells(task, bench, machines, names, measures, reference, noise)
    cells = [cell for machine in machines for cell in standings if cell.machine == machine]
    return {
        "id": task.card.name,
        "topic": task.card.name.partition("/")[0],
        "title": task.card.title,
        "reference": reference,
        "baseline": task.card.baseline,
        "measures": [measure._asdict() for measure in measures],
        "strategies": [_strategy(label, entry, task) for label, entry in labels.items()],
        "cells": [maker.cell(cell) for cell in cells],
        "scaling": scaling(cells, machines, names, reference),
        "curves": _curves(task, cells, names),
        "datasets": [cards[name]._asdict() for name in dict.fromkeys(c.cell.dataset for c in cells) if name in cards],
        "advice": _advice(task, cells, reference),
        "history": _history(task, cells, bench, tracked, names),
    }


def _labels(task: Task, standings: Sequence[Standings]) -> dict[str, Entry]:
    """Name every strategy once, in the order of declaration; trials ran in shuffled order."""
    found: dict[str, Entry] = {}
    for cell in standings:
        for label, entry in cell.entries.items():
            found.setdefault(label, entry)
    return {label: found[label] for label in in_order(found, list(task.strategies))}


def _measures(task: Task, standings: Sequence[Standings]) -> list[Measure]:
    """List the costs that were measured, over all phases and by phase, then the metrics."""
    seen = {name for cell in standings for entry in cell.entries.values() for name in entry.values}
    totals = [_cost(name, title, f"{title} of all phases") for name, title in _COSTS.items() if name in seen]
    phases = [_cost(name, f"CPU time of {name.removesuffix('.cpu_s')}") for name in _in_order(standings)]
    metrics = [Measure(m.name, m.name, m.unit, m.direction, m.margin, m.summary, cost=False) for m in task.metrics]
    return [*totals, *phases, *metrics]


def _cost(name: str, title: str, summary: str = "") -> Measure:
    return Measure(name, title, "s" if name.endswith("_s") else "byte", "lower", 0.0, summary, cost=True)


def _in_order(standings: Sequence[Standings]) -> list[str]:
    names = (name for cell in standings for entry in cell.entries.values() for name in entry.values)
    return list(dict.fromkeys(name for name in names if name.endswith(".cpu_s") and name not in TOTALS))


def _strategy(label: str, entry: Entry, task: Task) -> Plain:
    card = task.strategies.get(entry.strategy)
    return {
        "label": label,
        "strategy": entry.strategy,
        "options": entry.options,
        "defaults": card.options if card else {},
        "summary": card.summary if card else "",
        "note": card.note if card else "",
        "device": card.device if card else "cpu",
    }


class _Cells:
    """Makes the parts of cells, which share what is said of the task."""

    def __init__(
        self,
        task: Task,
        bench: Bench,
        machines: Sequence[str],
        names: Mapping[str, int],
        measures: Sequence[Measure],
        reference: str,
        noise: Mapping[str, KeptNoise],
    ) -> None:
        self._task = task
        self._machines = {name: index for index, name in enumerate(machines)}
        self._runs = {header.run: index for index, header in enumerate(bench.headers)}
        self._rooted = {header.run: header.selection.seed for header in bench.headers}
        self._names = names
        self._measures = measures
        self._reference = reference
        self._noise = noise
        self._seeds: dict[int, int] = {}

    def cell(self, standings: Standings) -> Plain:
        cell = standings.cell
        shares = self._fronts(standings)
        labels = [label for label in self._names if label in standings.entries]
        return {
            "machine": self._machines[standings.machine],
            "dataset": cell.dataset,
            "scenario": cell.scenario,
            "params": dict(cell.params),
            "units": [
                (self._runs[unit.run], unit.block, self._seeds.setdefault(unit.seed, len(self._seeds)))
                for unit in standings.units
            ],
            "rows": [self._row(label, standings, shares.get(label, {})) for label in labels],
            "table": self._table(standings, labels),
        }

    def _row(self, label: str, standings: Standings, shares: Mapping[str, float]) -> Plain:
        entry = standings.entries[label]
        values = {m.name: entry.values[m.name].tolist() for m in self._measures if m.name in entry.values}
        return {
            "strategy": self._names[label],
            "values": values,
            "statuses": dict(entry.statuses),
            "troubles": [(status, reason, count) for (status, reason), count in entry.troubles.items()],
            "front": shares,
            "command": self._command(entry, standings.cell, standings.units[-1].run, entry.statuses.total()),
        }

    def _command(self, entry: Entry, cell: Cell, run: str, blocks: int) -> str:
        values = {name: (value,) for name, value in (*cell.params, *entry.options.items())}
        return command(
            self._task.card.name,
            strategies=[entry.strategy],
            datasets=[cell.dataset],
            scenarios=[cell.scenario],
            values=values,
            blocks=blocks,
            seed=self._rooted[run],
        )

    def _table(self, standings: Standings, labels: Sequence[str]) -> list[Plain]:
        kept = self._noise.get(standings.machine)
        against = {
            m.name: compare(
                [standings],
                labels,
                self._reference,
                m.name,
                better="higher" if m.better == "higher" else "lower",
                noise_sd=kept.noise.sd if kept else None,
            )
            for m in self._measures
        }
        return [
            {
                "strategy": self._names[label],
                "cells": [
                    {
                        "middle": standings.entries[label].middle(m.name),
                        **_interval(against[m.name][label].effect),
                        "p": against[m.name][label].p,
                        "verdict": against[m.name][label].word,
                    }
                    for m in self._measures
                ],
            }
            for label in labels
        ]

    def _fronts(self, standings: Standings) -> dict[str, dict[str, float]]:
        """Return for every strategy the share of resamples in which it is on the front, by ``cost|primary metric``."""
        found: dict[str, dict[str, float]] = {}
        for cost in _FRONTS:
            for metric in self._task.metrics[:1]:
                labels = [
                    label
                    for label, entry in standings.entries.items()
                    if cost in entry.values and metric.name in entry.values
                ]
                if not labels:
                    continue
                points = np.stack([_point(standings.entries[label], cost, metric) for label in labels], axis=1)
                for label, share in zip(labels, front_share(points, seed=0), strict=True):
                    found.setdefault(label, {})[f"{cost}|{metric.name}"] = round(float(share), 3)
        return found


def _point(entry: Entry, cost: str, metric: JudgedMetric) -> np.ndarray:
    """Return a strategy's points, one a unit, both coordinates smaller is better: shape (units, 2)."""
    sign = -1 if metric.direction == "higher" else 1
    with np.errstate(divide="ignore"):
        return np.stack([np.log(entry.values[cost]), sign * entry.values[metric.name]], axis=1)


def _interval(found: Any) -> Plain:
    return {"estimate": None, "low": None, "high": None, "blocks": 0} if found is None else found.plain()


def _curves(task: Task, cells: Sequence[Standings], names: Mapping[str, int]) -> list[Plain]:
    """Gather the curves that the task declares, then those that it only records."""
    declared = {figure.curve: figure for figure in task.card.figures}
    recorded = dict.fromkeys(name for cell in cells for entry in cell.entries.values() for name in entry.curves)
    found = []
    for name in [*declared, *(name for name in recorded if name not in declared)]:
        lines = [
            {
                "cell": index,
                "strategy": names[label],
                "repeats": [{"x": c.x, "y": c.y} for c in cell.entries[label].curves[name]],
            }
            for index, cell in enumerate(cells)
            for label in names
            if label in cell.entries and name in cell.entries[label].curves
        ]
        figure = declared.get(name)
        drawn = {axis: getattr(figure, axis, False) for axis in ("diagonal", "log_x", "log_y")}
        words = {"title": name, "x": "x", "y": "y", "reading": ""}
        words |= {word: getattr(figure, word) for word in words if figure is not None}
        if lines:
            found.append({"curve": name, **words, **drawn, "lines": lines})
    return found


def _advice(task: Task, cells: Sequence[Standings], reference: str) -> Plain | None:
    """Recommend over the clean cells of the machine with the most of them, sweeps of options left out."""
    if not task.metrics:
        return None
    machine = max((cell.machine for cell in cells), key=[cell.machine for cell in cells].count)
    own = [cell for cell in cells if cell.machine == machine]
    main = [cell for cell in own if cell.cell.scenario == "clean"] or own
    found = advise(main, task.metrics[0], reference)
    return {"strategy": found.label, "sentence": found.sentence} if found else None


def _history(
    task: Task, cells: Sequence[Standings], bench: Bench, tracked: Bench | None, names: Mapping[str, int]
) -> list[Plain]:
    benches = [bench, *([tracked] if tracked else [])]
    headers = {header.run: header for part in benches for header in part.headers}
    others = tracked.tasks().get(task.card.name, []) if tracked else []
    followed = [*_FOLLOWED, *(metric.name for metric in task.metrics[:1])]
    shown = {cell.cell for cell in cells}
    rows = history([*cells, *(cell for cell in others if cell.cell in shown)], headers, followed)
    return [{"strategy": names[row.pop("label")], **row} for row in rows if row["label"] in names]
