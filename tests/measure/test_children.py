"""Processes that a strategy starts. Each test runs in a process of its own: the harness kills all descendants."""

from __future__ import annotations

import os

import psutil
import pytest
from support import fresh_process

from harness.measure.children import children_bytes

PRELUDE = """
import ctypes, json, mmap, os, signal, subprocess, sys, time
import psutil
from harness.measure.children import any_children, children_bytes, children_cpu_ns, end_descendants
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # orphans become children of this process, as of the fork server

def orphan(work):
    \"\"\"Run work in a grandchild whose parent has ended, out of the process group, deaf to SIGTERM.\"\"\"
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            work()
            os._exit(0)
        os.write(write, str(pid).encode())
        os._exit(0)
    os.wait()
    return int(os.read(read, 20))
"""

ANY = """
found = [any_children()]
process = subprocess.Popen(["sleep", "60"])
found.append(any_children())
process.kill()
os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
found.append(any_children())  # ended, not waited for
process.wait()
found.append(any_children())
print(json.dumps(found))
"""


def test_any_children() -> None:
    assert fresh_process(PRELUDE + ANY) == [False, True, True, False]


ORPHAN = """
pid = orphan(lambda: time.sleep(600))
killed = end_descendants(0.0)
print(json.dumps([killed, psutil.pid_exists(pid), any_children()]))
"""


def test_orphan_is_found_and_killed() -> None:
    assert fresh_process(PRELUDE + ORPHAN) == [1, False, False]


BROOD = """
def brood():
    for _ in range(3):
        if os.fork() == 0:
            time.sleep(600)
    time.sleep(600)

pid = orphan(brood)
while len(psutil.Process(pid).children()) < 3:
    time.sleep(0.01)
left = [pid, *(child.pid for child in psutil.Process(pid).children())]
killed = end_descendants(0.0)
print(json.dumps([killed, [psutil.pid_exists(pid) for pid in left]]))
"""


def test_whole_brood_is_killed() -> None:
    assert fresh_process(PRELUDE + BROOD) == [4, [False] * 4]


GRACE = """
pid = orphan(lambda: time.sleep(0.2))
print(json.dumps([end_descendants(30.0), psutil.pid_exists(pid), end_descendants(30.0)]))
"""


def test_who_ends_by_himself_is_not_counted() -> None:
    assert fresh_process(PRELUDE + GRACE) == [0, False, 0]


MEMORY = """
def touch(megabytes):
    block = mmap.mmap(-1, megabytes * 1_000_000, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for start in range(0, len(block), 4096):
        block[start] = 1
    return block

shared = touch(30)
before = children_bytes(os.getpid())
ready, tell = os.pipe()
if os.fork() == 0:
    own = touch(20)
    if os.fork() == 0:
        own_too = touch(10)
        os.write(tell, b"1")
    time.sleep(600)
os.read(ready, 1)
held = children_bytes(os.getpid())
end_descendants(0.0)
print(json.dumps([before, held, children_bytes(os.getpid())]))
"""


@pytest.mark.measured
def test_memory_of_descendants_is_what_they_do_not_share() -> None:
    """30 MB shared by all; 20 MB shared by child and grandchild; 10 MB of the grandchild alone."""
    before, held, after = fresh_process(PRELUDE + MEMORY)
    assert before == after == 0
    assert held == pytest.approx(10e6, rel=0.25)


FAULTS = """
from harness.measure.children import ChildMemory, children_faults

def touch(pages, huge):
    block = mmap.mmap(-1, pages * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block.madvise(mmap.MADV_HUGEPAGE if huge else mmap.MADV_NOHUGEPAGE)
    for start in range(0, len(block), mmap.PAGESIZE):
        block[start] = 1

def child(pages, end, huge=False):
    ready, tell = os.pipe()
    if not (pid := os.fork()):
        touch(pages, huge)
        os.write(tell, b".")
        end()
        os._exit(0)
    os.read(ready, 1)
    return pid

def after(act):
    memory = ChildMemory()
    before = children_faults()
    memory.enter()
    act()
    memory.leave()
    return children_faults() - before, memory.sampled

# As workers are: a program that was not forked begins with the peak of the process that started it for its own.
if pid := os.fork():
    os.waitpid(pid, 0)
    os._exit(0)
found = [
    after(lambda: os.waitpid(child(3000, lambda: None), 0)),
    after(lambda: subprocess.run(["true"])),
    after(lambda: child(3000, lambda: time.sleep(600))),  # still running
    after(lambda: os.waitid(os.P_PID, child(3000, lambda: None), os.WEXITED | os.WNOWAIT)),  # not waited for
    after(lambda: None),
    after(lambda: os.waitpid(child(10_000, lambda: None, huge=True), 0)),
]
print(json.dumps(found))
sys.stdout.flush()
end_descendants(0.0)
"""


@pytest.mark.measured
def test_children_that_touch_much_memory_make_a_peak_sampled_and_a_small_tool_does_not() -> None:
    faults, sampled = zip(*fresh_process(PRELUDE + FAULTS), strict=True)
    ended, tool, running, zombie, later, _ = faults
    assert sampled == (True, False, True, True, False, True)
    assert all(3000 <= faults < 4000 for faults in (ended, running, zombie))
    assert 0 < tool < 400
    assert later == 0


CPU = """
def burn():
    while time.process_time() < 0.2:
        pass

found = [children_cpu_ns()]
if os.fork() == 0:
    burn()
    os._exit(0)
os.wait()
found.append(children_cpu_ns())
read, write = os.pipe()
if os.fork() == 0:
    burn()
    os.write(write, b"1")
    time.sleep(600)
os.read(read, 1)
found.append(children_cpu_ns())
print(json.dumps(found))
sys.stdout.flush()
end_descendants(0.0)
"""


@pytest.mark.measured
def test_cpu_time_of_ended_and_of_running_children() -> None:
    none, ended, both = (figure / 1e9 for figure in fresh_process(PRELUDE + CPU))
    assert none == 0
    assert ended == pytest.approx(0.2, rel=0.5)
    assert both == pytest.approx(0.4, rel=0.5)


def test_process_that_is_gone_holds_nothing() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert not psutil.pid_exists(pid)
    assert children_bytes(pid) == 0
