"""What a run says of one task at its end: what to take, what else is fast, good or small, what is open, what failed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.analysis.advice import MEMORY, advise
from harness.analysis.leaders import Leaders
from harness.analysis.recommendation import COST, level, recommend
from harness.records import Status
from harness.report.terminal import Styled, hanging, joined
from harness.store.header import titled
from harness.text import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from harness.analysis.run_set import RunSet

MOST_TASK_LINES = 6
INDENT = 12
_MOST_NAMED = 3
_MOST_REASONS = 2
# Long enough for a package that is missing, with the command that installs it.
_LONGEST_REASON = 100
#: How a trial ended, in words; what is worst comes first.
_ENDED: Mapping[Status, str] = {
    "failed": "failed",
    "memory": "ran out of memory",
    "timeout": "timed out",
    "ok": "finished with a remark",
    "skipped": "skipped",
}


class TaskSummary:
    """One task of the runs that were read.

    Attributes
    ----------
    cells
        All cells of the task; those of the recommendation are `found.cells`.
    """

    def __init__(self, name: str, run_set: RunSet) -> None:
        self.name = name
        self.topic = name.partition("/")[0]
        self.info = run_set.task(name)
        self.cells = run_set.tasks()[name]
        self.found = recommend(self.info, self.cells, run_set)
        self.advice = advise(self.found, self.info)
        self._leaders = Leaders(self.found, self.info, run_set)

    @property
    def blocks(self) -> int:
        """Blocks of the cells that the recommendation is made from."""
        return max(len(cell.units) for cell in self.found.cells)

    @property
    def quality(self) -> str:
        """The primary metric of the strategy to take: ``AUC 0.778``."""
        return self._leaders.quality(self.found.take)

    @property
    def cpu(self) -> str:
        """CPU time of the strategy to take; over several cells, the geometric mean."""
        return wording.figure(math.exp(level(self.found.cells, self.found.take, COST.name)), "s")

    @property
    def memory(self) -> str:
        """Memory of the strategy to take, where it was measured."""
        if not self._leaders.measured(self.found.take, MEMORY):
            return wording.NONE
        return wording.figure(level(self.found.cells, self.found.take, MEMORY), "byte")

    @property
    def rivals(self) -> str:
        """The strategies that may turn out to be the one to take."""
        return wording.named([self.title(label) for label in self.found.rivals])

    @property
    def wait(self) -> str:
        """How long it is expected to take until the task is settled, or why that is not known."""
        if self.advice.seconds is not None:
            return wait(*self.advice.seconds)
        return "out of reach" if self.blocks > 1 else "more blocks"

    @property
    def _to_settle(self) -> str:
        return "settling it is out of reach" if self.advice.seconds is None else f"{self.wait} settle it"

    def title(self, label: str) -> str:
        """Return the label of a strategy as tables show it."""
        return titled(label, self.info.strategies)

    def lines(self, width: int) -> list[Text]:
        """Return the lines for the task; where they are too many, the least important ones are left out."""
        ranked = [*self._answer, ("trouble", trouble([self])), ("limit", self._limit), *self._leaders.lines]
        room = MOST_TASK_LINES - 1
        shown: dict[str, list[Text]] = {}
        for label, text in ranked:
            lines = hanging(_label(label), text, width, indent=INDENT)
            if text and (not shown or len(lines) <= room):
                shown[label] = lines
                room -= len(lines)
        order = ("take", "as good", "open", "fastest", "best", "smallest", "limit", "trouble")
        return [self._heading(width), *(line for label in order for line in shown.get(label, ()))]

    def _heading(self, width: int) -> Text:
        """Name the task, its title where there is room, and where it was measured."""
        where = f"{self._where}, {wording.count(self.blocks, 'block')}"
        title = f"{self.info.card.title}; " if self.info.card.title else ""
        full = f"{title}{where}"
        room = width - len(self.name) - 2
        return joined(Styled(self.name, "bold"), f"  {full if len(full) <= room else where}")

    @property
    def _where(self) -> str:
        cells = [cell.cell for cell in self.found.cells]
        datasets = list(dict.fromkeys(cell.dataset for cell in cells))
        scenarios = [name for name in dict.fromkeys(cell.scenario for cell in cells) if name != "clean"]
        names = ", ".join(datasets) if len(datasets) <= _MOST_NAMED else f"{len(datasets)} data sets"
        stressed = f" with {', '.join(scenarios)}" if scenarios else ""
        return f"{names}{stressed}" + (f" in {len(cells)} cells" if len(cells) > len(datasets) else "")

    @property
    def _answer(self) -> list[tuple[str, str]]:
        """What to take and what is as good, or what is open."""
        advice = self.advice
        if not advice.take:
            return [("take", "nothing finished")]
        if advice.state == "open":
            return [("open", f"{advice.open}; {self._to_settle}" if self.blocks > 1 else advice.open)]
        also = wording.named(self._leaders.of_taken)
        costs = f"{self.cpu} CPU" + (f", {self.memory}" if self.memory != wording.NONE else "")
        take = f"{advice.take}{f', the {also}' if also else ''} ({costs}): {advice.why}"
        return [("take", take), ("as good", self._as_good)]

    @property
    def _as_good(self) -> str:
        good = [] if self.found.baseline else self.found.as_good
        cost = self.found.cost[good[0]].effect if good else None
        names = wording.named([self.title(label) for label in good])
        return f"{names}, from {wording.ratio(1 / cost.estimate)} the CPU" if cost is not None else names

    @property
    def _limit(self) -> str:
        """Say which strategies are beyond the limit of a metric; it is the first remark of the advice."""
        return self.advice.remarks[0] if self.found.beyond or self.found.all_beyond else ""


def trouble(tasks: Sequence[TaskSummary]) -> str:
    """Say which trials did not finish, each reason once, and how many were disturbed; empty if there were none."""
    reasons: dict[tuple[Status, str], Counter[str]] = defaultdict(Counter)
    disturbed = trials = 0
    for task in tasks:
        of = f" of {task.name}" if len(tasks) > 1 else ""
        for label, entry in (item for cell in task.cells for item in cell.entries.items()):
            disturbed += len(entry.contaminated)
            trials += entry.statuses.total()
            for (status, reason), count in entry.troubles.items():
                reasons[status, reason][f"{task.title(label)}{of}"] += count
    worst = sorted(reasons, key=lambda key: list(_ENDED).index(key[0]))
    most = _MOST_NAMED if len(tasks) == 1 else 1
    parts = [_ended(status, reason, reasons[status, reason], most) for status, reason in worst[:_MOST_REASONS]]
    if more := len(worst) - len(parts):
        parts.append(f"{more} more reason{'' if more == 1 else 's'}")
    if disturbed:
        parts.append(f"{disturbed:,} of {wording.count(trials, 'trial')} ran beside other work")
    return "; ".join(parts)


def wait(low: float, high: float) -> str:
    """Write how long something is expected to take: ``about 40 s``, ``2 to 3 min``, ``40 s to 3 min``."""
    least, most = wording.duration(low), wording.duration(high)
    unit = most.partition(" ")[2]
    return f"about {least}" if least == most else f"{least.removesuffix(f' {unit}')} to {most}"


def _ended(status: Status, reason: str, who: Mapping[str, int], most: int) -> str:
    trials = "" if status == "skipped" else f" in {wording.count(sum(who.values()), 'trial')}"
    return f"{wording.named(list(who), most=most)} {_ENDED[status]}{trials}: {one_line(reason, _LONGEST_REASON)}"


def _label(label: str) -> Styled:
    return Styled(f"  {label}", {"open": "yellow", "trouble": "red"}.get(label, "bold"))
