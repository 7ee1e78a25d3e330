"""Which cores a trial runs on: all trials of a block on the same ones, blocks in turn."""

from __future__ import annotations

from collections.abc import Sequence


def cores_for(block: int, threads: int, cores: Sequence[int]) -> list[int]:
    """Return the cores of a block's trials.

    The cores are cut into groups of `threads`; blocks take the groups in turn. A trial that asks for more threads than
    there are cores gets all of them.
    """
    if len(cores) <= threads:
        return list(cores)
    groups = len(cores) // threads
    start = (block % groups) * threads
    return list(cores[start : start + threads])
