"""What every executor does: it takes blocks of trials, and hands over a record for each trial."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from harness.errors import BakeoffError
from harness.measure.machine import Environment, Machine
from harness.measure.messages import Response
from harness.records import Trial


class EngineError(BakeoffError):
    """What runs the blocks is gone, or gave up; the records written before are safe."""


@dataclass(frozen=True)
class Block:
    """Trials that are compared with each other: the strategies of one cell on the same data and seeds, in their order.

    A resumed run has blocks with only the trials that are missing.

    Attributes
    ----------
    machine
        Name of the machine that began the block and has to finish it; empty where none has begun it.
    """

    trials: tuple[Trial, ...]
    machine: str = ""


@dataclass(frozen=True)
class Place:
    """Where trials ran: what the header of a run's file says of it."""

    machine: Machine
    environment: Environment


@dataclass(frozen=True)
class Ended:
    """Trials that have ended, and are written together or not at all.

    Attributes
    ----------
    place
        Where they ran; ``None`` for this process's own machine.
    """

    responses: tuple[Response, ...]
    place: Place | None = None


#: Called with trials as soon as they have ended; never by two threads at once.
Receiver = Callable[[Ended], None]


def blocks_of(trials: Iterable[Trial]) -> list[Block]:
    """Divide trials in the order of a plan into their blocks; the order stays."""
    return [Block(tuple(block)) for _, block in groupby(trials, key=lambda trial: (trial.cell, trial.block))]


@dataclass(frozen=True)
class Limits:
    """Limits of every trial, and how many run at once.

    Attributes
    ----------
    memory_bytes
        Memory of all trials that run at once on a machine; ``None`` for 80 % of what is free there.
    memory_pass
        Whether each trial runs once more for its memory figures alone.
    jobs
        Number of blocks that run at the same time.
    altered
        The tasks, ``topic/task``, whose altered test sets are handed out.
    """

    timeout_s: float
    memory_bytes: int | None
    memory_pass: bool = False
    jobs: int = 1
    altered: frozenset[str] = frozenset()


class Executor(Protocol):
    """Runs blocks of trials.

    The trials of a block run one after the other, in their order, on the same cores of one machine. Blocks begin in
    the order in which they are given.
    """

    @property
    def machines(self) -> Container[str]:
        """Names of the machines on which blocks run: those can finish a block that one of them began."""

    def prepare(self, trials: Sequence[Trial]) -> None:
        """Get ready to run trials, before a run begins.

        Raises
        ------
        UsageError
            When they could not be run as asked.
        """

    def run(self, blocks: Iterable[Block], receive: Receiver, begin: Callable[[Trial], None] = ...) -> None:
        """Run all trials.

        Parameters
        ----------
        receive
            Takes the records. An exception that it raises ends the run.
        begin
            Called with each trial before it runs, or before its block is sent to where it runs.

        Raises
        ------
        EngineError
            When what runs the blocks is gone.
        """

    def close(self) -> None:
        """End whatever was started; closing twice does no harm."""


@dataclass(frozen=True)
class Cluster:
    """Where the workers of an executor on several machines are found.

    Attributes
    ----------
    scheduler
        Address of a scheduler that runs already; empty to start one.
    workers
        Number of workers to start on this machine.
    """

    scheduler: str = ""
    workers: int = 0


@dataclass(frozen=True)
class Share:
    """The part of a machine that one of several jobs has.

    Attributes
    ----------
    jobs
        Number of jobs that run at once and divide the memory, this one included.
    others
        Number of other processes that measure on the machine.
    """

    cores: tuple[int, ...]
    jobs: int
    others: int = 0


def share(cores: Sequence[int], job: int, jobs: int) -> Share:
    """Return the share of a job, counted from 0; jobs beyond the number of cores have all of them."""
    return Share(tuple(cores[job::jobs] or cores), jobs)


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
