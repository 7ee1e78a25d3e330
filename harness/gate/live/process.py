"""The driver's end of a side's process."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from harness.errors import CannotRunError, UsageError
from harness.gate.environments.build import SideEnvironment
from harness.measure.threads import environment

_PROGRAM = Path(__file__).with_name("side.py")
_CHUNK = 1 << 16
_END_S = 5.0


class SideError(Exception):
    """A side did not answer: it raised, crashed or took too long. The message is one sentence."""


class SideProcess:
    """A process in the environment of a side, ended when the ``with`` statement is left.

    Parameters
    ----------
    task
        What `side.py` is to do: ``plan`` or ``pair``.
    seed
        Seed of Python's hashes, the same on both sides of a pair.
    """

    def __init__(self, side: SideEnvironment, task: str, *, seed: int = 0) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._unread = b""
        self._process = subprocess.Popen(
            [side.python, "-P", _PROGRAM, task],
            cwd=side.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, **environment(1), **side.variables, "PYTHONHASHSEED": str(seed)},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe and pipe.close()
        self._said.close()

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message; that the process has ended is seen when it is heard."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(message).encode() + b"\n")
                self._process.stdin.flush()

    def hear(self, timeout_s: float) -> dict[str, Any]:
        """Wait for the next answer.

        Raises
        ------
        CannotRunError
            When the strategy says that it cannot run on this side.
        UsageError
            When the side refuses what it was asked for.
        SideError
            When it raised, ended or took longer than `timeout_s`.
        """
        answer: dict[str, Any] = json.loads(self._line(time.monotonic() + timeout_s, timeout_s))
        if answer.get("unable"):
            raise CannotRunError(answer["error"])
        if "error" in answer:
            raise UsageError(answer["error"]) if answer["usage"] else SideError(answer["error"])
        return answer

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
        self._said.seek(0)
        lines = self._said.read()[-4000:].decode(errors="replace").strip().splitlines()
        return f"ended without an answer, exit code {code}: {lines[-1] if lines else 'it said nothing'}"
