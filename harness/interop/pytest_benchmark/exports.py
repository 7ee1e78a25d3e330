"""Runs as files of pytest-benchmark, and back: a benchmark for each strategy, cell and phase."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import msgspec

from harness.errors import UsageError
from harness.interop.figures import extra_figures
from harness.interop.reading import KEY, are_valid_records, exported_part, is_valid_header, seconds
from harness.records import Record, figures, typed
from harness.store.header import Header


class SavedBenchmark(msgspec.Struct):
    """A benchmark in a file of pytest-benchmark."""

    name: str
    stats: dict[str, Any]
    fullname: str = ""
    group: str | None = None
    params: dict[str, Any] | None = None
    extra_info: dict[str, Any] = {}


class SavedFile(msgspec.Struct):
    """A file of pytest-benchmark; `bakeoff` is the part of an exported run that pytest-benchmark ignores."""

    benchmarks: list[SavedBenchmark]
    machine_info: dict[str, Any]
    datetime: str
    commit_info: dict[str, Any] | None = None
    version: str = ""
    bakeoff: Any = None


class ExportedRecords(msgspec.Struct):
    """Everything in an exported benchmark that pytest-benchmark's own fields cannot represent.

    Attributes
    ----------
    records
        One for each block, each with this phase alone and without its wall times, which are the rounds.
    rounds
        How many of the benchmark's rounds belong to each record.
    """

    phase: str
    records: list[Record]
    rounds: list[int]


class Exported(NamedTuple):
    """The content of a file, the number of its benchmarks, and the numbers of trials that it leaves out."""

    text: str
    benchmarks: int
    unfinished: int
    diverged: int


def export_pytest_benchmark(header: Header, records: Sequence[Record]) -> Exported:
    """Write a run as pytest-benchmark saves its results.

    The rounds of a benchmark are the samples of all blocks, block by block. Trials that did not finish
    or diverged are left out.

    Raises
    ------
    UsageError
        When pytest-benchmark is not installed, or nothing in the run has a wall time.
    """
    variants: dict[str, list[Record]] = {}
    for record in records:
        if record.status == "ok" and record.diverged is None:
            variants.setdefault(record.trial.variant, []).append(record)
    benchmarks = [benchmark for blocks in variants.values() for benchmark in _benchmarks(blocks)]
    if not benchmarks:
        raise UsageError(f"run {header.run} has no wall times, which pytest-benchmark needs: nothing to export")
    value = {
        "machine_info": _machine(header),
        "commit_info": _commit(header),
        "benchmarks": benchmarks,
        "datetime": header.started,
        "version": "5.0.0",
        KEY: msgspec.to_builtins(header),
    }
    unfinished = sum(record.status != "ok" for record in records)
    diverged = sum(record.diverged is not None for record in records)
    return Exported(json.dumps(value, indent=1) + "\n", len(benchmarks), unfinished, diverged)


def restored_run(file: SavedFile) -> tuple[Header, list[Record]] | None:
    """Restore the run that a file was exported from; ``None`` where it was not exported by us, or was changed."""
    header = exported_part(file.bakeoff, Header)
    if header is None or not is_valid_header(header):
        return None
    found: dict[str, Record] = {}
    for benchmark in file.benchmarks:
        exported = exported_part(benchmark.extra_info.get(KEY), ExportedRecords)
        rounds = benchmark.stats.get("data")
        if exported is None or not isinstance(rounds, list) or not _fits(exported, seconds(rounds)):
            return None
        start = 0
        for record, count in zip(exported.records, exported.rounds, strict=True):
            restored = found.setdefault(record.trial.key, record)
            phase = record.phases[exported.phase]
            phase.wall_s = seconds(rounds)[start : start + count]
            restored.phases[exported.phase] = phase
            restored.metrics.update(record.metrics)
            start += count
    records = list(found.values())
    return (header, records) if are_valid_records(records) else None


def _fits(exported: ExportedRecords, rounds: list[float]) -> bool:
    return (
        len(exported.records) == len(exported.rounds)
        and min(exported.rounds, default=0) >= 0
        and sum(exported.rounds) == len(rounds)
        and all(exported.phase in record.phases for record in exported.records)
    )


def _benchmarks(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Make the benchmarks of one variant: one for each phase that has a wall time in some block."""
    timed = dict.fromkeys(name for record in records for name, phase in record.phases.items() if phase.wall_s)
    for phase in timed:
        measured = [record for record in records if phase in record.phases]
        # The metrics of a block are stored once: with the first of its phases that is exported.
        reduced = [
            _reduced(record, phase, first=next(name for name in record.phases if name in timed) == phase)
            for record in measured
        ]
        yield _benchmark(phase, measured, reduced)


def _benchmark(phase: str, measured: Sequence[Record], reduced: Sequence[Record]) -> dict[str, Any]:
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
            **_medians(measured, phase),
            KEY: msgspec.to_builtins(
                ExportedRecords(phase, list(reduced), [len(record.phases[phase].wall_s) for record in measured])
            ),
        },
        "options": {},
        "stats": _stats(rounds),
    }


def _stats(rounds: list[float]) -> dict[str, Any]:
    try:
        from pytest_benchmark.stats import Stats
    except ImportError:
        raise UsageError(
            "bakeoff export pytest-benchmark needs the package pytest-benchmark: pip install pytest-benchmark"
        ) from None
    stats: Any = Stats()  # type: ignore[no-untyped-call]
    for time in rounds:
        stats.update(time)
    found: dict[str, Any] = stats.as_dict()
    return {**found, "data": rounds, "iterations": 1}


def _medians(records: Sequence[Record], phase: str) -> dict[str, float]:
    """Return the medians over blocks of the metrics and of the phase's other figures, for readers of the file."""
    samples: dict[str, list[float]] = {}
    for record in records:
        for name, number in figures(record).items():
            samples.setdefault(name, []).append(number)
    metrics = dict.fromkeys(name for record in records for name in record.metrics)
    return {**{name: median(samples[name]) for name in metrics}, **extra_figures(samples, phase)}


def _reduced(record: Record, phase: str, *, first: bool) -> Record:
    """Reduce a record to what one benchmark stores of it: this phase without its wall times, which are the rounds."""
    untimed = msgspec.structs.replace(record.phases[phase], wall_s=[])
    return msgspec.structs.replace(record, phases={phase: untimed}, metrics=record.metrics if first else {}, curves={})


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
