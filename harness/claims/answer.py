"""Answers: what the standings say to a question, as an interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.claims import contrasts
from harness.claims.found import Answer, Contexts
from harness.claims.order import order
from harness.claims.question import PLACES, Kind, Question, value_of
from harness.stats.cells import Cell
from harness.stats.standings import Standings

_ANSWERS: dict[Kind, Callable[[Question, Contexts], Answer]] = {
    "ratio": contrasts.compared,
    "difference": contrasts.compared,
    "growth": contrasts.compared,
    "speedup": contrasts.speedup,
    "slope": contrasts.slope,
    "crossover": contrasts.crossover,
    "order": order,
}


def answer(question: Question, standings: Sequence[Standings]) -> Answer:
    """Answer a question on the machine, and for the task, that has the most blocks for it."""
    groups: dict[tuple[str, str], Contexts] = {}
    for cell in standings:
        if question.covers(cell.cell):
            contexts = groups.setdefault((cell.machine, cell.cell.task), {})
            value = value_of(cell.cell, question.over) if question.over else None
            contexts.setdefault(_context(cell.cell, question.over), {})[value] = cell
    found = []
    for (machine, _), contexts in groups.items():
        own = _ANSWERS[question.kind](question, contexts)
        if own.interval is not None:
            found.append((own.interval.blocks, len(own.contexts), replace(own, machine=machine)))
    _, _, best = max(found, key=lambda answer: answer[:2], default=(0, 0, Answer()))
    return replace(best, machines=len({own.machine for _, _, own in found}))


def _context(cell: Cell, over: str) -> Cell:
    """Leave what varies out of a cell."""
    if over in PLACES:
        return Cell(**{**vars(cell), over: ""})
    return replace(cell, params=tuple(pair for pair in cell.params if pair[0] != over))
