"""asv's results folder (format 2): a file for each machine, commit and environment, and the list of benchmarks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.errors import UsageError
from harness.interop.reading import SourceFile, read_json, typed_content
from harness.records import Scalar, scalar
from harness.store.imported_names import expression

TOOL = "asv"
FORMAT = 2
BENCHMARKS, MACHINE = "benchmarks.json", "machine.json"
COLUMNS = (
    *("result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b"),
    *("stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile"),
)
_TEXT = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")
_NUMBER = re.compile(r"[+-]?(\d{1,18}|\d*\.?\d+(e[+-]?\d{1,3})?|\d+\.(e[+-]?\d{1,3})?)", re.IGNORECASE)


class ResultFile(msgspec.Struct):
    """A file of results.

    Attributes
    ----------
    date
        Of the commit, milliseconds since 1970.
    params
        The machine, and Python and the requirements of the environment.
    results
        Benchmark to its row, whose columns are `result_columns`.
    bakeoff
        The part of an exported run that asv ignores.
    """

    commit_hash: str
    result_columns: list[str]
    results: dict[str, list[Any]]
    date: Any = None
    params: dict[str, Any] = {}
    python: str = ""
    env_name: str = ""
    requirements: dict[str, Any] = {}
    env_vars: dict[str, Any] = {}
    bakeoff: Any = None


class Benchmark(msgspec.Struct):
    """The entry of a benchmark in benchmarks.json."""

    name: str = ""
    param_names: list[str] = []
    params: list[list[str]] = []
    unit: str = ""
    type: str = ""
    version: Any = ""


class AsvRow(NamedTuple):
    """The results of one benchmark.

    Attributes
    ----------
    params
        The values of each axis as asv writes them.
    values
        One for each combination of them, the last axis changing fastest; ``None`` when all failed.
    samples
        A list for each combination; ``None`` where they were not stored.
    calls
        The number of calls in each sample, for each combination; ``None`` where it was not stored.
    version
        Of the benchmark's definition; asv shows results of other versions as other benchmarks.
    """

    params: list[list[str]]
    values: list[Any] | None
    samples: list[Any] | None
    calls: list[Any] | None = None
    version: str = ""

    @property
    def combinations(self) -> int:
        """The number of combinations."""
        return math.prod(map(len, self.params))


def asv_folder(results: Path) -> Path:
    """Return the default folder of asv's results: ``results/asv``, relative to the working folder where possible."""
    folder = results / "asv"
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def result_files(place: Path) -> list[Path]:
    """List the result files in a folder of results, of one machine, or the file itself.

    Raises
    ------
    UsageError
        When there is none.
    """
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise UsageError(f"there is no file or folder {place}: give the results_dir of asv.conf.json")
    skipped = (BENCHMARKS, MACHINE)
    files = sorted(file for pattern in ("*.json", "*/*.json") for file in place.glob(pattern))
    found = [file for file in files if file.name not in skipped and not file.name.startswith(".")]
    if not found:
        raise UsageError(f"{place} has no results of asv: give the results_dir of asv.conf.json, or run asv first")
    return found


def read_results(path: Path) -> tuple[SourceFile, ResultFile]:
    """Read a file of results.

    Raises
    ------
    UsageError
        When it cannot be read, is not a file of results, or has another format.
    """
    source = read_json(path)
    check_format(source)
    return source, typed_content(source, ResultFile, TOOL)


def read_benchmarks(path: Path) -> dict[str, Benchmark]:
    """Read the list of benchmarks in a results folder; an empty one where the file is missing.

    Raises
    ------
    UsageError
        When it has another format.
    """
    if not path.is_file():
        return {}
    source = read_json(path)
    check_format(source)
    entries = {name: entry for name, entry in source.value.items() if isinstance(entry, dict)}
    return typed_content(source._replace(value=entries), dict[str, Benchmark], TOOL)


def check_format(source: SourceFile) -> None:
    """Refuse a file that does not have the format that this module reads."""
    version = source.value.get("version") if isinstance(source.value, dict) else None
    if not isinstance(version, int):
        raise UsageError(f"{source.path} is not a file of asv: it has no version of its format")
    if version != FORMAT:
        older = "bring it up to date with 'asv update'" if version < FORMAT else "update bakeoff"
        raise UsageError(f"{source.path} has asv's format {version}, and bakeoff reads {FORMAT}: {older}")


def rows(file: ResultFile, path: Path) -> Iterator[tuple[str, AsvRow]]:
    """Yield the benchmarks of a file with their rows, sorted by name.

    Raises
    ------
    UsageError
        When the number of values in a row is not that of the combinations of its axes.
    """
    for name in sorted(file.results):
        cells = dict(zip(file.result_columns, file.results[name], strict=False))
        axes = cells.get("params") or []
        if not isinstance(axes, list) or not all(isinstance(axis, list) for axis in axes):
            raise UsageError(f"{path}: the parameters of {name!r} are not lists; measure again with asv")
        version = cells.get("version")
        row = AsvRow(
            [[str(value) for value in axis] for axis in axes],
            _list(cells.get("result")),
            _list(cells.get("samples")),
            _list(cells.get("stats_number")),
            version if isinstance(version, str) else "",
        )
        for values in (row.values, row.samples, row.calls):
            if values is not None and len(values) != row.combinations:
                raise UsageError(
                    f"{path}: benchmark {name!r} has {len(values)} results for {row.combinations} combinations of its "
                    "parameters; measure again with asv"
                )
        yield name, row


def written(value: Scalar) -> str:
    """Write a parameter's value as asv does."""
    return repr(value)


def value_of(text: str) -> Scalar:
    """Read a parameter's value as asv wrote it: number, truth value or plain string; anything else is an expression."""
    quoted = _TEXT.fullmatch(text)
    if quoted:
        return quoted[1] if quoted[1] is not None else quoted[2]
    if text in ("True", "False"):
        return text == "True"
    return scalar(text) if _NUMBER.fullmatch(text) else expression(text)


def _list(value: object) -> list[Any] | None:
    return value if isinstance(value, list) else None
