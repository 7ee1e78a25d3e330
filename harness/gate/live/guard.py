"""Ends whatever a gate has started when the gate is gone, however it ended; run as a program, it is that guard.

Sides, pip and what pip builds packages with inherit a variable of the gate, by which the guard finds them, also those
that have left their parent's session. The guard waits for the end of a pipe that only the gate holds open, so that it
acts when the gate is killed, too.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

_VARIABLE = "BAKEOFF_GATE"
_SETTLE_S = 0.1  # a process that is just being started has not its variables yet
_END_S = 5.0


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """End all that is started within, and their descendants, when the ``with`` statement is left or this process ends.

    It sets a variable of this process's environment meanwhile.
    """
    mark, before = secrets.token_hex(8), os.environ.get(_VARIABLE)
    guard = subprocess.Popen(
        [sys.executable, "-P", __file__, mark],
        # Not marked itself where a gate runs within another one.
        env={name: value for name, value in os.environ.items() if name != _VARIABLE},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.environ[_VARIABLE] = mark
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
        if before is not None:
            os.environ[_VARIABLE] = before
        guard.communicate()


def _main() -> None:
    sys.stdin.buffer.read()
    started = time.monotonic()
    while _end(sys.argv[1]) or time.monotonic() < started + _SETTLE_S:
        if time.monotonic() > started + _END_S:  # what the kernel does not end cannot be waited for
            break
        time.sleep(_SETTLE_S / 5)


def _end(mark: str) -> bool:
    """Kill all processes with a mark; return whether there were any."""
    found = False
    for process in psutil.process_iter():
        # Those of other users cannot be read.
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(_VARIABLE) == mark:
                found = True
                process.kill()
    return found


if __name__ == "__main__":
    _main()
