"""Files that are replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.errors import UsageError


def check_writable(path: Path) -> None:
    """Check that a file can be written at a place, before long work that ends in writing it.

    Raises
    ------
    UsageError
        When it cannot.
    """
    descriptor, temporary = _temporary(path)
    os.close(descriptor)
    temporary.unlink()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old or the new content, never a part of it.

    Raises
    ------
    UsageError
        When it cannot be written there.
    """
    descriptor, temporary = _temporary(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path} ({error.strerror}): free some space or give another place") from None
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> tuple[int, Path]:
    """Open a new file beside a path, which can then take its place."""
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder; give the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except FileExistsError:
        raise UsageError(f"cannot write {path}: {path.parent} is a file; give a place in a folder") from None
    except OSError as error:
        raise UsageError(f"cannot write {path} ({error.strerror}): give a place that can be written") from None
    return descriptor, Path(name)
