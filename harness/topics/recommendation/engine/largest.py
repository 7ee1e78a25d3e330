"""The k largest of some numbered values, compiled: what keeps a row of a sparse matrix short."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, types

_VALUES, _NUMBERS = types.float32[::1], types.int32[::1]


# With signatures these are compiled, or loaded, when the module is imported, which is before a trial begins.
@njit(types.void(_VALUES, _NUMBERS, types.int64, types.int64), cache=True)
def _sift(values: npt.NDArray[np.float32], numbers: npt.NDArray[np.int32], at: int, k: int) -> None:
    """Move an entry of the heap values[:k], whose root is the worst, down to its place."""
    while True:
        worst = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < k and (
                abs(values[child]) < abs(values[worst])
                or (abs(values[child]) == abs(values[worst]) and numbers[child] > numbers[worst])
            ):
                worst = child
        if worst == at:
            return
        values[at], values[worst] = values[worst], values[at]
        numbers[at], numbers[worst] = numbers[worst], numbers[at]
        at = worst


@njit(types.int64(_VALUES, _NUMBERS, types.int64), cache=True)
def keep_largest(values: npt.NDArray[np.float32], numbers: npt.NDArray[np.int32], k: int) -> int:
    """Move the k values of the largest size, with their numbers, to the front, in any order.

    Of equal sizes those of the smaller numbers are taken.

    Returns
    -------
    int
        How many entries at the front they are: k, or all where there are fewer.
    """
    if len(values) <= k:
        return len(values)
    for at in range(k // 2 - 1, -1, -1):
        _sift(values, numbers, at, k)
    for at in range(k, len(values)):
        size, least = abs(values[at]), abs(values[0])
        if size > least or (size == least and numbers[at] < numbers[0]):
            values[0], values[at] = values[at], values[0]
            numbers[0], numbers[at] = numbers[at], numbers[0]
            _sift(values, numbers, 0, k)
    return k
