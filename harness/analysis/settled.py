"""When measurements settle which of two strategies is better on one figure, though blocks are added until they do.

A test that is repeated as blocks are added finds a difference by chance sooner or later. So there are few looks, and
they share the 5 %. The first look, at the blocks of the first run, has half of it. Each later look has twice the blocks
of the one before, and half of its level. With 3 blocks at first::

    blocks    3        6         12         24
    level     0.025    0.0125    0.00625    0.003125

The levels add up to less than 5 %, whatever the looks have in common (Bonferroni), so at most 5 % of the pairs of
equal strategies are ever settled as different. What a look has settled stays settled. Blocks beyond the last look count
in the plain intervals of 95 % only, until there are enough for the next one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from scipy.special import chdtri, stdtrit

from harness.analysis.aggregates import CellAggregate, RunBlock, effect
from harness.analysis.verdicts import ALPHA, noise_floor
from harness.records import is_cost, is_time
from harness.stats.paired import Interval, at_level

#: ``equal``: a difference larger than the margin is excluded; ``open``: nothing is settled.
Word: TypeAlias = Literal["better", "worse", "equal", "open"]

Goal: TypeAlias = Literal["better", "not worse", "equal", "settled"]

FIRST_LEVEL = ALPHA / 2
#: No more blocks than these are forecast.
MOST_BLOCKS = 400
_TAIL = 0.1


class Figure(NamedTuple):
    """What two strategies are compared on.

    Attributes
    ----------
    margin
        Difference that makes no difference; for a cost, as a share.
    """

    name: str
    better: Literal["higher", "lower"]
    margin: float

    @property
    def cost(self) -> bool:
        """Whether it is compared as a ratio."""
        return is_cost(self.name)


@dataclass(frozen=True)
class Contest:
    """One strategy against another on one figure.

    Attributes
    ----------
    effect
        The 95 % interval over all blocks that both have; ``None`` if there is none.
    word
        What the looks have settled of strategy `of`.
    not_worse
        Whether a look has excluded that `of` is worse by more than the margin.
    first
        Blocks of the first look.
    overlap
        See `harness.stats.paired.mean`.
    """

    of: str
    to: str
    figure: Figure
    effect: Interval | None
    word: Word
    not_worse: bool
    first: int
    overlap: float = 0.0

    @property
    def advantage(self) -> float:
        """By how much `of` is better, in logarithms for a cost; NaN if that was not measured."""
        if self.effect is None:
            return math.nan
        sign = 1 if self.figure.better == "higher" else -1
        return sign * _plain(self.effect).estimate

    @property
    def next_look(self) -> int:
        """The number of blocks at the first look that the two have not had."""
        blocks = 0 if self.effect is None else self.effect.blocks
        return next((count for count, _ in _looks(self.first, 2 * max(blocks, 1)) if count > blocks), 0)

    def needed(self, goal: Goal) -> tuple[int, int] | None:
        """Forecast how many blocks the look has that settles it: a range, because the spread of few is a guess.

        The estimates are taken for the truth, and the spread from an 80 % interval.

        Parameters
        ----------
        goal
            What the look is to show: that `of` is better, that it is not worse by more than the margin, that the two
            are equal within it, or anything.

        Returns
        -------
        tuple of int or None
            ``None`` if even the smaller spread needs too many blocks, or nothing is known of it.
        """
        if self.effect is None or not self.effect.known or math.isnan(self.effect.df):
            return None
        margin = _margin(self.figure)
        apart = abs(self.advantage)
        room = {
            "better": self.advantage,
            "not worse": margin + self.advantage,
            "equal": margin - apart,
            "settled": max(apart, margin - apart),
        }[goal]
        df = self.effect.df
        low, high = (self._blocks(room, math.sqrt(df / float(chdtri(df, tail)))) for tail in (_TAIL, 1 - _TAIL))
        return None if low is None else (low, high or MOST_BLOCKS)

    def _blocks(self, room: float, factor: float) -> int | None:
        """Return the blocks of the first look whose interval has a half-width below `room`, in logarithms for a cost.

        Parameters
        ----------
        factor
            How many times the spread is larger than estimated.
        """
        if self.effect is None:
            return None
        own, blocks = _plain(self.effect), self.effect.blocks
        estimated = (own.high - own.low) / 2 / float(stdtrit(own.df, 1 - ALPHA / 2))
        spread = factor * estimated / math.sqrt(1 / blocks + self.overlap)
        for count, level in _looks(self.first, MOST_BLOCKS):
            half = float(stdtrit(count - 1, 1 - level / 2)) * spread * math.sqrt(1 / count + self.overlap)
            if count > blocks and half < room:
                return count
        return None


def contest(
    cells: Sequence[CellAggregate],
    of: str,
    to: str,
    figure: Figure,
    *,
    added: Collection[str] = (),
    noise_sd: float | None = None,
) -> Contest:
    """Compare two strategies on a figure, and say what the looks so far have settled.

    Parameters
    ----------
    cells
        Cells of one machine, over which the effect is averaged.
    added
        Runs that only added blocks to the others; the blocks of the others are the first look.
    noise_sd
        Standard deviation of the log-ratio of the times of two equal trials on the machine.
    """
    units = _common_units(cells, of, to, figure.name, added)
    first = sum(unit.run not in added for unit in units)
    whole = effect(cells, of, to, figure.name)
    word: Word = "open"
    not_worse = False
    for count, level in _looks(first, len(units)):
        seen = whole
        if count < len(units):
            seen = effect([cell.only(set(units[:count])) for cell in cells], of, to, figure.name)
        word = _word(seen, figure, level, noise_sd) if word == "open" else word
        not_worse = not_worse or word in ("better", "equal") or _excludes_loss(seen, figure, level)
    overlap = 0.0 if figure.cost else max(cell.overlap for cell in cells)
    return Contest(of, to, figure, whole, word, not_worse, first, overlap)


def _looks(first: int, most: int) -> Iterator[tuple[int, float]]:
    """Yield the blocks and the level of each look up to a number of blocks; one block settles nothing."""
    count, level = first, FIRST_LEVEL
    while 0 < count <= most:
        if count > 1:
            yield count, level
        count, level = 2 * count, level / 2


def _common_units(
    cells: Sequence[CellAggregate], of: str, to: str, name: str, added: Collection[str]
) -> list[RunBlock]:
    """List the units that both strategies have in all cells, those of the first look first."""
    parts = [part for cell in cells if (part := cell.differences(of, to, name))]
    common = [unit for unit in parts[0] if all(unit in part for part in parts)] if parts else []
    return sorted(common, key=lambda unit: unit.run in added)


def _word(seen: Interval | None, figure: Figure, level: float, noise_sd: float | None) -> Word:
    none = 1.0 if figure.cost else 0.0
    if seen is not None and seen.equal(none):
        return "equal"
    if seen is None or not seen.known:
        return "open"
    own = _plain(at_level(seen, level))
    margin = _margin(figure)
    if -margin <= own.low and own.high <= margin:
        return "equal"
    floor = noise_floor(noise_sd, own.blocks) if noise_sd is not None and is_time(figure.name) else 0.0
    if not own.excludes(0.0) or abs(own.estimate) < floor:
        return "open"
    return "better" if (own.estimate > 0) == (figure.better == "higher") else "worse"


def _excludes_loss(seen: Interval | None, figure: Figure, level: float) -> bool:
    """Return whether a loss of more than the margin is excluded."""
    if seen is None or not seen.known:
        return False
    own = _plain(at_level(seen, level))
    worst = own.low if figure.better == "higher" else -own.high
    return worst >= -_margin(figure)


def _plain(interval: Interval) -> Interval:
    """Return a ratio in logarithms, and a difference as it is."""
    return interval.logarithm() if interval.log else interval


def _margin(figure: Figure) -> float:
    return math.log1p(figure.margin) if figure.cost else figure.margin
