"""Files of pytest-benchmark as runs: a benchmark is a trial, its rounds are the samples of one phase."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import msgspec

from harness.declare.names import NAME
from harness.errors import UsageError
from harness.interop.carried import KEY, carried, sound_header, sound_names, sound_trials
from harness.interop.foreign import NO_DATA, PHASE, SCENARIO, ImportedMetric, ImportedResult, gather
from harness.interop.keep import Known, Origin, header_of, restored
from harness.interop.machines import of_pytest_benchmark, renamed
from harness.interop.names import digest
from harness.interop.sources import (
    SourceFile,
    commit_in,
    finite,
    line,
    memory,
    moment,
    read_json,
    seconds,
    shaped,
    table,
)
from harness.measure.machine import Environment
from harness.records import Phase, Record
from harness.store.header import Header

TOOL = "pytest-benchmark"
_SUITE = ("task", "strategy", "dataset", "scenario")
_KNOWN = ("peak_bytes", "cpu_s")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_ID = re.compile(r"\[(.*)\]\Z", re.DOTALL)


class _Benchmark(msgspec.Struct):
    name: str
    stats: dict[str, Any]
    fullname: str = ""
    group: str | None = None
    params: dict[str, Any] | None = None
    extra_info: dict[str, Any] = {}


class _File(msgspec.Struct):
    benchmarks: list[_Benchmark]
    machine_info: dict[str, Any]
    datetime: str
    commit_info: dict[str, Any] | None = None
    version: str = ""
    bakeoff: Any = None


class Carried(msgspec.Struct):
    """What an exported benchmark carries: a variant's records, with the figures that pytest-benchmark has no word for.

    Attributes
    ----------
    records
        One a block, each with this phase alone and without its wall times.
    rounds
        How many of the benchmark's rounds belong to each record.
    """

    phase: str
    records: list[Record]
    rounds: list[int]


class Imported(NamedTuple):
    """An imported run.

    Attributes
    ----------
    remarks
        What did not come along, a sentence each.
    """

    path: Path
    header: Header
    remarks: tuple[str, ...] = ()


def import_pytest_benchmark(path: Path, results: Path, *, command: str, machine: str | None = None) -> Imported:
    """Read a file of pytest-benchmark and keep it as a run.

    Parameters
    ----------
    results
        Folder of the runs.
    command
        The command line as typed, for the header.
    machine
        Name to use instead of the one made from the hardware.

    Raises
    ------
    UsageError
        When the file cannot be read, holds no benchmark, or was imported before.
    """
    source = read_json(path)
    file = shaped(source, _File, TOOL)
    if not file.benchmarks:
        raise UsageError(f"{path} holds no benchmark: run pytest with --benchmark-json and at least one benchmark")
    origin = Origin(digest(str(path), 6), source.digest)
    known = Known(results)
    there = known.imported(origin)
    if there is not None:
        raise UsageError(f"{path} is already imported as {there.stem.rsplit('-', 1)[1]} ({there}); nothing was written")
    own = _own(file)
    if own is not None:
        header, records = own
        if known.has(header.run):
            raise UsageError(f"{path} was exported from run {header.run}, which is in {results}; nothing was written")
        named = renamed(header.machine, machine)
        header = restored(header, known.free(origin), origin, command=command, machine=named, records=records)
        return Imported(known.keep(header, records), header)
    return _foreign(file, source, known, origin, command=command, machine=machine)


def _foreign(
    file: _File, source: SourceFile, known: Known, origin: Origin, *, command: str, machine: str | None
) -> Imported:
    gathered = gather(TOOL, _found(file.benchmarks))
    commit = table(file.commit_info)
    header = header_of(
        known.free(origin),
        origin,
        command=command,
        started=moment(file.datetime, source.path),
        machine=renamed(of_pytest_benchmark(file.machine_info), machine),
        environment=Environment(
            packages={TOOL: line(file.version)} if line(file.version) else {},
            commit=commit_in(commit.get("id")),
            dirty=commit["dirty"] if isinstance(commit.get("dirty"), bool) and commit_in(commit.get("id")) else None,
        ),
        records=gathered.records,
    )
    header = gathered.head(header)
    return Imported(known.keep(header, gathered.records), header, tuple(_remarks(file.benchmarks)))


def _found(benchmarks: Sequence[_Benchmark]) -> list[ImportedResult]:
    bases: dict[tuple[str, str], set[str]] = defaultdict(set)
    for benchmark in benchmarks:
        module, test = _test(benchmark)
        bases[_task(benchmark), test].add(module)
    return [_suite_case(benchmark) or _case(benchmark, bases) for benchmark in benchmarks]


def _case(benchmark: _Benchmark, bases: Mapping[tuple[str, str], set[str]]) -> ImportedResult:
    module, test = _test(benchmark)
    task = _task(benchmark)
    # A group may gather tests of one name from several modules.
    strategy = test if len(bases[task, test]) == 1 else f"{module}::{test}"
    dataset, scenario, options = _options(benchmark)
    return _measured(
        benchmark,
        ImportedResult(
            task,
            strategy,
            line(f"{module}::{test}" if module else test),
            dataset=dataset or NO_DATA,
            scenario=scenario or SCENARIO,
            options=options,
        ),
    )


def _suite_case(benchmark: _Benchmark) -> ImportedResult | None:
    """Read a case of our own suites (`harness.interop.pytest_benchmark.suites`) as what it is there."""
    told = benchmark.params or {}
    if set(told) != set(_SUITE) or "directions" not in benchmark.extra_info:
        return None
    task, strategy, dataset, scenario = (str(told[name]) for name in _SUITE)
    topic, between, name = task.partition("/")
    params = {own: value for own, value in table(benchmark.extra_info.get("params")).items() if own.isidentifier()}
    if not between or not NAME.fullmatch(topic):
        return None
    found = ImportedResult(name, strategy, topic=topic, dataset=dataset, scenario=scenario, params=params)
    return _measured(benchmark, found)


def _measured(benchmark: _Benchmark, found: ImportedResult) -> ImportedResult:
    """Add the figures to what was measured."""
    stats, extra = benchmark.stats, benchmark.extra_info
    rounds = seconds(stats["data"]) if isinstance(stats.get("data"), list) else []
    middle = next((time for name in ("median", "mean", "min") for time in seconds(stats.get(name))), None)
    times = rounds or ([] if middle is None else [middle])
    if times:
        found.phases = {PHASE: Phase(times, [], peak_bytes=memory(extra.get("peak_bytes")))}
        found.metrics = _metrics(extra)
    else:
        found.status, found.reason = "failed", "the file holds no finite time"
    return found


def _test(benchmark: _Benchmark) -> tuple[str, str]:
    """Split a benchmark's name into its module and the test without its parameters."""
    module, between, test = benchmark.fullname.partition("::")
    if not between:
        module, test = "", benchmark.fullname or benchmark.name
    return module, _ID.sub("", test) or test


