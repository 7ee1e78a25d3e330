"""The harness's end of a fork server: started on first use, started again when it ends."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

import msgspec

from harness.config import Config, encode_config
from harness.errors import BakeoffError
from harness.measure.memory import QUIET_ENVIRONMENT
from harness.measure.messages import Ready, Request, Response
from harness.measure.threads import environment

_log = logging.getLogger(__name__)

_END_S = 5.0
_LAST_BYTES = 4000
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    # Arrow's own allocators keep freed pages and start a thread: neither suits a process that forks.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class ServerError(BakeoffError):
    """The fork server could not start, or ended during a trial."""


class Server:
    """A fork server of one topic.

    Parameters
    ----------
    config
        The project's configuration, by which the server finds the same topics.
    quiet
        Whether its workers run the memory pass, in which the allocator's noise is switched off.
    python, variables
        Interpreter and environment variables of another environment than this one.
    """

    def __init__(
        self,
        topic: str,
        config: Config,
        *,
        quiet: bool = False,
        python: Path | str = sys.executable,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._command = [str(python), "-P", "-m", "harness.measure.server", topic, encode_config(config)]
        self._command += ["quiet"] if quiet else []
        self._topic = topic
        self._variables = {**_ENVIRONMENT, **environment(1), **(QUIET_ENVIRONMENT if quiet else {}), **variables}
        self._process: subprocess.Popen[bytes] | None = None
        self._printed: IO[bytes] | None = None
        self._ready = False

    def begin(self) -> None:
        """Start the server, unless it runs, and leave it to import its libraries."""
        if self._process is not None:
            return
        self._ready = False
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            env={**os.environ, **self._variables},
            start_new_session=True,
        )

    def wait(self) -> None:
        """Wait until a server that has begun is ready.

        Raises
        ------
        ServerError
            When it ended instead.
        """
        process = self._process
        if process is None or self._ready:
            return
        try:
            threads = msgspec.json.decode(self._line(process), type=Ready).threads
        except BaseException:
            self.close()
            raise
        self._ready = True
        if threads > 1:
            _log.warning(
                "topic %s: importing its libraries started %d thread(s), which forked trials lack",
                self._topic,
                threads - 1,
            )

    def run(self, request: Request) -> Response:
        """Have one trial run.

        Raises
        ------
        ServerError
            When the server ends instead of answering; the next call starts a new one.
        """
        self.begin()
        self.wait()
        process = self._process
        if process is None:
            raise ServerError("the fork server was closed")
        try:
            self._send(process, request)
            return msgspec.json.decode(self._line(process), type=Response)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the server and whatever it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        # The server takes a closed input as the end of the harness: it kills its worker and exits.
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()
        if self._printed:
            self._printed.close()

    def _send(self, process: subprocess.Popen[bytes], request: Request) -> None:
        if process.stdin is None:
            raise ServerError("the fork server has no input")
        try:
            process.stdin.write(msgspec.json.encode(request) + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise ServerError(self._last_words(process)) from None

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        line = process.stdout.readline() if process.stdout else b""
        if not line.endswith(b"\n"):
            raise ServerError(self._last_words(process))
        return line

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        printed = b""
        if self._printed:
            self._printed.seek(0, os.SEEK_END)
            self._printed.seek(max(self._printed.tell() - _LAST_BYTES, 0))
            printed = self._printed.read()
        last = printed.decode(errors="replace").strip().splitlines()[-1:] or ["it printed nothing"]
        return f"the fork server of topic {self._topic} ended with exit code {process.returncode}: {last[0]}"
