"""Which strategy of a task to take, what else is as good, and what is not settled yet.

Among the strategies whose primary metric is within the margin of the best one's, the rule takes the one with the least
CPU time. It is *settled* if it is shown to have better quality than the next best strategy, the one that the rule would
take without it, or to be no worse by more than the margin and to cost less or the same. The two are *tied* if their
quality is shown to be equal within the margin and neither is shown to cost less: either will do. The strategy has to
beat the baseline too. Others that are not shown to be beaten are named, and keep nothing open. A baseline is taken only
if it is the cheapest and the best strategy is shown to be no better by more than the margin. The recommendation says
nothing about other data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from harness.analysis.aggregates import CellAggregate, fullest
from harness.analysis.run_set import RunSet, TaskInfo
from harness.analysis.settled import Contest, Figure, contest
from harness.store.header import JudgedMetric

#: CPU times that differ by less are equal.
COST = Figure("cpu_s", "lower", 0.05)
State: TypeAlias = Literal["settled", "tied", "open", "none"]
#: States in which there is an answer.
ANSWERED: tuple[State, ...] = ("settled", "tied")
_Compare: TypeAlias = Callable[[str, str, Figure], Contest]


@dataclass(frozen=True)
class Recommendation:
    """What the cells of a task say about which strategy to take.

    Attributes
    ----------
    state
        ``tied`` if another strategy is shown to be as good and neither to cost less; ``none`` if there is nothing to
        compare.
    take
        Label of the strategy to take; while the state is open, of the one that leads. Empty if nothing finished.
    cells
        The cells that say so.
    next_best
        The strategy that the rule would take without `take`.
    quality, cost
        Label of each other strategy to the comparison of `take` with it, on the primary metric and on CPU time.
    ties
        The next best strategy and the baseline, as far as `take` ties with them.
    rivals
        Those of the two that keep it open: they are neither beaten nor tied.
    perhaps
        The other strategies that may be as good.
    beyond
        Strategies that are beyond the limit of a metric and therefore left out.
    all_beyond
        Whether all strategies are beyond a limit, and none is left out for that reason.
    baseline
        Whether `take` is the task's baseline.
    """

    state: State
    take: str
    cells: Sequence[CellAggregate]
    next_best: str = ""
    quality: Mapping[str, Contest] = field(default_factory=dict)
    cost: Mapping[str, Contest] = field(default_factory=dict)
    ties: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    all_beyond: bool = False
    baseline: bool = False

    @property
    def as_good(self) -> list[str]:
        """Those that are shown to have the quality of `take` within the margin and do not tie, the cheapest first."""
        good = [label for label, own in self.quality.items() if own.word == "equal" and label not in self.ties]
        return sorted(good, key=lambda label: level(self.cells, label, COST.name))

    def blocks(self, rival: str) -> int:
        """Return the number of blocks in which `take` is compared with a rival."""
        effect = self.quality[rival].effect
        return 0 if effect is None else effect.blocks

    def needed(self, rival: str) -> tuple[int, int] | None:
        """Forecast how many blocks settle whether to take `take` or a rival; see `Contest.needed`.

        Returns
        -------
        tuple of int or None
            The least and the most blocks; ``None`` if that many cannot be measured.
        """
        quality, cost = self.quality[rival], self.cost[rival]
        had = (quality.first, quality.first)
        cheap = had if cost.word in ("better", "equal") else cost.needed("settled")
        enough = had if quality.not_worse else quality.needed("not worse")
        by_cost = (max(cheap[0], enough[0]), max(cheap[1], enough[1])) if cheap and enough else None
        ways = [way for way in (quality.needed("better"), by_cost, quality.needed("equal")) if way is not None]
        return min(ways) if ways else None


def recommend(task: TaskInfo, cells: Sequence[CellAggregate], run_set: RunSet) -> Recommendation:
    """Recommend over the clean cells of the machine with the most cells.

    Strategies that failed once and yardsticks are left out, in the cells that
    `harness.analysis.aggregates.fullest` chooses.

    Parameters
    ----------
    cells
        All cells of the task.
    """
    machines = [cell.machine for cell in cells]
    machine = max(machines, key=machines.count)
    own = [cell for cell in cells if cell.machine == machine]
    own = [cell for cell in own if cell.cell.scenario == "clean"] or own
    compare = partial(contest, added=run_set.added, noise_sd=run_set.noise_sd.get(machine))
    return _recommend(task, own, compare) if task.metrics else Recommendation("none", "", own)


def level(cells: Sequence[CellAggregate], label: str, name: str) -> float:
    """Return the mean of a measure over cells and blocks, of the logarithm for CPU time."""
    columns = [cell.entries[label].values[name] for cell in cells]
    if name == COST.name:
        columns = [np.log(np.maximum(column, 1e-12)) for column in columns]
    return float(np.mean([np.nanmean(column) for column in columns]))


def levels(cells: Sequence[CellAggregate], labels: Sequence[str], name: str) -> dict[str, float]:
    """Return the level of a measure for each of some strategies, though blocks were added to a few of them only.

    Each strategy is compared with the one that has the most blocks on the blocks that both have, so that no strategy is
    ahead because its blocks have other data.
    """
    most = max(labels, key=lambda label: sum(np.isfinite(cell.entries[label].values[name]).sum() for cell in cells))
    found = {most: level(cells, most, name)}
    for label in labels:
        if label != most:
            apart = [list(cell.differences(label, most, name).values()) for cell in cells]
            found[label] = found[most] + _mean_of_means(apart) if all(apart) else level(cells, label, name)
    return found


def _mean_of_means(parts: Sequence[Sequence[float]]) -> float:
    return float(np.mean([np.mean(part) for part in parts]))


def _recommend(task: TaskInfo, cells: Sequence[CellAggregate], compare: Callable[..., Contest]) -> Recommendation:
    metric = task.metrics[0]
    cells, finished = _finished(task, cells, metric)
    if not finished:
        return Recommendation("none", "", cells)
    against: _Compare = partial(compare, cells)
    beyond = [label for label in finished if any(_beyond(cells, label, limited) for limited in task.metrics)]
    labels = [label for label in finished if label not in beyond] or finished
    strategies = [label for label in labels if cells[0].entries[label].strategy != task.card.baseline]
    take = _choice(cells, strategies or labels, metric)
    quality_figure = Figure(metric.name, metric.direction, metric.margin)
    baseline = next((label for label in labels if label not in strategies and label != take), "")
    quality_of = _qualities(cells, labels, metric)
    best = max(strategies or labels, key=quality_of.__getitem__)
    costs = levels(cells, labels, COST.name)
    cheap = bool(baseline) and costs[baseline] <= costs[take]
    if cheap and against(baseline, best, quality_figure).not_worse:
        take = baseline
    others = [label for label in labels if label != take]
    quality = {label: against(take, label, quality_figure) for label in others}
    cost = {label: against(take, label, COST) for label in others}
    if not others:
        return Recommendation("none", take, cells)
    next_best = _choice(cells, [label for label in others if label in strategies] or others, metric)
    unbeaten = [label for label in others if take != baseline and not _beats(quality[label], cost[label])]
    deciding = [label for label in unbeaten if label in (next_best, baseline)]
    ties = [label for label in deciding if _ties(quality[label], cost[label])]
    rivals = [label for label in deciding if label not in ties]
    return Recommendation(
        state="open" if rivals else "tied" if ties else "settled",
        take=take,
        cells=cells,
        next_best=next_best,
        quality=quality,
        cost=cost,
        ties=tuple(ties),
        rivals=tuple(rivals),
        perhaps=tuple(label for label in unbeaten if label not in deciding),
        beyond=tuple(beyond) if labels != finished else (),
        all_beyond=bool(beyond) and labels == finished,
        baseline=take == baseline,
    )


def _finished(
    task: TaskInfo, cells: Sequence[CellAggregate], metric: JudgedMetric
) -> tuple[Sequence[CellAggregate], list[str]]:
    """Choose the cells to recommend over, and the strategies that were measured in them and never failed."""
    entries = [item for cell in cells for item in cell.entries.items()]
    yardsticks = {name for name, card in task.strategies.items() if card.yardstick}
    out = {label for label, entry in entries if entry.failed or entry.strategy in yardsticks}

    def counts(cell: CellAggregate, label: str) -> bool:
        return label not in out and all(
            cell.entries[label].median(name) is not None for name in (metric.name, COST.name)
        )

    return fullest(cells, counts)


def _beats(quality: Contest, cost: Contest) -> bool:
    return quality.word == "better" or (quality.not_worse and cost.word in ("better", "equal"))


def _ties(quality: Contest, cost: Contest) -> bool:
    return quality.word == "equal" and cost.word != "worse"


def _choice(cells: Sequence[CellAggregate], labels: Sequence[str], metric: JudgedMetric) -> str:
    """Choose the cheapest of the strategies whose quality is within the margin of the best one's."""
    quality = _qualities(cells, labels, metric)
    good = [label for label in labels if quality[label] >= max(quality.values()) - metric.margin]
    return min(good, key=levels(cells, good, COST.name).__getitem__)


def _qualities(cells: Sequence[CellAggregate], labels: Sequence[str], metric: JudgedMetric) -> dict[str, float]:
    sign = 1 if metric.direction == "higher" else -1
    return {label: sign * value for label, value in levels(cells, labels, metric.name).items()}


def _beyond(cells: Sequence[CellAggregate], label: str, metric: JudgedMetric) -> bool:
    """Return whether a strategy's mean over blocks is beyond the limit of a metric in some cell."""
    if metric.limit is None:
        return False
    entries = [cell.entries[label] for cell in cells]
    columns = [entry.values[metric.name] for entry in entries if entry.median(metric.name) is not None]
    sign = 1 if metric.direction == "higher" else -1
    return any(sign * float(np.nanmean(column)) < sign * metric.limit for column in columns)
