"""Shared memory in files: it occupies memory, and is in no process's resident size unless the process maps it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

_FOLDER = "/dev/shm"  # noqa: S108 - where POSIX shared memory lies, not a place for temporary files


def processes(pid: int) -> list[int]:
    """Return a process and its descendants."""
    with contextlib.suppress(psutil.Error):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return [pid]


def with_files(pids: Sequence[int]) -> int:
    """Return the resident size of the first process and the shared memory in files that none of them maps, in bytes.

    Files are those of /dev/shm, of all processes of the machine, so that only differences have a meaning, and those of
    memfd_create(2) that the given processes hold open. 0 on systems other than Linux.
    """
    try:
        state = os.statvfs(_FOLDER)
    except OSError:
        return 0
    files = dict(file for pid in pids for file in _memory_files(pid))
    resident, *_ = sizes = [_sizes(pid) for pid in pids] or [(0, 0)]
    unmapped = sum(files.values()) - sum(mapped for _, mapped in sizes)
    return (state.f_blocks - state.f_bfree) * state.f_frsize + unmapped + resident[0]


def _memory_files(pid: int) -> Iterator[tuple[int, int]]:
    """Yield the number and the size of each open file of memfd_create(2)."""
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(path.readlink()).startswith("/memfd:"):
                    state = path.stat()
                    yield state.st_ino, state.st_blocks * 512


def _sizes(pid: int) -> tuple[int, int]:
    """Return a process's resident size and the part of it that is shared memory."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/status").read_text(errors="replace")
        values = dict(line.split(":", 1) for line in text.splitlines())
        resident, mapped = (int(values.get(name, "0").split()[0]) * 1024 for name in ("VmRSS", "RssShmem"))
        return resident, mapped
    return 0, 0
