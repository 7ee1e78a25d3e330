"""Whether a run that adds blocks to another one is of one session with it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harness.analysis import wording
from harness.analysis.aggregates import CellAggregate, Groups, time_of
from harness.stats.paired import one_session
from harness.store.header import Header


def session_remarks(headers: Sequence[Header], cells: Sequence[CellAggregate]) -> Iterator[str]:
    """Say of each run that adds blocks to another one of these whether their times count as one session.

    Parameters
    ----------
    cells
        The cells of all runs.
    """
    runs = {header.run for header in headers}
    for header in headers:
        if header.parent not in runs:
            continue
        adds = f"Run {header.run} adds blocks to run {header.parent}"
        if not header.session:
            yield f"{adds}; it began over an hour after the blocks before, so their times count as two sessions."
            continue
        own = [differs for cell in cells for differs in _differing(cell, header.run)]
        apart = f"; {sum(own)} of {wording.count(len(own), 'ratio')} differ by an F test at 5 %, and count as two"
        yield f"{adds}; their times count as one session{apart if any(own) else ''}."


def _differing(cell: CellAggregate, run: str) -> Iterator[bool]:
    """Say of each ratio of times to the strategy with the most blocks whether it differs in a run from its session."""
    name = time_of([cell])
    measured = {label: entry.values[name] for label, entry in cell.entries.items() if name in entry.values}
    to = max(measured, key=lambda label: np.isfinite(measured[label]).sum(), default="")
    for label in measured:
        apart = cell.differences(label, to, name)
        if label == to or not any(unit.run == run for unit in apart) or len({unit.run for unit in apart}) < 2:
            continue
        groups = Groups.of(list(apart))
        members = one_session(np.array(list(apart.values())), groups.runs, groups.sessions)
        of_run = np.array([unit.run == run for unit in apart])
        yield bool(np.all(members[of_run] == groups.runs[of_run]))
