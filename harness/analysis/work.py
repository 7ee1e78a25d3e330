"""What one step, row or round costs: the figures of a phase, shared out over what it does many times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from harness.analysis.aggregates import StrategyAggregate
from harness.declare.values import Work
from harness.records import Cell

_SHARED = ("cpu_s", "wall_s", "peak_bytes")


class WorkRate(NamedTuple):
    """How often a phase does what it does, in one cell."""

    phase: str
    unit: str
    times: float

    def share(self, entry: StrategyAggregate, figure: str) -> float | None:
        """Return the median of a figure of the phase, for work_rates; ``None`` where it was not measured."""
        middle = entry.median(f"{self.phase}.{figure}")
        return None if middle is None else middle / self.times

    def plain(self, entry: StrategyAggregate) -> dict[str, str | float | None]:
        """Write it with the shares of time and memory, as a page and ``--json`` have them."""
        return {**self._asdict(), **{figure: self.share(entry, figure) for figure in _SHARED}}


def work_rates(work: Mapping[str, Work], cell: Cell) -> list[WorkRate]:
    """List the phases that tell their work, where the cell's parameters give its number."""
    found = [WorkRate(phase, own.unit, own.count(dict(cell.params))) for phase, own in work.items()]
    return [own for own in found if own.times > 0]
