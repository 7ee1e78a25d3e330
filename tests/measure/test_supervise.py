"""Watching a worker: its output, its reports, its limits and its end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import fresh_process

from harness.measure import supervise
from harness.measure.messages import PhaseEvent
from harness.measure.supervise import Printed, Sighting
from harness.records import Phase

KEPT = 64 * 1024


@settings(deadline=None, max_examples=50)
@given(
    sizes=st.lists(st.integers(0, 70_000), max_size=12),
    seed=st.integers(0, 9),
)
def test_beginning_and_end_of_the_output_are_kept(sizes: list[int], seed: int) -> None:
    whole = bytes(97 + (seed + index) % 26 for index in range(sum(sizes)))
    printed, start = Printed(), 0
    for size in sizes:
        printed.add(whole[start : start + size])
        start += size
    text = whole.decode()
    if len(whole) <= 2 * KEPT:
        assert printed.text() == text
    else:
        left_out = f"\n[... {len(whole) - 2 * KEPT:,} bytes left out ...]\n"
        assert printed.text() == text[:KEPT] + left_out + text[-KEPT:]


def test_a_flood_is_not_kept_in_memory() -> None:
    printed = Printed()
    for _ in range(100):
        printed.add(b"x" * KEPT)
    assert printed.total == 100 * KEPT
    assert len(printed.head) + len(printed.tail) <= 3 * KEPT


def test_bytes_that_are_no_text_are_replaced() -> None:
    printed = Printed()
    printed.add(b"a\xff\n")
    assert printed.text() == "a\N{REPLACEMENT CHARACTER}\n"


def test_growth_of_descendants_counts_above_what_they_held_at_the_start_of_the_phase() -> None:
    """They hold 5 bytes at the start of fit, 70 in it and 20 at its end; the peak of predict is not known exactly."""
    seen = Sighting(
        events=[
            PhaseEvent("fit", "enter", 1.0, 5),
            PhaseEvent("fit", "leave", 2.0, 20),
            PhaseEvent("predict", "enter", 2.5, 20),
            PhaseEvent("predict", "leave", 3.0, 30),
        ],
        memory=[(0.9, 900), (1.1, 100), (1.5, 150), (2.6, 110), (2.8, 140), (2.9, 120)],
        children=[(0.8, 500), (1.5, 70), (2.2, 800)],
    )
    phases = {"fit": Phase([1.0], [1.0], peak_bytes=1000), "predict": Phase([1.0], [1.0])}
    assert supervise._add_sampled_memory(phases, seen) == (65, 0)
    assert {name: phase.peak_bytes for name, phase in phases.items()} == {"fit": 1000 + 65, "predict": 30 + 10}


def test_shared_memory_in_files_counts_together_with_what_is_resident() -> None:
    """Files are added where both together exceed the worker's exact peak by more than 2 MB."""
    for most, expected, added in ((450e6, 300e6, 200e6), (251e6, 100e6, 1e6), (160e6, 100e6, -90e6)):
        seen = Sighting(
            events=[
                PhaseEvent("fit", "enter", 1.0, files=150_000_000),
                PhaseEvent("fit", "leave", 2.0, files=150_000_000),
            ],
            files=[(0.9, 900_000_000), (1.5, int(most)), (2.1, 900_000_000)],
        )
        phases = {"fit": Phase([1.0], [1.0], peak_bytes=100_000_000)}
        assert supervise._add_sampled_memory(phases, seen) == (0, max(added, 0))
        assert phases["fit"].peak_bytes == expected


