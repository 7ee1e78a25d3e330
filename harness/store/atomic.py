"""Files that are replaced as a whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from harness.errors import UsageError


def check_writable(path: Path) -> None:
    """Check that a file can be written at a place, before long work that ends in writing it.

    Raises
    ------
    UsageError
        When it cannot.
    """
    with _sentences(path):
        there = _existing(path)
        if there is None or stat.S_ISREG(there.st_mode):
            descriptor, temporary = _temporary(_end(path))
            os.close(descriptor)
            temporary.unlink()
        elif not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old or the new content, never a part of it.

    A link stays, and what it points at is replaced. A pipe or a device cannot be replaced, so it is written to,
    like the file that this process prints to.

    Raises
    ------
    UsageError
        When it cannot be written there.
    """
    with _sentences(path):
        there = _existing(path)
        if there is not None and (stream := _printing_to(there)):
            stream.flush()
            _write(os.dup(stream.fileno()), content)
        elif there is not None and not stat.S_ISREG(there.st_mode):
            _write(os.open(path, os.O_WRONLY), content)
        else:
            _replace(_end(path), content)


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"cannot write {path}: {path.parent} is a file; give a place in a folder") from None
    except OSError as error:
        raise UsageError(
            f"cannot write {path} ({error.strerror}): give a place that has room and can be written"
        ) from None


def _existing(path: Path) -> os.stat_result | None:
    there = path.stat() if path.exists() else None
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise UsageError(f"cannot write {path}, which is a folder: give the name of a file")
    return there


def _end(path: Path) -> Path:
    """Follow links to the file that they mean, which need not exist."""
    end = Path(os.path.realpath(path))
    if end.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return end


def _replace(path: Path, content: bytes) -> None:
    descriptor, temporary = _temporary(path)
    try:
        os.fchmod(descriptor, 0o644)
        _write(descriptor, content, sync=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> tuple[int, Path]:
    """Open a new file beside a path, which can then take its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    return descriptor, Path(name)


def _write(descriptor: int, content: bytes, *, sync: bool = False) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if sync:
            os.fsync(descriptor)


def _printing_to(file: os.stat_result) -> TextIO | None:
    """Return the standard stream that writes into a file, such as ``/dev/stdout``; its next line follows."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if os.path.samestat(os.fstat(stream.fileno()), file):
                return stream
        except (AttributeError, OSError, ValueError):  # a stream that is closed, or of no file
            continue
    return None
