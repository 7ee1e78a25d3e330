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
Ranking: TypeAlias = npt.NDArray[np.int32]
#: ``score(start, stop)``: scores of all items for the test users from `start` to `stop`, shape (stop - start, items);
#: the caller may write into the array.
Score: TypeAlias = Callable[[int, int], npt.NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class Visible:
    """What a strategy may see. Arrays are read-only.

    Attributes
    ----------
    train
        Weight of each interaction of each training user, CSR, shape (users, items).
    history
        What is known of each test user, CSR, shape (test users, items). Those items are never recommended.
    rows
        Row of each test user in `train`, int64, shape (test users,); -1 for a user who is not there, whom a strategy
        knows from `history` alone.
    features
        Features of the items, CSR, shape (items, features); ``None`` where there are none.
    candidates
        Items among which to rank for each test user, int32, shape (test users, c); ``None`` for all items.
    k
        Length of a ranking.
    """

    train: Matrix
    history: Matrix
    rows: npt.NDArray[np.int64]
    features: Matrix | None
    candidates: npt.NDArray[np.int32] | None
    k: int

    def __post_init__(self) -> None:
        read_only(self.rows, self.candidates)
        for matrix in (self.train, self.history, self.features):
            if matrix is not None:
                read_only(matrix.data, matrix.indices, matrix.indptr)

    @property
    def users(self) -> int:
        """Number of test users."""
        return len(self.rows)

    @property
    def items(self) -> int:
        """Number of items."""
        return int(self.train.shape[1])


#: ``divide(interactions, rng)`` returns the training interactions and, by user, the history and the test items.
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
        judged by. Test users are the users of `test`.
    """

    past: npt.NDArray[np.intp]
    history: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Feedback:
    """Interactions with their division, as the judge sees them.

    Attributes
    ----------
    interactions
        All of them; scenarios divide them anew.
    features
        Features of the items, CSR, shape (items, features), or ``None``.
    protocol
        How they were divided, so that tuning divides the training interactions in the same way.
    visible
        What strategies see.
    test
        Items to find, CSR of ones, shape (test users, items).
    """

    interactions: Interactions
    features: Matrix | None
    protocol: Protocol
    visible: Visible
    test: Matrix
