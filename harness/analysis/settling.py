"""Which blocks settle the open recommendations of a run: what can be settled, how long it takes, and what comes first.

Blocks are added to a task until its next look (`harness.analysis.settled`), then it is judged again. An added block has
the strategy that leads, and the rivals that more blocks are expected to tell apart from it, in the cells that the
recommendation is made from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.advice import Advice, advise, block_seconds, seconds
from harness.analysis.aggregates import aggregate, in_sessions
from harness.analysis.recommendation import Recommendation, recommend
from harness.analysis.run_set import RunSet, TaskInfo, sessions_of
from harness.records import Record, Trial
from harness.store.header import Header
from harness.store.noise import StoredNoise


@dataclass(frozen=True)
class Standing:
    """What is settled of a task.

    Attributes
    ----------
    rivals
        The rivals of an open recommendation that more blocks are expected to settle.
    left_out
        Those that too many blocks would be needed for, or of whose spread nothing is known.
    """

    info: TaskInfo
    found: Recommendation
    rivals: tuple[str, ...]
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, info: TaskInfo, found: Recommendation) -> Standing:
        """Divide the rivals of a recommendation."""
        rivals = tuple(rival for rival in found.rivals if _can_settle(found, rival))
        return cls(info, found, rivals, tuple(rival for rival in found.rivals if rival not in rivals))

    @property
    def name(self) -> str:
        """The task, ``topic/task``."""
        return self.info.card.name

    @property
    def advice(self) -> Advice:
        """The recommendation in words."""
        return advise(self.found, self.info)

    @property
    def missing(self) -> int:
        """Number of blocks until the next look."""
        return min(self.found.quality[rival].next_look - self.found.blocks(rival) for rival in self.rivals)

    @property
    def block_s(self) -> float:
        """Expected seconds of a block."""
        return block_seconds(self.found, self.rivals)

    @property
    def seconds(self) -> tuple[float, float] | None:
        """The least and the most seconds that are expected to settle the rivals; ``None`` if one block is all."""
        return seconds(self.found, self.rivals)

    @property
    def least_s(self) -> float:
        """The least seconds that are expected to settle the rivals, or to reach the next look if that is not known."""
        return self.seconds[0] if self.seconds else self.missing * self.block_s

    @property
    def rank(self) -> tuple[bool, float]:
        """What can be settled as a whole comes first, then what takes less time."""
        return bool(self.left_out), self.least_s


class Settling:
    """The standing of each task of a run, while blocks are added to it.

    Parameters
    ----------
    runs
        The run, and those that added blocks to it.
    tasks
        The tasks to settle, as ``topic/task``; empty for all.
    """

    def __init__(
        self,
        runs: Sequence[tuple[Header, Sequence[Record]]],
        noise: Mapping[str, StoredNoise],
        tasks: Collection[str] = (),
    ) -> None:
        self._noise = noise
        self._headers = [header for header, _ in runs]
        self._records: dict[str, list[list[Record]]] = {}
        for place, (_, records) in enumerate(runs):
            for record in records:
                if not tasks or _task(record.trial) in tasks:
                    self._of(record.trial)[place].append(record)
        self.standings = {name: made for name in self._records if (made := self._judged(name)).found.state != "none"}

    @property
    def open(self) -> list[Standing]:
        """The tasks that more blocks are expected to settle, those that decide most for their time first."""
        return sorted((own for own in self.standings.values() if own.rivals), key=lambda own: own.rank)

    def next(self, left_s: float) -> Standing | None:
        """Return the first task whose next look is expected to fit into the seconds that are left."""
        return next((own for own in self.open if own.missing * own.block_s <= left_s), None)

    def trials(self, standing: Standing) -> list[Trial]:
        """Return a trial of each strategy that an added block of a task has, in each of its cells."""
        cells = {aggregates.cell for aggregates in standing.found.cells}
        labels = {standing.found.take, *standing.rivals}
        first = self._records[standing.name][0]
        chosen = {(trial.cell, trial.label): trial for trial in (record.trial for record in first)}
        return [trial for (cell, label), trial in chosen.items() if cell in cells and label in labels]

    def next_block(self, standing: Standing) -> int:
        """Return the number of the next block of a task."""
        return 1 + max(record.trial.block for records in self._records[standing.name] for record in records)

    def begin(self, header: Header) -> None:
        """Begin a run that adds blocks."""
        self._headers.append(header)
        for parts in self._records.values():
            parts.append([])

    def add(self, record: Record) -> None:
        """Add a record of the last run that has begun."""
        self._of(record.trial)[-1].append(record)

    def judge(self, name: str) -> Standing:
        """Judge a task again, at a look."""
        self.standings[name] = self._judged(name)
        return self.standings[name]

    def _of(self, trial: Trial) -> list[list[Record]]:
        return self._records.setdefault(_task(trial), [[] for _ in self._headers])

    def _judged(self, name: str) -> Standing:
        parts = zip(self._headers, self._records[name], strict=True)
        cells = aggregate((header.run, header.machine.name, records) for header, records in parts)
        run_set = RunSet(self._headers, [], in_sessions(cells, sessions_of(self._headers)), self._noise)
        info = run_set.task(name)
        return Standing.of(info, recommend(info, run_set.tasks()[name], run_set))


def _task(trial: Trial) -> str:
    return f"{trial.topic}/{trial.task}"


def _can_settle(found: Recommendation, rival: str) -> bool:
    """Return whether more blocks are expected to settle a rival; of a single block that is not known."""
    return found.quality[rival].next_look > 0 and (found.blocks(rival) < 2 or found.needed(rival) is not None)
