"""Watches one worker, and makes the record of its trial: what it printed and reported, its memory, and how it ended."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from harness.measure.children import SMALL_BYTES, children_bytes, end_descendants
from harness.measure.conditions import Snapshot, conditions
from harness.measure.messages import Outcome, PhaseEvent, Request, Response
from harness.measure.releases import Listener
from harness.measure.shared import processes, with_files
from harness.records import Phase, Record, Status

_TICK_S = 0.01
_CHILD_SCAN_S = 0.1
_EXIT_GRACE_S = 5.0
_LEFTOVER_GRACE_S = 0.3
_MOST_BYTES = 64 * 1024
_CHUNK = 1 << 16

_decode = msgspec.json.Decoder(PhaseEvent | Outcome).decode


@dataclass
class Printed:
    """The beginning and the end of what a worker printed."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    total: int = 0

    def add(self, chunk: bytes) -> None:
        """Store a chunk, as far as there is room."""
        self.total += len(chunk)
        room = _MOST_BYTES - len(self.head)
        self.head += chunk[:room]
        self.tail += chunk[room:] if room > 0 else chunk
        if len(self.tail) > 2 * _MOST_BYTES:
            del self.tail[:-_MOST_BYTES]

    def text(self) -> str:
        """Return the stored text, with a line that says how much was left out."""
        tail = bytes(self.tail[-_MOST_BYTES:])
        left_out = self.total - len(self.head) - len(tail)
        if not left_out:
            return (self.head + tail).decode(errors="replace")
        omission = f"\n[... {left_out:,} bytes left out ...]\n"
        return self.head.decode(errors="replace") + omission + tail.decode(errors="replace")


@dataclass
class Sighting:
    """Everything that was observed of a worker."""

    printed: Printed = field(default_factory=Printed)
    outcome: Outcome | None = None
    events: list[PhaseEvent] = field(default_factory=list)
    # Monotonic seconds, and then the worker's resident bytes, those of its descendants, or its own and files.
    memory: list[tuple[float, int]] = field(default_factory=list)
    children: list[tuple[float, int]] = field(default_factory=list)
    files: list[tuple[float, int]] = field(default_factory=list)
    # Why it was killed: "timeout", "memory", or because the harness ended.
    stopped: str = ""
    left_processes: int = 0
    exit_status: int = 0
    usage: resource.struct_rusage | None = None
    # Whether a peak of descendants was missed in spite of a memory pass that waits for them.
    missed_children: bool = False
    # How many processes the kernel killed meanwhile because memory ran out.
    kernel_kills: int = 0
    orphaned: bool = False

    @property
    def phase(self) -> str:
        """The phase that the worker was in at its end."""
        return self.events[-1].phase if self.events and self.events[-1].kind == "enter" else ""


class Supervisor:
    """Watches one worker until nothing of it is left.

    Parameters
    ----------
    pid
        The worker, leader of its own process group.
    output, events
        Read ends of the pipes for what it prints and what it reports.
    parent
        A descriptor that becomes readable when the harness is gone.
    releases
        Answers the worker when it waits before it gives memory back; closed when the worker has ended.
    """

    def __init__(self, pid: int, output: int, events: int, parent: int, releases: Listener | None = None) -> None:
        self._pid = pid
        self._pipes = {output: self._on_output, events: self._on_events}
        self._handlers = self._pipes | ({releases.descriptor: releases.answer} if releases else {})
        self._releases = releases
        self._parent = parent
        self._unread = b""
        self._children_bytes = 0
        self._family = [pid]
        self._files_before = with_files([])
        self._next_scan = self._next_sample = 0.0
        self.seen = Sighting()
        if releases:
            releases.tell = self._note_children

    def watch(self, timeout_s: float, memory_limit_bytes: int) -> Sighting:
        """Wait for the worker's end; kill it when it goes over a limit."""
        deadline = time.monotonic() + timeout_s
        kills_before = _kernel_kills()
        with selectors.DefaultSelector() as selector, _exit_signal(self._pid) as ended:
            for descriptor in (*self._handlers, self._parent, *([] if ended is None else [ended])):
                selector.register(descriptor, selectors.EVENT_READ)
            while not self._ended():
                had_outcome = self.seen.outcome is not None
                self._serve(selector)
                self._sample(memory_limit_bytes)
                if self.seen.outcome is not None and not had_outcome:
                    deadline = time.monotonic() + _EXIT_GRACE_S
                if time.monotonic() > deadline:
                    self._kill("timeout")
        if self._releases:
            self._releases.close()
            self.seen.missed_children = self._releases.missed
        for descriptor, handle in self._pipes.items():
            while _readable(descriptor) and handle(descriptor):
                pass
        self.seen.kernel_kills = _kernel_kills() - kills_before
        self.seen.left_processes = end_descendants(_LEFTOVER_GRACE_S)
        return self.seen

    def _serve(self, selector: selectors.BaseSelector) -> None:
        for key, _ in selector.select(_TICK_S):
            descriptor = int(key.fd)
            if descriptor == self._parent:
                self.seen.orphaned = True
                self._kill("the harness ended")
                selector.unregister(descriptor)
            elif descriptor in self._handlers and not self._handlers[descriptor](descriptor):
                selector.unregister(descriptor)

    def _on_output(self, descriptor: int) -> bool:
        chunk = os.read(descriptor, _CHUNK)
        self.seen.printed.add(chunk)
        return bool(chunk)

    def _on_events(self, descriptor: int) -> bool:
        chunk = os.read(descriptor, _CHUNK)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            # A strategy can write to any descriptor it finds; lines that are not messages are ignored.
            with contextlib.suppress(msgspec.DecodeError):
                message = _decode(line)
                if isinstance(message, Outcome):
                    self.seen.outcome = message
                else:
                    self.seen.events.append(message)
        return bool(chunk)

    def _sample(self, limit: int) -> None:
        now = time.monotonic()
        if now < self._next_sample:
            return
        self._next_sample = now + _TICK_S / 2
        if now >= self._next_scan:
            self._children_bytes = children_bytes(self._pid)
            self._family = processes(self._pid)
            if not self._releases:
                self._note_children(now, self._children_bytes)
            self._next_scan = now + _CHILD_SCAN_S
        own, files = _resident(self._pid), with_files(self._family)
        self.seen.memory.append((now, own))
        self.seen.files.append((now, files))
        if max(own, files - self._files_before) + self._children_bytes > limit and not self.seen.stopped:
            self._kill("memory")

    def _note_children(self, at: float, size: int) -> None:
        """Note what the descendants hold together, in bytes."""
        self.seen.children.append((at, size))

    def _kill(self, why: str) -> None:
        self.seen.stopped = self.seen.stopped or why
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(self._pid, signal.SIGKILL)

    def _ended(self) -> bool:
        pid, status, usage = os.wait4(self._pid, os.WNOHANG)
        if pid:
            self.seen.exit_status, self.seen.usage = status, usage
        return bool(pid)


