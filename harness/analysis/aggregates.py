"""Records aggregated by cell: the values of each strategy in every block, and the effects between any two of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isnan
from statistics import median
from typing import NamedTuple, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from harness.declare.values import DIVERGED, Work
from harness.records import Cell, Curve, Record, Scalar, Status, figures, is_cost
from harness.stats.paired import Interval, by_seed, pooled_difference, pooled_ratio
from harness.stats.rates import rate

Floats: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.NDArray[np.int64]
#: Options with their values, sorted by name.
Choice: TypeAlias = tuple[tuple[str, Scalar], ...]

CURVES = 3
#: Memory below this many bytes is smaller than what a measurement can tell: it is written "<0.1 MB" and has no ratio.
LEAST_MEMORY = 1e5

_SHARED = ("cpu_s", "wall_s", "peak_bytes")


class RunBlock(NamedTuple):
    """One block of one run, with the seed of its data.

    Attributes
    ----------
    session
        The run whose session this run goes on with; empty if it began one.
    """

    run: str
    block: int
    seed: int
    session: str = ""


@dataclass
class StrategyAggregate:
    """One strategy with its options in one cell.

    Attributes
    ----------
    values
        Measure to its values, one for each unit of the cell; NaN where it was not measured.
    cases
        Measure that is a rate to the number of cases in each unit; NaN where it was not measured.
    statuses, troubles
        Number of trials by status; and number of trials by status and reason, for those with a reason.
    failed, contaminated
        Indices of the units whose trial began and did not finish, and of those whose trial was contaminated.
    curves
        Name to the curves of the first blocks, at most `CURVES`.
    choices
        Number of blocks in which tuning chose some options, by these: pairs of a name and a value, sorted.
    diverged
        Index of each unit whose training diverged to the step; these units have metrics only.
    elapsed_s
        Seconds that all trials took, with everything around the phases.
    """

    strategy: str
    options: dict[str, Scalar]
    values: dict[str, Floats] = field(default_factory=dict)
    cases: dict[str, Floats] = field(default_factory=dict)
    statuses: Counter[Status] = field(default_factory=Counter)
    troubles: Counter[tuple[Status, str]] = field(default_factory=Counter)
    failed: set[int] = field(default_factory=set)
    contaminated: set[int] = field(default_factory=set)
    curves: dict[str, list[Curve]] = field(default_factory=dict)
    choices: Counter[Choice] = field(default_factory=Counter)
    diverged: dict[int, float] = field(default_factory=dict)
    elapsed_s: float = 0.0

    def add(self, unit: int, record: Record) -> None:
        """Count how a trial ended, and keep what is not a number of it."""
        self.statuses[record.status] += 1
        self.elapsed_s += record.elapsed_s
        if record.status not in ("ok", "skipped"):
            self.failed.add(unit)
        if record.diverged is not None:
            self.diverged[unit] = record.diverged
        if record.conditions is not None and record.conditions.contaminated:
            self.contaminated.add(unit)
        if record.tries:
            self.choices[tuple(sorted(record.choice.items()))] += 1
        if record.status != "ok" or record.reason:
            self.troubles[(record.status, record.reason)] += 1
        for name, curve in record.curves.items():
            curves = self.curves.setdefault(name, [])
            if len(curves) < CURVES:
                curves.append(curve)

    def median(self, name: str) -> float | None:
        """Return the median of a measure over the units in which it was measured."""
        values = self.values.get(name)
        # A list, because NumPy takes twenty times as long for the few values of most cells.
        known = [] if values is None else [value for value in values.tolist() if not isnan(value)]
        return median(known) if known else None


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


class Groups(NamedTuple):
    """For each unit the number of its run, that of its session, and the seed of its data."""

    runs: Numbers
    sessions: Numbers
    seeds: Numbers

    @classmethod
    def of(cls, units: Sequence[RunBlock]) -> Groups:
        """Give the runs and sessions of units numbers, in the order in which they appear."""
        number = {run: index for index, run in enumerate(dict.fromkeys(unit.run for unit in units))}
        # The run that began a session may be missing.
        begun = {run: index for index, run in enumerate(dict.fromkeys(unit.session or unit.run for unit in units))}
        return cls(
            np.array([number[unit.run] for unit in units]),
            np.array([begun[unit.session or unit.run] for unit in units]),
            np.array([unit.seed for unit in units]),
        )


@dataclass
class CellAggregate:
    """All strategies of one cell on one machine; `entries` are named by label, in the order of their first trial.

    Attributes
    ----------
    overlap
        Rows of the test set for each other row of the data, where units draw both sets from the same rows; else 0.
    work
        Phase to the median number of its units of work, where that is recorded; it is the same for all strategies.
    """

    machine: str
    cell: Cell
    units: list[RunBlock]
    entries: dict[str, StrategyAggregate]
    overlap: float = 0.0
    work: dict[str, float] = field(default_factory=dict)

    def only(self, units: Collection[RunBlock]) -> CellAggregate:
        """Return the values of some units alone; how trials ended stays that of all."""
        chosen = [index for index, unit in enumerate(self.units) if unit in units]

        def part(columns: Mapping[str, Floats]) -> dict[str, Floats]:
            return {name: column[chosen] for name, column in columns.items()}

        entries = {
            label: replace(entry, values=part(entry.values), cases=part(entry.cases))
            for label, entry in self.entries.items()
        }
        return replace(self, units=[self.units[index] for index in chosen], entries=entries)

    def work_rates(self, work: Mapping[str, Work]) -> list[WorkRate]:
        """List the phases with declared work, by the recorded number of units, else by that of the parameters."""
        params = dict(self.cell.params)
        rates = [WorkRate(phase, own.unit, self.work.get(phase, own.count(params))) for phase, own in work.items()]
        return [rate for rate in rates if rate.times > 0]

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
        runs, sessions, seeds = self._groups
        if is_cost(name):
            return pooled_ratio(differences[known], runs[known], sessions[known])
        step = max(self.step(label, name) for label in (of, to))
        return pooled_difference(differences[known], seeds[known], overlap=self.overlap, step=step)

    def step(self, label: str, name: str) -> float:
        """Return by how much one case changes a measure that is a rate; 0 for any other measure."""
        cases = self.entries[label].cases.get(name) if label in self.entries else None
        known = () if cases is None else cases[cases > 0]
        return 1 / float(np.min(known)) if len(known) else 0.0

    def rate(self, label: str, name: str) -> Interval | None:
        """Estimate a rate of a strategy; ``None`` if the measure is not a rate, or was not measured."""
        values, cases = (column.get(name) for column in (self.entries[label].values, self.entries[label].cases))
        if values is None or cases is None:
            return None
        known = np.isfinite(values) & np.isfinite(cases)
        seeds = self._groups.seeds[known]
        return rate(by_seed(values[known], seeds), by_seed(cases[known], seeds), overlap=self.overlap)

    @cached_property
    def _groups(self) -> Groups:
        return Groups.of(self.units)

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
    return [gathered.cell(machine, cell) for (machine, cell), gathered in found.items()]


def in_sessions(cells: Iterable[CellAggregate], sessions: Mapping[str, str]) -> list[CellAggregate]:
    """Let the units of cells say whose session they go on with.

    Parameters
    ----------
    sessions
        Run to the run whose session it goes on with.
    """
    return [
        replace(cell, units=[unit._replace(session=sessions.get(unit.run, "")) for unit in cell.units])
        for cell in cells
    ]


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
    held = [(cell, part) for cell in cells if (part := cell.differences(of, to, name))]
    doubt = uncertainty([cell for cell, _ in held], [of, to], name, len(held))
    return pool([part for _, part in held], name, **doubt)


class Uncertainty(TypedDict):
    """What the spread over blocks does not say about a difference; see `harness.stats.paired.mean`."""

    overlap: float
    step: float


def uncertainty(cells: Sequence[CellAggregate], labels: Sequence[str], name: str, averaged: int = 1) -> Uncertainty:
    """Return the largest overlap of some cells, and by how much one case changes the mean of so many of their rates."""
    steps = [cell.step(label, name) for cell in cells for label in labels]
    return {
        "overlap": max((cell.overlap for cell in cells), default=0.0),
        "step": max(steps, default=0.0) / max(1, averaged),
    }


def measurable(cells: Sequence[CellAggregate], labels: Sequence[str], name: str) -> bool:
    """Return whether a measure of some strategies is large enough to be compared in all of some cells.

    Only memory can be too small: see `LEAST_MEMORY`.
    """
    if not (is_cost(name) and name.endswith("_bytes")):
        return True
    medians = [cell.entries[label].median(name) for cell in cells for label in labels if label in cell.entries]
    return all(median is None or median >= LEAST_MEMORY for median in medians)


def pool(
    parts: Sequence[dict[RunBlock, float]], name: str, *, overlap: float = 0.0, step: float = 0.0
) -> Interval | None:
    """Average differences over cells, block by block, and estimate their mean over blocks.

    Parameters
    ----------
    overlap, step
        For metrics, see `uncertainty`.
    """
    if not parts:
        return None
    common = [unit for unit in parts[0] if all(unit in part for part in parts)]
    if not common:
        return None
    means = np.array([[part[unit] for unit in common] for part in parts]).mean(axis=0)
    runs, sessions, seeds = Groups.of(common)
    if is_cost(name):
        return pooled_ratio(means, runs, sessions)
    return pooled_difference(means, seeds, overlap=overlap, step=step)


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
        self._cases: dict[str, dict[str, dict[int, float]]] = {}
        self._overlap = 0.0
        self._work: dict[str, list[float]] = defaultdict(list)

    def add(self, run: str, record: Record) -> None:
        trial = record.trial
        unit = self._units.setdefault(RunBlock(run, trial.block, trial.seeds.data), len(self._units))
        label = trial.label
        entry = self._entries.get(label)
        if entry is None:
            entry = self._entries[label] = StrategyAggregate(trial.strategy, dict(trial.options))
            self._values[label], self._cases[label] = defaultdict(dict), defaultdict(dict)
        columns = self._values[label]
        entry.add(unit, record)
        for name, value in figures(record).items():
            columns[name][unit] = value
        for name, cases in record.n.items():
            self._cases[label][name][unit] = cases
        self._overlap = max(self._overlap, record.overlap)
        for phase, units in record.work.items():
            self._work[phase].append(units)

    def cell(self, machine: str, cell: Cell) -> CellAggregate:
        for label, entry in self._entries.items():
            entry.values = {name: self._column(values) for name, values in self._values[label].items()}
            entry.cases = {name: self._column(values) for name, values in self._cases[label].items()}
        work = {phase: median(units) for phase, units in self._work.items()}
        return CellAggregate(machine, cell, list(self._units), self._entries, self._overlap, work)

    def _column(self, values: dict[int, float]) -> Floats:
        column = np.full(len(self._units), np.nan)
        column[list(values)] = list(values.values())
        return column
