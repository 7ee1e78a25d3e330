"""Processes that a strategy starts: their CPU time, their memory, and their end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time

import psutil

_POLL_S = 0.01


def any_children() -> bool:
    """Return whether this process has children, running or not yet waited for; costs about a microsecond."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def children_cpu_ns() -> int:
    """Return the CPU time of all children so far, ended and running, in nanoseconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = round((usage.ru_utime + usage.ru_stime) * 1e9)
    if not any_children():
        return ended
    return ended + sum(_cpu_ns(child) for child in psutil.Process().children(recursive=True))


def children_bytes(pid: int) -> int:
    """Return the memory that the descendants of a process do not share with it, in bytes."""
    total = 0
    try:
        descendants = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    for child in descendants:
        with contextlib.suppress(psutil.Error, OSError):
            total += child.memory_full_info().uss
    return total


def end_descendants(grace_s: float) -> int:
    """Wait for this process's remaining descendants to end, then kill them.

    Returns
    -------
    int
        How many had to be killed.
    """
    deadline = time.monotonic() + grace_s
    while _reap() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    killed: set[int] = set()
    while _reap():
        for child in psutil.Process().children(recursive=True):
            killed.add(child.pid)
            with contextlib.suppress(psutil.Error):
                child.send_signal(signal.SIGKILL)
        time.sleep(_POLL_S)
    return len(killed)


def _reap() -> bool:
    """Collect ended children; return whether any is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def _cpu_ns(process: psutil.Process) -> int:
    if sys.platform.startswith("linux"):
        # The CPU clock of another process, in nanoseconds; /proc/PID/stat has ticks of 10 ms (clock_getcpuclockid(3)).
        with contextlib.suppress(OSError):
            return time.clock_gettime_ns((~process.pid << 3) | 2)
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return round((times.user + times.system) * 1e9)
    return 0
