"""The tree of a revision, checked out of a project's git repository without a trace in the repository.

``git read-tree`` fills a folder of the cache by way of an index of its own. Of the alternatives, ``git worktree`` is
listed in the repository and locks it, ``git archive`` leaves out what ``.gitattributes`` exports not, and a shared
clone of a shallow repository lacks revisions that are on no branch.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from harness.errors import UsageError, did_you_mean, some
from harness.gate.environments.cache import TREES, EnvironmentBuildError, Hold, Shelf
from harness.measure.git import git

_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Repository:
    """A git repository as a project lies in it.

    Attributes
    ----------
    top
        Its work tree.
    inner
        The project's folder within it.
    commit
        What is checked out; ``None`` before the first commit.
    dirty
        Whether tracked files differ from the commit.
    """

    top: Path
    git: Path
    inner: str
    commit: str | None
    dirty: bool
    shallow: bool


def open_repository(folder: Path) -> Repository:
    """Find the repository that a folder lies in.

    Raises
    ------
    UsageError
        When it lies in none, or git is missing or refuses to read it.
    """
    done = _git(
        folder, "rev-parse", "--show-toplevel", "--absolute-git-dir", "--is-shallow-repository", "--show-prefix"
    )
    if done.returncode:
        said = next(iter(done.stderr.splitlines()), "").removeprefix("fatal: ")
        if "not a git repository" in said or "work tree" in said:
            raise UsageError(f"{folder} is in no git repository with a work tree, so no revision can be its base")
        raise UsageError(f"git cannot read the repository of {folder}: {said}")
    top, git, shallow, inner = done.stdout.split("\n")[:4]
    head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").stdout.strip()
    # Untracked files do not count, as in the fingerprint of a run.
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no").stdout
    return Repository(Path(top), Path(git), inner.rstrip("/"), head or None, bool(changes), shallow == "true")


def resolve(repository: Repository, revision: str) -> str:
    """Return the full hash of the commit that a revision names.

    Raises
    ------
    UsageError
        When there is none.
    """
    if revision and not revision.startswith("-"):
        done = _git(repository.top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        if done.returncode == 0:
            return done.stdout.strip()
    listed = _git(
        repository.top, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes"
    )
    names = listed.stdout.split()
    # A fresh clone of a pull request has main as origin/main alone.
    remote = [name for name in names if name.endswith(f"/{revision}")]
    hint = f"; did you mean {' or '.join(remote[:3])}?" if remote else did_you_mean(revision, names)
    advice = ""
    if repository.shallow:
        advice = ", which is a shallow clone: run git fetch --unshallow, or check out with fetch-depth: 0 in CI"
    raise UsageError(f"there is no revision {revision!r} in {repository.top}{advice}{hint}")


def check_out(repository: Repository, commit: str, say: Callable[[str], None]) -> tuple[Path, Hold]:
    """Return the tree of a commit, with the hold that keeps it from being removed.

    Raises
    ------
    EnvironmentBuildError
        When git cannot write it, as where a partial clone lacks its files.
    """

    def fill(tree: Path) -> None:
        _fill(repository, commit, tree, tree.parent / "index")

    return made_once(commit, fill, f"checking out the base: {commit[:8]}", say)


def made_once(key: str, fill: Callable[[Path], None], sentence: str, say: Callable[[str], None]) -> tuple[Path, Hold]:
    """Return a tree of the cache, which is filled and said once, with the hold that keeps it from being removed.

    Raises
    ------
    EnvironmentBuildError
        When it cannot be filled or written.
    """
    shelf = Shelf(TREES)
    hold, tree = shelf.use(key), shelf.entry(key)
    if not tree.is_dir():
        say(sentence)
        with shelf.temporary() as folder:
            made = folder / "tree"
            made.mkdir()
            fill(made)
            # If another gate was faster, its tree is there, and it is the same.
            with contextlib.suppress(OSError):
                made.rename(tree)
        shelf.prune()
    if not tree.is_dir():
        raise EnvironmentBuildError(f"cannot write {tree}: free some space, or set BAKEOFF_CACHE to another folder")
    return tree, hold


def not_carried(repository: Repository, commit: str, tree: Path) -> list[str]:
    """Return a sentence for each kind of content that a checked-out tree lacks: submodules, files in Git LFS."""
    remarks = []
    if (tree / ".gitmodules").is_file():
        listed = _git(repository.top, "ls-tree", "-r", "-z", "--full-tree", commit).stdout.split("\0")
        modules = [entry.partition("\t")[2] for entry in listed if entry.startswith("160000")]
        if modules:
            remarks.append(f"submodules are empty in the base's tree: {some(modules)}")
    attributes = tree / ".gitattributes"
    if attributes.is_file() and b"filter=lfs" in attributes.read_bytes():
        pointer = _POINTER.decode()
        found = _git(repository.top, "grep", "-lzI", "--full-name", "-e", f"^{pointer}", commit).stdout.split("\0")
        names = [name.partition(":")[2] for name in found if name]
        pointers = [name for name in names if _begins(tree / name, _POINTER)]
        if pointers:
            remarks.append(f"files in Git LFS are pointers in the base's tree, git-lfs is needed: {some(pointers)}")
    return remarks


def _fill(repository: Repository, commit: str, tree: Path, index: Path) -> None:
    place = (f"--git-dir={repository.git}", f"--work-tree={tree}")
    variables = {"GIT_INDEX_FILE": str(index)}
    done = _git(
        tree,
        *(*place, "read-tree", "--reset", "-u", "--no-recurse-submodules", commit),
        variables=variables,
        offline=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        said = lines[-1] if lines else f"exit code {done.returncode}"
        raise EnvironmentBuildError(f"git cannot check out {commit[:8]}: {said}", "\n".join(lines[-20:]))


def _begins(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False


def _git(
    folder: Path, *arguments: str, variables: Mapping[str, str] = MappingProxyType({}), offline: bool = True
) -> subprocess.CompletedProcess[str]:
    try:
        return git(folder, *arguments, variables=variables, offline=offline)
    except FileNotFoundError:
        raise UsageError("git is not installed, and a revision as the base needs it") from None
