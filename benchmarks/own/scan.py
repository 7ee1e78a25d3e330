"""The yardstick of bandit kernels: the least work that a policy needs, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit


def scan_arms(horizon: int, replications: int, arms: int) -> npt.NDArray[np.int64]:
    """Play the arm with the largest value in every step and give it a new pseudo-random value; return the arms."""
    played: npt.NDArray[np.int64] = _scan(horizon, replications, arms)
    return played


@njit(cache=True)
def _scan(horizon: int, replications: int, arms: int) -> npt.NDArray[np.int64]:
    played = np.empty((replications, horizon), dtype=np.int64)
    values = np.zeros(arms)
    bits = np.uint64(88172645463325252)
    for replication in range(replications):
        for step in range(horizon):
            best = 0
            for arm in range(1, arms):
                if values[arm] > values[best]:
                    best = arm
            # Marsaglia's xorshift.
            bits ^= bits << np.uint64(13)
            bits ^= bits >> np.uint64(7)
            bits ^= bits << np.uint64(17)
            values[best] = (bits >> np.uint64(11)) * 2.0**-53
            played[replication, step] = best
    return played
