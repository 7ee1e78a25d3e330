"""Progress of a live gate on standard error: a bar in a terminal, a line a decided case elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from harness.gate.decision import Pair
from harness.gate.live.gate import Watcher
from harness.gate.live.memory import Reading
from harness.gate.live.progress import Progress, confirming_alpha

if TYPE_CHECKING:
    from rich.console import Console


class GateProgress(Watcher):
    """Shows how many cases are decided, and which one is measured.

    Attributes
    ----------
    gate
        Id of the gate, by which it is resumed; empty before measuring begins.
    """

    def __init__(self, remarks: Console) -> None:
        self.gate = ""
        self._remarks = remarks
        self._suite: Sequence[Progress] = ()
        self._decided: set[int] = set()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f} cases decided"),
            TimeElapsedColumn(),
            console=remarks,
            transient=True,
            refresh_per_second=4,
            disable=not remarks.is_terminal,
        )

    def __exit__(self, *error: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def say(self, sentence: str) -> None:
        """Print what is being prepared."""
        self._remarks.print(escape(sentence), soft_wrap=True)

    def begin(self, suite: Sequence[Progress], path: str, gate: str) -> None:
        """Start the bar."""
        self.gate = gate
        self._suite = suite
        self._remarks.print(f"gate {gate}: {len(suite)} cases, kept in {escape(path)}", soft_wrap=True)
        self._task = self._bar.add_task("", total=len(suite))
        self._bar.start()

    def measured(self, place: int, found: Pair | Reading) -> None:
        """Show how far the case is."""
        progress = self._suite[place]
        name = progress.planned.case.name
        counted = f"{len(progress.screen)} pairs" + (f" + {len(progress.confirm)}" if progress.confirm else "")
        if not progress.wants("screen", 1.0) and place not in self._decided and isinstance(found, Pair):
            self._decided.add(place)
            if self._bar.disable:
                state = "failed" if progress.failed else "flagged" if progress.flagged() else "decided"
                self._remarks.print(f"{escape(name)}: {state} after {counted}", soft_wrap=True)
        wanting = sum(bool(other.wants("confirm", confirming_alpha(self._suite))) for other in self._suite)
        self._bar.update(
            self._task,
            description=escape(f"{name}: {counted}"),
            completed=max(len(self._decided) - wanting, 0),
        )
