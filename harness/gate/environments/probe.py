"""Asks the interpreter of an environment what an import in it would find, and checks that it belongs to the side."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from harness.gate.environments.cache import EnvironmentBuildError

_SCRIPT = """
import importlib.metadata, importlib.util, json, sys
packages, modules = json.loads(sys.argv[1])
def package(name):
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    return [found.version, str(found.locate_file(""))]
def module(name):
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), None))
answer = {"path": sys.path, "packages": {n: package(n) for n in packages}, "modules": {n: module(n) for n in modules}}
print("\\n" + json.dumps(answer))
"""


class Probed(msgspec.Struct, frozen=True):
    """What an interpreter sees.

    Attributes
    ----------
    path
        Its import path.
    packages
        Version of each package asked for, and the folder that it was found in.
    modules
        File of each module asked for.
    """

    path: list[str]
    packages: dict[str, tuple[str, str] | None]
    modules: dict[str, str | None]


def look(
    python: Path, variables: Mapping[str, str], *, packages: Iterable[str] = (), modules: Iterable[str] = ()
) -> Probed:
    """Start an interpreter and ask; nothing is imported but what it imports by itself.

    Raises
    ------
    EnvironmentBuildError
        When it does not start.
    """
    done = subprocess.run(
        [str(python), "-P", "-c", _SCRIPT, json.dumps([list(packages), list(modules)])],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it printed nothing"]
        raise EnvironmentBuildError(f"the interpreter {python} does not start: {lines[-1]}", "\n".join(lines[-20:]))
    # Files of site-packages that run at the start may print, too.
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=Probed)


def check_sources(side: str, found: Probed, modules: Iterable[str], folders: Sequence[Path]) -> None:
    """Refuse an environment in which a module of the side's source is imported from elsewhere.

    Raises
    ------
    EnvironmentBuildError
        When one is: both sides would then run the same code.
    """
    for module in modules:
        origin = found.modules[module]
        if origin and not any(Path(origin).is_relative_to(folder) for folder in folders):
            raise EnvironmentBuildError(
                f"the {side} would import {module} from {origin}, not from {folders[-1]}: an import hook, as of an "
                "editable install, comes before the import path; install the project without one"
            )


def check_packages(
    side: str, found: Probed, versions: Mapping[str, str], modules: Mapping[str, Sequence[str]], folder: Path
) -> None:
    """Refuse an environment in which a package that was installed for it is hidden by another.

    Parameters
    ----------
    versions, modules
        What was installed in `folder`: package to version, and to its modules.

    Raises
    ------
    EnvironmentBuildError
        When its metadata or all of its modules are found elsewhere.
    """
    for package, version in versions.items():
        seen = found.packages[package] or ("", "nowhere")
        origins = [origin for module in modules[package] if (origin := found.modules[module])]
        hidden = [origin for origin in origins if not _within(origin, folder)]
        if (seen[0] == version and _within(seen[1], folder)) and (not origins or len(hidden) < len(origins)):
            continue
        place = hidden[0] if hidden else seen[1]
        raise EnvironmentBuildError(
            f"{package} {version} has no effect on the {side}: it is imported from {place}, before installed packages"
        )


def _within(path: str, folder: Path) -> bool:
    return Path(path).resolve().is_relative_to(folder.resolve())