@contextlib.contextmanager
def _exit_signal(pid: int) -> Iterator[int | None]:
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _readable(descriptor: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
    return 0


def _kernel_kills() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def response(request: Request, seen: Sighting, started: datetime, before: Snapshot, after: Snapshot) -> Response:
    """Make the record of a trial, however it ended."""
    usage = seen.usage
    own_cpu_s = usage.ru_utime + usage.ru_stime if usage else 0.0
    status, reason = _verdict(request, seen)
    outcome = seen.outcome or Outcome(status="failed")
    grown, files = _add_sampled_memory(outcome.phases, seen)
    sampled = seen.missed_children or max(files, grown if outcome.memory_source == "exact" else 0) > SMALL_BYTES
    record = Record(
        trial=request.trial,
        status=status,
        reason=reason,
        phases=outcome.phases,
        metrics=outcome.metrics,
        curves=outcome.curves,
        n=outcome.n,
        memory_source="sampled" if outcome.memory_source and sampled else outcome.memory_source,
        diverged=outcome.diverged,
        conditions=conditions(before, after, own_cpu_s, usage.ru_nivcsw if usage else 0, request.jobs),
        cores=request.cores,
        started=started.isoformat(timespec="milliseconds"),
        elapsed_s=(datetime.now(UTC) - started).total_seconds(),
        tries=outcome.tries,
        choice=outcome.choice,
        work=outcome.work,
    )
    if outcome.overlap:  # a zero is the default, which is not written
        record.overlap = outcome.overlap
    text = "\n".join(part for part in (seen.outcome.text if seen.outcome else "", seen.printed.text()) if part)
    return Response(record, text)


def _verdict(request: Request, seen: Sighting) -> tuple[Status, str]:
    where = f" in phase {seen.phase}" if seen.phase else ""
    if seen.outcome is not None:
        reasons = [seen.outcome.reason]
        if seen.stopped == "timeout":
            reasons.append("did not exit after its result and was killed")
        if seen.left_processes:
            reasons.append(f"left {seen.left_processes} process(es) running; killed")
        return seen.outcome.status, "; ".join(reason for reason in reasons if reason)
    if seen.stopped == "timeout":
        return "timeout", f"not done after {request.timeout_s:g} s{where}; killed"
    if seen.stopped == "memory":
        return "memory", f"over the limit of {request.memory_limit_bytes / 1e6:,.0f} MB{where}; killed"
    code = os.waitstatus_to_exitcode(seen.exit_status)
    if code >= 0:
        return "failed", f"ended without a result, exit code {code}{where}"
    name = signal.Signals(-code).name
    if -code == signal.SIGKILL and seen.kernel_kills:
        return "memory", f"killed by the kernel, which ran out of memory{where}"
    return "failed", f"ended without a result, killed by {name}{where}"


def _add_sampled_memory(phases: dict[str, Phase], seen: Sighting) -> tuple[int, int]:
    """Add the memory that the supervisor sampled: what is not the worker's, and the worker's if it has no exact peak.

    Returns
    -------
    tuple of int
        How many bytes descendants and shared memory in files added at most to a phase that is in the totals.
    """
    most = (0, 0)
    for name, (start, end) in _windows(seen.events).items():
        if name not in phases:
            continue
        own, children, files = (
            [size for at, size in sizes if start.at <= at <= end.at]
            for sizes in (seen.memory, seen.children, seen.files)
        )
        phase = phases[name]
        if phase.peak_bytes is None and own:
            phase.peak_bytes = max(own) - own[0]
        if phase.peak_bytes is not None:
            grown = max(start.children, *children, end.children) - start.children
            more = max(start.files, *files, end.files) - start.files - phase.peak_bytes
            # The files of all processes count, so a little may be another's.
            phase.peak_bytes += grown + (more if more > SMALL_BYTES else 0)
            if phase.in_total:
                most = (max(most[0], grown), max(most[1], more))
    return most


def _windows(events: list[PhaseEvent]) -> dict[str, tuple[PhaseEvent, PhaseEvent]]:
    entered = {event.phase: event for event in reversed(events) if event.kind == "enter"}
    left = {event.phase: event for event in events if event.kind == "leave"}
    return {phase: (entered[phase], left[phase]) for phase in entered if phase in left}
