"""The code that the trials of a topic run, as a digest: equal as long as that code is, whatever is committed.

Counted are the Python files of the project and of the harness that the topic's tasks and strategies import, directly or
not, also within functions, and those that a trial's process runs. Found are import statements, not names that are put
together while the program runs. What only reads records does not count, nor do installed packages: the header of a run
has their versions, and the checksums of the data.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from modulefinder import Module, ModuleFinder
from pathlib import Path
from typing import Any

import harness
from harness.config import Config
from harness.declare import Topic
from harness.registry import Registry

_HARNESS = harness.__name__
# No trial imports these: harness.measure lies below them.
_READERS = ("cli", "report", "interop", "gate", "claims", "analysis", "execute", "store")
_PROCESS = (f"{_HARNESS}.measure.server", f"{_HARNESS}.measure.worker")


def code_digests(names: Iterable[str], registry: Registry, config: Config) -> dict[str, str]:
    """Return a digest for each of some topics.

    Parameters
    ----------
    names
        Topics of the registry, which this process has imported.
    """
    modules = {file: name for name, module in list(sys.modules.items()) if (file := _file(module)) is not None}
    return {name: _digest(registry.topics[name], modules, config) for name in sorted(names)}


def _digest(topic: Topic, modules: dict[Path, str], config: Config) -> str:
    declaring = {Path(place.rpartition(":")[0]).resolve() for task in topic.tasks.values() for place in task.places()}
    finder = _Finder(config)
    for name in (*_PROCESS, *sorted(modules[file] for file in declaring if file in modules)):
        with suppress(ImportError):  # a file under a name of its own, which nothing imports
            finder.import_hook(name)
    found = {name: file for name, module in finder.modules.items() if (file := _file(module)) is not None}
    found |= {modules.get(file, file.stem): file for file in declaring}
    digest = hashlib.blake2b(digest_size=16)
    for name, file in sorted(found.items()):
        digest.update(name.encode() + b"\0" + hashlib.blake2b(file.read_bytes()).digest())
    return digest.hexdigest()


def _file(module: object) -> Path | None:
    file = getattr(module, "__dict__", {}).get("__file__")
    return Path(file).resolve() if isinstance(file, str) and Path(file).is_file() else None


class _Finder(ModuleFinder):
    """Finds what modules of the harness and of the project import, and looks into no installed package."""

    def __init__(self, config: Config) -> None:
        folders = [*(config.import_folders if config.topics else []), Path(*harness.__path__).parent]
        super().__init__(path=[str(folder) for folder in folders], excludes=[f"{_HARNESS}.{room}" for room in _READERS])
        self._tops = {_HARNESS, *(path.stem for folder in folders[:-1] for path in folder.iterdir())}

    def find_module(self, name: str, path: str | None, parent: Module | None = None) -> Any:
        """Find a module as the base class does, if it is not installed."""
        if path is None and name not in self._tops:
            raise ImportError(name)
        return super().find_module(name, path, parent)
