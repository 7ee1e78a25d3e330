"""The two environments of a live gate: an interpreter, an import path and a project's folder for each side."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.config import Config, GatePolicy, source_folders
from harness.errors import UsageError, some
from harness.gate.decision import Side, SideName
from harness.gate.environments import installer
from harness.gate.environments.cache import (
    EnvironmentBuildError,
    Hold,
    Tree,
    check_paths,
    import_path,
    module_names,
    sweep,
)
from harness.gate.environments.checkout import Repository, check_out, not_carried, open_repository, resolve
from harness.gate.environments.finish import build_in, built, laid_over
from harness.gate.environments.overlay import Overlay, OverlayRecipe, make
from harness.gate.environments.probe import check_packages, check_sources, look

__all__ = ["EnvironmentBuildError", "SideEnvironment", "build"]

Say = Callable[[str], None]
#: Part of a gate to the seconds that it took.
Parts = dict[str, float]
#: The packages that each side needs, including those that are installed already.
Wanted = dict[SideName, list[Requirement]]


@dataclass(frozen=True)
class SideEnvironment:
    """What one side runs in.

    Attributes
    ----------
    python
        Interpreter.
    folder
        The project's folder in the side's tree.
    variables
        Environment variables that it needs beside those of this process.
    holds
        Prevent its parts from being removed from the cache while the object lives.
    """

    side: Side
    python: Path
    folder: Path
    variables: dict[str, str]
    holds: tuple[Hold, ...] = field(default=(), repr=False, compare=False)


def build(
    config: Config,
    policy: GatePolicy,
    base_revision: str | None,
    base_requirements: Sequence[str],
    candidate_requirements: Sequence[str] = (),
    *,
    taken: Sequence[str] = (),
    say: Say,
    parts: Parts | None = None,
) -> tuple[SideEnvironment, SideEnvironment, list[str]]:
    """Build both environments, or find them in the cache.

    The candidate is the working tree with the running interpreter. The base is a revision, other packages, or both;
    without a revision it shares the candidate's tree. Its packages are the running interpreter's but for its
    requirements and for what its lock files pin otherwise.

    Parameters
    ----------
    base_revision
        Anything that git takes for a commit.
    base_requirements, candidate_requirements
        As pip takes them: ``xgboost==2.1.4``.
    taken
        Files and folders of the project that the base takes from the candidate.
    say
        Called with a sentence on each step that takes a while.

    Returns
    -------
    base, candidate, remarks
        The remarks are sentences that a reader of the decision needs.

    Raises
    ------
    UsageError
        When there is no such revision, or a requirement cannot be read.
    EnvironmentBuildError
        When pip or git fails, or when the new packages break or are hidden by others.
    """
    if base_revision is None and not base_requirements and not candidate_requirements:
        raise UsageError("the gate needs a base: give --base with a revision, or --base-with with a requirement")
    sweep()
    wanted: Wanted = {
        "base": installer.parse(base_requirements, "--base-with"),
        "candidate": installer.parse(candidate_requirements, "--candidate-with"),
    }
    with timed("check out", parts):
        halves, remarks = _trees(config.folder, policy, base_revision, taken, say)
    with timed("install", parts):
        remarks += _add_pins(wanted, halves, policy.lock)
        remarks += _install(wanted, halves, _wheels(config.folder, policy.wheels), say)
    differ = _differences(halves)
    if not any(differ.values()) and _same_source(halves):
        remarks.append("both sides are the same, source and packages: only noise can differ")
    names = {
        "base": _name(base_revision or "", base_requirements) or "installed packages",
        "candidate": _name("working tree", candidate_requirements),
    }
    seen = look(Path(sys.executable), {}).path
    made = {
        name: _environment(name, half, halves["candidate"].tree, policy.paths, seen) for name, half in halves.items()
    }
    base, candidate = (
        replace(made[name], side=Side(names[name], half.commit, half.dirty, differ[name]))
        for name, half in halves.items()
    )
    return base, candidate, remarks


@contextmanager
def timed(name: str, parts: Parts | None) -> Iterator[None]:
    """Add what happens within to a part of a gate, if parts are wanted."""
    started = time.monotonic()
    yield
    if parts is not None:
        parts[name] = parts.get(name, 0.0) + time.monotonic() - started


@dataclass(frozen=True)
class _Half:
    """One side while it is built."""

    tree: Tree
    commit: str | None
    dirty: bool | None
    overlay: Overlay | None = None


def _name(revision: str, requirements: Sequence[str]) -> str:
    """Name a side as the user gave it."""
    packages = ", ".join(requirements)
    return f"{revision} with {packages}" if revision and packages else revision or packages


def _trees(
    folder: Path, policy: GatePolicy, revision: str | None, taken: Sequence[str], say: Say
) -> tuple[dict[SideName, _Half], list[str]]:
    """Return both sides' trees, compiled if the policy has a command for it, and remarks on them."""
    paths = policy.paths
    repository = _repository(folder, needed=revision is not None)
    if policy.build:
        say(f"building the candidate: {policy.build}")
        build_in(folder, policy.build, "candidate")
    if repository is None:
        alone = _Half(Tree(folder, folder), None, None)
        check_paths(alone.tree, paths, alone=False)
        return {"base": alone, "candidate": alone}, []
    own = _Half(Tree(folder, repository.top), repository.commit, repository.dirty)
    check_paths(own.tree, paths, alone=revision is not None)
    remarks = ["the working tree has changes that are not committed"] if own.dirty else []
    if revision is None:
        return {"base": own, "candidate": own}, remarks
    commit = resolve(repository, revision)
    top, hold = check_out(repository, commit, say)
    key = commit
    if policy.build:
        key, (top, hold) = built(key, top, repository.inner, policy.build, say)
    if taken:
        top, hold = laid_over(key, top, repository, taken, say)
    base = _Half(Tree(top / repository.inner, top, hold), commit, dirty=False)
    if not base.tree.folder.is_dir():
        raise UsageError(f"revision {revision} has no folder {repository.inner}: take one that has the project")
    remarks += [*not_carried(repository, commit, top), *_missing_folders(base.tree, paths)]
    return {"base": base, "candidate": own}, remarks


