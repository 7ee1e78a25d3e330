"""What a claim asks: which quantity, of which strategies, on which cells; in words, and as a command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness import reproduce
from harness.declare import CLEAN, Task, Topic
from harness.stats.cells import Cell
from harness.stats.standings import Standings
from harness.trial import Scalar, parse_label

Kind: TypeAlias = Literal["ratio", "difference", "growth", "speedup", "slope", "crossover", "order"]

_PLACES = ("dataset", "scenario")
_BLOCKS = 10


@dataclass(frozen=True)
class Question:
    """One question to the evidence.

    Attributes
    ----------
    labels
        The strategies that are asked about: of, and to what; none when all are.
    over
        The parameter, or ``scenario``, that varies, and its values in order; no values when all measured ones count.
    where
        What narrows the cells.
    """

    kind: Kind
    measure: str
    labels: tuple[str, ...]
    where: dict[str, Scalar]
    over: str = ""
    values: tuple[Scalar, ...] = ()

    def cells(self, standings: Iterable[Standings]) -> list[Standings]:
        """Choose the cells that the question is about; the scenario is clean unless it is named or varies."""
        wanted = {"scenario": CLEAN.name, **self.where}
        if self.over:
            wanted.pop(self.over, None)
        return [
            cell
            for cell in standings
            if all(value_of(cell.cell, name) == value for name, value in wanted.items())
            and (not self.values or value_of(cell.cell, self.over) in self.values)
        ]

    @property
    def asked(self) -> str:
        """The question in words."""
        names = " to ".join(self.labels)
        over = f" over {self.over}" if self.over else ""
        values = f" from {self.values[0]} to {self.values[1]}" if self.values else ""
        return {
            "ratio": f"ratio of {self.measure}, {names}",
            "difference": f"difference in {self.measure}, {' minus '.join(self.labels)}",
            "growth": f"growth of the ratio of {self.measure}, {names}, with {self.over}{values}",
            "speedup": f"ratio of {self.measure} of {names}, {self.over}={self._at(0)} to {self.over}={self._at(1)}",
            "slope": f"exponent of {self.measure} of {names}{over}",
            "crossover": f"{self.over} at which {self.measure} of {' and '.join(self.labels)} is equal",
            "order": f"rank correlation of strategies by {self.measure}, {self.over}={self._at(0)} to {self._at(1)}",
        }[self.kind]

    def scope(self, cells: Sequence[Standings]) -> str:
        """Say on what the answer was found."""
        named = {"scenario": CLEAN.name, **self.where}
        parts = [str(named.pop("dataset", "")), str(named.pop("scenario"))]
        parts += [f"{name}={value}" for name, value in named.items()]
        if self.over == "scenario":
            parts[1] = ""
        told = ", ".join(part for part in parts if part)
        if len(cells) > 1 and not self.over:
            told += f", mean over {len(cells)} cells"
        return told + (f"; on {cells[0].machine}" if cells else "")

    def command(self, topic: Topic, cells: Sequence[Standings]) -> str:
        """Write the command that measures an answer; empty when no task of the topic has these strategies."""
        task = next((task for task in topic.tasks.values() if self._fits(task)), None)
        if task is None:
            return ""
        strategies = list(dict.fromkeys(parse_label(label)[0] for label in self.labels))
        scenarios = self.values if self.over == "scenario" else (self.where.get("scenario", CLEAN.name),)
        return reproduce.command(
            f"{task.topic}/{task.name}",
            strategies=strategies,
            datasets=[str(self.where["dataset"])] if "dataset" in self.where else [],
            scenarios=[str(scenario) for scenario in scenarios],
            values=dict(self._settings(task, cells)),
            blocks=_BLOCKS,
        )

    def _settings(self, task: Task, cells: Sequence[Standings]) -> Iterator[tuple[str, tuple[Scalar, ...]]]:
        for name, value in self.where.items():
            if name not in _PLACES and name != self.over:
                yield name, (value,)
        if self.over and self.over != "scenario":
            found = dict.fromkeys(value_of(cell.cell, self.over) for cell in cells)
            yield (
                self.over,
                self.values or tuple(value for value in found if value is not None) or task.sweep[self.over],
            )
        options = [(task.strategies[name].options, given) for name, given in map(parse_label, self.labels)]
        for option in dict.fromkeys(option for _, given in options for option in given):
            yield option, tuple(dict.fromkeys(given.get(option, known[option]) for known, given in options))

    def _fits(self, task: Task) -> bool:
        return all(parse_label(label)[0] in task.strategies for label in self.labels)

    def _at(self, index: int) -> Scalar:
        return self.values[index] if self.values else ""


def value_of(cell: Cell, name: str) -> Scalar | None:
    """Return a cell's data set, scenario or parameter; ``None`` where it has no such parameter."""
    return getattr(cell, name) if name in _PLACES else dict(cell.params).get(name)
