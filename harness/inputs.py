"""Files that others wrote: only regular files are opened, and none is read beyond a limit.

A pipe would block for ever, and a device such as /dev/zero has no end.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeAlias

from msgspec import Meta

from harness.errors import UsageError

#: Longest line of a run, and largest file of other kinds, in bytes.
MOST_BYTES = 2**24

#: A path in a file: no control characters, and no part longer than file systems take.
PathText: TypeAlias = Annotated[str, Meta(pattern=r"^(?!.*[^/]{241})[^\x00-\x1f\x7f]{0,1000}$")]

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read its bytes.

    Raises
    ------
    OSError
        When it cannot be opened, or is something else; `strerror` says what.
    """
    # Without O_NONBLOCK, opening a pipe waits for someone to write on it.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError:  # a null byte in the name
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from None
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        os.close(descriptor)
        number = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
        raise OSError(number, f"it is {_KINDS.get(kind, 'something else')}, not a file", str(path))
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a regular file as a whole.

    Raises
    ------
    OSError
        When it cannot be read, is something else, or has more than `most` bytes.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return content


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file of TOML; a byte-order mark, which some editors of Windows write, is skipped.

    Raises
    ------
    UsageError
        When it cannot be read, or is not TOML.
    """
    import tomllib

    try:
        return tomllib.loads(read_regular(path).decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    except (RecursionError, ValueError):  # Python refuses to read a number of more than 4,300 digits
        raise UsageError(f"{path} is not valid TOML: it is nested too deep, or has a number too long") from None


def lines(file: BinaryIO) -> Iterator[bytes]:
    """Go through the lines of a file; of one that is longer than `MOST_BYTES`, yield the beginning, then stop."""
    while line := file.readline(MOST_BYTES):
        yield line
        if len(line) == MOST_BYTES and not line.endswith(b"\n"):
            return
