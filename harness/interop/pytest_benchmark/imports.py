"""Files of pytest-benchmark as runs: a benchmark is a trial, its rounds are the samples of one phase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from harness.declare.names import NAME
from harness.errors import UsageError
from harness.interop.figures import EXTRA_FIGURES, set_phase_figure
from harness.interop.imported_runs import (
    NO_DATA,
    PHASE,
    SCENARIO,
    ImportedMetric,
    ImportedResult,
    Origin,
    ResultsFolder,
    imported_records,
    new_header,
    pytest_benchmark_machine,
    renamed_machine,
    restored_header,
    unnamed_remark,
)
from harness.interop.pytest_benchmark.exports import SavedBenchmark, SavedFile, restored_run
from harness.interop.reading import (
    SourceFile,
    calls_of,
    commit_name,
    finite,
    line,
    read_json,
    seconds,
    table,
    typed_content,
    utc_time,
)
from harness.measure.machine import Environment
from harness.records import Phase, Record
from harness.store.header import Header
from harness.store.imported_names import digest, expression

TOOL = "pytest-benchmark"
_SUITE_PARAMS = ("task", "strategy", "dataset", "scenario")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# How pytest-benchmark writes the parameters that JSON cannot represent (its class SafeJSONEncoder).
_UNSERIALIZABLE = re.compile(r"UNSERIALIZABLE\[(.*)\]", re.DOTALL)
_ID = re.compile(r"\[(.*)\]\Z", re.DOTALL)


class Imported(NamedTuple):
    """An imported run.

    Attributes
    ----------
    remarks
        One sentence for each kind of content that was left out.
    """

    path: Path
    header: Header
    remarks: tuple[str, ...] = ()


def import_pytest_benchmark(path: Path, results: Path, *, command: str, machine: str | None = None) -> Imported:
    """Read a file of pytest-benchmark and write it as a run.

    Parameters
    ----------
    results
        Results folder of the runs.
    command
        The command line as typed, for the header.
    machine
        Name to use instead of the one made from the hardware.

    Raises
    ------
    UsageError
        When the file cannot be read, has no benchmarks, or was imported before.
    """
    source = read_json(path)
    file = typed_content(source, SavedFile, TOOL)
    if not file.benchmarks:
        raise UsageError(f"{path} has no benchmarks: run pytest with --benchmark-json and at least one benchmark")
    origin = Origin(digest(str(path), 6), source.digest)
    folder = ResultsFolder(results)
    there = folder.imported(origin)
    if there is not None:
        raise UsageError(f"{path} is already imported as {there.stem.rsplit('-', 1)[1]} ({there}); nothing was written")
    restored = restored_run(file)
    if restored is None:
        header, records, remarks = _new_run(file, source, folder.free_id(origin), origin, command, machine)
        return Imported(folder.write(header, records), header, remarks)
    header, records = restored
    if folder.has(header.run):
        raise UsageError(f"{path} was exported from run {header.run}, which is in {results}; nothing was written")
    named = renamed_machine(header.machine, machine)
    header = restored_header(header, folder.free_id(origin), origin, command=command, machine=named, records=records)
    return Imported(folder.write(header, records), header)


def _new_run(
    file: SavedFile, source: SourceFile, run: str, origin: Origin, command: str, machine: str | None
) -> tuple[Header, list[Record], tuple[str, ...]]:
    imported = imported_records(TOOL, _results(file.benchmarks))
    commit = table(file.commit_info)
    described = renamed_machine(pytest_benchmark_machine(file.machine_info), machine)
    header = new_header(
        run,
        origin,
        command=command,
        started=utc_time(file.datetime, source.path),
        machine=described,
        environment=Environment(
            packages={TOOL: line(file.version)} if line(file.version) else {},
            commit=commit_name(commit.get("id")),
            dirty=commit["dirty"] if isinstance(commit.get("dirty"), bool) and commit_name(commit.get("id")) else None,
        ),
        records=imported.records,
    )
    remarks = (*_remarks(file.benchmarks), *unnamed_remark(described, machine))
    return imported.complete(header), imported.records, remarks


def _results(benchmarks: Sequence[SavedBenchmark]) -> list[ImportedResult]:
    return [_suite_case(benchmark) or _measured(benchmark, named(benchmark)) for benchmark in benchmarks]


def named(benchmark: SavedBenchmark) -> ImportedResult:
    """Return the empty result of a benchmark, under the names that it gets."""
    module, test = _test(benchmark)
    full_name = f"{module}::{test}" if module else test
    dataset, scenario, options = _options(benchmark)
    return ImportedResult(
        _task(benchmark),
        # A group may gather tests of one name from several modules.
        full_name if benchmark.group else test,
        line(full_name),
        dataset=dataset or NO_DATA,
        scenario=scenario or SCENARIO,
        options=options,
    )


def _suite_case(benchmark: SavedBenchmark) -> ImportedResult | None:
    """Read a case of our suites (`harness.interop.pytest_benchmark.suites`) under the names that it has there."""
    case = benchmark.params or {}
    if set(case) != set(_SUITE_PARAMS) or "directions" not in benchmark.extra_info:
        return None
    task, strategy, dataset, scenario = (str(case[name]) for name in _SUITE_PARAMS)
    topic, between, name = task.partition("/")
    params = {key: value for key, value in table(benchmark.extra_info.get("params")).items() if key.isidentifier()}
    if not between or not NAME.fullmatch(topic):
        return None
    result = ImportedResult(name, strategy, topic=topic, dataset=dataset, scenario=scenario, params=params)
    return _measured(benchmark, result)


def _measured(benchmark: SavedBenchmark, result: ImportedResult) -> ImportedResult:
    """Add the figures of a benchmark to its result."""
    stats, extra = benchmark.stats, benchmark.extra_info
    rounds = seconds(stats["data"]) if isinstance(stats.get("data"), list) else []
    typical = [time for name in ("median", "mean", "min") for time in seconds(stats.get(name))]
    times = rounds or typical[:1]
    if times:
        phase = Phase(times, [], calls=calls_of(stats.get("iterations")))
        for name in EXTRA_FIGURES:
            # A median of CPU times has no place beside the samples of wall time.
            if name in extra and name != "cpu_s":
                set_phase_figure(phase, name, [extra[name]])
        result.phases = {PHASE: phase}
        result.metrics = _metrics(extra)
    else:
        result.status, result.reason = "failed", "the file has no finite time"
    return result


def _test(benchmark: SavedBenchmark) -> tuple[str, str]:
    """Split a benchmark's name into its module and the test without its parameters."""
    module, between, test = benchmark.fullname.partition("::")
    if not between:
        module, test = "", benchmark.fullname or benchmark.name
    return module, _ID.sub("", test) or test


