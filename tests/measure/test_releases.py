"""Peaks of resident memory to the page, read while the worker waits to give memory back."""

from __future__ import annotations

import mmap
import os
import platform
from typing import Any

import pytest
from support import fresh_process

from harness.measure import releases

pytestmark = pytest.mark.measured

waits = pytest.mark.skipif(not releases.can_wait(), reason="this system does not let a process wait at its calls")

#: A worker that runs `body`, and a server that answers it; prints what the worker wrote, or its signal.
SERVED = """
import json, mmap, os, selectors, sys
from harness.measure.releases import Releases

releases = Releases()
told, tell = os.pipe()
pid = os.fork()
if pid == 0:
    allowed = releases.wait_at_each()

    def hold(pages):
        held = mmap.mmap(-1, pages * mmap.PAGESIZE)
        for place in range(0, len(held), mmap.PAGESIZE):
            held[place] = 1
        return held

    def peak_of(act):
        start = releases.reset()
        act()
        return (releases.peak() - start) / mmap.PAGESIZE

    peak_of(lambda: hold(40).close())
    said = []
    exec(sys.argv[1])
    os.write(tell, json.dumps(said).encode())
    os._exit(0)
os.close(tell)
listener = releases.accept(pid)
open_until = int(sys.argv[2])
with selectors.DefaultSelector() as selector:
    for descriptor in (told, listener.descriptor):
        selector.register(descriptor, selectors.EVENT_READ)
    answered = 0
    while told not in (ready := {key.fd for key, _ in selector.select()}):
        listener.answer(listener.descriptor)
        answered += 1
        if answered == open_until:
            selector.unregister(listener.descriptor)
            listener.close()
said = json.loads(os.read(told, 10**6))
print(json.dumps([said, answered, os.waitpid(pid, 0)[1]]))
"""


def serve(body: str, *, answers: int = -1) -> Any:
    """Return what the worker said, how often it waited, and its exit status."""
    return fresh_process(SERVED, body, str(answers))


@waits
def test_peaks_that_have_passed_are_right_to_the_page() -> None:
    sizes = [1, 2, 7, 31, 32, 33, 64, 500, 1001]
    said, answered, status = serve(f"said += [peak_of(lambda: hold(size).close()) for size in {sizes}]")
    assert said == pytest.approx(sizes, abs=1)
    assert answered >= len(sizes)
    assert status == 0


@waits
def test_the_largest_of_several_peaks_counts_until_the_reset() -> None:
    act = "lambda: [hold(size).close() for size in (20, 300, 150)]"
    said, _, _ = serve(f"said += [peak_of({act}), peak_of(lambda: None)]")
    assert said == pytest.approx([300, 0], abs=1)


@waits
def test_memory_that_is_still_held_counts() -> None:
    said, _, _ = serve("kept = []; said += [peak_of(lambda: kept.append(hold(77)))]")
    assert said == pytest.approx([77], abs=1)


@waits
def test_every_way_of_giving_memory_back_is_seen() -> None:
    """By madvise, by a smaller mapping, and by lowering the end of the heap."""
    given_back = """
import ctypes
libc = ctypes.CDLL(None)
libc.sbrk.restype, libc.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_long]
def forget():
    held = hold(200)
    held.madvise(mmap.MADV_DONTNEED)
def shrink():
    hold(200).resize(mmap.PAGESIZE)
def lower():
    start = libc.sbrk(200 * mmap.PAGESIZE)
    ctypes.memset(start, 1, 200 * mmap.PAGESIZE)
    libc.sbrk(-200 * mmap.PAGESIZE)
said += [peak_of(act) for act in (forget, shrink, lower)]
"""
    said, _, _ = serve(given_back)
    assert said == pytest.approx([200, 200, 200], abs=2)


@waits
def test_memory_of_a_child_is_not_the_workers() -> None:
    act = """
def act():
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        hold(5000).close()
        os._exit(0)
said += [peak_of(act)]
"""
    said, answered, _ = serve(act)
    assert said[0] < 500
    assert answered >= 2


@waits
def test_a_worker_goes_on_when_nobody_listens_any_more() -> None:
    said, answered, status = serve("[hold(5).close() for _ in range(9)]; said += ['done']", answers=3)
    assert (said, answered, status) == (["done"], 3, 0)


@waits
def test_a_worker_killed_while_it_waits_is_borne() -> None:
    """Its last notice may be read after its memory is gone."""
    ended = os.fork()
    if ended == 0:
        os._exit(0)
    os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
    largest = mmap.mmap(-1, mmap.PAGESIZE)
    releases.Listener(ended, -1, largest)._note()
    os.waitpid(ended, 0)
    releases.Listener(ended, -1, largest)._note()
    assert largest[:8] == bytes(8)


def test_where_the_filter_is_refused_the_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_install", lambda: -1)
    shared = releases.Releases()
    if (pid := os.fork()) == 0:
        os._exit(int(shared.wait_at_each()))
    assert shared.accept(pid) is None
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("end", ["hang", "die"])
def test_a_worker_that_never_asks_is_not_waited_for(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_HANDSHAKE_S", 0.05)
    shared = releases.Releases()
    hold, let_go = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(let_go)
        if end == "hang":
            os.read(hold, 1)
        os._exit(0)
    assert shared.accept(pid) is None
    os.close(let_go)
    os.close(hold)
    assert os.waitpid(pid, 0)[1] == 0


def test_unknown_machines_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert not releases.can_wait()
