"""Where a side's own source comes from: the folders of its tree, in front of everything that is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.gate.environments.cache import Hold


@dataclass(frozen=True)
class Tree:
    """A project in one revision.

    Attributes
    ----------
    folder
        The project's folder.
    top
        Where the work tree begins that it lies in.
    hold
        Keeps a tree of the cache from being removed.
    """

    folder: Path
    top: Path
    hold: Hold | None = None


def check_paths(tree: Tree, paths: Sequence[str], *, alone: bool) -> None:
    """Check the folders that a policy puts on the import path.

    Parameters
    ----------
    alone
        Whether they must lie within the tree, since the other side has a tree of its own.

    Raises
    ------
    UsageError
        When one is missing, or would be shared by both sides.
    """
    for path in paths:
        folder = tree.folder / path
        if not folder.is_dir():
            raise UsageError(f"the gate's paths name {path}, and there is no folder {folder}: correct it")
        if alone and not folder.resolve().is_relative_to(tree.top.resolve()):
            raise UsageError(
                f"the gate's paths name {path}, which lies outside of {tree.top}: leave out what both sides would share"
            )


def import_path(tree: Tree, here: Tree, sources: Sequence[Path], seen: Sequence[str]) -> str:
    """Return the ``PYTHONPATH`` of a side.

    Whatever else the running interpreter imports from the candidate's work tree, by ``PYTHONPATH`` or a path of an
    editable install, is taken from the side's own tree.

    Parameters
    ----------
    here
        The candidate's tree.
    seen
        Import path of the running interpreter's children.
    """
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    inherited = [Path(entry).absolute() for entry in [*given, *(entry for entry in seen if _is_source(entry, here))]]
    moved = (_moved(folder, here, tree) for folder in inherited)
    return os.pathsep.join(dict.fromkeys(map(str, [*sources, *(folder for folder in moved if folder.exists())])))


def module_names(folders: Sequence[Path]) -> list[str]:
    """Return the modules and packages in some folders, without those that are named as the standard library's."""
    names = set()
    for folder in folders:
        for entry in folder.iterdir():
            if entry.suffix == ".py" or (entry / "__init__.py").is_file():
                names.add(entry.stem)
    return sorted(name for name in names if name.isidentifier() and name not in sys.stdlib_module_names)


def _is_source(entry: str, here: Tree) -> bool:
    """Return whether an entry of the import path lies in the work tree, outside of a virtual environment in it."""
    top, folder = here.top.resolve(), Path(entry).resolve()
    prefixes = [
        prefix for prefix in (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()) if prefix.is_relative_to(top)
    ]
    return folder.is_relative_to(top) and not any(folder.is_relative_to(prefix) for prefix in prefixes)


def _moved(folder: Path, here: Tree, tree: Tree) -> Path:
    resolved, top = folder.resolve(), here.top.resolve()
    inside = tree.top != here.top and _is_source(str(folder), here)
    return tree.top / resolved.relative_to(top) if inside else folder
