"""Replacement of failed results by those of the baseline, so that a failure is never better than not competing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Imputed(NamedTuple):
    """Values in which failed results are replaced, and a mask of the replaced ones; the shape is that of the input."""

    values: npt.NDArray[np.float64]
    mask: npt.NDArray[np.bool_]


def impute(values: npt.ArrayLike, baseline: npt.ArrayLike | None) -> Imputed:
    """Replace failed results by the baseline's result of the same block.

    Parameters
    ----------
    values
        Results with one block per entry of the first axis, shape (blocks, ...); NaN where a trial failed.
    baseline
        Results of the baseline, shape (blocks,), NaN where it failed too; ``None`` if the task declares no baseline.

    Returns
    -------
    Imputed
        Where the baseline failed too, the value remains NaN and is not in the mask.

    Raises
    ------
    ValueError
        When the numbers of blocks differ.

    References
    ----------
    Gijsbers, P. et al. (2024). AMLB: an AutoML Benchmark. Journal of Machine Learning Research 25(101).
    """
    filled = np.array(values, dtype=float)
    if baseline is None:
        return Imputed(filled, np.zeros(filled.shape, dtype=bool))
    floor: npt.NDArray[np.float64] = np.asarray(baseline, dtype=float)
    if floor.shape != filled.shape[:1]:
        raise ValueError(f"the baseline has shape {floor.shape}, but there are values of {filled.shape[0]} blocks")
    spread = np.broadcast_to(floor.reshape(-1, *[1] * (filled.ndim - 1)), filled.shape)
    mask = np.isnan(filled) & ~np.isnan(spread)
    filled[mask] = spread[mask]
    return Imputed(filled, mask)
