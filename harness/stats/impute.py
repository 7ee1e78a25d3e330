"""A failed result stands in for the baseline's, so that failing is never better than not competing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Imputed(NamedTuple):
    """Values with the gaps filled, and which of them were filled."""

    values: npt.NDArray[np.float64]
    mask: npt.NDArray[np.bool_]


def impute(values: npt.ArrayLike, baseline: npt.ArrayLike | None) -> Imputed:
    """Replace failed results by those of the declared baseline in the same unit.

    Parameters
    ----------
    values
        Results by unit along the first axis; NaN where a trial failed.
    baseline
        The baseline's results by unit, NaN where it failed too; ``None`` when the task declares no baseline.

    Returns
    -------
    Imputed
        What the baseline cannot fill stays NaN and is not in the mask.

    References
    ----------
    Gijsbers, P. et al. (2024). AMLB: an AutoML Benchmark. Journal of Machine Learning Research 25(101).
    """
    filled = np.array(values, dtype=float)
    if baseline is None:
        return Imputed(filled, np.zeros(filled.shape, dtype=bool))
    floor: npt.NDArray[Any] = np.asarray(baseline, dtype=float)
    if floor.shape != filled.shape[:1]:
        raise ValueError(f"the baseline has shape {floor.shape}, the values hold {filled.shape[0]} units")
    spread = np.broadcast_to(floor.reshape(-1, *[1] * (filled.ndim - 1)), filled.shape)
    mask = np.isnan(filled) & ~np.isnan(spread)
    filled[mask] = spread[mask]
    return Imputed(filled, mask)
