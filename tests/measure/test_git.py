"""Git as the harness calls it: repositories whose settings name programs, and the digest of a working tree."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config import Config, GatePolicy
from harness.gate.environments.build import build
from harness.measure.git import digest_of_tree
from harness.measure.git import git as quiet_git
from harness.measure.machine import environment


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    allowed = ["-c", "protocol.file.allow=always"]
    command = ["git", *identity, *allowed, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "m")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one file; what is committed has another content than the working tree."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "code.py").write_text("1\n")
    commit(folder)
    (folder / "code.py").write_text("2\n")
    return folder


def plant(folder: Path) -> Path:
    """Let every setting by which git runs a program name one that leaves a file, and return the file."""
    trace = folder.parent / "trace"
    program = folder.parent / "planted"
    program.write_text(f"#!/bin/sh\necho $0 $* >> {trace}\nexit 1\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "diff.planted.textconv", "gpg.program", "core.pager"):
        git(folder, "config", name, str(program))
    git(folder, "config", "log.showSignature", "true")
    (folder / ".git" / "info" / "attributes").write_text("*.py diff=planted\n")
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        (folder / ".git" / "hooks" / hook).symlink_to(program)
    trace.unlink(missing_ok=True)
    return trace


def sign(folder: Path) -> None:
    """Give the last commit a signature, which git would have gpg check."""
    raw = subprocess.check_output(["git", "cat-file", "commit", "HEAD"], cwd=folder, text=True)
    head, _, message = raw.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abcd\n -----END PGP SIGNATURE-----"
    signed = f"{head}\n{signature}\n\n{message}"
    store = ["git", "hash-object", "-t", "commit", "-w", "--stdin"]
    made = subprocess.check_output(store, cwd=folder, input=signed, text=True).strip()
    git(folder, "update-ref", "HEAD", made)


@pytest.mark.parametrize("arguments", [("diff", "HEAD"), ("status",), ("show", "--no-patch", "--format=%ct", "HEAD")])
def test_the_plants_work(repository: Path, arguments: tuple[str, ...]) -> None:
    sign(repository)
    trace = plant(repository)
    subprocess.run(["git", *arguments], cwd=repository, capture_output=True, check=False)
    assert trace.exists()


READERS: dict[str, Callable[[Path], object]] = {
    "run": environment,
    "digest": digest_of_tree,
    "gate": lambda folder: build(Config(folder), GatePolicy(), "main", (), say=lambda _: None),
    "show": lambda folder: quiet_git(folder, "show", "--no-patch", "--format=%ct", "HEAD"),
}


@pytest.mark.parametrize("reader", READERS)
def test_nothing_that_the_repository_names_is_run(repository: Path, reader: str) -> None:
    sign(repository)
    trace = plant(repository)
    READERS[reader](repository)
    assert not trace.exists(), trace.read_text()


def test_other_contents_have_another_digest_whatever_git_makes_of_them(repository: Path) -> None:
    """A filter that makes all files equal hides the difference from git, and so does a flag of the index."""
    git(repository, "config", "filter.same.clean", "echo 1")
    (repository / ".git" / "info" / "attributes").write_text("*.py filter=same\n")
    digests = [digest_of_tree(repository)]
    for text in ("3\n", "4\n"):
        (repository / "code.py").write_text(text)
        digests.append(digest_of_tree(repository))
    git(repository, "update-index", "--assume-unchanged", "code.py")
    (repository / "code.py").write_text("5\n")
    assert git(repository, "status", "--porcelain") == ""
    digests.append(digest_of_tree(repository))
    assert len(set(digests)) == 4
    (repository / "code.py").write_text("2\n")
    assert digest_of_tree(repository) == digests[0]


def test_what_counts_as_code(repository: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q", "-b", "main")
    (inner / "part.txt").write_text("1\n")
    commit(inner)
    git(repository, "submodule", "add", "-q", str(inner), "inner")
    (repository / "link").symlink_to("code.py")
    (repository / ".gitignore").write_text("ignored.py\n")
    commit(repository)

    def changes(act: Callable[[], object]) -> bool:
        before = digest_of_tree(repository)
        act()
        return digest_of_tree(repository) != before

    assert changes(lambda: (repository / "inner" / "part.txt").write_text("2\n"))
    assert changes(lambda: (repository / "new.py").write_text("1\n"))
    assert changes(lambda: (repository / "new.py").rename(repository / "newer.py"))
    assert not changes(lambda: (repository / "ignored.py").write_text("1\n"))
    assert not changes(lambda: (repository / "notes.txt").write_text("1\n"))
    assert not changes(lambda: git(repository, "add", "newer.py"))
    assert changes((repository / "link").unlink)
    assert changes((repository / "code.py").unlink)


def test_no_digest_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert digest_of_tree(tmp_path) == ""
