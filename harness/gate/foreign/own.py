"""Whether each side imports the package of its own tree: otherwise both would run the same code, and always pass."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from harness.errors import UsageError
from harness.gate.decision import SIDES, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.foreign.suite import Suite
from harness.inputs import read_toml

_CONFIGURATION = ("conftest", "setup", "noxfile")


def check_own(
    suite: Suite, sides: Mapping[SideName, SideEnvironment], modules: Mapping[SideName, Mapping[str, str]]
) -> None:
    """Refuse sides of two trees of which one has not imported its own package, or has not compiled it.

    Parameters
    ----------
    modules
        For each side, module to its file, of what collecting the benchmarks has imported.

    Raises
    ------
    UsageError
        When a side imported nothing of its tree, something of the other's, or lacks what the other has compiled.
    """
    base, candidate = (sides[name].folder.resolve() for name in ("base", "candidate"))
    if base == candidate:
        return
    own: dict[SideName, dict[str, Path]] = {}
    for name, folder, other in zip(SIDES, (base, candidate), (candidate, base), strict=True):
        files = {module: Path(file).resolve() for module, file in modules[name].items()}
        for module, file in files.items():
            if _is_source(file, other):
                raise UsageError(
                    f"the {name} imports {module} from {file}, the other side's tree: both would run the same code"
                )
        project = _module_name(folder)
        if project in files and not _is_source(files[project], folder):
            raise UsageError(
                f"the {name} imports {project} from {files[project]}, not from its tree, so both sides would run the "
                "same code: name the folder of the package in [tool.bakeoff.gate] paths, as in ['lib']"
            )
        own[name] = {
            module: file
            for module, file in files.items()
            if _is_source(file, folder) and not _is_benchmark(file, folder, suite) and module not in _CONFIGURATION
        }
        if not own[name]:
            raise UsageError(
                f"the {name}'s benchmarks import nothing of its tree, so both sides would run the same code: name the "
                "folder of the package in [tool.bakeoff.gate] paths, relative to the project's folder, as in ['lib']"
            )
    _check_compiled(own)


def _check_compiled(own: Mapping[SideName, Mapping[str, Path]]) -> None:
    """Refuse a package that one side has compiled and the other has not."""
    for module, file in own["candidate"].items():
        theirs = own["base"].get(module)
        if theirs is None or "__init__" not in file.name:
            continue
        counts = {"base": _extensions(theirs.parent), "candidate": _extensions(file.parent)}
        for name, count in counts.items():
            if not count and any(counts.values()):
                raise UsageError(
                    f"{module} is not compiled in the {name}'s tree, unlike in the other's: give the command that "
                    "builds it in [tool.bakeoff.gate] build, as in 'python setup.py build_ext --inplace'"
                )


def _module_name(folder: Path) -> str:
    """Return the module that is probably that of the project's name; empty without one."""
    file = folder / "pyproject.toml"
    table = read_toml(file).get("project") if file.is_file() else None
    name = table.get("name") if isinstance(table, dict) else None
    return re.sub(r"[-.]", "_", name).lower() if isinstance(name, str) else ""


def _extensions(folder: Path) -> int:
    return sum(file.name.endswith(tuple(EXTENSION_SUFFIXES)) for file in folder.rglob("*"))


def _is_source(file: Path, folder: Path) -> bool:
    """Return whether a file lies in a tree, outside of a virtual environment in it."""
    prefixes = [Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)]
    inside = [prefix for prefix in prefixes if prefix.is_relative_to(folder)]
    return file.is_relative_to(folder) and not any(file.is_relative_to(prefix) for prefix in inside)


def _is_benchmark(file: Path, folder: Path, suite: Suite) -> bool:
    return any(file.is_relative_to(os.path.normpath(folder / place)) for place in suite.taken)
