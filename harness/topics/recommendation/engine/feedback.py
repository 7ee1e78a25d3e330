"""Implicit feedback divided into what models learn from and what their rankings are judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.data.readers.interactions import Interactions
from harness.data.tabular import read_only

Matrix: TypeAlias = Any  # scipy.sparse.csr_array of float32; scipy has no types
Index: TypeAlias = npt.NDArray[np.intp]
Ranking: TypeAlias = npt.NDArray[np.int32]
#: ``score(start, stop)``: scores of all items for the test users from `start` to `stop`, shape (stop - start, items);
#: the caller may write into the array.
Score: TypeAlias = Callable[[int, int], npt.NDArray[np.floating]]
#: ``preference(users, time)``: how likely each user is to take each item at a time, up to a monotone function, shape
#: (users, items). Known for generated data only.
Preference: TypeAlias = Callable[[npt.NDArray[np.int32], float], npt.NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class Visible:
    """What a strategy may see. Arrays are read-only.

    Attributes
    ----------
    train
        Weight of each interaction of each training user, CSR with sorted columns, shape (users, items).
    history
        What is known of each test user, CSR with sorted columns, shape (test users, items). Those items are never
        recommended.
    rows
        Row of each test user in `train`, int64, shape (test users,); -1 for a user who is not there, whom a strategy
        knows from `history` alone.
    features
        Features of the items, CSR, shape (items, features); ``None`` where there are none.
    candidates
        Items among which to rank for each test user, int32, shape (test users, c); ``None`` for all items.
    k
        Length of a ranking.
    times
        When each interaction of `train` happened, int64, in the order of ``train.data``; ``None`` where the data have
        no times.
    """

    train: Matrix
    history: Matrix
    rows: npt.NDArray[np.int64]
    features: Matrix | None
    candidates: npt.NDArray[np.int32] | None
    k: int
    times: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        read_only(self.rows, self.candidates, self.times)
        _freeze(self.train, self.history, self.features)

    @property
    def users(self) -> int:
        """Number of test users."""
        return len(self.rows)

    @property
    def items(self) -> int:
        """Number of items."""
        return int(self.train.shape[1])


#: ``divide(interactions, rng)``: which interactions are for training, known of test users, and to be found.
Protocol: TypeAlias = Callable[[Interactions, np.random.Generator], "Division"]


@dataclass(frozen=True, eq=False)
class Division:
    """Interactions divided by a protocol.

    Attributes
    ----------
    past
        Indices of the training interactions.
    history, test
        Indices of the interactions that are known of test users when rankings are made, and of those that rankings are
        judged by. Test users are the users of `test`; interactions of other users in `history` are not looked at.
    candidates
        Items among which to rank, int32, the same for all users; ``None`` for all items.
    """

    past: Index
    history: Index
    test: Index
    candidates: npt.NDArray[np.int32] | None = None


@dataclass(frozen=True, eq=False)
class Feedback:
    """Interactions with their division, as the judge sees them.

    Attributes
    ----------
    interactions
        All of them; scenarios divide them anew.
    division
        Which of them are for training and for judging.
    protocol
        How they were divided, so that tuning divides the training interactions in the same way.
    visible
        What strategies see.
    users
        Number of each test user in `interactions`, int32, shape (test users,).
    test
        Items to find, CSR of ones with sorted columns, shape (test users, items). Every row has some.
    preference
        What users truly prefer, for data that are generated.
    """

    interactions: Interactions
    division: Division
    protocol: Protocol
    visible: Visible
    users: npt.NDArray[np.int32]
    test: Matrix
    preference: Preference | None = None

    def __post_init__(self) -> None:
        read_only(self.users)
        _freeze(self.test)


def matrix(
    rows: npt.NDArray[np.integer],
    items: npt.NDArray[np.int32],
    values: npt.NDArray[Any] | None,
    shape: tuple[int, int],
) -> tuple[Matrix, Index]:
    """Make a CSR matrix with sorted columns, and return the order in which it has the interactions.

    Parameters
    ----------
    values
        Weight of each interaction; ``None`` for ones.
    """
    from scipy.sparse import csr_array

    order = np.lexsort((items, rows))
    data = np.ones(len(items), np.float32) if values is None else values[order].astype(np.float32)
    ends = np.cumsum(np.bincount(rows, minlength=shape[0]))
    width = np.int32 if len(items) < np.iinfo(np.int32).max else np.int64
    starts = np.concatenate([[0], ends]).astype(width)
    made = csr_array((data, items[order].astype(width), starts), shape=shape)
    made.has_sorted_indices = True
    return made, order


def _freeze(*matrices: Matrix | None) -> None:
    for sparse in matrices:
        if sparse is not None:
            read_only(sparse.data, sparse.indices, sparse.indptr)
