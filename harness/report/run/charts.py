"""The charts of a page: curves, scaling, tuning and history."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, Floats, StrategyAggregate, time_of
from harness.analysis.history import Track, follow
from harness.analysis.verdicts import cost_table
from harness.declare.values import Chart
from harness.records import Cell, Curve, Scalar
from harness.stats.paired import Interval, mean
from harness.stats.scaling import crossover, slope
from harness.store.header import Header, JudgedMetric, StrategyCard, versions_in

Plain: TypeAlias = dict[str, Any]


def curves(charts: Sequence[Chart], cells: Sequence[CellAggregate], names: Mapping[str, int]) -> list[Plain]:
    """Return the curves that a task declares, then those that it only records; a limit belongs to the curve it limits.

    Parameters
    ----------
    names
        Label of a strategy to its index on the page.
    """
    declared = {chart.curve: chart for chart in charts}
    recorded = dict.fromkeys(name for cell in cells for entry in cell.entries.values() for name in entry.curves)
    limits = {chart.limit for chart in charts}
    found = []
    for name in [*declared, *(name for name in recorded if name not in declared and name not in limits)]:
        chart = declared.get(name) or Chart(name, title=name, x="x", y="y")
        lines = [
            {"cell": index, "strategy": names[label], "repeats": [_plain(c) for c in cell.entries[label].curves[name]]}
            for index, cell in enumerate(cells)
            for label in names
            if label in cell.entries and name in cell.entries[label].curves
        ]
        if lines:
            found.append({**_words(chart), "limit": _limit(chart, cells), "lines": lines})
    return found


def stressed(metrics: Sequence[JudgedMetric], cells: Sequence[CellAggregate], names: Mapping[str, int]) -> list[Plain]:
    """Return a chart for each stress and metric: means over blocks by level, with their 95 % intervals as bands.

    Parameters
    ----------
    metrics
        Metrics of altered test sets, in the order of declaration.
    """
    groups: dict[tuple[str, str], dict[float, JudgedMetric]] = defaultdict(dict)
    for metric in metrics:
        if metric.level is not None:
            groups[metric.stress, metric.of][metric.level] = metric
    found = []
    for (stress, of), members in groups.items():
        levels = dict(sorted(members.items()))
        axis = next(iter(levels.values())).axis
        reading = "Each line is a strategy's mean over blocks, the band its 95 % interval; every model is fitted once."
        spoken = wording.spoken(of)
        chart = Chart(f"{of}_at_{stress}", f"{spoken} over {axis}", x=axis, y=spoken, reading=reading)
        lines = [
            {"cell": index, "strategy": names[label], "repeats": [_plain(curve)]}
            for index, cell in enumerate(cells)
            for label in names
            if label in cell.entries and (curve := _means(cell.entries[label], levels)).x
        ]
        if lines:
            found.append({**_words(chart), "means": True, "limit": None, "lines": lines})
    return found


def _means(entry: StrategyAggregate, levels: Mapping[float, JudgedMetric]) -> Curve:
    """Return the means of a strategy over blocks by level; without a band where some level has too few blocks."""
    columns = {level: entry.values[metric.name] for level, metric in levels.items() if metric.name in entry.values}
    means = {level: mean(column[np.isfinite(column)]) for level, column in columns.items()}
    curve = Curve(list(means), [own.estimate for own in means.values()])
    if all(own.known for own in means.values()):
        curve.low, curve.high = [own.low for own in means.values()], [own.high for own in means.values()]
    return curve


def _words(chart: Chart) -> Plain:
    return {
        "curve": chart.curve,
        "title": chart.title,
        "x": chart.x,
        "y": chart.y,
        "reading": chart.reading,
        "diagonal": chart.diagonal,
        "log_x": chart.log_x,
        "log_y": chart.log_y,
    }


def _limit(chart: Chart, cells: Sequence[CellAggregate]) -> Plain | None:
    """Return a chart's limit in every cell that has one; blocks on different data may have different limits."""
    lines = []
    for index, cell in enumerate(cells):
        recorded = [entry.curves[chart.limit] for entry in cell.entries.values() if chart.limit in entry.curves]
        # The limit is the same for all strategies, so that of the strategy with the most blocks is used.
        repeats = [_plain(curve) for curve in max(recorded, key=len, default=[])]
        different = [repeat for at, repeat in enumerate(repeats) if repeat not in repeats[:at]]
        if different:
            lines.append({"cell": index, "repeats": different})
    return {"title": chart.limit_title, "lines": lines} if lines else None


def _plain(curve: Curve) -> Plain:
    """Return a curve with the digits that a chart of some hundred pixels shows; the records have all of them."""
    columns = {"x": curve.x, "y": curve.y} | ({"low": curve.low, "high": curve.high} if curve.low else {})
    return {name: [float(f"{value:.4g}") for value in values] for name, values in columns.items()}


Sweep: TypeAlias = tuple[str, str, str, str, tuple[tuple[str, Any], ...]]

_FAR = 10


def scaling(
    cells: Sequence[CellAggregate], machines: Sequence[str], names: Mapping[str, int], reference: str
) -> list[Plain]:
    """Describe every sweep over a number: the slope of each strategy, and its crossover with the reference."""
    found = []
    cost = time_of(cells)
    for (machine, dataset, scenario, param, rest), members in _sweeps(cells).items():
        ordered = sorted(members, key=lambda cell: float(dict(cell.cell.params)[param]))
        sizes = [float(dict(cell.cell.params)[param]) for cell in ordered]
        tables = {label: cost_table(ordered, label, cost) for label in names}
        costs = {label: table for label, table in tables.items() if np.isfinite(table).any(axis=0).sum() > 1}
        found.append(
            {
                "param": param,
                "machine": machines.index(machine),
                "dataset": dataset,
                "scenario": scenario,
                "params": dict(rest),
                "slopes": [
                    {"strategy": names[label], "measure": cost, **slope(sizes, own).plain()}
                    for label, own in costs.items()
                ],
                "crossovers": list(_crossovers(sizes, costs, names, reference, cost)),
            }
        )
    return found


