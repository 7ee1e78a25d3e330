"""Figures beside a yardstick that is timed in turn with them, so that a limit is a ratio and holds on any machine."""

from __future__ import annotations

import gc
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

TURNS = 7


def children_s() -> float:
    """Return the CPU time of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def take_turns(
    *works: Callable[[], object], turns: int = TURNS, clock: Callable[[], float] = time.process_time
) -> list[list[float]]:
    """Time each work once a turn, after one turn that does not count; return the times of each."""
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(turns + 1):
        for work, times in zip(works, seconds, strict=True):
            gc.collect()
            start = clock()
            work()
            if turn:
                times.append(clock() - start)
    return seconds


def run_python(script: str, *arguments: str) -> None:
    """Run a script in a fresh interpreter."""
    command = [sys.executable, "-P", "-c", script, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def check_ratio(
    name: str, seconds: Sequence[float], yardstick: str, yardstick_seconds: Sequence[float], limit: float
) -> None:
    """Print the medians and the median ratio of pairs, and fail when the ratio is over its limit."""
    ratio = statistics.median(one / other for one, other in zip(seconds, yardstick_seconds, strict=True))
    figure, reference = statistics.median(seconds), statistics.median(yardstick_seconds)
    print(f"\n{name}: {_text(figure)}, {ratio:.3g} times {yardstick} ({_text(reference)}); limit {limit:g} times")
    assert ratio <= limit


def _text(seconds: float) -> str:
    """Write a time in the unit in which it has one to three digits before the point."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
