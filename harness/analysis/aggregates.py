"""Records aggregated by cell: the values of each strategy in every block, and the effects between any two of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.declare.values import DIVERGED, Work
from harness.records import Cell, Curve, Record, Scalar, Status, figures, is_cost
from harness.stats.paired import Interval, pooled_difference, pooled_ratio

Floats: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.NDArray[np.int64]

CURVES = 3
#: Memory below this many bytes is smaller than what a measurement can tell: it is written "<0.1 MB" and has no ratio.
LEAST_MEMORY = 1e5

_SHARED = ("cpu_s", "wall_s", "peak_bytes")


class RunBlock(NamedTuple):
    """One block of one run, with the seed of its data."""

    run: str
    block: int
    seed: int


@dataclass
class StrategyAggregate:
    """One strategy with its options in one cell.

    Attributes
    ----------
    values
        Measure to its values, one for each unit of the cell; NaN where it was not measured.
    statuses, troubles
        Number of trials by status; and number of trials by status and reason, for those with a reason.
    failed, contaminated
        Indices of the units whose trial began and did not finish, and of those whose trial was contaminated.
    curves
        Name to the curves of the first blocks, at most `CURVES`.
    diverged
        Index of each unit whose training diverged to the step; these units have metrics only.
    """

    strategy: str
    options: dict[str, Scalar]
    values: dict[str, Floats] = field(default_factory=dict)
    statuses: Counter[Status] = field(default_factory=Counter)
    troubles: Counter[tuple[Status, str]] = field(default_factory=Counter)
    failed: set[int] = field(default_factory=set)
    contaminated: set[int] = field(default_factory=set)
    curves: dict[str, list[Curve]] = field(default_factory=dict)
    diverged: dict[int, float] = field(default_factory=dict)

    def median(self, name: str) -> float | None:
        """Return the median of a measure over the units in which it was measured."""
        values = self.values.get(name)
        return None if values is None or np.isnan(values).all() else float(np.nanmedian(values))


class WorkRate(NamedTuple):
    """How often a phase does its unit of work in one cell: what one row, step or round costs."""

    phase: str
    unit: str
    times: float

    def share(self, entry: StrategyAggregate, figure: str) -> float | None:
        """Return the median of a figure of the phase, divided by the number of units; ``None`` if not measured."""
        median = entry.median(f"{self.phase}.{figure}")
        return None if median is None else median / self.times

    def plain(self, entry: StrategyAggregate) -> dict[str, str | float | None]:
        """Return the rate with its shares of time and memory, as pages and ``--json`` have them."""
        return {**self._asdict(), **{figure: self.share(entry, figure) for figure in _SHARED}}


def work_rates(work: Mapping[str, Work], cell: Cell) -> list[WorkRate]:
    """List the phases with declared work whose number of units follows from the parameters of the cell."""
    rates = [WorkRate(phase, declared.unit, declared.count(dict(cell.params))) for phase, declared in work.items()]
    return [rate for rate in rates if rate.times > 0]


@dataclass
class CellAggregate:
    """All strategies of one cell on one machine; `entries` are named by label, in the order of their first trial."""

    machine: str
    cell: Cell
    units: list[RunBlock]
    entries: dict[str, StrategyAggregate]

    def differences(self, of: str, to: str, name: str, base: CellAggregate | None = None) -> dict[RunBlock, float]:
        """Return the measure of strategy `of` minus that of `to` in every unit that has both; of logarithms for a cost.

        Parameters
        ----------
        base
            Another measurement of the same cell that `to` is taken from; by default this one.
        """
        differences = self._differences(of, to, name, base or self)
        return {self.units[index]: float(differences[index]) for index in np.flatnonzero(np.isfinite(differences))}

    def effect(self, of: str, to: str, name: str) -> Interval | None:
        """Estimate the effect on a measure in this cell alone; see `effect`."""
        differences = self._differences(of, to, name, self)
        known = np.isfinite(differences)
        if not known.any():
            return None
        sessions, seeds = self._groups
        return (
            pooled_ratio(differences[known], sessions[known])
            if is_cost(name)
            else pooled_difference(differences[known], seeds[known])
        )

    @cached_property
    def _groups(self) -> tuple[Numbers, Numbers]:
        """Number the runs and the seeds of the units."""
        runs = {run: index for index, run in enumerate(dict.fromkeys(unit.run for unit in self.units))}
        return np.array([runs[unit.run] for unit in self.units]), np.array([unit.seed for unit in self.units])

    def _differences(self, of: str, to: str, name: str, base: CellAggregate) -> Floats:
        one, other = self._values(of, name, self.units), base._values(to, name, self.units)
        if one is None or other is None:
            return np.full(len(self.units), np.nan)
        if not is_cost(name):
            return one - other
        with np.errstate(divide="ignore", invalid="ignore"):
            # A cost of 0 has no logarithm; the infinity that NumPy returns for it counts as missing.
            return np.log(one) - np.log(other)

    def _values(self, label: str, name: str, units: list[RunBlock]) -> Floats | None:
        """Return a measure in the given units, NaN in those that are not here."""
        values = self.entries[label].values.get(name) if label in self.entries else None
        if values is None or units is self.units:
            return values
        places = {unit: index for index, unit in enumerate(self.units)}
        return np.array([values[places[unit]] if unit in places else np.nan for unit in units])


def shown(cells: Sequence[CellAggregate], metrics: Sequence[str]) -> list[str]:
    """Leave out ``diverged`` unless training diverged somewhere: a column of zeros says nothing."""
    diverged = any(entry.diverged for cell in cells for entry in cell.entries.values())
    return [name for name in metrics if name != DIVERGED or diverged]


def in_order(entries: Mapping[str, StrategyAggregate], declared: Sequence[str]) -> list[str]:
    """Sort labels by the declaration of their strategies, then by their options: trials ran in shuffled order."""
    place = {strategy: index for index, strategy in enumerate(declared)}
    return sorted(entries, key=lambda label: (place.get(entries[label].strategy, len(place)), _natural(entries[label])))


def reference_among(entries: Mapping[str, StrategyAggregate], ordered: Sequence[str], named: str) -> str:
    """Choose the reference: the named strategy, else the same strategy with options, else the first one."""
    with_options = [label for label in ordered if entries[label].strategy == named]
    return named if named in entries else [*with_options, *ordered][0]


def time_of(cells: Sequence[CellAggregate]) -> str:
    """Return the time that costs are compared by: CPU time, or wall time if imported figures have only that."""
    timed = {name for cell in cells for entry in cell.entries.values() for name in entry.values}
    return "wall_s" if "wall_s" in timed and "cpu_s" not in timed else "cpu_s"


def fullest(
    cells: Sequence[CellAggregate], wanted: Callable[[CellAggregate, str], bool]
) -> tuple[list[CellAggregate], list[str]]:
    """Choose cells and strategies so that every chosen strategy was measured in every chosen cell.

    Each cell has a set of strategies. The set with the most results is chosen: its size times the number of cells that
    include all of it. So a sweep of one strategy alone neither removes the cells of the others nor joins them.

    Parameters
    ----------
    wanted
        ``wanted(cell, label)``: whether a strategy of a cell counts.
    """
    sets = [frozenset(label for label in cell.entries if wanted(cell, label)) for cell in cells]
    best = max(
        sets, key=lambda part: (len(part) * sum(part <= other for other in sets), len(part)), default=frozenset()
    )
    chosen = [cell for cell, labels in zip(cells, sets, strict=True) if best <= labels]
    return chosen, [label for label in (chosen[0].entries if chosen else ()) if label in best]


def aggregate(runs: Iterable[tuple[str, str, Iterable[Record]]]) -> list[CellAggregate]:
    """Group the records of some runs by machine and cell.

    Parameters
    ----------
    runs
        For each run its name, its machine and its records, which are read one at a time and not stored.
    """
    found: dict[tuple[str, Cell], _CellRecords] = {}
    for run, machine, records in runs:
        for record in records:
            place = (machine, record.trial.cell)
            if place not in found:
                found[place] = _CellRecords()
            found[place].add(run, record)
    return [CellAggregate(machine, cell, *gathered.arrays()) for (machine, cell), gathered in found.items()]


def effect(cells: Sequence[CellAggregate], of: str, to: str, name: str) -> Interval | None:
    """Estimate the effect on a measure over some cells: a ratio for a cost, a difference for a metric.

    With several cells the effect is the mean over those in which both strategies were measured (of the logarithms, for
    a cost), taken block by block, so that cells of one block may depend on each other.

    Returns
    -------
    Interval or None
        ``None`` if there is no block in which both strategies finished all these cells.
    """
    if len(cells) == 1:
        return cells[0].effect(of, to, name)
    return pool([part for cell in cells if (part := cell.differences(of, to, name))], name)


def measurable(cells: Sequence[CellAggregate], labels: Sequence[str], name: str) -> bool:
    """Return whether a measure of some strategies is large enough to be compared in all of some cells.

    Only memory can be too small: see `LEAST_MEMORY`.
    """
    if not (is_cost(name) and name.endswith("_bytes")):
        return True
    medians = [cell.entries[label].median(name) for cell in cells for label in labels if label in cell.entries]
    return all(median is None or median >= LEAST_MEMORY for median in medians)


def pool(parts: Sequence[dict[RunBlock, float]], name: str) -> Interval | None:
    """Average differences over cells, block by block, and estimate their mean over blocks."""
    if not parts:
        return None
    common = [unit for unit in parts[0] if all(unit in part for part in parts)]
    if not common:
        return None
    means = np.array([[part[unit] for unit in common] for part in parts]).mean(axis=0)
    if is_cost(name):
        runs = {run: index for index, run in enumerate(dict.fromkeys(unit.run for unit in common))}
        return pooled_ratio(means, np.array([runs[unit.run] for unit in common]))
    return pooled_difference(means, np.array([unit.seed for unit in common]))


def _natural(entry: StrategyAggregate) -> list[tuple[str, float, str]]:
    """Sort options by their numbers, so that 64 comes before 512."""
    return [
        (name, float(value) if isinstance(value, int | float) else 0.0, str(value))
        for name, value in sorted(entry.options.items())
    ]


class _CellRecords:
    """Collects the records of one cell, in any order."""

    def __init__(self) -> None:
        self._units: dict[RunBlock, int] = {}
        self._entries: dict[str, StrategyAggregate] = {}
        self._values: dict[str, dict[str, dict[int, float]]] = {}

    def add(self, run: str, record: Record) -> None:
        trial = record.trial
        unit = self._units.setdefault(RunBlock(run, trial.block, trial.seeds.data), len(self._units))
        label = trial.label
        entry = self._entries.get(label)
        if entry is None:
            entry = self._entries[label] = StrategyAggregate(trial.strategy, dict(trial.options))
            self._values[label] = defaultdict(dict)
        columns = self._values[label]
        entry.statuses[record.status] += 1
        if record.status not in ("ok", "skipped"):
            entry.failed.add(unit)
        if record.diverged is not None:
            entry.diverged[unit] = record.diverged
        if record.conditions is not None and record.conditions.contaminated:
            entry.contaminated.add(unit)
        if record.status != "ok" or record.reason:
            entry.troubles[(record.status, record.reason)] += 1
        for name, value in figures(record).items():
            columns[name][unit] = value
        for name, curve in record.curves.items():
            curves = entry.curves.setdefault(name, [])
            if len(curves) < CURVES:
                curves.append(curve)

    def arrays(self) -> tuple[list[RunBlock], dict[str, StrategyAggregate]]:
        for label, columns in self._values.items():
            for name, values in columns.items():
                column = np.full(len(self._units), np.nan)
                column[list(values)] = list(values.values())
                self._entries[label].values[name] = column
        return list(self._units), self._entries
