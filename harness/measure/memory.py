"""Resident memory of this process: exact peaks on Linux, and the allocator's noise switched off on request."""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Protocol

_CLEAR_REFS = "/proc/self/clear_refs"
_RESET_PEAK = b"5"  # proc(5): resets VmHWM to the current resident size
_ADDR_NO_RANDOMIZE = 0x0040000  # personality(2)
_PERSONALITY_QUERY = 0xFFFFFFFF
_PR_SET_THP_DISABLE = 41  # prctl(2)
_MADV_POPULATE_READ = 22  # madvise(2)

#: Environment that makes glibc and Arrow return freed pages in the same way each time.
QUIET_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    # A fixed value turns off glibc's moving threshold, which depends on the order of earlier frees.
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}


def trim() -> None:
    """Return freed memory to the system, so that a phase cannot grow into pages kept by earlier work."""
    gc.collect()
    release = getattr(_libc(), "malloc_trim", None)
    if release is not None:
        release(0)


class Gauge(Protocol):
    """What the phase clock asks of resident memory."""

    def reset(self) -> int | None:
        """Set the peak back; return resident bytes now, ``None`` where the peak has to be sampled from outside."""

    def peak(self) -> int:
        """Return the largest resident size since the last reset, in bytes."""


class HighWater:
    """The kernel's own peak (VmHWM), right to 32 pages for each core and kind of page."""

    def reset(self) -> int | None:
        """Set the peak back to the present size.

        Returns
        -------
        int or None
            Resident bytes now; ``None`` where the peak cannot be reset, so that it has to be sampled.
        """
        try:
            descriptor = os.open(_CLEAR_REFS, os.O_WRONLY)
        except OSError:
            return None
        try:
            os.write(descriptor, _RESET_PEAK)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return _figure("status", b"VmRSS:")

    def peak(self) -> int:
        """Return the largest resident size since the last reset, in bytes."""
        return _figure("status", b"VmHWM:")


def resident(pid: int | None = None) -> int:
    """Return the resident size of a process, by default of this one, in bytes and exact to the page."""
    if _counts_pages():
        return _figure("status", b"VmRSS:", pid)
    return _figure("smaps_rollup", b"Rss:", pid)


def quieten() -> None:
    """Start this interpreter again without address randomisation and without transparent huge pages.

    Both make the number of touched pages differ between identical runs. Returns at once where the system does not allow
    it, or where it has been done.
    """
    libc = _libc()
    if not sys.platform.startswith("linux"):
        return
    libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    persona = libc.personality(_PERSONALITY_QUERY)
    if persona == -1 or persona & _ADDR_NO_RANDOMIZE:
        return
    libc.personality(persona | _ADDR_NO_RANDOMIZE)
    if libc.personality(_PERSONALITY_QUERY) & _ADDR_NO_RANDOMIZE:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - the same interpreter with the same arguments


def map_libraries() -> None:
    """Map every page of the files that this process has mapped, so that touching one later is not counted as growth.

    The kernel maps cached pages around each one that is touched (mm/filemap.c, filemap_map_pages), as many as it cached
    together: otherwise the size of a phase that runs a library's code depends on how the library's file was read or
    written before, by up to 5 % of 7 MB. Does nothing before Linux 5.14.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = _libc()
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, _, _, inode, *_ = line.split(maxsplit=5)
        if inode != "0" and access.startswith("r"):
            start, end = (int(address, 16) for address in addresses.split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_POPULATE_READ)


def can_fix_addresses() -> bool:
    """Return whether address randomisation can be switched off for programs that this process starts."""
    personality = getattr(_libc(), "personality", None)
    if personality is None:
        return False
    present = personality(ctypes.c_ulong(_PERSONALITY_QUERY))
    allowed = present != -1 and personality(ctypes.c_ulong(present | _ADDR_NO_RANDOMIZE)) != -1
    personality(ctypes.c_ulong(present))
    return bool(allowed)


def _figure(file: str, key: bytes, pid: int | None = None) -> int:
    text = Path(f"/proc/{pid or 'self'}/{file}").read_bytes()
    start = text.index(key) + len(key)
    return int(text[start : text.index(b"kB", start)]) * 1024


@cache
def _counts_pages() -> bool:
    """Return whether the kernel's short count of resident pages is right to the page, as it is from Linux 6.16 on."""
    fresh = mmap.mmap(-1, 4 * mmap.PAGESIZE)
    sizes = [_figure("status", b"VmRSS:")]
    for place in range(0, len(fresh), mmap.PAGESIZE):
        fresh[place] = 1
        sizes.append(_figure("status", b"VmRSS:"))
    return all(after > before for before, after in pairwise(sizes))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
