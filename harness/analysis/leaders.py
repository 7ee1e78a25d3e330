"""Which strategies are shown to be faster, better or smaller than the one to take, for readers who weigh otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from harness.analysis import wording
from harness.analysis.advice import MEMORY
from harness.analysis.aggregates import effect, measurable
from harness.analysis.recommendation import COST, Recommendation, level
from harness.analysis.run_set import RunSet, TaskInfo
from harness.analysis.settled import Figure, contest
from harness.store.header import titled

Role: TypeAlias = Literal["fastest", "best", "smallest"]

_SIZE = Figure(MEMORY, "lower", COST.margin)


@dataclass(frozen=True)
class Leaders:
    """The strategies that lead on cost, quality and size among those that a recommendation is made of.

    Those that are not shown to be worse than the first one lead with it. A baseline counts only if it is the strategy
    to take: it is cheap because it does little.
    """

    found: Recommendation
    task: TaskInfo
    run_set: RunSet

    @property
    def of_taken(self) -> list[Role]:
        """The roles in which the strategy to take is alone."""
        return [role for role, (_, leaders) in self._leaders.items() if leaders == [self.found.take]]

    @property
    def lines(self) -> list[tuple[Role, str]]:
        """Who is shown to lead the strategy to take, and its price: ``quick: 0.10x the CPU [0.09, 0.12], AUC 0.6``."""
        lines = []
        for role, (figure, leaders) in self._leaders.items():
            if self.found.take not in leaders:
                first = leaders[0]
                cost = self._ratio(first, _SIZE, "memory") if figure == _SIZE else self._ratio(first, COST, "CPU")
                texts = (cost, self.quality(first)) if figure.cost else (self.quality(first), cost)
                names = wording.named([titled(label, self.task.strategies) for label in leaders], "or")
                lines.append((role, f"{names}: {', '.join(filter(None, texts))}"))
        return lines

    def quality(self, label: str) -> str:
        """Write the primary metric of a strategy: ``AUC 0.778``."""
        metric = self.task.metrics[0]
        value = wording.figure(level(self.found.cells, label, metric.name), metric.unit)
        return f"{wording.spoken(metric.name)} {value}"

    def measured(self, label: str, name: str) -> bool:
        """Return whether a measure of a strategy is known in all cells."""
        return all(cell.entries[label].median(name) is not None for cell in self.found.cells)

    @cached_property
    def _leaders(self) -> dict[Role, tuple[Figure, list[str]]]:
        if self.found.state == "none":
            return {}
        metric, cell = self.task.metrics[0], self.found.cells[0]
        figures: dict[Role, Figure] = {
            "fastest": COST,
            "best": Figure(metric.name, metric.direction, metric.margin),
            "smallest": _SIZE,
        }
        labels = [
            label
            for label in (self.found.take, *self.found.quality)
            if label == self.found.take or cell.entries[label].strategy != self.task.card.baseline
        ]
        leaders = {}
        for role, figure in figures.items():
            among = [label for label in labels if self.measured(label, figure.name)]
            if len(among) > 1:
                leaders[role] = (figure, self._lead(among, figure))
        return leaders

    def _lead(self, labels: Sequence[str], figure: Figure) -> list[str]:
        sign = 1 if figure.better == "higher" else -1
        first = max(labels, key=lambda label: sign * level(self.found.cells, label, figure.name))
        return [first, *(other for other in labels if other != first and not self._beats(first, other, figure))]

    def _beats(self, of: str, to: str, figure: Figure) -> bool:
        cells = self.found.cells
        if not measurable(cells, [of, to], figure.name):
            return False
        noise_sd = self.run_set.noise_sd.get(cells[0].machine)
        return contest(cells, of, to, figure, added=self.run_set.added, noise_sd=noise_sd).word == "better"

    def _ratio(self, label: str, figure: Figure, what: str) -> str:
        """Write a cost in terms of that of the strategy to take: ``0.11x the CPU [0.10, 0.12]``."""
        cost = effect(self.found.cells, label, self.found.take, figure.name)
        if cost is None:
            return ""
        plain = cost.plain()
        return f"{wording.effect(plain, cost=True)} the {what} {wording.interval(plain, cost=True)}".strip()
