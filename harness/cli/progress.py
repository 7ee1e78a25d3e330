"""Progress of a run on standard error: one live line with the time left in a terminal, a line per trial elsewhere."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from rich.live import Live
from rich.text import Text

from harness.analysis.wording import duration
from harness.records import Record, Trial

if TYPE_CHECKING:
    from rich.console import Console

#: What a trial has in common with others, the most telling first: cell and strategy, task and strategy, nothing.
_Keys: TypeAlias = tuple[Hashable, ...]


class TimeLeft:
    """Forecasts how long the trials take that have not ended, from the mean of those that have.

    A trial is expected to take as long as the same strategy in the same cell took, else in the same task, else as long
    as all trials. Trials of this run count before those of earlier runs.

    Parameters
    ----------
    trials
        Trials that have not ended.
    earlier
        Records of earlier runs.
    """

    def __init__(self, trials: Iterable[Trial], earlier: Iterable[Record] = ()) -> None:
        self._left = Counter(_keys(trial) for trial in trials)
        self._now = _Means()
        self._earlier = _Means()
        for record in earlier:
            self._earlier.add(record)

    def end(self, record: Record) -> None:
        """Take a trial that has ended."""
        self._now.add(record)
        self._left[_keys(record.trial)] -= 1

    def of(self, trial: Trial) -> float | None:
        """Return the seconds that a trial is expected to take; ``None`` before any has ended."""
        return self._expected(_keys(trial))

    @property
    def seconds(self) -> float | None:
        """The seconds that all trials that have not ended are expected to take, one after the other."""
        expected = [(count, self._expected(keys)) for keys, count in self._left.items() if count]
        known = [count * each for count, each in expected if each is not None]
        return sum(known) if len(known) == len(expected) else None

    def _expected(self, keys: _Keys) -> float | None:
        means = (mean for key in keys for part in (self._now, self._earlier) if (mean := part.of(key)) is not None)
        return next(means, None)


class RunProgress:
    """Shows how far a run is.

    Parameters
    ----------
    trials
        Trials to be run.
    done
        Number of trials that had a record before.
    earlier
        Returns the records of earlier runs; called in a terminal only.
    at_once
        Number of trials that run at the same time.
    verbose
        Whether a terminal has a line for each trial too.
    clock
        Returns the time in seconds.
    """

    def __init__(
        self,
        remarks: Console,
        trials: Sequence[Trial],
        done: int,
        *,
        earlier: Callable[[], Iterable[Record]] = tuple,
        at_once: int = 1,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._remarks = remarks
        self._count, self._total = done, done + len(trials)
        self._failed = 0
        self._task = ""
        self._running_s = 0.0
        self._at_once = at_once
        self._live = remarks.is_terminal
        self._lines = verbose or not self._live
        self._clock = clock
        self._since = clock()
        self._left = TimeLeft(trials, earlier() if self._live else ())
        self._display = Live(get_renderable=self.line, console=remarks, transient=True, refresh_per_second=2)

    def __enter__(self) -> Self:
        if self._live:
            self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    def begin(self, trial: Trial) -> None:
        """Name the task of the trial that runs."""
        self._task = trial.cell.full_task
        self._running_s = self._left.of(trial) or 0.0

    def receive(self, record: Record, text: str) -> None:  # noqa: ARG002
        """Count a trial, and print a line for it where each has one."""
        self._count += 1
        self._failed += record.status not in ("ok", "skipped")
        self._left.end(record)
        self._since, self._running_s = self._clock(), 0.0
        if not self._lines:
            return
        trial = record.trial
        line = (
            f"[{self._count}/{self._total}] {record.status} {trial.label} on {trial.dataset}, {trial.scenario}, "
            f"block {trial.block}, {record.elapsed_s:.2f} s{': ' + record.reason if record.reason else ''}"
        )
        self._remarks.print(line, soft_wrap=True)

    def line(self) -> Text:
        """Return the live line: ``bandits/drifting  123 of 420 trials  about 2 min left``."""
        parts = [self._task, f"{self._count} of {self._total} trials"]
        if self._failed:
            parts[-1] += f", {self._failed} failed"
        if (left := self._left.seconds) is not None:
            # The trial that runs counts down, though not beyond what it is expected to take.
            ran = min(self._clock() - self._since, self._running_s)
            parts.append(f"about {duration(max(left - ran, 0.0) / self._at_once)} left")
        return Text("  ".join(filter(None, parts)), no_wrap=True, overflow="ellipsis")


class _Means:
    """Mean seconds of trials by what they have in common."""

    def __init__(self) -> None:
        self._sums: defaultdict[Hashable, float] = defaultdict(float)
        self._counts: Counter[Hashable] = Counter()

    def add(self, record: Record) -> None:
        for key in _keys(record.trial):
            self._sums[key] += record.elapsed_s
            self._counts[key] += 1

    def of(self, key: Hashable) -> float | None:
        return self._sums[key] / self._counts[key] if key in self._counts else None


def _keys(trial: Trial) -> _Keys:
    return (trial.cell, trial.label), (trial.cell.full_task, trial.strategy), None
