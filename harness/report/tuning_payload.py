"""Which options of which strategies were measured at several values, all else at its default."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from harness.stats.standings import Entry, Standings
from harness.store.header import StrategyCard
from harness.trial import Scalar

Plain: TypeAlias = dict[str, Any]

_LEAST = 3


def tuning(cells: Sequence[Standings], names: Mapping[str, int], strategies: Mapping[str, StrategyCard]) -> list[Plain]:
    """List, cell by cell, the options of which at least three numbers were measured.

    Parameters
    ----------
    names
        Label of a strategy with its options to its place on the page, in the order in which it is shown.
    strategies
        Name of a strategy to what is known of it: an option that was not set has its default.

    Returns
    -------
    list of dict
        ``cell`` (its place), ``strategy`` (name), ``option``, ``default`` (``None`` where it is not a number or not
        known) and ``members``: pairs of a value and the place of the strategy that has it, by value.
    """
    return [
        {"cell": index, "strategy": strategy, "option": option, "default": default, "members": members}
        for index, cell in enumerate(cells)
        for strategy in dict.fromkeys(cell.entries[label].strategy for label in names if label in cell.entries)
        for option, default, members in _options(strategy, cell, names, _defaults(strategies.get(strategy)))
    ]


def _defaults(card: StrategyCard | None) -> Mapping[str, Scalar]:
    return card.options if card else {}


def _options(
    strategy: str, cell: Standings, names: Mapping[str, int], defaults: Mapping[str, Scalar]
) -> Iterator[tuple[str, float | None, list[tuple[float, int]]]]:
    own = {label: entry for label, entry in cell.entries.items() if entry.strategy == strategy and entry.statuses["ok"]}
    for option in dict.fromkeys(name for entry in own.values() for name in entry.options):
        members: dict[float, int] = {}
        for label in names:
            value = _value(own[label], option, defaults) if label in own else None
            if value is not None:
                members.setdefault(value, names[label])
        if len(members) >= _LEAST:
            yield option, _number(defaults.get(option)), sorted(members.items())


def _value(entry: Entry, option: str, defaults: Mapping[str, Scalar]) -> float | None:
    """Return a strategy's value of an option when no other was set; ``None`` unless it is a number."""
    others = (name for name, value in entry.options.items() if name != option and value != defaults.get(name))
    return None if any(others) else _number(entry.options.get(option, defaults.get(option)))


def _number(value: Scalar | None) -> float | None:
    if isinstance(value, bool | str) or value is None or not math.isfinite(value):
        return None
    return value