def _task(benchmark: _Benchmark) -> str:
    module = _test(benchmark)[0]
    return benchmark.group or str(PurePosixPath(module).with_suffix("") if PurePosixPath(module).name else "tests")


def _options(benchmark: _Benchmark) -> tuple[str, str, dict[str, Any]]:
    """Return data set, scenario and the other parameters; those two are empty where no parameter has that name."""
    options = dict(benchmark.params or {})
    case = _ID.search(benchmark.fullname or benchmark.name)
    named = [options.pop(name) if isinstance(options.get(name), str) else "" for name in ("dataset", "scenario")]
    if case and (not benchmark.params or any(_ADDRESS.search(str(value)) for value in options.values())):
        # An address differs from run to run, so pytest's own id of the case has to tell it.
        options = {"case": case[1]}
    return named[0], named[1], options


def _metrics(extra: Mapping[str, Any]) -> dict[str, ImportedMetric]:
    """Return the numbers whose direction the benchmark tells."""
    told, directions, units = (table(extra.get(name)) for name in ("metrics", "directions", "units"))
    return {
        name: ImportedMetric(number, directions[name], line(units.get(name)) or "1")
        for name, value in told.items()
        if directions.get(name) in ("higher", "lower") and (number := finite(value)) is not None
    }


def _remarks(benchmarks: Sequence[_Benchmark]) -> Iterator[str]:
    bare = sum(not seconds(b.stats.get("data") or []) for b in benchmarks)
    if bare:
        yield (
            f"{bare} of {len(benchmarks)} benchmarks hold no rounds, so their median stands for them: "
            "save with --benchmark-save-data, or --benchmark-json, to keep the rounds"
        )
    left = sum(
        finite(value) is not None and name not in _KNOWN for b in benchmarks for name, value in b.extra_info.items()
    )
    if left:
        yield (
            f"{left} numbers of extra_info are left out, as nothing says which direction is better: put them in "
            "extra_info['metrics'] and 'higher' or 'lower' in extra_info['directions']"
        )


def _own(file: _File) -> tuple[Header, list[Record]] | None:
    """Put together the run that a file was exported from; ``None`` when it comes from elsewhere, or was changed."""
    header = carried(file.bakeoff, Header)
    if header is None or not sound_header(header):
        return None
    found: dict[str, Record] = {}
    for benchmark in file.benchmarks:
        own = carried(benchmark.extra_info.get(KEY), Carried)
        rounds = benchmark.stats.get("data")
        if own is None or not isinstance(rounds, list) or not _fits(own, seconds(rounds)):
            return None
        start = 0
        for record, count in zip(own.records, own.rounds, strict=True):
            known = found.setdefault(record.trial.key, record)
            phase = record.phases[own.phase]
            phase.wall_s = seconds(rounds)[start : start + count]
            known.phases[own.phase] = phase
            known.metrics.update(record.metrics)
            start += count
    return header, list(found.values())


def _fits(own: Carried, rounds: list[float]) -> bool:
    return (
        len(own.records) == len(own.rounds)
        and min(own.rounds, default=0) >= 0
        and sum(own.rounds) == len(rounds)
        and all(own.phase in record.phases for record in own.records)
        and sound_trials(record.trial for record in own.records)
        and sound_names(name for record in own.records for name in (*record.phases, *record.metrics))
    )
