"""The file of a live gate survives an interruption."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate.live import suite as planted

from harness import UsageError
from harness.config import GatePolicy
from harness.gate.decision import Case, Pair, Side
from harness.gate.live import journal
from harness.gate.live.both_sides import Reading
from harness.gate.live.journal import Journal, RecordedRequest
from harness.plan.selection import Selection

GONE = Case("topic", "task", "gone", "data", "clean", {}, verdict="not measured", reason="it is gone")


def start(results: Path) -> Journal:
    request = RecordedRequest(
        "main", ("x==1",), (Side("main"), Side("candidate", "abc", dirty=True)), "", Selection(), GatePolicy()
    )
    planned = planted.case("a", GatePolicy()).planned
    return journal.create(results, "box", "bakeoff gate --base main", request, (planned,), (GONE,), ("a remark",))


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    kept = start(tmp_path)
    pair = Pair(3, base={"cpu_s": [0.1, 0.2]}, candidate={"cpu_s": [0.1, 0.3]}, identical=True)
    reading = Reading(base={"peak_bytes": 1.0}, candidate={"peak_bytes": 2.0})
    with kept:
        kept.write(0, pair)
        kept.write(0, reading)
    for name in (kept.head.gate, "latest"):
        again, lines = journal.reopen(tmp_path, name)
        with again:
            assert again.head == kept.head
            assert list(journal.results(lines)) == [(0, pair), (0, reading)]


def test_a_line_that_was_cut_off_is_removed(tmp_path: Path) -> None:
    with start(tmp_path) as kept:
        kept.write(0, Pair(0))
    whole = kept.path.read_bytes()
    kept.path.write_bytes(whole + b'{"case":0,"pa')
    again, lines = journal.reopen(tmp_path, "latest")
    with again:
        assert len(lines) == 1
        assert kept.path.read_bytes() == whole


def test_a_gate_is_measured_by_one_process_at_a_time(tmp_path: Path) -> None:
    with start(tmp_path) as kept:
        with pytest.raises(UsageError, match=f"{kept.path} is being written by another process: wait for its end"):
            journal.reopen(tmp_path, "latest")
        kept.write(0, Pair(0))
    again, lines = journal.reopen(tmp_path, "latest")
    with again, pytest.raises(UsageError, match="is being written by another process"):
        journal.reopen(tmp_path, kept.head.gate)
    assert [pair for _, pair in journal.results(lines)] == [Pair(0)]


def test_an_unknown_gate_is_named(tmp_path: Path) -> None:
    with start(tmp_path) as kept:
        pass
    with pytest.raises(UsageError, match=f"there is no gate 'nothere' below .*known: {kept.head.gate}"):
        journal.reopen(tmp_path, "nothere")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    with start(tmp_path) as kept:
        kept.path.write_bytes(b"{}\n")
    with pytest.raises(UsageError, match=r"is damaged .*: start a new gate"):
        journal.reopen(tmp_path, "latest")
