"""Peaks of resident memory to the page: a worker waits before each call that gives memory back until its size is read.

Resident size falls in such calls alone, so the largest size read before them and at the end of a phase is its peak. The
kernel keeps its own peak (VmHWM) in the same way, but from counts that lag by up to 32 pages for each core and kind of
page (lib/percpu_counter.c, since Linux 6.2). A filter has the calls ask the worker's server before they go on
(seccomp_unotify(2), Linux 5.5). The worker's children wait in the same way, and before they end.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import platform
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from harness.measure import memory
from harness.measure.children import changed_bytes

_PR_SET_NO_NEW_PRIVS = 38  # prctl(2)
_SET_MODE_FILTER, _GET_ACTION_AVAIL = 1, 2  # seccomp(2)
_NEW_LISTENER = 1 << 3
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000  # SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF
_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND
_NOTICE_BYTES = 80  # struct seccomp_notif
_CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
_CALL_AT, _ARCHITECTURE_AT = 0, 4  # struct seccomp_data
_HANDSHAKE_S = 5.0
_SHARED_MEMORY = 1  # KCMP_VM of kcmp(2)
# The sizes of so many children are read whenever one of them waits; more are only sampled.
_MOST_CHILDREN = 4


class _Calls(NamedTuple):
    """A machine's number among audit architectures, and those of its system calls (linux/audit.h, asm/unistd.h)."""

    architecture: int
    seccomp: int
    compare: int  # kcmp
    end: int  # exit_group
    release: tuple[int, int, int, int]  # munmap, brk, mremap, madvise


_CALLS = {
    "x86_64": _Calls(0xC000003E, 317, 312, 231, (11, 12, 25, 28)),
    "aarch64": _Calls(0xC00000B7, 277, 272, 94, (215, 214, 216, 233)),
}


def can_wait() -> bool:
    """Return whether this system lets a process wait at its calls for another one."""
    calls = _CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or calls is None:
        return False
    asked = ctypes.CDLL(None).syscall(calls.seccomp, _GET_ACTION_AVAIL, 0, ctypes.byref(ctypes.c_uint32(_NOTIFY)))
    return bool(asked == 0)


class Releases:
    """What a worker and its server share: the largest size read so far, and a channel.

    To be made before the fork. The worker calls `wait_at_each` and is a gauge of its own memory afterwards; the server
    calls `accept`.
    """

    def __init__(self) -> None:
        self._largest = mmap.mmap(-1, mmap.PAGESIZE)
        self._servers, self._workers = socket.socketpair()

    def wait_at_each(self) -> bool:
        """Have every later call of this process and its children that gives memory back wait for the server.

        Returns
        -------
        bool
            Whether the system allows it.
        """
        self._servers.close()
        with self._workers as channel:
            listener = _install()
            # Nothing here may release memory: the server does not listen before it holds the descriptor.
            socket.send_fds(channel, [b"."], [listener] if listener >= 0 else [])
        if listener >= 0:
            os.close(listener)
        return listener >= 0

    def reset(self) -> int:
        """Set the peak back to the present size, and return that in bytes."""
        self._largest[:8] = bytes(8)
        return memory.resident()

    def peak(self) -> int:
        """Return the largest resident size since the last reset, in bytes."""
        return max(memory.resident(), int.from_bytes(self._largest[:8], sys.byteorder))

    def accept(self, pid: int) -> Listener | None:
        """Return what answers the worker `pid`, or ``None`` where it could not or did not ask for it."""
        self._workers.close()
        with self._servers as channel:
            channel.settimeout(_HANDSHAKE_S)
            descriptors: list[int] = []
            with contextlib.suppress(TimeoutError):
                _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
        return Listener(pid, descriptors[0], self._largest) if descriptors else None


