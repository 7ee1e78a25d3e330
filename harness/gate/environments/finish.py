"""What is done to a side's tree before it is measured: the project's build command, and the candidate's benchmarks."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import UsageError
from harness.gate.environments.cache import EnvironmentBuildError, Hold
from harness.gate.environments.checkout import Repository, made_once
from harness.gate.environments.installer import run, tail
from harness.measure.git import git

Say = Callable[[str], None]


def built(key: str, top: Path, inner: str, command: str, say: Say) -> tuple[str, tuple[Path, Hold]]:
    """Build the project in a copy of the base's tree, once for each commit, command and version of Python.

    Parameters
    ----------
    key, top
        Of the tree of a commit.
    inner
        The project's folder within it.

    Returns
    -------
    key, tree
        Of the copy.

    Raises
    ------
    EnvironmentBuildError
        When the command fails.
    """
    made = f"{key}-{_digest([command.encode(), sys.version.encode(), sys.prefix.encode()])}"

    def fill(tree: Path) -> None:
        shutil.copytree(top, tree, symlinks=True, dirs_exist_ok=True)
        build_in(tree / inner, command, "base")

    return made, made_once(made, fill, f"building the base: {command}", say)


def build_in(folder: Path, command: str, side: str) -> None:
    """Run the build command of a policy in a project's folder, with the running interpreter first on the path.

    Raises
    ------
    EnvironmentBuildError
        When it fails, or there is no such program.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the gate's build command cannot be read ({error}): correct {command!r}") from None
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    program = shutil.which(words[0], path=path) if words else None
    if program is None:
        raise UsageError(f"the gate's build command names no program that is here: correct {command!r}")
    done = run([program, *words[1:]], folder=folder, path=path)
    if done.returncode:
        raise EnvironmentBuildError(
            f"the {side} cannot be built: {command!r} ended with exit code {done.returncode}", tail(done.stdout)
        )


def laid_over(key: str, top: Path, repository: Repository, taken: Sequence[str], say: Say) -> tuple[Path, Hold]:
    """Copy the base's tree, with files and folders of the candidate's working tree in place of its own.

    Both sides then run the same benchmarks, each in its own tree: a tool that puts the folder of a benchmark first on
    the import path finds the side's own package there.

    Parameters
    ----------
    key
        Of the base's tree.
    taken
        Relative to the project's folder; files that git ignores are left out.
    """
    project = repository.top / repository.inner
    listed = git(project, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *taken)
    names = sorted({name for name in listed.stdout.split("\0") if name and (project / name).is_file()})
    contents = [part for name in names for part in (name.encode(), (project / name).read_bytes())]

    def fill(tree: Path) -> None:
        shutil.copytree(top, tree, symlinks=True, dirs_exist_ok=True)
        own = tree / repository.inner
        for place in taken:
            # What only the base has would be measured, too.
            if (own / place).is_dir():
                shutil.rmtree(own / place)
            else:
                (own / place).unlink(missing_ok=True)
        for name in names:
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, own / name)

    sentence = f"the base takes {', '.join(taken)} from the candidate"
    return made_once(f"{key}-{_digest([*(place.encode() for place in taken), *contents])}", fill, sentence, say)


def _digest(parts: Sequence[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=10)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
