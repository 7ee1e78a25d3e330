"""The cores of this machine, divided among the processes that measure on it: runs, gates, and workers of Dask.

Each of them has a slot while it measures: a file with a number for its name, which contains its cores and stays locked
as long as the process lives. A lock cannot be left over, however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.errors import UsageError
from harness.execute.executor import Share, share
from harness.measure.machine import usable_cores


class Slot:
    """The first number that was free, until it is closed or the process ends.

    Parameters
    ----------
    folder
        Where the files lie; by default in the temporary folder, one for each user.

    Raises
    ------
    UsageError
        When the file cannot be written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir()) / f"bakeoff-slots-{os.getuid()}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._index, self._descriptor = self._take()
        except OSError as error:
            raise UsageError(
                f"cannot write in {self._folder} ({error.strerror}): free some space, or set TMPDIR to another folder"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the number back; closing twice does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def share(self, threads: int = 1) -> Share:
        """Return what this process has of the machine now: all who measure there and may use its cores divide them.

        Parameters
        ----------
        threads
            Number of cores that are needed at once. If its share has fewer, this process uses all of its cores, others'
            shares included.
        """
        cores = usable_cores()
        sharing = [index for index in self._numbers() if index == self._index or self._uses(index, cores)]
        part = share(cores, sharing.index(self._index), len(sharing))
        enough = len(part.cores) >= threads
        return replace(part, cores=part.cores if enough else tuple(cores), jobs=1, others=len(sharing) - 1)

    def _take(self) -> tuple[int, int]:
        for index in count():
            # No link is followed: the temporary folder is everybody's.
            flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW
            descriptor = os.open(self._folder / str(index), flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.truncate(descriptor, 0)
                os.write(descriptor, " ".join(map(str, usable_cores())).encode())
            except BlockingIOError:
                os.close(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            else:
                return index, descriptor
        raise AssertionError

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self._folder.iterdir())

    def _uses(self, index: int, cores: Sequence[int]) -> bool:
        """Return whether a process has this number and may use some of these cores, as all may where none are known."""
        with (self._folder / str(index)).open() as slot:
            try:
                fcntl.flock(slot, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                its = [int(core) for core in slot.read().split()]
                return its == cores or not set(its).isdisjoint(cores)
        return False
