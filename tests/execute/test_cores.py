"""Cores of a block, and of those who measure on one machine at the same time."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.execute import slots
from harness.execute.executor import Share, cores_for
from harness.execute.slots import Slot


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


def test_those_who_measure_on_a_machine_divide_its_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "usable_cores", lambda: [0, 1, 2])
    with Slot(tmp_path) as first:
        with Slot(tmp_path) as second:
            assert (first.share(), second.share()) == (Share((0, 2), 1, 1), Share((1,), 1, 1))
            # Where they are not enough for its threads, cores are shared instead of a trial having too few.
            assert (first.share(2), second.share(2)) == (Share((0, 2), 1, 1), Share((0, 1, 2), 1, 1))
            with Slot(tmp_path) as third, Slot(tmp_path) as fourth:
                assert [slot.share().cores for slot in (third, fourth)] == [(2,), (0, 1, 2)]
        assert first.share() == Share((0, 1, 2), 1, 0)


@pytest.mark.parametrize(("its", "others"), [("2 3", 0), ("1 2", 1), ("0 1", 1)])
def test_only_cores_that_both_may_use_are_divided(
    its: str, others: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs of SLURM on one node share its temporary folder, but not their cores."""
    monkeypatch.setattr(slots, "usable_cores", lambda: [0, 1])
    with (tmp_path / "0").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(its)
        other.flush()
        with Slot(tmp_path) as slot:
            assert slot.share() == Share((1,) if others else (0, 1), 1, others)


def test_a_slot_does_not_follow_a_link_that_somebody_planted(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "slots").mkdir()
    (tmp_path / "slots" / "0").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="symbolic links"):
        Slot(tmp_path / "slots")
    assert (tmp_path / "mine").read_text() == "precious"
