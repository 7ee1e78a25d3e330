"""A recommendation in words: what to take and why, what else is as good, and what is not settled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, effect, measurable
from harness.analysis.recommendation import Recommendation, level
from harness.analysis.run_set import TaskInfo
from harness.errors import some
from harness.stats.paired import Interval
from harness.store.header import JudgedMetric, titled

MEMORY = "peak_bytes"


@dataclass(frozen=True)
class Advice:
    """What a table, a page or a terminal says about which strategy of a task to take.

    Attributes
    ----------
    state
        That of `harness.analysis.recommendation.Recommendation`.
    take
        Title of the strategy to take, of those that tie, or of the one that leads.
    why
        Why it is taken, against the next best strategy, or which one does as well; empty while it is open.
    as_good
        What else is as good, with its price; empty if nothing is.
    open
        What is not settled; empty if all is.
    seconds
        The least and the most seconds of measuring that are expected to settle it; ``None`` if that is not known.
    remarks
        What a reader has to know of the strategy: limits, departures from the common budget, disturbed trials.
    """

    state: str
    take: str
    why: str = ""
    as_good: str = ""
    open: str = ""
    seconds: tuple[float, float] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return "; ".join(filter(None, (self.why, self.as_good, self.open, *self.remarks)))


def advise(found: Recommendation, task: TaskInfo) -> Advice:
    """Write a recommendation.

    Parameters
    ----------
    task
        The task that it is made for.
    """
    words = _Words(found, task)
    take = " or ".join(map(words.title, (found.take, *found.ties) if found.state == "tied" else (found.take,)))
    if found.state == "none":
        return Advice("none", take, why="the only strategy that finished" if take else "")
    remarks = tuple(words.remarks())
    if found.state != "open":
        return Advice(found.state, take, words.why(), words.as_good(), remarks=remarks)
    return Advice("open", take, open=words.undecided(), seconds=seconds(found, found.rivals), remarks=remarks)


def seconds(found: Recommendation, rivals: Sequence[str]) -> tuple[float, float] | None:
    """Forecast the seconds that settle whether to take some rivals: those of the blocks that the slowest one needs.

    Returns
    -------
    tuple of float or None
        The least and the most seconds; ``None`` if some rival cannot be settled.
    """
    ranges = [found.needed(rival) for rival in rivals]
    known = [blocks for blocks in ranges if blocks is not None]
    if not known or len(known) < len(ranges):
        return None
    have = min(found.blocks(rival) for rival in rivals)
    low, high = (max(blocks[end] for blocks in known) for end in (0, 1))
    of_block = block_seconds(found, rivals)
    return (low - have) * of_block, (high - have) * of_block


def block_seconds(found: Recommendation, rivals: Sequence[str]) -> float:
    """Forecast the seconds of a block of the strategy to take and some rivals, in all cells of the recommendation."""
    return sum(_seconds(cell, label) for cell in found.cells for label in (found.take, *rivals))


def _seconds(cell: CellAggregate, label: str) -> float:
    entry = cell.entries[label]
    return entry.elapsed_s / max(1, entry.statuses.total())


@dataclass(frozen=True)
class _Words:
    found: Recommendation
    task: TaskInfo

    @property
    def metric(self) -> JudgedMetric:
        return self.task.metrics[0]

    @property
    def quality(self) -> str:
        return wording.spoken(self.metric.name)

    def title(self, label: str) -> str:
        return titled(label, self.task.strategies)

    def why(self) -> str:
        """Say why the strategy is taken instead of the next best one, and at what price."""
        found = self.found
        if found.ties:
            return self._tie()
        other = self.title(found.next_best)
        quality, cost = found.quality[found.next_best], found.cost[found.next_best]
        if found.baseline:
            margin = f", by its margin of {self.metric.margin:g}" if self.metric.margin else ""
            return f"it is the baseline, and no strategy has a better {self.quality}{margin}"
        if quality.word == "better":
            return f"{self.level()}, {self._apart(quality.effect, other)}{self._price(cost.effect)}"
        same = "equal" if quality.word == "equal" else "no worse"
        if cost.word == "equal":
            return f"{self.quality} {same} to that of {other} at equal CPU: {self.value(found.take)}"
        return f"{_ratio(cost.effect, 'CPU', other)} at {same} {self.quality} ({self.value(found.take)})"

    def _tie(self) -> str:
        """Say that the strategies that tie do equally well."""
        found = self.found
        same, cost = found.quality[found.ties[0]].effect, found.cost[found.ties[0]].effect
        within = f"within {self.metric.margin:g}"
        if same is not None and same.same:
            within = f"in all {wording.count(same.blocks, 'block')}"
        equal = f"equal {self.quality} ({self.value(found.take)}, {within})"
        if cost is None:
            return equal
        ratio = f"{wording.effect(cost.plain(), cost=True)} {wording.interval(cost.plain(), cost=True)}".strip()
        if cost.excludes(1.0):  # at 95 %, while what is settled has to hold at the level of its look
            return f"{equal}, and the difference in CPU time is not settled ({ratio})"
        return f"{equal}, and no difference in CPU time is shown ({ratio})"

    def as_good(self) -> str:
        """Name what is as good in quality, with its price, and what may be."""
        found = self.found
        if found.baseline:
            return ""
        good = [
            f"{self.title(label)} ({self._cost_of(label)})" for label in found.as_good if label not in found.perhaps
        ]
        perhaps = [self.title(label) for label in found.perhaps]
        return "; ".join(
            f"{word}: {some(names)}" for word, names in (("as good", good), ("perhaps as good", perhaps)) if names
        )

    def undecided(self) -> str:
        """Say what is not settled, and why, and what else may be as good."""
        found = self.found
        also = f"; perhaps as good: {some([self.title(label) for label in found.perhaps])}" if found.perhaps else ""
        return f"{self._why_open()}{also}"

    def _why_open(self) -> str:
        found = self.found
        rivals = some([self.title(label) for label in found.rivals])
        first = found.quality[found.rivals[0]].effect
        blocks = first.blocks if first is not None else 0
        if blocks < 2:
            return f"{self.title(found.take)} leads in one block, which says nothing of chance: {rivals} may be better"
        if first is not None and first.same and first.estimate:
            same = f"its {self.quality} differs from that of {rivals} by the same in all {blocks} blocks"
            return f"{self.title(found.take)} leads; {same}, so nothing is known of chance"
        return f"{self.title(found.take)} leads; {wording.count(blocks, 'block')} do not tell it apart from {rivals}"

    def remarks(self) -> list[str]:
        """Say what a reader has to know of the strategy."""
        found, said = self.found, []
        limits = [metric for metric in self.task.metrics if metric.limit is not None]
        named = " or ".join(f"{wording.spoken(metric.name)} {metric.limit:g}" for metric in limits)
        if found.beyond:
            said.append(f"left out beyond {named}: {', '.join(map(self.title, found.beyond))}")
        if found.all_beyond:
            said.append(f"all strategies are beyond {named}")
        entry = found.cells[0].entries[found.take]
        card = self.task.strategies.get(entry.strategy)
        if card is not None and card.note:
            said.append(f"{self.title(found.take)}: {card.note}")
        disturbed = sum(len(cell.entries[found.take].contaminated) for cell in found.cells)
        trials = sum(cell.entries[found.take].statuses.total() for cell in found.cells)
        if 2 * disturbed > trials:
            said.append(f"{disturbed} of its {wording.count(trials, 'trial')} were disturbed by other work")
        return said

    def level(self) -> str:
        """Write the quality of the strategy to take: ``AUC of 0.778``."""
        return f"{self.quality} of {self.value(self.found.take)}"

    def value(self, label: str) -> str:
        return wording.figure(level(self.found.cells, label, self.metric.name), self.metric.unit)

    def _apart(self, effect_: Interval | None, other: str) -> str:
        """Write a difference in quality without its sign: ``16 lower than moss [14, 18]``."""
        if effect_ is None:
            return ""
        plain = effect_.plain()
        if effect_.estimate < 0:
            low, high = plain["low"], plain["high"]
            plain = {**plain, "estimate": -effect_.estimate, "low": high and -high, "high": low and -low}
        size = wording.effect(plain, cost=False, signed=False)
        word = "higher" if effect_.estimate > 0 else "lower"
        return f"{size} {word} than {other} {wording.interval(plain, cost=False, signed=False)}".strip()

    def _price(self, cost: Interval | None) -> str:
        """Write what better quality costs: ``, with 2.1x more CPU [2.0, 2.2]``."""
        parts = [_ratio(cost, "CPU")]
        memory = self._memory(self.found.next_best)
        parts += [_ratio(memory, "memory")] if memory is not None else []
        return f", with {' and '.join(parts)}"

    def _cost_of(self, label: str) -> str:
        """Write the costs of a strategy in terms of those of the one to take: ``1.2x the CPU, 0.76x the memory``."""
        cost = self.found.cost[label].effect
        parts = [f"{wording.ratio(1 / cost.estimate)} the CPU"] if cost is not None else []
        memory = self._memory(label)
        parts += [f"{wording.ratio(1 / memory.estimate)} the memory"] if memory is not None else []
        return ", ".join(parts)

    def _memory(self, label: str) -> Interval | None:
        """Return the ratio of the memory of the strategy to take to that of another, where it can be measured."""
        found = self.found
        if not measurable(found.cells, [found.take, label], MEMORY):
            return None
        return effect(found.cells, found.take, label, MEMORY)


def _ratio(ratio: Interval | None, what: str, other: str = "") -> str:
    """Write a ratio, inverted if it is below one: ``5.9x less CPU than xgboost-exact [5.6, 6.3]``."""
    than = f" than {other}" if other else ""
    if ratio is None:
        return f"unknown {what}"
    if ratio.equal(1.0) or (ratio.known and not ratio.excludes(1.0)):
        return f"tied {what}"
    less = ratio.estimate < 1
    turned = [1 / value if less else value for value in (ratio.estimate, ratio.low, ratio.high)]
    if _three(turned[0]) == "1":
        return f"equal {what}"
    low, high = sorted(turned[1:]) if ratio.known else (math.nan, math.nan)
    interval = f" [{_three(low)}, {_three(high)}]" if ratio.known else ""
    return f"{_three(turned[0])}x {'less' if less else 'more'} {what}{than}{interval}"


def _three(value: float) -> str:
    """Write a number with three digits, or all of its whole ones."""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"
