"""Files of runs: created, appended to, resumed, listed, and looked up by what a person types."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from harness.errors import BakeoffError, Exit, UsageError, did_you_mean
from harness.inputs import lines, open_regular
from harness.records import Record
from harness.store.header import Header
from harness.store.named_runs import baseline_files
from harness.store.read import encode, open_run

_FILE = re.compile(r"\d{8}T\d{6}Z-[0-9a-z]+-[0-9a-f]{6}\.jsonl")


class RunWriteError(BakeoffError):
    """A run could not be written: the disk is full or failing. The records written before are safe."""

    exit_code = Exit.USAGE


class Run:
    """A file of a run that is open for writing, made by `create` or `resume`; it stays locked until it is closed.

    Attributes
    ----------
    path
        The file.
    folder
        The folder beside it, for long texts.
    keys
        Keys of the trials that have a record in this file, whatever their status.
    """

    def __init__(self, path: Path, descriptor: int, header: Header, keys: set[str]) -> None:
        self.path = path
        self.folder = path.with_suffix("")
        self.header = header
        self.keys = keys
        self._descriptor = descriptor

    def write(self, *records: Record) -> None:
        """Append records, all or none of them; when this returns, they are on the disk.

        Raises
        ------
        RunWriteError
            When they cannot be written; the file then ends with the record before.
        """
        try:
            append(self._descriptor, b"".join(map(encode, records)))
        except OSError as error:
            raise self._broken(error) from error
        self.keys.update(record.trial.key for record in records)

    def note(self, key: str, text: str) -> None:
        """Write a long text of a trial to ``<key>.txt``, replacing an earlier one as a whole.

        Raises
        ------
        RunWriteError
            When it cannot be written; an earlier text stays.
        """
        temporary = self.folder / f"{key}.txt.tmp"
        try:
            self.folder.mkdir(exist_ok=True)
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
            temporary.replace(self.folder / f"{key}.txt")
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise self._broken(error) from error

    def close(self) -> None:
        """Release the lock and close the file; closing twice does no harm."""
        if self._descriptor >= 0:
            # A process forked in between shares the lock, and would keep it if the file were only closed.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _broken(self, error: OSError) -> RunWriteError:
        return RunWriteError(
            f"cannot write on {self.path} ({error.strerror}), records safe so far: {len(self.keys)}; free some space "
            f"or mend the disk, then go on with 'bakeoff run --resume {self.header.run}'"
        )


def create(results: Path, header: Header) -> Run:
    """Create a file of a run in the machine's folder below `results`, and write the header.

    Raises
    ------
    UsageError
        When the file cannot be created there.
    """
    path = results / header.machine.name / f"{header.name}.jsonl"
    descriptor = create_locked(path, encode(header))
    return Run(path, descriptor, header, set())


def create_locked(path: Path, first: bytes) -> int:
    """Create a file with its first line and return its descriptor; it stays locked until that is closed.

    Raises
    ------
    UsageError
        When it cannot be created or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)
    except OSError as error:
        raise UsageError(f"cannot create {path} ({error.strerror}): give a folder that can be written") from None
    try:
        lock(descriptor, path)
        append(descriptor, first)
    except BaseException as error:
        os.close(descriptor)
        path.unlink()
        if isinstance(error, OSError):
            raise UsageError(f"cannot write {path} ({error.strerror}): free some space on its disk") from error
        raise
    return descriptor


def resume(path: Path) -> Run:
    """Open a file of a run again to append to it; a last line that a crash cut off is removed.

    Raises
    ------
    UsageError
        When another process is writing the run, or the file cannot be opened or read.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise UsageError(f"cannot resume {path}: {error.strerror}") from None
    try:
        lock(descriptor, path)
        with open_run(path) as reader:
            keys = {record.trial.key for record in reader}
        os.ftruncate(descriptor, reader.size)
    except BaseException:
        os.close(descriptor)
        raise
    return Run(path, descriptor, reader.header, keys)


def check_not_written(path: Path) -> None:
    """Refuse a file of a run that another process is writing.

    Raises
    ------
    UsageError
        When it is being written, or cannot be opened.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        raise UsageError(f"cannot read the run {path}: {error.strerror}") from None
    with file:
        lock(file.fileno(), path, fcntl.LOCK_SH)


def runs(folder: Path) -> list[Path]:
    """List the files of runs in a results folder or in one machine's folder, oldest first, each file once.

    Runs that began in the same second are in the order in which they were last written.

    Raises
    ------
    UsageError
        When a folder or a file in it cannot be read.
    """
    entries = _entries(folder)
    inner = (file for entry in entries if not _FILE.fullmatch(entry.name) for file in _entries(entry))
    files = distinct(file for file in (*entries, *inner) if _FILE.fullmatch(file.name))
    written: dict[str, int] = {}
    for file in files:
        # The parts of a run, one for each machine, stay beside each other.
        written[file.name] = max(written.get(file.name, 0), file.stat().st_mtime_ns)
    return sorted(files, key=lambda file: (file.name.partition("-")[0], written[file.name], file.name, file))


def distinct(paths: Iterable[Path]) -> list[Path]:
    """Leave out further names of the same file, such as those in a folder that links to another one; keep the order.

    Raises
    ------
    UsageError
        When a name leads to no file.
    """
    paths = list(dict.fromkeys(paths))
    found: dict[tuple[int, int], Path] = {}
    for path in sorted(paths, key=lambda path: (path.is_symlink() or path.parent.is_symlink(), path)):
        try:
            status = path.stat()
        except OSError as error:
            raise UsageError(f"cannot read the run {path}: {error.strerror}") from None
        found.setdefault((status.st_dev, status.st_ino), path)
    kept = set(found.values())
    return [path for path in paths if path in kept]


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except PermissionError as error:
        raise UsageError(f"cannot list the runs in {folder}: {error.strerror}") from None
    except OSError:  # it is not a folder
        return []


