"""Processes of LightGBM's command-line program that train one model together on this machine.

Their connections belong to another program, so this process takes duplicates of them (pidfd_getfd(2), Linux 5.6): the
kernel's counts can then be read after the program has ended.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from harness import CannotRunError
from harness.topics.boosting.engine.traffic import Connection, Usage, peak_bytes

_LOOK_S = 0.005
_PIDFD_GETFD = 438  # the same number on all architectures


def train(program: Path, settings: Mapping[str, object], count: int, threads: int, folder: Path) -> list[Usage]:
    """Train one model by several processes, and return what each used.

    The peak of a process's memory is read every 5 ms.

    Parameters
    ----------
    settings
        Parameters of LightGBM that all processes get.
    threads
        Threads of each process.
    folder
        Where they run; each writes its model there, as ``model-0.txt`` and so on.

    Raises
    ------
    CannotRunError
        When the kernel does not hand out duplicates of their connections.
    RuntimeError
        When one of them fails, with the last line that it printed.
    """
    ports = _free_ports(count)
    (folder / "machines.txt").write_text("".join(f"127.0.0.1 {port}\n" for port in ports), encoding="ascii")
    common = {**settings, "num_threads": threads, "num_machines": count, "machine_list_filename": "machines.txt"}
    with ExitStack() as stack:
        machines = [
            stack.enter_context(
                _Machine(
                    program,
                    common | {"local_listen_port": port, "output_model": f"model-{rank}.txt"},
                    folder / f"output-{rank}.txt",
                    connections=count - 1,
                )
            )
            for rank, port in enumerate(ports)
        ]
        while sum(machine.look() for machine in machines):
            time.sleep(_LOOK_S)
        return [machine.usage() for machine in machines]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


class _Machine:
    """One process, watched until it ends; it is killed when the block ends earlier."""

    def __init__(self, program: Path, settings: Mapping[str, object], output: Path, connections: int) -> None:
        self._output = output
        self._wanted = connections
        self._sockets: dict[str, socket.socket] = {}
        self._peak = 0
        with output.open("wb") as printed:
            self._process = subprocess.Popen(
                [program, *(f"{name}={_text(value)}" for name, value in settings.items())],
                cwd=output.parent,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": str(settings["num_threads"])},
            )
        self._descriptor = os.pidfd_open(self._process.pid)

    def __enter__(self) -> _Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._descriptor)
        for one in self._sockets.values():
            one.close()

    def look(self) -> bool:
        """Read the peak of memory and take new connections; return whether the process runs still."""
        status = self._process.poll()
        if status:
            said = self._output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise RuntimeError(f"LightGBM's program ended with {status}: {said[-1] if said else 'it printed nothing'}")
        if status == 0:
            return False
        # It may end between any two calls.
        with suppress(OSError, StopIteration):
            self._peak = peak_bytes(self._process.pid)
        if len(self._sockets) < self._wanted:
            self._take()
        return True

    def usage(self) -> Usage:
        """Return what the process has sent, and its peak of memory."""
        if len(self._sockets) < self._wanted:
            raise RuntimeError(f"only {len(self._sockets)} of {self._wanted} connections were seen before the end")
        return Usage(tuple(map(Connection.of, self._sockets.values())), self._peak)

    def _take(self) -> None:
        """Take duplicates of the connections that are new."""
        with suppress(FileNotFoundError):
            for entry in Path(f"/proc/{self._process.pid}/fd").iterdir():
                with suppress(FileNotFoundError):
                    what = str(entry.readlink())
                    if what.startswith("socket:") and what not in self._sockets:
                        self._keep(what, self._duplicate(int(entry.name)))

    def _duplicate(self, descriptor: int) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        made = int(libc.syscall(_PIDFD_GETFD, self._descriptor, descriptor, 0))
        if made < 0:
            number = ctypes.get_errno()
            # It was closed since the listing, or the process has ended.
            if number == errno.EBADF or self._process.poll() is not None:
                raise FileNotFoundError
            raise CannotRunError(
                f"the bytes that LightGBM's program sends cannot be counted here: pidfd_getfd: {os.strerror(number)}"
            )
        return made

    def _keep(self, what: str, descriptor: int) -> None:
        """Keep a TCP connection; a socket of another kind, or that listens or is not connected yet, is none."""
        one = socket.socket(fileno=descriptor)
        try:
            Connection.of(one)
        except OSError:
            one.close()
        else:
            self._sockets[what] = one


def _text(value: object) -> str:
    """Write a value as LightGBM's program reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
