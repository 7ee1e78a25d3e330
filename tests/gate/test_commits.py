"""The commits between two sides, counted in a repository whose history is known."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.gate.commits import commits_between
from harness.gate.decision import Commits


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, subject: str) -> str:
    git(folder, "commit", "--allow-empty", f"--message={subject}")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--initial-branch=main")
    return tmp_path


def test_commits_are_counted_both_ways_and_a_single_one_is_named(repository: Path) -> None:
    first, second, third = (commit(repository, subject) for subject in ("one", "two", "three: faster"))
    assert commits_between(repository, first, third) == Commits(2)
    assert commits_between(repository, second, third) == Commits(1, 0, "three: faster")
    git(repository, "checkout", "-b", "other", first)
    assert commits_between(repository, third, commit(repository, "aside")) == Commits(1, 2, "aside")


def test_what_is_unknown_is_none(repository: Path, tmp_path: Path) -> None:
    first = commit(repository, "one")
    for base, candidate in ((first, first), (None, first), (first, "f" * 40), ("--output=x", first)):
        assert commits_between(repository, base, candidate) is None
    assert not (tmp_path / "x").exists()


def test_a_shallow_clone_counts_nothing(repository: Path, tmp_path: Path) -> None:
    first, second = commit(repository, "one"), commit(repository, "two")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--depth=1", repository.as_uri(), str(clone))
    assert commits_between(clone, first, second) is None