def _task(benchmark: SavedBenchmark) -> str:
    module = _test(benchmark)[0]
    return benchmark.group or str(PurePosixPath(module).with_suffix("") if PurePosixPath(module).name else "tests")


def _options(benchmark: SavedBenchmark) -> tuple[str, str, dict[str, Any]]:
    """Return data set, scenario and the other parameters; the first two are empty where no parameter has their name."""
    options = {name: _value(value) for name, value in (benchmark.params or {}).items()}
    case = _ID.search(benchmark.fullname or benchmark.name)
    named = [options.pop(name) if isinstance(options.get(name), str) else "" for name in ("dataset", "scenario")]
    if case and (not benchmark.params or any(_ADDRESS.search(str(value)) for value in options.values())):
        # An address differs from run to run; pytest's id of the case does not.
        options = {"case": case[1]}
    return named[0], named[1], options


def _value(value: Any) -> Any:
    """Return a parameter's value; what JSON cannot represent is an expression there."""
    found = _UNSERIALIZABLE.fullmatch(value) if isinstance(value, str) else None
    return expression(found[1]) if found else value


def _metrics(extra: Mapping[str, Any]) -> dict[str, ImportedMetric]:
    """Return the numbers in ``extra_info["metrics"]`` that have a direction."""
    numbers, directions, units = (table(extra.get(name)) for name in ("metrics", "directions", "units"))
    return {
        name: ImportedMetric(number, directions[name], line(units.get(name)) or "1")
        for name, value in numbers.items()
        if directions.get(name) in ("higher", "lower") and (number := finite(value)) is not None
    }


def _remarks(benchmarks: Sequence[SavedBenchmark]) -> Iterator[str]:
    unsaved = sum(not seconds(b.stats.get("data") or []) for b in benchmarks)
    if unsaved:
        yield (
            f"{unsaved} of {len(benchmarks)} benchmarks have no rounds, so their median is used: "
            "save with --benchmark-save-data, or --benchmark-json, to have the rounds in the file"
        )
    extras = [extra for benchmark in benchmarks for extra in benchmark.extra_info.items()]
    ignored = sum(finite(value) is not None and name not in EXTRA_FIGURES for name, value in extras)
    if ignored:
        yield (
            f"{ignored} numbers of extra_info are left out, as nothing says which direction is better: put them in "
            "extra_info['metrics'] and 'higher' or 'lower' in extra_info['directions']"
        )
