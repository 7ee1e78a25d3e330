"""The answer to a question of a claim, and the choice of the cells and blocks that it is computed from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from harness.analysis.aggregates import CellAggregate, RunBlock
from harness.declare.questions import Question
from harness.records import Cell, Scalar
from harness.stats.paired import Interval

Key = TypeVar("Key")
Member = TypeVar("Member")
#: Cell without the parameter that varies to the cells that differ only in this parameter, by its value.
Contexts: TypeAlias = dict[Cell, dict[Scalar | None, CellAggregate]]


@dataclass(frozen=True)
class Answer:
    """The estimate of one machine; `interval` is ``None`` if nothing matched.

    Attributes
    ----------
    interval
        Estimate and interval over the blocks in which everything asked for was measured.
    p
        Function from a bound to the two-sided p that the bound is the true value.
    contexts, units
        The cells that were averaged over, without the parameter that varies, and the blocks.
    left
        Number of further cells that match, but were measured in other blocks.
    values, labels
        Values of the parameter that varies, and the strategies of an order.
    noise
        Standard deviation that noise alone gives to the answer of one block, as a multiple of that of the log-ratio of
        two equal trials; NaN if the noise of times does not apply.
    steep
        For a crossover, the slope of the ratio of the two costs.
    machine, machines
        The machine of the answer, and the number of machines that have one.
    """

    interval: Interval | None = None
    p: Callable[[float], float] = lambda _bound: math.nan
    contexts: tuple[Cell, ...] = ()
    units: tuple[RunBlock, ...] = ()
    left: int = 0
    values: tuple[Scalar, ...] = ()
    labels: tuple[str, ...] = ()
    noise: float = math.nan
    steep: Interval | None = None
    machine: str = ""
    machines: int = 0


def fullest(holders: Mapping[Key, Collection[Member]], least: int = 1) -> tuple[list[Key], list[Member]]:
    """Choose keys and members so that every chosen key has every chosen member, with as many pairs as possible.

    The choice depends on what was measured, never on the figures. Two members are preferred to one, which would give
    no interval.

    Parameters
    ----------
    least
        Fewest keys to choose.
    """
    owners: dict[Member, set[Key]] = {}
    for key, members in holders.items():
        for member in members:
            owners.setdefault(member, set()).add(key)
    patterns = Counter(frozenset(keys) for keys in owners.values())

    def worth(pattern: frozenset[Key]) -> tuple[bool, int, int]:
        count = sum(number for other, number in patterns.items() if pattern <= other)
        return count > 1, count * len(pattern), len(pattern)

    best = max((pattern for pattern in patterns if len(pattern) >= least), key=worth, default=None)
    if best is None:
        return [], []
    return [key for key in holders if key in best], [member for member, keys in owners.items() if best <= keys]


def cases_in(
    cell: CellAggregate, label: str, question: Question, units: Sequence[RunBlock]
) -> npt.NDArray[np.float64] | None:
    """Return the cases of a strategy's rate in some blocks of a cell; ``None`` if the measure is not a rate there."""
    cases = cell.entries[label].cases.get(question.measure)
    if cases is None:
        return None
    places = {unit: index for index, unit in enumerate(cell.units)}
    found = cases[[places[unit] for unit in units]]
    return None if np.isnan(found).any() else found


def numbers(cell: CellAggregate | None, label: str, question: Question) -> dict[RunBlock, float]:
    """Return the values of a strategy in the blocks of a cell, as logarithms if the question asks for them."""
    entry = None if cell is None else cell.entries.get(label)
    values = None if entry is None else entry.values.get(question.measure)
    if cell is None or values is None:
        return {}
    if question.in_logs:
        values = np.log(np.where(values > 0, values, np.nan))
    return {cell.units[index]: float(values[index]) for index in np.flatnonzero(np.isfinite(values))}
