"""Which records belong together, and the numbers in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from harness.stats.paired import Interval, paired_difference, paired_ratio
from harness.trial import TOTALS, Record, Scalar


@dataclass(frozen=True)
class Cell:
    """What competing trials share: a row of cells is a table."""

    topic: str
    task: str
    dataset: str
    scenario: str
    params: tuple[tuple[str, Scalar], ...]

    @classmethod
    def of(cls, record: Record) -> Cell:
        """Return the cell that a record belongs to."""
        trial = record.trial
        return cls(trial.topic, trial.task, trial.dataset, trial.scenario, tuple(sorted(trial.params.items())))

    @property
    def title(self) -> str:
        """The cell in words."""
        params = " ".join(f"{name}={value}" for name, value in self.params)
        return f"{self.topic}/{self.task} on {self.dataset}, {self.scenario} ({params})"


def group(records: Iterable[Record]) -> dict[Cell, dict[str, list[Record]]]:
    """Group records by cell, and within a cell by the strategy's label."""
    cells: dict[Cell, dict[str, list[Record]]] = {}
    for record in records:
        cells.setdefault(Cell.of(record), {}).setdefault(record.trial.label, []).append(record)
    return cells


def figures(record: Record) -> dict[str, float]:
    """Return the numbers of a record by name; none of a trial that did not finish.

    Returns
    -------
    dict of str to float
        ``fit.cpu_s`` (median of the phase's samples), ``cpu_s`` (sum over phases), ``peak_bytes`` (largest size reached
        in any phase above the start of the first), ``device_bytes`` (largest of any phase), and the metrics.
    """
    if record.status != "ok":
        return {}
    found = {}
    for name, phase in record.phases.items():
        own = {
            "wall_s": median(phase.wall_s) if phase.wall_s else None,
            "cpu_s": median(phase.cpu_s) if phase.cpu_s else None,
            "peak_bytes": phase.peak_bytes,
            "held_bytes": phase.held_bytes,
            "device_bytes": phase.device_bytes,
        }
        found |= {f"{name}.{figure}": float(value) for figure, value in own.items() if value is not None}
    for total in TOTALS:
        held = [found[f"{name}.held_bytes"] if total == "peak_bytes" else 0.0 for name in record.phases]
        parts = [
            found[f"{name}.{total}"] + before
            for name, before in zip(record.phases, held, strict=True)
            if f"{name}.{total}" in found
        ]
        if parts:
            found[total] = sum(parts) if total.endswith("_s") else max(parts)
    return found | record.metrics


def measure(record: Record, name: str) -> float | None:
    """Return a number of a record by its name in `figures`."""
    return figures(record).get(name)


def middle(records: Sequence[Record], name: str) -> float | None:
    """Return the median of a measure over records that have it."""
    values = [value for record in records if (value := measure(record, name)) is not None]
    return median(values) if values else None


def is_cost(name: str) -> bool:
    """Return whether a measure is time or memory, which are compared as ratios; metrics are compared as differences."""
    return name in TOTALS or "." in name


def effect(of: Sequence[Record], to: Sequence[Record], name: str) -> Interval | None:
    """Estimate the effect on a measure: a ratio for a cost, a difference for a metric."""
    return ratio(of, to, name) if is_cost(name) else difference(of, to, name)


def ratio(of: Sequence[Record], to: Sequence[Record], name: str) -> Interval | None:
    """Estimate how many times larger a measure is on one side, paired by block; ``None`` without common blocks."""
    pairs = [(one, other) for one, other in _pairs(of, to, name) if one > 0 and other > 0]
    return paired_ratio(*zip(*pairs, strict=True)) if pairs else None


def difference(of: Sequence[Record], to: Sequence[Record], name: str) -> Interval | None:
    """Estimate by how much a measure is larger on one side, paired by block; ``None`` without common blocks."""
    pairs = _pairs(of, to, name)
    return paired_difference(*zip(*pairs, strict=True)) if pairs else None


def _pairs(of: Sequence[Record], to: Sequence[Record], name: str) -> list[tuple[float, float]]:
    base = {(record.trial.block, record.trial.seeds.data): measure(record, name) for record in to}
    pairs = []
    for record in of:
        one, other = measure(record, name), base.get((record.trial.block, record.trial.seeds.data))
        if one is not None and other is not None:
            pairs.append((one, other))
    return pairs
