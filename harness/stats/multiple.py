"""Many tests at once."""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of any false rejection in the family stays at the level.

    Holm 1979, "A simple sequentially rejective multiple test procedure"; it holds however the tests depend on each
    other. A NaN is no test: it stays, and the family is that much smaller.

    Returns
    -------
    list of float
        Adjusted p-values in the order given.
    """
    adjusted = list(p)
    tested = sorted((value, index) for index, value in enumerate(p) if not math.isnan(value))
    largest = 0.0
    for rank, (value, index) in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * value))
        adjusted[index] = largest
    return adjusted
