"""The cache of what gates build: entries with a lock each, of which the oldest are removed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from harness.errors import BakeoffError, Exit, UsageError

KEPT = 8  # entries of a shelf
_LEFT_OVER_S = 86_400.0  # age from which a temporary folder is taken as left over


class EnvironmentBuildError(BakeoffError):
    """An environment could not be built.

    Attributes
    ----------
    tail
        The last lines of what the tool printed that failed.
    """

    exit_code = Exit.TRIAL_FAILED

    def __init__(self, message: str, tail: str = "") -> None:
        super().__init__(message)
        self.tail = tail


class Hold:
    """A lock on an entry of a shelf; it ends with the object."""

    def __init__(self, descriptor: int) -> None:
        self.release = weakref.finalize(self, os.close, descriptor)


class Shelf:
    """A folder of entries, each a folder named by its key.

    An entry is held while it is used or built. Its lock lies beside it, and the lock's time is that of its last use.

    Parameters
    ----------
    name
        Folder within the cache.

    Raises
    ------
    UsageError
        When the cache folder cannot be written.
    """

    def __init__(self, name: str) -> None:
        self.folder = cache_folder() / "gate" / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"cannot write {self.folder} ({error.strerror}): set BAKEOFF_CACHE to a folder that can be written"
            ) from None

    def entry(self, key: str) -> Path:
        """Return where an entry lies, or would."""
        return self.folder / key

    def use(self, key: str) -> Hold:
        """Hold an entry together with others who use it, until the returned object goes."""
        hold = self._lock(key, fcntl.LOCK_SH)
        os.utime(self._lock_file(key))
        return hold

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Hold an entry alone, after all others are done with it."""
        hold = self._lock(key, fcntl.LOCK_EX)
        try:
            yield
        finally:
            hold.release()

    @contextlib.contextmanager
    def temporary(self) -> Iterator[Path]:
        """Make a temporary folder on the shelf, which is not an entry, and remove it in the end."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".", ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def prune(self) -> None:
        """Remove all but the entries that were used last; what is in use stays."""
        keys = [lock.stem for lock in sorted(self.folder.glob("*.lock"), key=_age)]
        built = [key for key in keys if self.entry(key).is_dir()]
        for key in keys:
            if key not in built[:KEPT]:
                self._remove(key)
        for left in self.folder.glob(".*"):
            if _age(left) > _LEFT_OVER_S:
                shutil.rmtree(left, ignore_errors=True)

    def _remove(self, key: str) -> None:
        try:
            hold = self._lock(key, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        # Moved aside first: an entry that is half removed must not look like one.
        with contextlib.suppress(OSError), self.temporary() as aside:
            self._lock_file(key).unlink(missing_ok=True)
            self.entry(key).rename(aside / key)
        hold.release()

    def _lock(self, key: str, operation: int) -> Hold:
        file = self._lock_file(key)
        while True:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
            hold = Hold(descriptor)
            try:
                fcntl.flock(descriptor, operation)
                # A lock on a file that was removed meanwhile locks nothing.
                if os.path.samestat(os.fstat(descriptor), file.stat()):
                    return hold
            except FileNotFoundError:
                pass
            except BaseException:
                hold.release()
                raise
            hold.release()

    def _lock_file(self, key: str) -> Path:
        return self.folder / f"{key}.lock"


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``BAKEOFF_CACHE``, or ``bakeoff`` in the user's cache folder.

    Raises
    ------
    UsageError
        When neither is known.
    """
    given = os.environ.get("BAKEOFF_CACHE", "")
    if given:
        return Path(given).absolute()
    user = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (user if user.is_absolute() else Path.home() / ".cache") / "bakeoff"
    except RuntimeError:
        raise UsageError("there is no home folder to keep environments in: set BAKEOFF_CACHE to a folder") from None


def _age(path: Path) -> float:
    """Return the seconds since the last change of a path; without end when it is gone."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")
