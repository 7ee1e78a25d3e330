"""Which versions of packages a side asks for, and the venv and pip that install them.

Versions come from pins of its lock files and from requirements of the command line. A failure is one sentence.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.errors import UsageError

#: Canonical name of a distribution to its version.
Versions = Mapping[str, str]


def parse(texts: Iterable[str], option: str) -> list[Requirement]:
    """Read requirements of the command line; those whose marker excludes this interpreter are left out.

    Parameters
    ----------
    option
        Where they were given, for the error.

    Raises
    ------
    UsageError
        When a text is not a requirement, or two name the same package.
    """
    found: dict[str, Requirement] = {}
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            raise UsageError(f"{option} {text!r} is not a requirement such as xgboost==2.1.4: {reason}") from None
        name = canonicalize_name(requirement.name)
        if name in found:
            raise UsageError(f"{option} names {requirement.name} twice: give one requirement for it")
        if requirement.marker is None or requirement.marker.evaluate():
            found[name] = requirement
    return list(found.values())


def installed(folders: Sequence[str] | None = None) -> dict[str, str]:
    """Return the distributions that this interpreter, or an import of some folders, finds."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions() if folders is None else metadata.distributions(path=list(folders)):
        # A folder that was half removed has neither name nor version.
        name = distribution.metadata["Name"]
        if name and distribution.version:
            found.setdefault(canonicalize_name(name), distribution.version)
    return found


def unmet(requirements: Iterable[Requirement], versions: Versions) -> list[Requirement]:
    """Return the requirements that need something other than what is installed."""
    return [requirement for requirement in requirements if not _met(requirement, versions)]


def read_pins(folder: Path, files: Iterable[str]) -> dict[str, str]:
    """Return what lock files pin; the first file that pins a package wins, and files that are missing pin nothing.

    Lines ``name==version`` are read, with hashes, markers and comments; of TOML (uv.lock, poetry.lock, pylock.toml) the
    packages that come from an index and are locked to one version.

    Raises
    ------
    UsageError
        When a file cannot be read.
    """
    pins: dict[str, str] = {}
    for name in files:
        file = folder / name
        if not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8")
            found = _toml_pins(text) if file.suffix in (".lock", ".toml") else _line_pins(text)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{file} cannot be read as a lock file: {error}") from None
        pins = {**found, **pins}
    return pins


def replaced(base: Versions, candidate: Versions, versions: Versions) -> tuple[list[Requirement], list[str]]:
    """Compare the pins of both sides.

    Returns
    -------
    list
        What the base needs beside what is installed: packages that are installed in another version than it pins, and
        that the candidate does not pin alike.
    list
        Names that only the base pins, and that are not installed.
    """
    moved = {name: pin for name, pin in base.items() if name in versions and not _same(pin, candidate.get(name))}
    needed = [Requirement(f"{name}=={pin}") for name, pin in moved.items() if not _same(pin, versions[name])]
    return needed, [name for name in base if name not in candidate and name not in versions]


def strayed(pins: Versions, versions: Versions) -> list[str]:
    """Return the installed packages whose version is not the one that is pinned."""
    return [name for name, pin in pins.items() if name in versions and not _same(pin, versions[name])]


