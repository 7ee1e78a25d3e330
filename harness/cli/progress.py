"""Progress of a run on standard error: a bar in a terminal, a line for each trial elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from harness.records import Record, Trial

if TYPE_CHECKING:
    from rich.console import Console


class RunProgress:
    """Shows how far a run is.

    Parameters
    ----------
    total
        Number of planned trials.
    done
        Number of trials that had a record before.
    """

    def __init__(self, remarks: Console, total: int, done: int) -> None:
        self._remarks = remarks
        self._total = total
        self._count = done
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=remarks,
            transient=True,
            refresh_per_second=4,
            disable=not remarks.is_terminal,
        )
        self._task = self._bar.add_task("", total=self._total, completed=self._count)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, trial: Trial) -> None:
        """Name the trial that runs."""
        self._bar.update(self._task, description=escape(f"{trial.label} on {trial.dataset}, {trial.scenario}"))

    def receive(self, record: Record, text: str) -> None:  # noqa: ARG002
        """Count a trial, and print a line for it where there is no bar, or when it failed."""
        self._count += 1
        self._bar.update(self._task, completed=self._count)
        if record.status in ("ok", "skipped") and self._remarks.is_terminal:
            return
        trial = record.trial
        line = (
            f"[{self._count}/{self._total}] {record.status} {trial.label} on {trial.dataset}, {trial.scenario}, "
            f"block {trial.block}, {record.elapsed_s:.2f} s{': ' + record.reason if record.reason else ''}"
        )
        self._remarks.print(line, soft_wrap=True)
