"""What every executor does: it takes blocks of trials, and hands over a record for each trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from harness.records import Record, Trial

#: Called with each record and its long text as soon as the trial has ended; never by two threads at once.
Receiver = Callable[[Record, str], None]


@dataclass(frozen=True)
class Block:
    """Trials that are compared with each other: the strategies of one cell on the same data and seeds, in their order.

    A resumed run has blocks with only the trials that are missing.
    """

    trials: tuple[Trial, ...]


def blocks_of(trials: Iterable[Trial]) -> list[Block]:
    """Divide trials in the order of a plan into their blocks; the order stays."""
    return [Block(tuple(block)) for _, block in groupby(trials, key=lambda trial: (trial.cell, trial.block))]


@dataclass(frozen=True)
class Limits:
    """Limits of every trial, and how many run at once.

    Attributes
    ----------
    memory_pass
        Whether each trial runs once more for its memory figures alone.
    jobs
        Number of blocks that run at the same time.
    altered
        The tasks, ``topic/task``, whose altered test sets are handed out.
    """

    timeout_s: float
    memory_bytes: int
    memory_pass: bool = False
    jobs: int = 1
    altered: frozenset[str] = frozenset()


class Executor(Protocol):
    """Runs blocks of trials.

    The trials of a block run one after the other, in their order, on the same cores of one machine. Blocks begin in
    the order in which they are given.
    """

    def run(self, blocks: Iterable[Block], receive: Receiver, begin: Callable[[Trial], None] = ...) -> None:
        """Run all trials.

        Parameters
        ----------
        receive
            Takes each record. An exception that it raises ends the run.
        begin
            Called with each trial before it runs.
        """


def cores_for(block: int, threads: int, cores: Sequence[int]) -> list[int]:
    """Return the cores on which the trials of a block run.

    The cores are divided into groups of `threads`; blocks use the groups in turn. A trial that asks for more threads
    than there are cores gets all cores.
    """
    if len(cores) <= threads:
        return list(cores)
    groups = len(cores) // threads
    start = (block % groups) * threads
    return list(cores[start : start + threads])
