"""Processes that a strategy starts: their CPU time, their memory, and their end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
from pathlib import Path

import psutil

_POLL_S = 0.01
#: Children that hold less do not matter: lscpu touches 110 pages, a shell with two commands 330; an interpreter 1,900.
SMALL_BYTES = 512 * resource.getpagesize()
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


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


def children_bytes(pid: int, *, files: bool = True) -> int:
    """Return the memory that the descendants of a process share with no other one, in bytes.

    Parameters
    ----------
    files
        Whether unchanged pages of files count, such as those of a library; Linux only without them.
    """
    total = 0
    try:
        descendants = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    for child in descendants:
        with contextlib.suppress(psutil.Error, OSError):
            total += child.memory_full_info().uss if files else changed_bytes(child.pid)
    return total


def changed_bytes(pid: int) -> int:
    """Return the memory that a process shares with no other one, without unchanged pages of files, in bytes.

    Raises
    ------
    OSError
        When the process has ended.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty:"))


def children_faults() -> int:
    """Return how often all children so far, ended and running, touched a page for the first time (minor faults)."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    if not any_children():
        return ended
    return ended + sum(_faults(child.pid) for child in psutil.Process().children(recursive=True))


class ChildMemory:
    """Whether the memory of a worker's children matters in its phases: their peaks are then only sampled.

    No counter has the peak of an ended child: its `ru_maxrss` begins with the size of its parent. So children matter if
    they touched many pages, if one was larger than the worker ever was in the phase (a fork may touch few huge pages),
    or if those that still run have grown.

    Parameters
    ----------
    files
        Whether unchanged pages of files count, as in `children_bytes`.

    Attributes
    ----------
    sampled
        Whether it has mattered in some phase that counts.
    """

    def __init__(self, *, files: bool = True) -> None:
        self.sampled = False
        self._files = files
        self._faults = 0
        self._before = 0
        self._largest = 0

    def enter(self) -> int:
        """Begin a phase; return what the children hold, in bytes."""
        self._faults = children_faults()
        self._largest = _size(resource.RUSAGE_CHILDREN)
        self._before = self._held()
        return self._before

    def leave(self, *, counts: bool = True) -> int:
        """End a phase, which may count or not; return what the children hold, in bytes."""
        held, faults = self._held(), children_faults() - self._faults
        largest = _size(resource.RUSAGE_CHILDREN)
        if faults and counts:
            touched = faults * resource.getpagesize()
            # One of an earlier phase that was larger hides one of this phase.
            beyond = largest - _size(resource.RUSAGE_SELF) if largest > self._largest else 0
            self.sampled |= max(touched, beyond, held - self._before) > SMALL_BYTES
        return held

    def _held(self) -> int:
        return children_bytes(os.getpid(), files=self._files) if any_children() else 0


def _size(who: int) -> int:
    """Return the largest resident size of this process, or of a child that has ended, in bytes."""
    return resource.getrusage(who).ru_maxrss * _MAXRSS_UNIT


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


def _faults(pid: int) -> int:
    """Return the minor faults of a process and of the children that it has waited for; 0 where they are unknown."""
    with contextlib.suppress(OSError):
        # The name, in brackets, may contain anything; fields 10 and 11 of proc_pid_stat(5).
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return int(fields[7]) + int(fields[8])
    return 0


def _cpu_ns(process: psutil.Process) -> int:
    if sys.platform.startswith("linux"):
        # The CPU clock of another process, in nanoseconds; /proc/PID/stat has ticks of 10 ms (clock_getcpuclockid(3)).
        with contextlib.suppress(OSError):
            return time.clock_gettime_ns((~process.pid << 3) | 2)
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return round((times.user + times.system) * 1e9)
    return 0
