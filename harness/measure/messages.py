"""What the harness, the fork server and the worker say to one another: one JSON object a line.

A live gate talks to the fork server of its base, which may be an older one: a new field of a message has a default.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import msgspec

from harness.records import Curve, MemorySource, Phase, Record, Scalar, Trial, Try


class Request(msgspec.Struct, omit_defaults=True):
    """The harness asks the server for one trial.

    Attributes
    ----------
    choice
        Options that tuning chose before, so that the trial is not tuned again.
    altered
        Whether altered test sets are handed out.
    """

    trial: Trial
    cores: list[int]
    timeout_s: float
    memory_limit_bytes: int
    jobs: int = 1
    choice: dict[str, Scalar] | None = None
    altered: bool = False


class Response(msgspec.Struct, omit_defaults=True):
    """The server's answer: the record, and long text for the run's folder (traceback, what was printed)."""

    record: Record
    text: str = ""


class Ready(msgspec.Struct):
    """The server has imported the topic. `threads` above 1 means that an import started threads."""

    threads: int


class PhaseEvent(msgspec.Struct, tag="phase"):
    """The worker enters or leaves a phase.

    Attributes
    ----------
    at
        Monotonic time in seconds.
    children
        What descendants hold, in bytes.
    files
        The worker's resident size and shared memory in files, in bytes: `shared.with_files`.
    """

    phase: str
    kind: Literal["enter", "leave"]
    at: float
    children: int = 0
    files: int = 0


class Outcome(msgspec.Struct, tag="outcome", omit_defaults=True):
    """The worker's last message: what came of the trial."""

    status: Literal["ok", "skipped", "failed", "memory"]
    reason: str = ""
    text: str = ""
    phases: dict[str, Phase] = {}
    metrics: dict[str, float] = {}
    curves: dict[str, Curve] = {}
    n: dict[str, int] = {}
    overlap: float = 0.0
    memory_source: MemorySource | None = None
    tries: list[Try] = []
    choice: dict[str, Scalar] = {}
    work: dict[str, float] = {}
    diverged: float | None = None


def take_standard_streams() -> tuple[int, int]:
    """Move the messages off descriptors 0 and 1, where a topic or a strategy may read or print.

    Returns
    -------
    requests, responses
        Descriptors of what were standard input and output. Standard input is now empty, and what is printed goes to
        standard error.
    """
    requests, responses = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, responses


def write_line(descriptor: int, message: Any) -> None:
    """Write a message as one line of JSON, all of it even where a pipe takes it piece by piece."""
    line = msgspec.json.encode(message) + b"\n"
    while line:
        line = line[os.write(descriptor, line) :]
