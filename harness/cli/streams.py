"""Standard streams that never end a command: the exit code is the verdict, whatever becomes of what is printed."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


_PLAIN = {"µ": "u", "─": "-", "…": "...", "\u00a0": " ", "\u2212": "-", "\u2013": "-"}


class _Enduring(io.RawIOBase):
    """A raw stream that drops what cannot be written, and keeps the first error.

    Progress that nobody reads stops no measurement, and a gate that found a regression says so by its exit code, even
    if its reader went away.
    """

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self.error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        size = memoryview(data).nbytes
        if self.error is not None:
            return size
        try:
            while (written := self._raw.write(data)) is None:  # a pipe that another process made non-blocking
                select.select([], [self._raw], [])
        except OSError as error:
            self.error = error
            return size
        return written

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()


class Streams:
    """Standard output and error, as long as a command runs; made once, before it begins.

    A stream that a program put in the place of a standard one, as a test does, stays.
    """

    def __init__(self) -> None:
        _fill_gaps()
        self._out = _Enduring(io.FileIO(1, "w", closefd=False))
        sys.stdout = _text(sys.stdout, self._out)
        sys.stderr = _text(sys.stderr, _Enduring(io.FileIO(2, "w", closefd=False)))

    def lost(self) -> str:
        """Flush standard output, and return why a part of it is lost; empty if none is, or if nobody reads it."""
        sys.stdout.flush()
        error = self._out.error
        if error is None or error.errno == errno.EPIPE:
            return ""
        return error.strerror or str(error)


def _fill_gaps() -> None:
    """Open the standard descriptors that are closed, so that no file of a run takes the place of one."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _text(replaced: TextIO | None, raw: _Enduring) -> TextIO:
    """Return a text stream in the encoding of a standard one; a sign that it lacks is written as a plain one."""
    if replaced is not None and not _writes_to(replaced, raw.fileno()):
        return replaced
    codecs.register_error("plain", _plain)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=replaced.encoding if replaced else "utf-8",
        errors="plain",
        line_buffering=raw.isatty() or raw.fileno() == 2,
        write_through=raw.fileno() == 2,
    )


def _writes_to(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except OSError:  # it is in memory
        return False


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, "?") for sign in lacking), error.end
