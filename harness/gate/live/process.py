"""The gate's end of a process on one side.

Each side runs the program `harness.gate.live.side` of the harness in its own environment, so a base may be of another
Bakeoff than the candidate. A process whose first line names no protocol speaks protocol 1.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from harness.errors import CannotRunError, UsageError
from harness.gate.environments.build import SideEnvironment
from harness.gate.live.side import PROTOCOL
from harness.measure.threads import environment

#: What this gate understands. All requests and answers of protocol 1 mean the same in protocol 2.
PROTOCOLS = (1, PROTOCOL)
_PROGRAM = "harness.gate.live.side"
_CHUNK = 1 << 16
_END_S = 5.0


class SideError(Exception):
    """A side did not answer: it raised, crashed or took too long. The message is one sentence."""


class SideProcess:
    """A process in the environment of a side, ended when the ``with`` statement is left.

    Parameters
    ----------
    task
        What the side's program is to do: ``plan``, ``pair`` or ``loads``.
    seed
        Seed of Python's hashes, the same on both sides of a pair.
    """

    def __init__(self, side: SideEnvironment, task: str, *, seed: int = 0) -> None:
        self._printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._unread = b""
        self._heard = 0  # of what it printed, in bytes, when it answered last
        self._protocol: int | None = None
        self._process = subprocess.Popen(
            [side.python, "-P", "-m", _PROGRAM, task],
            cwd=side.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            env={**os.environ, **environment(1), **side.variables, "PYTHONHASHSEED": str(seed)},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the process, with all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._printed.close()

    def send(self, message: Any) -> None:
        """Send a request; that the process has ended shows when its answer is read."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(msgspec.json.encode(message) + b"\n")
                self._process.stdin.flush()

    def answer(self, timeout_s: float) -> dict[str, Any]:
        """Wait for the next answer.

        Raises
        ------
        CannotRunError
            When the strategy says that it cannot run on this side.
        UsageError
            When the side refuses what it was asked for.
        SideError
            When it raised, ended, took longer than `timeout_s`, or speaks a protocol that this gate does not know.
        """
        end = time.monotonic() + timeout_s
        answer = self._object(end, timeout_s)
        if self._protocol is None:
            self._protocol = answer.get("protocol", 1)
            if self._protocol not in PROTOCOLS:
                raise SideError(f"it speaks protocol {self._protocol} of the gate")
            if "protocol" in answer:
                answer = self._object(end, timeout_s)
        self._heard = os.fstat(self._printed.fileno()).st_size
        if answer.get("unable"):
            raise CannotRunError(answer["error"])
        if "error" in answer:
            raise UsageError(answer["error"]) if answer["usage"] else SideError(answer["error"])
        return answer

    def _object(self, end: float, timeout_s: float) -> dict[str, Any]:
        line = self._line(end, timeout_s)
        try:
            return msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            raise SideError(f"it wrote {line[:60]!r}, which is not an answer") from None

    def _line(self, end: float, timeout_s: float) -> bytes:
        if self._process.stdout is None:
            raise SideError("it has no output")
        descriptor = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(end - time.monotonic(), 0)):
                    raise SideError(f"not done after {timeout_s:g} s; killed")
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    raise SideError(self._last_words())
                self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        code = self._process.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        # A process of many cases has printed what belongs to the earlier ones.
        self._printed.seek(self._heard)
        lines = self._printed.read()[-4000:].decode(errors="replace").strip().splitlines()
        return f"ended without an answer, exit code {code}: {lines[-1] if lines else 'it printed nothing'}"