def parts(path: Path) -> list[Path]:
    """List all files of the run that a file belongs to: those of the same name in the folders of other machines."""
    path = path.resolve()
    if not _FILE.fullmatch(path.name):
        return [path]
    return sorted(distinct([path, *path.parents[1].glob(f"*/{path.name}")]))


def find(results: Path, name: str) -> list[Path]:
    """Find the run that an argument means, and list its files: one for each machine that took part.

    Parameters
    ----------
    name
        A run's id or the beginning of it, a file name with or without its suffix, ``latest`` (of those that have
        records or are being written), ``@name`` of a baseline that points at one run, or the path of a file, which
        means that file alone.

    Raises
    ------
    UsageError
        When no run or several are meant.
    """
    if _is_file(Path(name)):
        return [Path(name)]
    if name.startswith("@"):
        return _only(name, baseline_files(results, name[1:]))
    known = runs(results)
    if not known:
        raise UsageError(f"no run {name!r}: {results} contains no runs; make one with 'bakeoff run'")
    if name == "latest":
        # A start that failed leaves a run without records, which is not what a person wants to see.
        newest = next((path for path in reversed(known) if _has_begun(path)), known[-1])
        return [path for path in known if path.name == newest.name]
    files = [path for path in known if name and (name in (path.name, path.stem) or _id(path).startswith(name))]
    if not files:
        hint = did_you_mean(name, ["latest", *map(_id, known)])
        raise UsageError(f"no run {name!r} in {results}{hint}")
    if _several(files):
        raise UsageError(f"run {name!r} may be any of {', '.join(map(str, files))}: give more of its id, or the path")
    return files


def find_all(results: Path, names: Iterable[str]) -> list[Path]:
    """List the files of several runs, each file once; errors are those of `find`."""
    return list({path.resolve(): None for name in names for path in find(results, name)})


def find_with_added(results: Path, names: Iterable[str]) -> list[Path]:
    """List the files of several runs with the blocks that were added to them, each file once.

    A run means those that add blocks to it as well, and a run that adds blocks means the one that it adds to and all
    others that do. The path of a file means that file alone; errors are those of `find`.
    """
    found: dict[Path, None] = {}
    for name in names:
        files = find(results, name)
        alone = _is_file(Path(name))
        found.update((path.resolve(), None) for file in files for path in ([file] if alone else with_added(file)))
    return list(found)


def with_added(file: Path) -> list[Path]:
    """List the file of the run that a file adds blocks to, or is itself, and of those that add to it on the machine."""
    if not _FILE.fullmatch(file.name):
        return [file]
    first = parent_of(file) or _id(file)
    listed = [path for path in runs(file.parent) if path.parent == file.parent]
    begun = next((place for place, path in enumerate(listed) if _id(path) == first), len(listed))
    added = [path for path in listed[begun + 1 :] if parent_of(path) == first]
    return [*listed[begun : begun + 1], *added] or [file]


def parent_of(path: Path) -> str:
    """Return the id of the run that a file adds blocks to; empty if it adds to none, or is damaged."""
    try:
        with open_regular(path) as file:
            return msgspec.json.decode(next(lines(file), b""), type=_Added).parent
    except (OSError, ValueError, RecursionError):  # said when it is read
        return ""


class _Added(msgspec.Struct):
    parent: str = ""


def _is_file(path: Path) -> bool:
    """Return whether a path leads to a file that can be read; a folder or nothing may have the name of a run too.

    Raises
    ------
    UsageError
        When it leads to something else.
    """
    try:
        open_regular(path).close()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise UsageError(f"cannot read the run {path}: {error.strerror}") from None
    return True


def _has_begun(path: Path) -> bool:
    """Return whether a run has a record or is being written."""
    try:
        with open_regular(path) as file:
            if len(list(islice(lines(file), 2))) == 2:
                return True
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # said when it is read
        return True
    return False


def _only(name: str, files: list[Path]) -> list[Path]:
    if _several(files):
        listed = ", ".join(f"{_id(file)} of {file.parent.name}" for file in files)
        count = len({file.name for file in files})
        raise UsageError(f"{name} points at {count} runs ({listed}), but one is needed here: give the id of one")
    return files


def _several(files: Sequence[Path]) -> bool:
    return len({file.name for file in files}) > 1


def _id(path: Path) -> str:
    return path.stem.rsplit("-", 1)[1]


def lock(descriptor: int, path: Path, kind: int = fcntl.LOCK_EX) -> None:
    """Lock an open file that is being written, until it is closed.

    Raises
    ------
    UsageError
        When another process has locked it, or its disk has no locks.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"{path} is being written by another process: wait for its end, or start a new one") from None
    except OSError as error:
        raise UsageError(f"cannot lock {path} ({error.strerror}): use a results folder on a local disk") from None


def append(descriptor: int, lines: bytes) -> None:
    """Append lines and flush them to the disk, all or nothing."""
    before = os.fstat(descriptor).st_size
    try:
        rest = memoryview(lines)
        while rest:  # a disk that fills up takes a part, and reports the error at the next write only
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, before)
        raise