def _sweeps(cells: Sequence[CellAggregate]) -> dict[Sweep, list[CellAggregate]]:
    """Group cells that differ only in one number; a group has at least two cells."""
    found: dict[Sweep, list[CellAggregate]] = defaultdict(list)
    for cell in cells:
        for param, rest in _parts(cell.cell):
            found[cell.machine, cell.cell.dataset, cell.cell.scenario, param, rest].append(cell)
    return {sweep: members for sweep, members in found.items() if len(members) > 1}


def _parts(cell: Cell) -> Iterator[tuple[str, tuple[tuple[str, Any], ...]]]:
    for name, value in cell.params:
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            yield name, tuple(pair for pair in cell.params if pair[0] != name)


def _crossovers(
    sizes: Sequence[float], costs: Mapping[str, Floats], names: Mapping[str, int], reference: str, cost: str
) -> Iterator[Plain]:
    if reference not in costs:
        return
    for label, own in costs.items():
        if label != reference:
            found = crossover(sizes, own, costs[reference])
            # A crossover outside of the sizes measured is an extrapolation; with bounds far outside it is a guess.
            least, most = min(sizes), max(sizes)
            if found is None or not found.known or not least <= found.estimate <= most:
                continue
            if least / _FAR <= found.low and found.high <= most * _FAR:
                yield {"of": names[label], "to": names[reference], "measure": cost, **found.plain()}


_LEAST = 3


def tuning(
    cells: Sequence[CellAggregate], names: Mapping[str, int], strategies: Mapping[str, StrategyCard]
) -> list[Plain]:
    """List, cell by cell, the options of which at least three numbers were measured.

    Parameters
    ----------
    names
        Label of a strategy with its options to its place on the page, in the order in which it is shown.
    strategies
        Name of a strategy to its card: an option that was not set has its default.

    Returns
    -------
    list of dict
        ``cell`` (its index), ``strategy`` (name), ``option``, ``default`` (``None`` if it is not a number or not known)
        and ``members``: pairs of a value and the index of the strategy that has it, sorted by value.
    """
    return [
        {"cell": index, "strategy": strategy, "option": option, "default": default, "members": members}
        for index, cell in enumerate(cells)
        for strategy in dict.fromkeys(cell.entries[label].strategy for label in names if label in cell.entries)
        for option, default, members in _options(strategy, cell, names, _defaults(strategies.get(strategy)))
    ]


def _defaults(card: StrategyCard | None) -> Mapping[str, Scalar]:
    return card.options if card else {}


def _options(
    strategy: str, cell: CellAggregate, names: Mapping[str, int], defaults: Mapping[str, Scalar]
) -> Iterator[tuple[str, float | None, list[tuple[float, int]]]]:
    own = {label: entry for label, entry in cell.entries.items() if entry.strategy == strategy and entry.statuses["ok"]}
    for option in dict.fromkeys(name for entry in own.values() for name in entry.options):
        members: dict[float, int] = {}
        for label in names:
            value = _value(own[label], option, defaults) if label in own else None
            if value is not None:
                members.setdefault(value, names[label])
        if len(members) >= _LEAST:
            yield option, _number(defaults.get(option)), sorted(members.items())


def _value(entry: StrategyAggregate, option: str, defaults: Mapping[str, Scalar]) -> float | None:
    """Return a strategy's value of an option when no other was set; ``None`` unless it is a number."""
    others = (name for name, value in entry.options.items() if name != option and value != defaults.get(name))
    return None if any(others) else _number(entry.options.get(option, defaults.get(option)))


def _number(value: Scalar | None) -> float | None:
    if isinstance(value, bool | str) or value is None or not math.isfinite(value):
        return None
    return value


def history(
    aggregates: Sequence[CellAggregate], headers: dict[str, Header], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a series for each strategy, cell and measure that at least two runs have.

    Parameters
    ----------
    aggregates
        The cells of one task in all runs.
    headers
        Run to its header.
    names
        The measures to follow.
    """
    if len(headers) < 2:
        return []
    started = {run: header.started for run, header in headers.items()}
    return [
        _row(track, headers)
        for tracks in follow(
            aggregates,
            names,
            started,
            lambda run, cell: headers[run].cards.get(cell.dataset),
            lambda run, task: headers[run].setup(task),
            versions_in(headers.values()),
        )
        if sum(len(track.points) for track in tracks) > 1
        for track in tracks
    ]


def _row(track: Track, headers: dict[str, Header]) -> dict[str, Any]:
    return {
        "label": track.label,
        "measure": track.measure,
        "cell": track.cell.short,
        "machine": track.machine,
        "setup": list(track.setup),
        "points": [_point(headers[run], mean) for run, mean in track.points.items()],
        "searched": track.searched,
        "changes": [
            {"index": change.index, "before": change.before, "after": change.after, "p": change.p}
            for change in track.changes
        ],
    }


def _point(header: Header, mean: Interval) -> dict[str, Any]:
    plain = mean.plain()
    return {
        "run": header.run,
        "started": header.started,
        "commit": header.environment.commit and header.environment.commit[:8],
        "machine": header.machine.name,
        "mean": plain.pop("estimate"),
        **plain,
    }
