"""The modules of a suite: what they import of the project, and why one of them cannot be imported."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import os
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.gate.foreign.suite import Suite


def import_project(files: Iterable[Path], folder: Path) -> None:
    """Import the packages of the project that benchmarks import only when they run.

    The gate then sees which tree they come from, and importing them counts for no benchmark.
    """
    for name in sorted({name for file in files for name in _imported(file)}):
        with contextlib.suppress(Exception):
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.origin is not None and Path(spec.origin).is_relative_to(folder):
                importlib.import_module(name)


def _imported(file: Path) -> Iterator[str]:
    """Go through the top-level modules that a file imports anywhere."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # its import says what is wrong with it
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def refuse_uncompiled(error: BaseException, suite: Suite, folder: Path) -> None:
    """Raise if a benchmark cannot be imported because the project's own package cannot.

    Raises
    ------
    UsageError
        When an import failed within the side's tree, outside of the benchmarks.
    """
    if not isinstance(error, ImportError):
        return
    names = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    places = [Path(name).resolve() for name in names if not name.startswith("<")]
    taken = [Path(os.path.normpath(folder.resolve() / place)) for place in suite.taken]
    for file in places:
        if file.is_relative_to(folder.resolve()) and not any(file.is_relative_to(place) for place in taken):
            raise UsageError(
                f"the project cannot be imported from {folder} ({error}): if its package must be compiled, give the "
                "command in [tool.bakeoff.gate] build, as in 'python setup.py build_ext --inplace'"
            ) from error
