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
held = [0]
listener.tell = lambda at, size: held.append(size / mmap.PAGESIZE)
open_until = int(sys.argv[2])
with selectors.DefaultSelector() as selector:
    selector.register(listener.descriptor, selectors.EVENT_READ)
    answered = 0
    while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
        for _ in selector.select(0.01):
            listener.answer(listener.descriptor)
            answered += 1
            if answered == open_until:
                selector.unregister(listener.descriptor)
                listener.close()
said, status = json.loads(os.read(told, 10**6)), ended[1]
if answered != open_until:
    listener.close()
print(json.dumps([[said, answered, status], [max(held), listener.missed]]))
"""


def serve(body: str, *, answers: int = -1) -> Any:
    """Return what the worker said, how often it waited, and its exit status."""
    return fresh_process(SERVED, body, str(answers))[0]


def serve_children(body: str) -> Any:
    """Return how many pages the worker's children held at most, and whether more may have been missed."""
    fork = """
def in_child(act):
    if not (child := os.fork()):
        act()
        os._exit(0)
    return child
"""
    return fresh_process(SERVED, fork + body, "-1")[1]


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
def test_the_peak_of_a_child_that_lives_for_a_moment_is_read() -> None:
    most, missed = serve_children("for size in (40, 900, 7): os.waitpid(in_child(lambda: hold(size).close()), 0)")
    assert 900 <= most < 1100  # the child changes some pages of its own, too
    assert not missed


@waits
def test_what_a_child_holds_when_it_ends_is_read() -> None:
    most, missed = serve_children("os.waitpid(in_child(lambda: said.append(hold(900))), 0)")
    assert 900 <= most < 1100
    assert not missed


@waits
def test_children_of_one_time_are_added_up() -> None:
    """The second child gives 300 pages back while the first one still holds 900."""
    two = """
ready, say_ready = os.pipe()
done, say_done = os.pipe()
def waits():
    hold(1).close()
    kept = hold(900)
    os.write(say_ready, b".")
    os.read(done, 1)
first = in_child(waits)
os.read(ready, 1)
os.waitpid(in_child(lambda: hold(300).close()), 0)
os.write(say_done, b".")
os.waitpid(first, 0)
"""
    most, missed = serve_children(two)
    assert 900 + 300 <= most < 1600
    assert not missed


@waits
def test_a_program_that_does_not_start_holds_nothing() -> None:
    """Until it would start, the child of vfork(2) uses the memory of the worker."""
    most, missed = serve_children("""
import subprocess
kept = hold(5000)
try:
    subprocess.run(["/nonexistent"])
except FileNotFoundError:
    pass
""")
    assert most < 500
    assert not missed


@waits
def test_a_killed_child_may_have_held_more() -> None:
    _, missed = serve_children("""
import signal
read, write = os.pipe()
child = in_child(lambda: (hold(1).close(), os.write(write, b"."), os.read(read, 0), signal.pause()))
os.read(read, 1)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
""")
    assert missed


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
