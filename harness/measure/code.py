"""The code that trials run, as a digest a file: equal as long as that code is, whatever is committed.

Counted are the Python files of the project and of the harness that tasks and strategies import or need, directly or
not, also within functions, and those that a trial's process runs. Found are import statements, not names that are put
together while the program runs. What only reads records does not count, nor do installed packages: the header of a run
has their versions, and the checksums of the data.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
import tokenize
from collections.abc import Iterable
from contextlib import suppress
from importlib.machinery import PathFinder
from modulefinder import Module, ModuleFinder
from pathlib import Path
from typing import Any

import harness
from harness.config import Config
from harness.declare import Strategy, Task
from harness.registry import Registry

_HARNESS = harness.__name__
# No trial imports these: harness.measure lies below them.
_READERS = ("cli", "report", "interop", "gate", "claims", "analysis", "execute", "store")
_PROCESS = (f"{_HARNESS}.measure.server", f"{_HARNESS}.measure.worker")
# What ModuleFinder calls a source file and a folder. It is typed as if it handed on other things than it does.
_SOURCE: Any = (".py", "r", 1)
_FOLDER = ("", "", 5)


def code_digests(chosen: Iterable[tuple[Task, Strategy]], registry: Registry, config: Config) -> dict[str, str]:
    """Return the modules that trials load, each with a digest of its file.

    Parameters
    ----------
    chosen
        Strategies, each with a task that it is one of. The modules that declare them are imported here.
    """
    names = {file: name for name, module in list(sys.modules.items()) if (file := _file(module)) is not None}
    places: set[str] = set()
    needs: set[str] = set()
    for task, strategy in chosen:
        places |= {task.where, strategy.where, *task.joined_at}
        needs |= registry.needs(task, [strategy])
    files = {Path(place.rpartition(":")[0]).resolve() for place in places}
    declaring = sorted(file for file in files if file.is_file())  # and not code that was put together as text
    finder = _Finder(config, declaring)
    for name in _PROCESS:
        finder.import_hook(name)
    for file in declaring:
        finder.add(names.get(file, file.stem), file)
    for name in sorted(needs):
        with suppress(ImportError):  # installed, or missing
            finder.import_hook(name)
    found = {name: file for name, module in finder.modules.items() if (file := _file(module)) is not None}
    return {name: _digest(file) for name, file in sorted(found.items())}


def _installed() -> set[Path]:
    return {Path(folder).resolve() for folder in sysconfig.get_paths().values()}


def _digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()


def _file(module: object) -> Path | None:
    file = getattr(module, "__dict__", {}).get("__file__")
    return Path(file).resolve() if isinstance(file, str) and Path(file).is_file() else None


class _Finder(ModuleFinder):
    """Finds what modules of the harness and of the project import, and looks into no installed package."""

    def __init__(self, config: Config, declaring: Iterable[Path]) -> None:
        # A file that lies in no package imports what lies beside it.
        beside = {file.parent for file in declaring if not (file.parent / "__init__.py").is_file()} - _installed()
        project = [*(config.import_folders if config.topics else []), *sorted(beside)]
        folders = [*project, Path(*harness.__path__).parent]
        super().__init__(path=[str(folder) for folder in folders], excludes=[f"{_HARNESS}.{room}" for room in _READERS])
        self._tops = {_HARNESS, *(path.stem for folder in project for path in folder.iterdir())}

    def add(self, name: str, file: Path) -> None:
        """Add a module and what it imports, also if nothing can import it under its name."""
        with suppress(ImportError):
            self.import_hook(name)
        if _file(self.modules.get(name)) != file:
            with tokenize.open(file) as source:
                self.load_module(name, source, str(file), _SOURCE)

    def find_module(self, name: str, path: Any, parent: Module | None = None) -> Any:
        """Find a module as the base class does, if it is not installed, and folders without ``__init__.py`` as well."""
        if path is None and name not in self._tops:
            raise ImportError(name)
        spec = PathFinder.find_spec(name, path or self.path)
        if spec is not None and spec.origin is None and spec.submodule_search_locations:
            return None, next(iter(spec.submodule_search_locations)), _FOLDER
        return super().find_module(name, path, parent)

    def load_package(self, name: str, folder: Any) -> Module:
        """Load a package as the base class does; a folder without ``__init__.py`` has no code of its own."""
        if (Path(folder) / "__init__.py").is_file():
            return super().load_package(name, folder)
        return self.modules.setdefault(name, Module(name, path=[folder]))  # type: ignore[arg-type]
