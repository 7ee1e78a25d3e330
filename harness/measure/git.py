"""The only place that calls git: nothing that a repository's settings name is run, and nothing is written there.

What git still runs are filters that `.gitattributes` names and the settings define, such as that of Git LFS: without
them it could neither write a revision's files nor know whether the working tree has changed. A partial clone may get
the files of a revision that is checked out, through the transport that its settings name.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from harness.errors import UsageError

# Settings by which a repository or its user has git run a program, or write into the repository, while it reads.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "index.sparse=false",
    "diff.external=",
    "log.showSignature=false",
    "core.askPass=",
)
# A partial clone gets what it lacks through programs that its settings name.
_OFFLINE = "protocol.allow=never"
# Variables that a git hook sets and that would point git at another repository, and those that name a program.
_DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF", "GIT_ASKPASS", "SSH_ASKPASS")
# Messages in English, no lock of the index for a mere reading, no question to a user who does not see it.
_VARIABLES = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def git(
    folder: Path,
    *arguments: str,
    variables: Mapping[str, str] = MappingProxyType({}),
    offline: bool = True,
    timeout_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run git in a folder.

    Parameters
    ----------
    variables
        Environment variables beside those of this process.
    offline
        Whether a partial clone must do without what it lacks.

    Raises
    ------
    FileNotFoundError
        When git is not installed, or there is no such folder.
    subprocess.TimeoutExpired
        When it takes longer than `timeout_s`.
    """
    options = [part for setting in (*_SETTINGS, *([_OFFLINE] if offline else [])) for part in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return subprocess.run(
        ["git", "--no-pager", *options, *arguments],
        cwd=folder,
        env={**kept, **_VARIABLES, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=timeout_s,
        check=False,
    )


def digest_of_tree(folder: Path) -> str:
    """Return a digest of the code in the working tree that a folder lies in; empty where git lists none.

    It is made of the contents of all tracked files, submodules included, and of Python files that are neither tracked
    nor ignored. Git's own comparison would not do: it shows what a filter or a textconv makes of a file.

    Raises
    ------
    UsageError
        When git cannot list the files.
    """
    root = top_of(folder)
    return _digest_of_files(root, sorted(_code(root))) if root else ""


def top_of(folder: Path) -> Path | None:
    """Return where the working tree begins that a folder lies in; ``None`` outside of a repository."""
    top = git(folder, "rev-parse", "--show-toplevel")
    return None if top.returncode else Path(top.stdout.removesuffix("\n"))


def changed_since(root: Path, commit: str, tree: Path) -> set[str]:
    """Return the names of the files that differ between a working tree and a commit that is checked out in `tree`.

    Compared are the contents of those that `digest_of_tree` counts, and of those that only the commit has.

    Raises
    ------
    UsageError
        When git cannot list the files.
    """
    names = _code(root) | _listed(root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    return {name for name in names if _content(root / name) != _content(tree / name)}


def _code(root: Path) -> set[str]:
    untracked = ("--others", "--exclude-standard", "--", "*.py")
    return _listed(root, "ls-files", "-z", "--recurse-submodules") | _listed(root, "ls-files", "-z", *untracked)


def _listed(root: Path, *command: str) -> set[str]:
    listed = git(root, *command)
    if listed.returncode:
        raise UsageError(f"git cannot list the files of {root}: {' '.join(listed.stderr.split())}")
    return set(listed.stdout.split("\0")) - {""}


def _digest_of_files(root: Path, names: Iterable[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        digest.update(os.fsencode(name) + b"\0" + _content(root / name) + b"\0")
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    """Return a digest of a file, or the target of a link; of anything else, only that it is neither."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return b"link" + os.fsencode(path.readlink())
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                return b"file" + hashlib.file_digest(file, hashlib.blake2b).digest()
    except OSError:
        pass
    return b"none"
