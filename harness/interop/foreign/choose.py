"""Which benchmarks a user means: a suite of asv by its asv.conf.json, one of pytest-benchmark by a file or folder."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.gate.foreign.suite import Suite
from harness.inputs import read_regular

_CONF = "asv.conf.json"
_MOST_BYTES = 2**20
_TESTS = re.compile(r"(?i)(.*_)?(tests?|bench(marks?)?|benchmarking|performance|perf)(_.*)?")
# Comments as asv allows them, beside the texts in which they would be none.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)


def asv_suite(given: str, pattern: str, project: Path) -> Suite:
    """Find the benchmarks of asv.

    Parameters
    ----------
    given
        Folder with an asv.conf.json, or one below which a single folder has one.
    pattern
        Regular expression of the benchmarks.
    project
        The project's folder.

    Raises
    ------
    UsageError
        When there is no such file, it cannot be read, or its benchmarks lie outside of the project.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise UsageError(f"-b {pattern!r} is not a regular expression ({error}): correct it") from None
    file = _configuration(Path(given))
    named = _read(file).get("benchmark_dir", "benchmarks")
    if not isinstance(named, str):
        raise UsageError(f"{file} has a benchmark_dir that is not a text: correct it")
    path = _inside(file.parent / named, project)
    if not (project / path).is_dir():
        raise UsageError(f"there is no folder {project / path}, the benchmark_dir of {file}: correct it")
    return Suite("asv", path, (path,), pattern)


def pytest_suite(given: str, project: Path) -> Suite:
    """Find the benchmarks of pytest-benchmark.

    Parameters
    ----------
    given
        File or folder as pytest takes it, perhaps with ``::`` and the name of a test.

    Raises
    ------
    UsageError
        When there is none, or it lies outside of the project.
    """
    place, between, test = given.partition("::")
    path = _inside(Path(place), project)
    if not (project / path).exists():
        raise UsageError(f"there is no file or folder {place}: give --pytest the path of benchmarks")
    parts = Path(path).parts
    folders = parts if (project / path).is_dir() else parts[:-1]
    # The outermost folder of tests comes as a whole, since benchmarks import helpers and fixtures from it.
    outermost = next((count for count, name in enumerate(folders, 1) if _TESTS.fullmatch(name)), len(parts))
    above = [Path(*parts[:count], "conftest.py") for count in range(outermost)]
    taken = (str(Path(*parts[:outermost])), *(str(file) for file in above if (project / file).is_file()))
    if not parts:
        raise UsageError(f"--pytest {given} is the project's whole folder: give the folder of its benchmarks")
    return Suite("pytest-benchmark", f"{path}{between}{test}", taken)


def _configuration(folder: Path) -> Path:
    if (folder / _CONF).is_file():
        return folder / _CONF
    below = sorted(folder.glob(f"*/{_CONF}"))
    if len(below) == 1:
        return below[0]
    found = f"several folders below {folder} have one" if below else f"neither {folder} nor a folder below it has one"
    raise UsageError(f"--asv needs the folder of {_CONF}, and {found}: give it as in --asv asv_bench")


def _read(file: Path) -> dict[str, Any]:
    """Read JSON with comments and commas at the end of lists."""
    text = read_regular(file, _MOST_BYTES).decode(errors="replace")
    for pattern in (_COMMENT, _LAST_COMMA):
        text = pattern.sub(lambda match: match[1] or "", text)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{file} is not JSON ({error}): correct it") from None
    if not isinstance(value, dict):
        raise UsageError(f"{file} holds no object: correct it")
    return value


def _inside(path: Path, project: Path) -> str:
    """Return a path relative to the project's folder."""
    whole = os.path.realpath(path)
    if not Path(whole).is_relative_to(project.resolve()):
        raise UsageError(f"{path} lies outside of the project {project}: call the gate in the folder of the project")
    return str(Path(whole).relative_to(project.resolve()))
