"""What the harness, the fork server and the worker say to one another: one JSON object a line."""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.records import Curve, MemorySource, Phase, Record, Trial


class Request(msgspec.Struct, omit_defaults=True):
    """The harness asks the server for one trial."""

    trial: Trial
    cores: list[int]
    timeout_s: float
    memory_limit_bytes: int
    jobs: int = 1


class Response(msgspec.Struct, omit_defaults=True):
    """The server's answer: the record, and long text for the run's folder (traceback, what was printed)."""

    record: Record
    text: str = ""


class Ready(msgspec.Struct):
    """The server has imported the topic. `threads` above 1 means that an import started threads."""

    threads: int


class PhaseEvent(msgspec.Struct, tag="phase"):
    """The worker enters or leaves a phase, at a monotonic time in seconds."""

    phase: str
    kind: Literal["enter", "leave"]
    at: float


class Outcome(msgspec.Struct, tag="outcome", omit_defaults=True):
    """The worker's last word."""

    status: Literal["ok", "skipped", "failed", "memory"]
    reason: str = ""
    text: str = ""
    phases: dict[str, Phase] = {}
    metrics: dict[str, float] = {}
    curves: dict[str, Curve] = {}
    memory_source: MemorySource | None = None
