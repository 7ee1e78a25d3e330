"""How costs grow with a swept parameter, and where two strategies change places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from harness.stats.cells import Cell
from harness.stats.scaling import crossover, slope
from harness.stats.standings import Floats, Standings, cost_table, time_of

Plain: TypeAlias = dict[str, Any]
Sweep: TypeAlias = tuple[str, str, str, str, tuple[tuple[str, Any], ...]]

_FAR = 10


def scaling(
    cells: Sequence[Standings], machines: Sequence[str], names: Mapping[str, int], reference: str
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


def _sweeps(cells: Sequence[Standings]) -> dict[Sweep, list[Standings]]:
    """Group cells that differ in one number alone, at least two a group."""
    found: dict[Sweep, list[Standings]] = defaultdict(list)
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
            # Beyond the sizes measured a meeting of two lines is an extrapolation, without bounds near them a guess.
            least, most = min(sizes), max(sizes)
            if found is None or not found.known or not least <= found.estimate <= most:
                continue
            if least / _FAR <= found.low and found.high <= most * _FAR:
                yield {"of": names[label], "to": names[reference], "measure": cost, **found.plain()}
