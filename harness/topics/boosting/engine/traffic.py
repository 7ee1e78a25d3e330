"""Bytes that processes send over TCP, and their peak of memory, as the Linux kernel counts them.

The kernel keeps the number of bytes of each connection in ``struct tcp_info`` (linux/tcp.h), which a process may read
of its own sockets. So nothing else that goes through the loopback interface counts, and neither do headers.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Offsets in struct tcp_info: tcpi_notsent_bytes (Linux 4.6), tcpi_bytes_sent and tcpi_bytes_retrans (4.19).
_NOT_SENT, _SENT, _REPEATED = 144, 200, 208
_LENGTH = 216


@dataclass(frozen=True)
class Connection:
    """One TCP connection of a process, and the payload that it has sent, in bytes."""

    local: int
    remote: int
    sent: int

    @classmethod
    def of(cls, connection: socket.socket) -> Connection:
        """Read what has been sent over a connected socket: each byte once, however often it was transmitted.

        Raises
        ------
        OSError
            When it is no TCP connection, or the kernel is older than Linux 4.19.
        """
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        if len(info) < _LENGTH:
            raise OSError("this kernel does not count the bytes of a connection; Linux 4.19 does")
        (waiting,) = struct.unpack_from("=I", info, _NOT_SENT)
        (sent,) = struct.unpack_from("=Q", info, _SENT)
        (repeated,) = struct.unpack_from("=Q", info, _REPEATED)
        return cls(connection.getsockname()[1], connection.getpeername()[1], waiting + sent - repeated)


@dataclass(frozen=True)
class Usage:
    """What a process used until the end of training.

    Attributes
    ----------
    peak_bytes
        Peak of its resident memory since `reset_peak`.
    """

    connections: tuple[Connection, ...]
    peak_bytes: int

    def sent(self, ports: Collection[int] = ()) -> int:
        """Add up what was sent over connections that have none of `ports` at either end."""
        return sum(one.sent for one in self.connections if one.local not in ports and one.remote not in ports)


def connections() -> Iterator[Connection]:
    """Go through the TCP connections of this process."""
    for entry in Path("/proc/self/fd").iterdir():
        # What is no TCP connection, or was closed meanwhile, has sent nothing.
        with suppress(OSError):
            if str(entry.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(entry.name))) as one:
                    yield Connection.of(one)


def peak_bytes(process: int | str = "self") -> int:
    """Return the peak of a process's resident memory, in bytes (VmHWM of proc_pid_status(5))."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def reset_peak() -> None:
    """Let the peak of this process's resident memory begin anew, from what is resident now (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


_at_end: list[Usage] = []


def note() -> None:
    """Remember what this process has used, while its connections are open: called at the end of training."""
    _at_end[:] = [Usage(tuple(connections()), peak_bytes())]


def noted() -> Usage | None:
    """Return what was remembered, once; ``None`` where training did not end here."""
    return _at_end.pop() if _at_end else None