def _repository(folder: Path, *, needed: bool) -> Repository | None:
    try:
        return open_repository(folder)
    except UsageError:
        if needed:
            raise
        return None


def _missing_folders(tree: Tree, paths: Sequence[str]) -> list[str]:
    missing = [path for path in paths if not (tree.folder / path).is_dir()]
    return [f"the base has no folder {', '.join(missing)}, which the gate's paths name"] if missing else []


def _add_pins(wanted: Wanted, halves: Mapping[SideName, _Half], files: Sequence[str]) -> list[str]:
    """Add to the base the packages that its lock files pin in other versions; return remarks on the pins."""
    base, here = halves["base"].tree, halves["candidate"].tree
    versions, own = installer.installed(), installer.read_pins(here.folder, files)
    chosen = {canonicalize_name(requirement.name) for requirement in wanted["candidate"]}
    remarks = _stray({name: own[name] for name in installer.strayed(own, versions) if name not in chosen}, versions)
    if base == here:
        return remarks
    theirs = installer.read_pins(base.folder, files)
    moved, dropped = installer.replaced(theirs, own, versions)
    named = {canonicalize_name(requirement.name) for requirement in wanted["base"]}
    wanted["base"] += [requirement for requirement in moved if canonicalize_name(requirement.name) not in named]
    left_out = [f"{name}=={theirs[name]}" for name in dropped if name not in named]
    if left_out:
        remarks.append(
            f"packages that only the base pins, and that are not installed, were left out: {some(left_out)}; "
            "give it with --base-with if the base needs it"
        )
    if not theirs and not own and installer.ranges(base.folder) != installer.ranges(here.folder):
        remarks.append(
            "the sides ask for other packages in pyproject.toml, and no lock file says which versions: "
            "both use what is installed"
        )
    return remarks


def _stray(strayed: installer.Versions, versions: installer.Versions) -> list[str]:
    listed = [f"{name} {versions[name]} ({pin} is pinned)" for name, pin in strayed.items()]
    return [f"the candidate runs with what is installed, not with what is pinned: {some(listed)}"] if listed else []


def _install(wanted: Wanted, halves: dict[SideName, _Half], wheels: Path | None, say: Say) -> list[str]:
    """Install the packages that each side needs beside the installed ones; return remarks on the rest."""
    versions, remarks = installer.installed(), []
    for side, half in halves.items():
        needed = installer.unmet(wanted[side], versions)
        there = [str(requirement) for requirement in wanted[side] if requirement not in needed]
        if there:
            remarks.append(f"the {side} needs no other {some(there)}: it is what is installed here")
        if needed:
            halves[side] = replace(half, overlay=make(OverlayRecipe(side, needed, wheels), say))
    return remarks


def _wheels(folder: Path, wheels: str) -> Path | None:
    if wheels and not (folder / wheels).is_dir():
        raise UsageError(f"there is no folder {folder / wheels} to install wheels from: correct the gate's wheels")
    return folder / wheels if wheels else None


def _differences(halves: Mapping[SideName, _Half]) -> dict[SideName, dict[str, str]]:
    """Return for each side the versions of the packages that differ between the sides."""
    versions = installer.installed()
    own = {side: half.overlay.packages if half.overlay else {} for side, half in halves.items()}
    found = {side: {**versions, **own[side]} for side in halves}
    names = sorted(own["base"].keys() | own["candidate"].keys())
    differ = [name for name in names if found["base"].get(name) != found["candidate"].get(name)]
    return {side: {name: found[side][name] for name in differ if name in found[side]} for side in halves}


def _same_source(halves: Mapping[SideName, _Half]) -> bool:
    base, candidate = halves["base"], halves["candidate"]
    return base.tree == candidate.tree or (base.commit == candidate.commit and not candidate.dirty)


def _environment(name: SideName, half: _Half, here: Tree, paths: Sequence[str], seen: Sequence[str]) -> SideEnvironment:
    sources = source_folders(half.tree.folder, paths)
    python = half.overlay.python if half.overlay else Path(sys.executable)
    variables = {"PYTHONPATH": import_path(half.tree, here, sources, seen)}
    own = {package: half.overlay.modules(package) for package in half.overlay.packages} if half.overlay else {}
    names = module_names(sources)
    found = look(python, variables, packages=own, modules=[*names, *chain(*own.values())])
    check_sources(name, found, names, sources)
    if half.overlay:
        check_packages(name, found, half.overlay.packages, own, half.overlay.folder)
    holds = tuple(hold for hold in (half.tree.hold, half.overlay.hold if half.overlay else None) if hold)
    return SideEnvironment(Side(name), python, half.tree.folder, variables, holds)
