"""Cores of a block."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.execute.executor import cores_for


@pytest.mark.parametrize(
    ("threads", "cores", "groups"),
    [
        (1, [0, 1], [[0], [1], [0]]),
        (2, [0, 1], [[0, 1], [0, 1]]),
        (3, [0, 1], [[0, 1], [0, 1]]),
        (2, [3, 5, 8, 9], [[3, 5], [8, 9], [3, 5]]),
        (2, [0, 1, 2, 3, 4], [[0, 1], [2, 3], [0, 1]]),
        (1, [4], [[4], [4]]),
        (1, [], [[], []]),
    ],
)
def test_groups_in_turn(threads: int, cores: list[int], groups: list[list[int]]) -> None:
    assert [cores_for(block, threads, cores) for block in range(len(groups))] == groups


@settings(deadline=None)
@given(block=st.integers(0, 1000), threads=st.integers(1, 20), count=st.integers(1, 40))
def test_a_block_gets_as_many_cores_as_threads(block: int, threads: int, count: int) -> None:
    found = cores_for(block, threads, range(count))
    assert len(set(found)) == len(found) == min(threads, count)
    assert set(found) <= set(range(count))