def ranges(folder: Path) -> object:
    """Return the dependencies that a project declares in pyproject.toml, for comparison; ``None`` without any."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        return project.get("dependencies"), project.get("optional-dependencies")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None


def _met(requirement: Requirement, versions: Versions) -> bool:
    # What extras and addresses bring is for pip to find out.
    version = versions.get(canonicalize_name(requirement.name))
    if version is None or requirement.url or requirement.extras:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def _same(pin: str, other: str | None) -> bool:
    if other is None:
        return False
    try:
        # A pin without a local part (+cpu) allows any; one with it, that alone.
        wanted, found = Version(pin), Version(other)
    except InvalidVersion:
        return pin == other
    return wanted == found or (wanted.local is None and wanted.public == found.public)


def _line_pins(text: str) -> dict[str, str]:
    return {
        canonicalize_name(requirement.name): pins[0]
        for requirement in _requirements(text)
        if len(pins := [part.version for part in requirement.specifier if part.operator in ("==", "===")]) == 1
        and "*" not in pins[0]
    }


def _requirements(text: str) -> Iterator[Requirement]:
    for line in text.replace("\\\n", " ").splitlines():
        wanted = line.partition(" #")[0].partition(" --")[0].strip()
        try:
            requirement = Requirement(wanted)
        except InvalidRequirement:  # a comment, an option, a path
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def _toml_pins(text: str) -> dict[str, str]:
    table = tomllib.loads(text)
    found: dict[str, set[str]] = {}
    for entry in [*_entries(table, "package"), *_entries(table, "packages")]:
        source = entry.get("source", {})
        # uv names the kind of source by the key, poetry by a type, pylock.toml by a key of the package.
        kind = source.get("type") or next(iter(source), "")
        from_index = kind in ("", "registry", "legacy") and not {"directory", "vcs", "archive"} & entry.keys()
        if from_index and "name" in entry and "version" in entry:
            found.setdefault(canonicalize_name(str(entry["name"])), set()).add(str(entry["version"]))
    # A package that is locked for several platforms in several versions is pinned by none of them.
    return {name: versions.pop() for name, versions in found.items() if len(versions) == 1}


def _entries(table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = table.get(key, [])
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


_TAIL_LINES = 20
# Settings that would send packages elsewhere, or hold them at what the running interpreter has.
_PIP_OVERRIDES = (
    "PIP_CONSTRAINT",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIRE_HASHES",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
)
_ERROR = re.compile("ERROR: |error: |[A-Za-z]*Error: |\u00d7 ")
_COMPLAINT = re.compile(
    r"(?P<package>\S+) \S+ (?:has requirement|requires) (?P<needed>.+?), (?:but you have|which is not installed).*"
)


def run(
    command: list[str], *, temporary: Path | None = None, folder: Path | None = None, path: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command with both of its outputs in one, and with another temporary folder or ``PATH`` if one is given."""
    kept = {name: value for name, value in os.environ.items() if name not in _PIP_OVERRIDES}
    return subprocess.run(
        command,
        cwd=folder,
        env={**kept, **({"TMPDIR": str(temporary)} if temporary else {}), **({"PATH": path} if path else {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def pip(python: Path, *arguments: str, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the pip that an interpreter finds."""
    options = ("--no-input", "--disable-pip-version-check", "--no-color")
    return run([str(python), "-P", "-m", "pip", *options, *arguments], temporary=temporary)


def broken(python: Path, changed: Collection[str], before: Mapping[str, str]) -> dict[str, str]:
    """Return what ``pip check`` complains of since some packages changed: the package that suffers, and the complaint.

    Parameters
    ----------
    changed
        Canonical names of the packages that changed.
    before
        All packages as they were, name to version.
    """
    suffering: dict[str, str] = {}
    for line in pip(python, "check").stdout.splitlines():
        found = _COMPLAINT.fullmatch(line)
        if found is None:
            continue
        needed = Requirement(found["needed"])
        caused = canonicalize_name(needed.name) in changed and not unmet([needed], before)
        if caused or canonicalize_name(found["package"]) in changed:
            suffering.setdefault(found["package"], line.rstrip("."))
    return suffering


def reason(said: str, option: str) -> str:
    """Say why pip failed: of a conflict what it is between, of anything else its last error.

    Parameters
    ----------
    option
        Where another version of what is in the way can be given.
    """
    _, _, conflict = said.partition("The conflict is caused by:\n")
    if not conflict:
        return last_line(said)
    causes = "; ".join(line.strip() for line in conflict.partition("\n\n")[0].splitlines())
    held = dict.fromkeys(re.findall(r"\(constraint\) ([\w.-]+?)==", causes))
    advice = f"; add {' and '.join(held)} to {option} in a version that fits" if held else ""
    return causes.replace("The user requested (constraint)", "installed is") + advice


def last_line(said: str) -> str:
    """Return the last error in what a command printed, or the last line of it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    return re.sub(r"^(ERROR|error): ", "", (errors or lines or ["it printed nothing"])[-1])


def tail(said: str) -> str:
    """Return the last lines of what a command printed."""
    return "\n".join(said.rstrip().splitlines()[-_TAIL_LINES:])
