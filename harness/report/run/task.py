"""One task's part of a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from string import ascii_lowercase
from typing import NamedTuple

from harness.analysis import wording
from harness.analysis.advice import Advice, advise
from harness.analysis.aggregates import CellAggregate, StrategyAggregate, in_order, reference_among, time_of
from harness.analysis.leaders import Leaders
from harness.analysis.recommendation import COST, Recommendation, level, recommend
from harness.analysis.run_set import RunSet, TaskInfo
from harness.analysis.verdicts import measures_of, overall
from harness.analysis.wording import left_out
from harness.declare import Task
from harness.records import setup_among
from harness.report.run.cell import CellMaker, Measure, Plain
from harness.report.run.charts import curves, history, scaling, stressed, tuning
from harness.report.run.models import models
from harness.store.header import titled

_COSTS = {"cpu_s": "CPU time", "wall_s": "wall time", "peak_bytes": "peak memory", "device_bytes": "device memory"}
# Computing ratings of more strategies would take too long.
_MOST_RANKED = 60
_FOR_CLAIMS = "Measured for claims only, each with the strategies that it compares."


class DataCard(NamedTuple):
    """The description of a data set on a page."""

    name: str
    title: str
    summary: str
    licence: str
    source: str
    url: str | None
    description: str
    features: Mapping[str, str]


def task_payload(
    task: TaskInfo,
    aggregates: Sequence[CellAggregate],
    run_set: RunSet,
    cards: Mapping[str, DataCard],
    tracked: RunSet | None,
    declared: Task | None = None,
) -> Plain:
    """Build a task's part of the page; without its declaration the part has no models."""
    labels = _labels(task, aggregates)
    names = {label: index for index, label in enumerate(labels)}
    measures = _measures(task, aggregates)
    reference = reference_among(labels, list(labels), task.reference)
    machines = list(dict.fromkeys(header.machine.name for header in run_set.headers))
    maker = CellMaker(task, run_set, machines, names, measures, reference)
    cells = [cell for machine in machines for cell in aggregates if cell.machine == machine]
    found = recommend(task, cells, run_set)
    advice = _advice(task, found, run_set)
    return {
        "id": task.card.name,
        "topic": task.card.name.partition("/")[0],
        "title": task.card.title,
        "reference": titled(reference, task.strategies),
        "baseline": titled(task.card.baseline, task.strategies),
        "setup": _setup(task, aggregates),
        "left_out": left_out(task.card.name, task.card.left_out) if task.card.left_out else "",
        "measures": [measure._asdict() for measure in measures],
        "strategies": [_strategy(label, entry, task) for label, entry in labels.items()],
        "cells": [maker.cell(cell) for cell in cells],
        "scaling": scaling(cells, machines, names, reference),
        "tuning": tuning(cells, names, task.strategies),
        "curves": [*stressed(task.altered, cells, names), *curves(task.card.charts, cells, names)],
        "datasets": [cards[name]._asdict() for name in dict.fromkeys(c.cell.dataset for c in cells) if name in cards],
        "advice": advice,
        "leaders": Leaders(found, task, run_set).lines if advice and advice["state"] != "none" else [],
        "points": _points(task, found, names),
        "rankings": _rankings(task, cells, names),
        "models": models(declared, _most_measured(cells)) if declared else [],
        "history": _history(task, cells, run_set, tracked, names),
    }


def _labels(task: TaskInfo, aggregates: Sequence[CellAggregate]) -> dict[str, StrategyAggregate]:
    """Return each strategy once, in the order of declaration (trials ran in shuffled order)."""
    found: dict[str, StrategyAggregate] = {}
    for cell in aggregates:
        for label, entry in cell.entries.items():
            found.setdefault(label, entry)
    return {label: found[label] for label in in_order(found, list(task.strategies))}


def _measures(task: TaskInfo, aggregates: Sequence[CellAggregate]) -> list[Measure]:
    """Describe what a table compares: costs of all phases, then those of each phase, then the metrics."""
    setup = _setup(task, aggregates)
    part = f"all phases {wording.setup(setup)}" if setup else "all phases"
    metrics = {metric.name: metric for metric in task.metrics}

    def described(name: str) -> Measure:
        if metric := metrics.get(name):
            spoken = wording.spoken(name)
            return Measure(name, spoken, metric.unit, metric.direction, metric.margin, metric.summary, cost=False)
        if title := _COSTS.get(name):
            return _cost(name, title, f"{title} of {part}")
        phase, _, total = name.rpartition(".")
        return _cost(name, f"{_COSTS[total]} of {wording.phase(phase, setup)}")

    return [described(name) for name in measures_of(aggregates, task.metrics)]