SUPERVISE = """
import ctypes, json, os, signal, sys, time
import psutil
from harness.measure.supervise import Supervisor
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # as the fork server does

OUTCOME = b'{"type":"outcome","status":"ok","metrics":{"error":0.5}}\\n'
ENTER = b'{"type":"phase","phase":"fit","kind":"enter","at":1.0}\\n'
LEAVE = b'{"type":"phase","phase":"fit","kind":"leave","at":2.0}\\n'

def reports(events):
    print("said", flush=True)
    os.write(2, b"and complained")
    os.write(events, ENTER + LEAVE + OUTCOME[:20])
    time.sleep(0.05)
    os.write(events, OUTCOME[20:])

def babbles(events):
    os.write(events, b"\\x00\\xff{}\\n[1,2\\n" + OUTCOME[:9] + b"\\n" + ENTER + OUTCOME + b'{"type":"outc')

def dies_in_phase(events):
    os.write(events, ENTER)
    os._exit(7)

def is_deaf(events):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        time.sleep(600)
    os.write(events, LEAVE + ENTER)
    time.sleep(600)

def grows(events):
    kept = bytearray(b"x") * 150_000_000
    time.sleep(600)

def child_grows(events):
    if os.fork() == 0:
        kept = bytearray(b"x") * 150_000_000
        time.sleep(600)
    time.sleep(600)

def leaves_orphan(events):
    printed, printed_end = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print(f"orphan {os.getpid()}", flush=True)
            os.write(printed_end, b".")
            time.sleep(600)
        os._exit(0)
    os.wait()
    os.read(printed, 1)
    os.write(events, OUTCOME)

def waits(events):
    os.close(parent_end)  # only this copy: a fork server has the harness at the other end
    time.sleep(600)

output, output_end = os.pipe()
events, events_end = os.pipe()
parent, parent_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.setsid()
    os.dup2(output_end, 1)
    os.dup2(output_end, 2)
    globals()[sys.argv[1]](events_end)
    os._exit(0)
os.close(output_end)
os.close(events_end)
if sys.argv[1] == "waits":
    os.close(parent_end)
limit = psutil.Process().memory_info().rss + 100_000_000
seen = Supervisor(pid, output, events, parent).watch(float(sys.argv[2]), limit)
print(json.dumps({
    "printed": seen.printed.text(),
    "metrics": seen.outcome and seen.outcome.metrics,
    "events": [event.kind for event in seen.events],
    "phase": seen.phase,
    "stopped": seen.stopped,
    "left": seen.left_processes,
    "code": os.waitstatus_to_exitcode(seen.exit_status),
    "orphaned": seen.orphaned,
    "alive": [child.pid for child in psutil.Process().children(recursive=True)],
}))
"""
QUIET_END = {
    "printed": "",
    "metrics": {"error": 0.5},
    "events": [],
    "phase": "",
    "stopped": "",
    "left": 0,
    "code": 0,
    "orphaned": False,
    "alive": [],
}
KILLED = {"metrics": None, "code": -9}

SEEN: dict[str, dict[str, Any]] = {
    "reports": {"printed": "said\nand complained", "events": ["enter", "leave"]},
    "babbles": {"events": ["enter"], "phase": "fit"},
    "dies_in_phase": {"metrics": None, "events": ["enter"], "phase": "fit", "code": 7},
    "is_deaf": {**KILLED, "events": ["leave", "enter"], "phase": "fit", "stopped": "timeout"},
    "grows": {**KILLED, "stopped": "memory"},
    "child_grows": {**KILLED, "stopped": "memory"},
    "waits": {**KILLED, "stopped": "the harness ended", "orphaned": True},
}


@pytest.mark.measured
@pytest.mark.parametrize("worker", SEEN)
def test_worker_is_seen_to_its_end(worker: str) -> None:
    timeout = "0.5" if worker == "is_deaf" else "30"
    found = fresh_process(SUPERVISE, worker, timeout)
    assert found == QUIET_END | SEEN[worker]


def test_orphan_of_a_worker_is_killed_and_counted() -> None:
    found = fresh_process(SUPERVISE, "leaves_orphan", "30")
    assert found.pop("printed").startswith("orphan ")
    assert found == {name: value for name, value in QUIET_END.items() if name != "printed"} | {"left": 1}
