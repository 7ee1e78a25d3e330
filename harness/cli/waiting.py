"""Progress of commands that read many runs: a bar on standard error, in a terminal and where it takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from threading import Timer

from harness.cli.output import log

_PATIENCE_S = 2.0


@contextmanager
def reading(paths: Sized) -> Iterator[Callable[[], None]]:
    """Show how many files of runs have been read, from two seconds on until the result is there.

    Yields
    ------
    callable
        To be called after each file. Between the last file and the end the bar says that figures are computed.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn()
    bar = Progress(*columns, console=log(), transient=True, refresh_per_second=4)
    task = bar.add_task("reading runs", total=len(paths))
    late = Timer(_PATIENCE_S, bar.start)
    late.daemon = True
    late.start()

    def read() -> None:
        bar.advance(task)
        if bar.finished:
            bar.update(task, description="runs read, computing")

    try:
        yield read
    finally:
        late.cancel()
        late.join()  # a bar that starts after it was stopped would stay
        bar.stop()