class Listener:
    """The server's end: reads the size of the worker or of its children whenever one waits, and lets it go on.

    Attributes
    ----------
    tell
        Called with the monotonic time in seconds, and what all children together hold then in bytes.
    missed
        Whether a peak of children may have been missed: one was killed, or there were many at the same time.
    """

    def __init__(self, pid: int, descriptor: int, largest: mmap.mmap) -> None:
        self.descriptor = descriptor
        self.tell: Callable[[float, int], None] = lambda _at, _size: None
        self.missed = False
        self._children: set[int] = set()
        self._pid = pid
        self._largest = largest

    def answer(self, descriptor: int) -> bool:
        """Answer one call that waits; return ``False`` when the worker has ended."""
        notice = bytearray(_NOTICE_BYTES)
        try:
            fcntl.ioctl(descriptor, _RECEIVE, notice)
        except (FileNotFoundError, InterruptedError):
            # The caller was killed, or a signal took it out of its call: it asks again.
            return Path(f"/proc/{self._pid}").exists()
        identity, thread, _, call = struct.unpack_from("QIIi", notice)
        # Children wait here too. Their memory is not the worker's.
        if Path(f"/proc/{self._pid}/task/{thread}").exists():
            self._note()
        else:
            self._note_children(thread, ends=call == _CALLS[platform.machine()].end)
        with contextlib.suppress(FileNotFoundError):
            fcntl.ioctl(descriptor, _SEND, struct.pack("QqiI", identity, 0, 0, _CONTINUE))
        return True

    def _note(self) -> None:
        # A worker that was killed while it waited has no size any more.
        with contextlib.suppress(OSError, ValueError):
            largest = max(memory.resident(self._pid), int.from_bytes(self._largest[:8], sys.byteorder))
            self._largest[:8] = largest.to_bytes(8, sys.byteorder)

    def _note_children(self, thread: int, *, ends: bool) -> None:
        """Read what the children hold when a thread of one of them waits."""
        at = time.monotonic()
        try:
            child, parent = _family(thread)
        except (OSError, KeyError):
            return
        if _shares_memory(child, parent):
            return  # of vfork(2): its memory is its parent's until it starts a program
        self._children.add(child)
        self.missed |= len(self._children) > _MOST_CHILDREN
        self.tell(at, self._children_bytes())
        if ends:
            self._children.discard(child)

    def _children_bytes(self) -> int:
        total = 0
        for pid in list(self._children)[:_MOST_CHILDREN]:
            try:
                total += changed_bytes(pid)
            except OSError:
                self._children.discard(pid)
                self.missed = True  # it was killed, and what it held since it waited last is unknown
        return total

    def close(self) -> None:
        """Stop listening: calls that wait, and later ones, fail with ENOSYS, which allocators bear."""
        self._children_bytes()
        os.close(self.descriptor)


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _install() -> int:
    """Install the filter for this process; return the descriptor of its notices, or -1."""
    calls = _CALLS[platform.machine()]
    instructions = _instructions(calls)
    text = ctypes.create_string_buffer(b"".join(instructions))
    program = _Program(len(instructions), ctypes.addressof(text))
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # without it, only root may install a filter
    return int(libc.syscall(calls.seccomp, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program)))


def _family(thread: int) -> tuple[int, int]:
    """Return the process of a thread, and the parent of that."""
    lines = Path(f"/proc/{thread}/status").read_text(errors="replace").splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return int(values["Tgid"]), int(values["PPid"])


def _shares_memory(one: int, other: int) -> bool:
    compare = _CALLS[platform.machine()].compare
    return bool(ctypes.CDLL(None).syscall(compare, one, other, _SHARED_MEMORY, 0, 0) == 0)


def _instructions(calls: _Calls) -> list[bytes]:
    """Return the filter: notify of the machine's release calls and of its end, allow all else."""
    noticed = (*calls.release, calls.end)
    tests = [_instruction(_JUMP_IF_EQUAL, number, then=len(noticed) - place) for place, number in enumerate(noticed)]
    return [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_IF_EQUAL, calls.architecture, then=1),
        _instruction(_RETURN, _ALLOW),
        _instruction(_LOAD, _CALL_AT),
        *tests,
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _NOTIFY),
    ]


def _instruction(code: int, value: int, *, then: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, 0, value)
