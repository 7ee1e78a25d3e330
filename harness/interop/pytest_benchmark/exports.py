"""Runs as files of pytest-benchmark: a benchmark a strategy, cell and phase."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import msgspec

from harness.errors import UsageError
from harness.interop.carried import KEY, plain
from harness.records import Record, figures, typed
from harness.store.header import Header


class Exported(NamedTuple):
    """A file's content, and how many benchmarks and how many unfinished trials stand behind it."""

    text: str
    benchmarks: int
    unfinished: int


def export_pytest_benchmark(header: Header, records: Sequence[Record]) -> Exported:
    """Write a run as pytest-benchmark saves its own.

    A benchmark's rounds are the samples of all blocks, block by block. Trials that did not finish have no place there.

    Raises
    ------
    UsageError
        When pytest-benchmark is not installed, or nothing in the run has a wall time.
    """
    variants: dict[str, list[Record]] = {}
    for record in records:
        if record.status == "ok":
            variants.setdefault(record.trial.variant, []).append(record)
    benchmarks = [benchmark for own in variants.values() for benchmark in _benchmarks(own)]
    if not benchmarks:
        raise UsageError(
            f"run {header.run} holds no wall time, and pytest-benchmark knows nothing else: nothing to export"
        )
    value = {
        "machine_info": _machine(header),
        "commit_info": _commit(header),
        "benchmarks": benchmarks,
        "datetime": header.started,
        "version": "5.0.0",
        KEY: plain(header),
    }
    unfinished = sum(record.status != "ok" for record in records)
    return Exported(json.dumps(value, indent=1) + "\n", len(benchmarks), unfinished)


def _benchmarks(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Make the benchmarks of one variant: one a phase that has a wall time in some block."""
    timed = dict.fromkeys(name for record in records for name, phase in record.phases.items() if phase.wall_s)
    for phase in timed:
        measured = [record for record in records if phase in record.phases]
        # A block's metrics go with the first of its phases that goes.
        bare = [
            _bare(one, phase, first=next(name for name in one.phases if name in timed) == phase) for one in measured
        ]
        yield _benchmark(phase, measured, bare)


def _benchmark(phase: str, measured: Sequence[Record], bare: Sequence[Record]) -> dict[str, Any]:
    rounds = [time for record in measured for time in record.phases[phase].wall_s]
    trial, cell = measured[0].trial, measured[0].trial.cell
    values = [typed(value) for _, value in cell.params]
    case = "-".join((trial.label, trial.dataset, trial.scenario, *values))
    name = f"{phase}[{case}]"
    return {
        "group": f"{cell.title}: {phase}",
        "name": name,
        "fullname": f"{trial.topic}/{trial.task}::{name}",
        "params": {"strategy": trial.label, "dataset": trial.dataset, "scenario": trial.scenario, **trial.params},
        "param": case,
        "extra_info": {
            **_told(measured, phase),
            KEY: {
                "phase": phase,
                "records": [plain(record) for record in bare],
                "rounds": [len(record.phases[phase].wall_s) for record in measured],
            },
        },
        "options": {},
        "stats": _stats(rounds),
    }


def _stats(rounds: list[float]) -> dict[str, Any]:
    try:
        from pytest_benchmark.stats import Stats
    except ImportError:
        raise UsageError("bakeoff export pytest-benchmark needs that package: pip install pytest-benchmark") from None
    stats: Any = Stats()  # type: ignore[no-untyped-call]
    for time in rounds:
        stats.update(time)
    found: dict[str, Any] = stats.as_dict()
    return {**found, "data": rounds, "iterations": 1}


def _told(records: Sequence[Record], phase: str) -> dict[str, float]:
    """Return the medians over blocks of the metrics and of the phase's other figures, for who reads the file alone."""
    names = {
        **{name: name for record in records for name in record.metrics},
        **{name: f"{phase}.{name}" for name in ("cpu_s", "peak_bytes", "device_bytes")},
    }
    own = [figures(record) for record in records]
    values = {name: [found[figure] for found in own if figure in found] for name, figure in names.items()}
    return {name: median(found) for name, found in values.items() if found}


def _bare(record: Record, phase: str, *, first: bool) -> Record:
    """Leave of a record what one benchmark carries: this phase without its wall times, which are the rounds."""
    own = msgspec.structs.replace(record.phases[phase], wall_s=[])
    return msgspec.structs.replace(record, phases={phase: own}, metrics=record.metrics if first else {}, curves={})


def _machine(header: Header) -> dict[str, Any]:
    machine = header.machine
    implementation, _, version = machine.python.partition(" ")
    return {
        "node": machine.name,
        "processor": "",
        "machine": "",
        "python_implementation": implementation,
        "python_implementation_version": version,
        "python_version": version,
        "release": machine.kernel,
        "system": machine.os,
        "cpu": {"brand_raw": machine.cpu, "count": machine.cores},
    }


def _commit(header: Header) -> dict[str, Any]:
    environment = header.environment
    return {
        "id": environment.commit or "unversioned",
        "time": None,
        "author_time": None,
        "dirty": bool(environment.dirty),
        "project": KEY,
        "branch": "(unknown)",
    }
