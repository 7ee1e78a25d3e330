"""The cache of what gates build: entries with a lock each, of which the oldest are removed.

The import path of a side, the folders of its tree before everything that is installed, is such an entry.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config import cache_folder
from harness.errors import BakeoffError, Exit, UsageError

KEPT = 8  # entries of a shelf


#: The shelves: trees of revisions, virtual environments, and what the sides of a pair hand over.
TREES, PACKAGES, PAIRS = "trees", "packages", "pairs"
#: The last file of a virtual environment, which is built in place.
READY = ".ready"


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
        self.descriptor = descriptor
        self.release = weakref.finalize(self, os.close, descriptor)


class Shelf:
    """A folder of entries, each a folder named by its key.

    An entry is held while it is used or built. Its lock lies beside it, and the lock's time is that of its last use.

    Parameters
    ----------
    name
        Folder within the cache.
    ready
        File of an entry that is there once the entry is finished; empty where no entry is ever seen unfinished.

    Raises
    ------
    UsageError
        When the cache folder cannot be written.
    """

    def __init__(self, name: str, ready: str = "") -> None:
        self.folder = cache_folder() / "gate" / name
        self.ready = ready
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
        """Make a temporary folder on the shelf, which is not an entry, and remove it in the end.

        Its lock says that it is in use: without it the folder was left by a process that was killed.
        """
        hold = None
        while hold is None:
            folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="."))
            hold = _locked(folder, os.O_RDONLY, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            hold.release()

    def sweep(self) -> None:
        """Remove what processes that were killed have left: temporary folders and unfinished entries."""
        for left in self.folder.glob(".*"):
            with contextlib.suppress(OSError):
                hold = _locked(left, os.O_RDONLY, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if hold is not None:
                    shutil.rmtree(left, ignore_errors=True)
                    hold.release()
        for lock in self.folder.glob("*.lock"):
            entry = self.entry(lock.stem)
            if self.ready and entry.is_dir() and not (entry / self.ready).exists():
                self._remove(lock.stem)

    def prune(self) -> None:
        """Remove all but the entries that were used last; what is in use stays."""
        keys = [lock.stem for lock in sorted(self.folder.glob("*.lock"), key=_age)]
        built = [key for key in keys if self.entry(key).is_dir()]
        for key in keys:
            if key not in built[:KEPT]:
                self._remove(key)
        self.sweep()

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
            hold = _locked(file, os.O_RDWR | os.O_CREAT, operation)
            if hold is not None:
                return hold

    def _lock_file(self, key: str) -> Path:
        return self.folder / f"{key}.lock"


def sweep() -> None:
    """Remove what gates that were killed have left on any shelf."""
    for name, ready in ((TREES, ""), (PACKAGES, READY), (PAIRS, "")):
        Shelf(name, ready).sweep()


def _locked(path: Path, flags: int, operation: int) -> Hold | None:
    """Open and lock a path; ``None`` if it was removed meanwhile, since a lock on what is gone locks nothing."""
    try:
        hold = Hold(os.open(path, flags, 0o644))
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(hold.descriptor, operation)
        if os.path.samestat(os.fstat(hold.descriptor), path.stat()):
            return hold
    except FileNotFoundError:
        pass
    except BaseException:
        hold.release()
        raise
    hold.release()
    return None


def _age(path: Path) -> float:
    """Return the seconds since the last change of a path; without end when it is gone."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")


@dataclass(frozen=True)
class Tree:
    """A project in one revision.

    Attributes
    ----------
    folder
        The project's folder.
    top
        Where the work tree begins that it lies in.
    hold
        Keeps a tree of the cache from being removed.
    """

    folder: Path
    top: Path
    hold: Hold | None = None


def check_paths(tree: Tree, paths: Sequence[str], *, alone: bool) -> None:
    """Check the folders that a policy puts on the import path.

    Parameters
    ----------
    alone
        Whether they must lie within the tree, since the other side has a tree of its own.

    Raises
    ------
    UsageError
        When one is missing, or would be shared by both sides.
    """
    for path in paths:
        folder = tree.folder / path
        if not folder.is_dir():
            raise UsageError(f"the gate's paths name {path}, and there is no folder {folder}: correct it")
        if alone and not folder.resolve().is_relative_to(tree.top.resolve()):
            raise UsageError(
                f"the gate's paths name {path}, which lies outside of {tree.top}: leave out what both sides would share"
            )


def import_path(tree: Tree, here: Tree, sources: Sequence[Path], seen: Sequence[str]) -> str:
    """Return the ``PYTHONPATH`` of a side.

    Whatever else the running interpreter imports from the candidate's work tree, by ``PYTHONPATH`` or a path of an
    editable install, is taken from the side's own tree.

    Parameters
    ----------
    here
        The candidate's tree.
    seen
        Import path of the running interpreter's children.
    """
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    inherited = [Path(entry).absolute() for entry in [*given, *(entry for entry in seen if _is_source(entry, here))]]
    moved = (_moved(folder, here, tree) for folder in inherited)
    return os.pathsep.join(dict.fromkeys(map(str, [*sources, *(folder for folder in moved if folder.exists())])))


def module_names(folders: Sequence[Path]) -> list[str]:
    """Return the modules and packages in some folders, without those that are named as the standard library's."""
    names = set()
    for folder in folders:
        for entry in folder.iterdir():
            if entry.suffix == ".py" or (entry / "__init__.py").is_file():
                names.add(entry.stem)
    return sorted(name for name in names if name.isidentifier() and name not in sys.stdlib_module_names)


def _is_source(entry: str, here: Tree) -> bool:
    """Return whether an entry of the import path lies in the work tree, outside of a virtual environment in it."""
    top, folder = here.top.resolve(), Path(entry).resolve()
    prefixes = [
        prefix for prefix in (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()) if prefix.is_relative_to(top)
    ]
    return folder.is_relative_to(top) and not any(folder.is_relative_to(prefix) for prefix in prefixes)


def _moved(folder: Path, here: Tree, tree: Tree) -> Path:
    resolved, top = folder.resolve(), here.top.resolve()
    inside = tree.top != here.top and _is_source(str(folder), here)
    return tree.top / resolved.relative_to(top) if inside else folder