def _setup(task: TaskInfo, aggregates: Sequence[CellAggregate]) -> tuple[str, ...]:
    """Return the phases in no total that some strategy enters."""
    seen = {name for cell in aggregates for entry in cell.entries.values() for name in entry.values}
    return setup_among(seen, task.card.setup)


def _cost(name: str, title: str, summary: str = "") -> Measure:
    return Measure(name, title, "s" if name.endswith("_s") else "byte", "lower", 0.0, summary, cost=True)


def _strategy(label: str, entry: StrategyAggregate, task: TaskInfo) -> Plain:
    card = task.strategies.get(entry.strategy)
    return {
        "label": titled(label, task.strategies),
        "strategy": entry.strategy,
        "options": entry.options,
        "defaults": card.options if card else {},
        "summary": card.summary if card else "",
        "note": card.note if card else "",
        "device": card.device if card else "cpu",
    }


def _advice(task: TaskInfo, found: Recommendation, run_set: RunSet) -> Plain | None:
    """Write what is recommended; ``None`` for a task without metrics."""
    if not task.metrics:
        return None
    profiles = {header.selection.profile for header in run_set.headers if header.has(task.card.name)}
    if profiles == {"claims"}:
        return asdict(Advice("none", "", why=_FOR_CLAIMS))
    return asdict(advise(found, task))


def _points(task: TaskInfo, found: Recommendation, names: Mapping[str, int]) -> list[Plain]:
    """Return the mean cost and quality of each strategy that a recommendation is made among, and its role in it."""
    if not found.take:
        return []
    rivals = (*found.rivals, *found.perhaps)
    roles = (
        dict.fromkeys((*found.as_good, *found.ties), "as good") | dict.fromkeys(rivals, "rival") | {found.take: "take"}
    )
    points: list[Plain] = [
        {
            "strategy": names[label],
            "cost": math.exp(level(found.cells, label, COST.name)),
            "quality": level(found.cells, label, task.metrics[0].name),
            "role": roles.get(label) or _other(label, task, found),
        }
        for label in (found.take, *found.quality)
    ]
    return [point for point in points if math.isfinite(point["quality"])]


def _other(label: str, task: TaskInfo, found: Recommendation) -> str:
    return "baseline" if found.cells[0].entries[label].strategy == task.card.baseline else "other"


def _rankings(task: TaskInfo, cells: Sequence[CellAggregate], names: Mapping[str, int]) -> Plain | None:
    """Rank by the primary metric over the cells of the machine with the most cells."""
    if not task.metrics:
        return None
    own, metric = _most_measured(cells), task.metrics[0]
    if max(len(cell.entries) for cell in own) > _MOST_RANKED:
        return None
    found = overall(own, metric.name, better=metric.direction, baseline=task.card.baseline)
    if found is None:
        return None
    ranking, elo = found.ranking, found.elo
    letters = dict.fromkeys(ranking.names, "")
    for letter, group in zip(ascii_lowercase, ranking.groups, strict=False):
        for label in group:
            letters[label] += letter
    rows = [
        {
            "strategy": names[label],
            "mean_rank": float(ranking.mean_rank[index]),
            "groups": letters[label],
            "elo": float(elo.rating[index]),
            "low": float(elo.low[index]),
            "high": float(elo.high[index]),
            "filled": found.filled[index],
        }
        for index, label in enumerate(ranking.names)
    ]
    return {
        "measure": metric.name,
        "cells": found.cells,
        "p": ranking.p,
        "critical_difference": ranking.critical_difference,
        "rows": sorted(rows, key=lambda row: row["mean_rank"]),
    }


def _most_measured(cells: Sequence[CellAggregate]) -> list[CellAggregate]:
    machines = [cell.machine for cell in cells]
    machine = max(machines, key=machines.count)
    return [cell for cell in cells if cell.machine == machine]


def _history(
    task: TaskInfo, cells: Sequence[CellAggregate], run_set: RunSet, tracked: RunSet | None, names: Mapping[str, int]
) -> list[Plain]:
    run_sets = [run_set, *([tracked] if tracked else [])]
    headers = {header.run: header for part in run_sets for header in part.headers}
    followed = [time_of(cells), "peak_bytes", *(metric.name for metric in task.metrics[:1])]
    shown = {cell.cell for cell in cells}
    rows = history([cell for part in run_sets for cell in part.aggregates if cell.cell in shown], headers, followed)
    return [{"strategy": names[row.pop("label")], **row} for row in rows if row["label"] in names]
