"""Rankings: the best items of each user by their scores, without those that the user has already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types

from harness.topics.recommendation.engine.feedback import Matrix, Ranking, Score, Visible

#: Scores that are in memory at a time: 32 MiB. More make matrix products no faster.
SCORES = 8 * 2**20
_BLOCK = 64

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int64]


def batches(users: int, items: int) -> Iterator[tuple[int, int]]:
    """Go through the users in batches whose scores are at most `SCORES`, or those of one user."""
    size = max(1, SCORES // max(items, 1))
    for start in range(0, users, size):
        yield start, min(start + size, users)


def rank(data: Visible, score: Score) -> Ranking:
    """Rank the items that each test user does not have yet, or the candidates where there are some.

    Of equal scores, the item of the smaller number comes first. An item whose score is NaN or minus infinity is not
    recommended.

    Parameters
    ----------
    score
        See `Score`; it is called for one batch of users after the other, so that memory is bounded by `SCORES`.

    Returns
    -------
    numpy.ndarray
        Items from the best on, int32, shape (test users, k); -1 where fewer items are left.
    """
    best = np.full((data.users, data.k), -1, dtype=np.int32)
    for start, stop in batches(data.users, data.items):
        scores = np.ascontiguousarray(score(start, stop), dtype=np.float32)
        if not scores.flags.writeable:
            scores = scores.copy()
        ends, items = known(data.history, start, stop)
        if data.candidates is None:
            _rank_all(scores, ends, items, best[start:stop])
        else:
            among = np.ascontiguousarray(data.candidates[start:stop])
            _rank_among(scores, ends, items, among, best[start:stop])
    return best


def known(history: Matrix, start: int, stop: int) -> tuple[Ends, Ints]:
    """Return where the rows from `start` to `stop` begin and end, and their items."""
    ends = history.indptr[start : stop + 1].astype(np.int64)
    return ends - ends[0], history.indices[ends[0] : ends[-1]].astype(np.int32, copy=False)


def _array(dtype: Any, dimensions: int, *, readonly: bool = False) -> Any:
    return types.Array(dtype, dimensions, "C", readonly=readonly)


_ENDS = _array(types.int64, 1)
_ITEMS = _array(types.int32, 1, readonly=True)
_SCORES, _BEST = _array(types.float32, 2), _array(types.int32, 2)


@njit(inline="always")
def _insert(values: Floats, best: Ints, item: int, score: float) -> None:
    """Put an item in its place among the best, after those with the same score and a smaller number."""
    at = len(best) - 1
    while at > 0 and (score > values[at - 1] or (score == values[at - 1] and item < best[at - 1])):
        values[at], best[at] = values[at - 1], best[at - 1]
        at -= 1
    values[at], best[at] = score, item


# With signatures, compiled functions are loaded when this module is imported, before a trial begins.
@njit(types.void(_SCORES, _ENDS, _ITEMS, _BEST), cache=True)
def _rank_all(scores: Floats, ends: Ends, items: Ints, best: Ints) -> None:
    """Rank all items but the known ones, whose scores become minus infinity.

    A block of items is looked at one by one only if it has a score above the least one of the best: that test is
    compiled to vector instructions, and fails for nearly all blocks.
    """
    k = best.shape[1]
    values = np.empty(k, dtype=np.float32)
    for user in range(scores.shape[0]):
        row = scores[user]
        for at in range(ends[user], ends[user + 1]):
            row[items[at]] = -np.inf
        values[:] = -np.inf
        for start in range(0, len(row), _BLOCK):
            stop = min(start + _BLOCK, len(row))
            least = values[k - 1]
            above = 0
            for item in range(start, stop):
                above |= row[item] > least
            if above:
                for item in range(start, stop):
                    if row[item] > values[k - 1]:
                        _insert(values, best[user], item, row[item])


@njit(types.void(_SCORES, _ENDS, _ITEMS, _array(types.int32, 2, readonly=True), _BEST), cache=True)
def _rank_among(scores: Floats, ends: Ends, items: Ints, among: Ints, best: Ints) -> None:
    """Rank the candidates but the known ones, in whatever order they come."""
    k = best.shape[1]
    values = np.empty(k, dtype=np.float32)
    for user in range(scores.shape[0]):
        row = scores[user]
        for at in range(ends[user], ends[user + 1]):
            row[items[at]] = -np.inf
        values[:] = -np.inf
        for item in among[user]:
            least = values[k - 1]
            if row[item] > least or (row[item] == least and item < best[user, k - 1]):
                _insert(values, best[user], item, row[item])
