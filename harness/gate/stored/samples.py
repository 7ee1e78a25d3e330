"""A case's finished trials by moment and block, as the tests of its figures take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import NamedTuple, TypeAlias

from harness.stats.cells import figures
from harness.trial import MemorySource, Record


class Key(NamedTuple):
    """What two trials share that are paired."""

    block: int
    data: int
    model: int


#: Block and seeds to a value.
Row: TypeAlias = dict[Key, float]


@dataclass(frozen=True)
class Sample:
    """One trial with its figures and the moment of the machine that it was measured in."""

    moment: int
    record: Record
    figures: dict[str, float]

    @property
    def key(self) -> Key:
        """Block and seeds."""
        trial = self.record.trial
        return Key(trial.block, trial.seeds.data, trial.seeds.model)


@dataclass(frozen=True)
class Samples:
    """The trials of one side of a case, whatever their status."""

    samples: list[Sample]

    @property
    def finished(self) -> list[Sample]:
        """Those that are ok."""
        return [sample for sample in self.samples if sample.record.status == "ok"]

    @property
    def failed(self) -> list[Record]:
        """Those that began and did not finish."""
        return [sample.record for sample in self.samples if sample.record.status not in ("ok", "skipped")]

    @property
    def names(self) -> list[str]:
        """Names of all figures."""
        return list(dict.fromkeys(name for sample in self.finished for name in sample.figures))

    @property
    def sources(self) -> set[MemorySource]:
        """How memory was read."""
        return {sample.record.memory_source or "sampled" for sample in self.finished}

    def reasons(self) -> str:
        """Return why trials did not finish, each reason once."""
        return "; ".join(
            dict.fromkeys(
                f"{sample.record.status}: {sample.record.reason}" if sample.record.reason else sample.record.status
                for sample in self.samples
                if sample.record.status != "ok"
            )
        )

    def middle(self, name: str) -> float:
        """Return the median of a figure; 0 where it was not measured."""
        return median([s.figures[name] for s in self.finished if name in s.figures] or [0.0])

    def rows(self, name: str) -> list[Row]:
        """Return a figure by block for each moment; what was measured twice in one is averaged."""
        found: dict[int, dict[Key, list[float]]] = {}
        for sample in self.finished:
            if name in sample.figures:
                found.setdefault(sample.moment, {}).setdefault(sample.key, []).append(sample.figures[name])
        return [{key: fmean(values) for key, values in row.items()} for row in found.values()]

    def row(self, name: str) -> Row:
        """Return a figure by block, averaged over moments."""
        rows = self.rows(name)
        keys = dict.fromkeys(key for row in rows for key in row)
        return {key: fmean(row[key] for row in rows if key in row) for key in keys}


def sample(moment: int, record: Record) -> Sample:
    """Take a trial in."""
    return Sample(moment, record, figures(record))


def shared(rows: Sequence[Row]) -> list[Key]:
    """Return the blocks that all rows have."""
    return [key for key in rows[0] if all(key in row for row in rows)] if rows else []
