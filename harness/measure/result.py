"""From the observations of a worker to the record of its trial."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

from harness.measure.conditions import Snapshot, conditions
from harness.measure.messages import Outcome, PhaseEvent, Request, Response
from harness.measure.supervise import Sighting
from harness.records import Phase, Record, Status


def response(request: Request, seen: Sighting, started: datetime, before: Snapshot, after: Snapshot) -> Response:
    """Make the record of a trial, however it ended."""
    usage = seen.usage
    own_cpu_s = usage.ru_utime + usage.ru_stime if usage else 0.0
    status, reason = _verdict(request, seen)
    outcome = seen.outcome if seen.outcome and status == "ok" else Outcome(status="failed")
    _add_sampled_memory(outcome.phases, seen, sampled=outcome.memory_source == "sampled")
    record = Record(
        trial=request.trial,
        status=status,
        reason=reason,
        phases=outcome.phases,
        metrics=outcome.metrics,
        curves=outcome.curves,
        memory_source=outcome.memory_source,
        conditions=conditions(before, after, own_cpu_s, usage.ru_nivcsw if usage else 0, request.jobs),
        cores=request.cores,
        started=started.isoformat(timespec="milliseconds"),
        elapsed_s=(datetime.now(UTC) - started).total_seconds(),
    )
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


def _add_sampled_memory(phases: dict[str, Phase], seen: Sighting, *, sampled: bool) -> None:
    """Add the memory that the supervisor sampled: that of descendants, and the worker's if it was not read exactly."""
    for name, (start, end) in _windows(seen.events).items():
        inside = [(own, children) for at, own, children in seen.memory if start <= at <= end]
        if name not in phases or not inside:
            continue
        if sampled:
            phases[name].peak_bytes = max(own for own, _ in inside) - inside[0][0]
        peak = phases[name].peak_bytes
        if peak is not None:
            phases[name].peak_bytes = peak + max(children for _, children in inside) - inside[0][1]


def _windows(events: list[PhaseEvent]) -> dict[str, tuple[float, float]]:
    entered = {event.phase: event.at for event in reversed(events) if event.kind == "enter"}
    left = {event.phase: event.at for event in events if event.kind == "leave"}
    return {phase: (entered[phase], left[phase]) for phase in entered if phase in left}
