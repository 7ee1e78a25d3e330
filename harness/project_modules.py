"""Imports the files and modules that a project lists in its configuration."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from harness.config import Config
from harness.errors import DeclarationError, UsageError


def project_modules(config: Config) -> list[ModuleType]:
    """Import what the configuration lists under ``topics``: Python files, modules, and packages with all their modules.

    The project's folders come first on the import path, so that a file imports the modules beside it. A file that is
    both listed and imported by its name is one module.

    Raises
    ------
    UsageError
        When a file is missing, cannot be imported, or declares something wrongly.
    """
    for folder in reversed(config.import_folders if config.topics else []):
        _add_to_path(folder)
    return [module for name in config.topics for module in _import_listed(name, config.folder)]


def _add_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _import_listed(name: str, folder: Path) -> list[ModuleType]:
    is_file = name.endswith(".py")
    if is_file and not (folder / name).is_file():
        raise UsageError(f"there is no file {folder / name}, which topics in the configuration lists")
    if not is_file and not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(
            f"topics in the configuration of {folder} lists {name!r}, which is neither a Python file (parts/topk.py) "
            "nor the name of a module or package (parts.topk)"
        )
    try:
        return [_import_file(folder / name, folder)] if is_file else list(_walk(importlib.import_module(name)))
    except DeclarationError:
        raise
    except (Exception, SystemExit) as error:
        kind = "topic file" if is_file else "topic module"
        raise UsageError(f"{kind} {name} in {folder} cannot be imported: {type(error).__name__}: {error}") from error


def _walk(module: ModuleType) -> Iterator[ModuleType]:
    """Go through a module and, if it is a package, all modules in it; ``__main__`` is a program and left out."""
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if found.name != "__main__":
            yield from _walk(importlib.import_module(f"{module.__name__}.{found.name}"))


def _import_file(file: Path, folder: Path) -> ModuleType:
    """Import a file under every name by which another file may import it."""
    if not (file.parent / "__init__.py").is_file():
        _add_to_path(file.parent)
    names = _names(file, folder)
    for name in names:
        if "." in name:
            importlib.import_module(name.rpartition(".")[0])
    # A name that is taken, as by a module of the standard library, stays with its owner.
    free = [name for name in names if name not in sys.modules] or [f"bakeoff_project_{file.stem}"]
    return _loaded_from(file) or _execute(file, free)


def _loaded_from(file: Path) -> ModuleType | None:
    """Return the module that was imported from a file already, under whatever name."""
    for module in list(sys.modules.values()):
        origin = str(getattr(module, "__dict__", {}).get("__file__"))
        if origin.endswith(file.name) and Path(origin).resolve() == file.resolve():
            return module
    return None


def _names(file: Path, folder: Path) -> list[str]:
    """Return the names of a file: ``parts.topk`` from the project's folder, and ``topk`` from its own folder."""
    path, top = file.resolve(), folder.resolve()
    parts = path.relative_to(top).with_suffix("").parts if path.is_relative_to(top) else (path.stem,)
    in_package = len(parts) > 1 and (path.parent / "__init__.py").is_file()
    names = [".".join(parts)] if in_package else [".".join(parts), path.stem]
    return [name for name in dict.fromkeys(names) if all(part.isidentifier() for part in name.split("."))]


def _execute(file: Path, names: list[str]) -> ModuleType:
    spec = importlib.util.spec_from_file_location(names[0], file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.update(dict.fromkeys(names, module))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        for name in names:
            del sys.modules[name]
        raise
    return module
