"""asv's results folder: one file a machine, commit and environment (format 2), and what its benchmarks are."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.errors import UsageError
from harness.interop.sources import SourceFile, read_json, shaped
from harness.records import Scalar, scalar

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
        The machine, and the environment's Python and requirements.
    results
        Benchmark to its row, named by `result_columns`.
    bakeoff
        What an exported run carries; asv ignores it.
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
    """What benchmarks.json says of a benchmark."""

    name: str = ""
    param_names: list[str] = []
    params: list[list[str]] = []
    unit: str = ""
    type: str = ""
    version: Any = ""


class AsvRow(NamedTuple):
    """One benchmark's results.

    Attributes
    ----------
    params
        The values of each axis as asv writes them.
    values
        One a combination of them, the last axis running fastest; ``None`` alone when all failed.
    samples
        Alike; ``None`` where they were not recorded.
    """

    params: list[list[str]]
    values: list[Any] | None
    samples: list[Any] | None

    @property
    def combinations(self) -> int:
        """How many combinations there are."""
        return math.prod(map(len, self.params))


def asv_folder(results: Path) -> Path:
    """Return where asv's results lie when nothing else is said: ``results/asv``, as seen from the working folder."""
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
        raise UsageError(f"{place} holds no results of asv: give the results_dir of asv.conf.json, or run asv first")
    return found


def read_results(path: Path) -> tuple[SourceFile, ResultFile]:
    """Read a file of results.

    Raises
    ------
    UsageError
        When it cannot be read, is no such file, or has another format.
    """
    source = read_json(path)
    check_format(source)
    return source, shaped(source, ResultFile, TOOL)


def read_benchmarks(path: Path) -> dict[str, Benchmark]:
    """Read what a results folder says of its benchmarks; nothing where the file is missing.

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
    return shaped(source._replace(value=entries), dict[str, Benchmark], TOOL)


def check_format(source: SourceFile) -> None:
    """Refuse a file that is not in the format that this module knows."""
    version = source.value.get("version") if isinstance(source.value, dict) else None
    if not isinstance(version, int):
        raise UsageError(f"{source.path} is no file of asv: it names no version of its format")
    if version != FORMAT:
        older = "bring it up to date with 'asv update'" if version < FORMAT else "update bakeoff"
        raise UsageError(f"{source.path} has asv's format {version}, and bakeoff reads {FORMAT}: {older}")


def rows(file: ResultFile, path: Path) -> Iterator[tuple[str, AsvRow]]:
    """Yield the rows of a file by the benchmark's name, in the order of names.

    Raises
    ------
    UsageError
        When a row has not as many values as its axes have combinations.
    """
    for name in sorted(file.results):
        cells = dict(zip(file.result_columns, file.results[name], strict=False))
        axes = cells.get("params") or []
        if not isinstance(axes, list) or not all(isinstance(axis, list) for axis in axes):
            raise UsageError(f"{path}: the parameters of {name!r} are no lists; measure again with asv")
        row = AsvRow(
            [[str(value) for value in axis] for axis in axes], _list(cells.get("result")), _list(cells.get("samples"))
        )
        for values in (row.values, row.samples):
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
    """Read a parameter's value as asv wrote it: numbers, truth values and plain strings; all else stays text."""
    quoted = _TEXT.fullmatch(text)
    if quoted:
        return quoted[1] if quoted[1] is not None else quoted[2]
    if text in ("True", "False"):
        return text == "True"
    return scalar(text) if _NUMBER.fullmatch(text) else text


def _list(value: object) -> list[Any] | None:
    return value if isinstance(value, list) else None
