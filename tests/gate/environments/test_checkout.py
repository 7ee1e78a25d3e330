"""Trees of revisions: the whole content of the commit, and nothing left behind in the repository."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from gate.environments.repositories import commit, git, isolate

from harness.errors import Exit, UsageError
from harness.gate.environments.cache import KEPT, EnvironmentBuildError, Shelf
from harness.gate.environments.checkout import check_out, not_carried, open_repository, resolve


def ignore(_: str) -> None:
    pass


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path / "cache")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with two commits; the first is tagged v1, the second is main."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.txt").write_text("1")
    commit(folder)
    git(folder, "tag", "-a", "v1", "-m", "annotated")
    (folder / "a.txt").write_text("2")
    commit(folder)
    return folder


def tree_of(folder: Path, revision: str) -> Path:
    repository = open_repository(folder)
    return check_out(repository, resolve(repository, revision), ignore)[0]


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_tree_is_the_commit_as_git_stores_it(origin: Path) -> None:
    (origin / ".gitattributes").write_text("secret export-ignore\nwindows.bat text eol=crlf\n")
    (origin / "secret").write_text("s")
    (origin / "windows.bat").write_text("one\n")
    (origin / "link").symlink_to("secret")
    script = origin / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (origin / "a.txt").write_text("3")
    commit(origin)
    (origin / "a.txt").write_text("not committed")
    (origin / "untracked").write_text("u")
    tree = tree_of(origin, "HEAD")
    assert sorted(path.name for path in tree.iterdir()) == [
        ".gitattributes", "a.txt", "link", "run.sh", "secret", "windows.bat",
    ]  # fmt: skip
    assert (tree / "a.txt").read_text() == "3"
    assert (tree / "windows.bat").read_bytes() == b"one\r\n"
    assert (tree / "link").readlink() == Path("secret")
    assert os.access(tree / "run.sh", os.X_OK)


def test_nothing_changes_in_the_repository_and_no_hook_runs(origin: Path, tmp_path: Path) -> None:
    for hook in ("post-checkout", "post-index-change"):
        place = origin / ".git" / "hooks" / hook
        place.write_text(f"#!/bin/sh\ntouch {tmp_path / 'hook-ran'}\n")
        place.chmod(0o755)
    before = snapshot(origin)
    tree_of(origin, "v1")
    assert snapshot(origin) == before
    assert not (tmp_path / "hook-ran").exists()


def test_a_tree_is_made_once(origin: Path) -> None:
    told: list[str] = []
    repository = open_repository(origin)
    first = resolve(repository, "v1")
    trees = [check_out(repository, first, told.append)[0] for _ in range(2)]
    assert trees[0] == trees[1]
    assert told == [f"checking out the base: {first[:8]}"]
    assert [path.name for path in trees[0].parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("revision", ["v1", "HEAD~1", "main^", "first", "{hash}", "{short}"])
def test_whatever_git_takes_for_a_commit_is_a_revision(origin: Path, revision: str) -> None:
    first = git(origin, "rev-parse", "v1^{commit}")
    git(origin, "branch", "first", first)
    git(origin, "checkout", "-q", "--detach")
    repository = open_repository(origin)
    assert resolve(repository, revision.format(hash=first, short=first[:9])) == first
    assert (repository.dirty, repository.shallow) == (False, False)


@pytest.mark.parametrize("revision", ["mian", "-main", "", "v1:a.txt"])
def test_an_unknown_revision_is_said_with_the_known_ones(origin: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="there is no revision") as caught:
        resolve(open_repository(origin), revision)
    assert "main" in str(caught.value)
    assert "shallow" not in str(caught.value)


def test_a_branch_that_only_the_remote_has_is_suggested(origin: Path, tmp_path: Path) -> None:
    git(origin, "branch", "feature")
    git(tmp_path, "clone", "-q", origin.as_uri(), "copy")
    with pytest.raises(UsageError, match="did you mean origin/feature"):
        resolve(open_repository(tmp_path / "copy"), "feature")


def test_a_shallow_clone_lacks_revisions_and_has_its_own(origin: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", origin.as_uri(), "copy")
    with pytest.raises(UsageError, match=r"run git fetch --unshallow, or check out with fetch-depth: 0 in CI"):
        resolve(open_repository(tmp_path / "copy"), "HEAD~1")
    assert (tree_of(tmp_path / "copy", "HEAD") / "a.txt").read_text() == "2"


def test_a_clone_without_the_files_of_a_revision_fails_to_build(origin: Path, tmp_path: Path) -> None:
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", origin.as_uri(), "copy")
    git(tmp_path / "copy", "remote", "set-url", "origin", (tmp_path / "gone").as_uri())
    with pytest.raises(EnvironmentBuildError, match="git cannot check out") as caught:
        tree_of(tmp_path / "copy", "v1")
    assert caught.value.exit_code == Exit.TRIAL_FAILED
    assert caught.value.tail
    assert list((tmp_path / "cache/gate/trees").glob("*/")) == []


def test_a_linked_work_tree_and_a_sub_folder_know_where_they_are(origin: Path, tmp_path: Path) -> None:
    git(origin, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"), "v1")
    inner = tmp_path / "linked" / "inner" / "most"
    inner.mkdir(parents=True)
    (tmp_path / "linked" / "a.txt").write_text("changed")
    repository = open_repository(inner)
    assert (repository.top, repository.inner, repository.dirty) == (tmp_path / "linked", "inner/most", True)
    assert repository.commit == git(origin, "rev-parse", "v1^{commit}")
    assert (tree_of(inner, "main") / "a.txt").read_text() == "2"


def test_variables_of_a_git_hook_do_not_mislead(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert (tree_of(origin, "v1") / "a.txt").read_text() == "1"


def test_a_folder_in_no_repository_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match="is in no git repository"):
        open_repository(tmp_path)


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert open_repository(tmp_path).commit is None


def test_missing_git_is_said(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="git is not installed"):
        open_repository(origin)


def test_submodules_and_pointers_of_git_lfs_are_said_to_be_missing(origin: Path, tmp_path: Path) -> None:
    git(origin, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", origin.as_uri(), "vendor/other")
    (origin / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (origin / "big.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    commit(origin)
    repository = open_repository(origin)
    tree, _hold = check_out(repository, str(repository.commit), ignore)
    assert list((tree / "vendor/other").iterdir()) == []
    assert not_carried(repository, str(repository.commit), tree) == [
        "submodules are empty in the base's tree: vendor/other",
        "files in Git LFS are pointers in the base's tree, git-lfs is needed: big.bin",
    ]
    first = resolve(repository, "v1")
    assert not_carried(repository, first, check_out(repository, first, ignore)[0]) == []


def test_the_newest_entries_stay_and_so_does_what_is_in_use(tmp_path: Path) -> None:
    shelf, now = Shelf("things"), time.time()
    for age in range(KEPT + 3):
        shelf.entry(str(age)).mkdir()
        shelf.use(str(age)).release()
        os.utime(shelf.folder / f"{age}.lock", (now - age, now - age))
    used = shelf.use(str(KEPT + 2))
    os.utime(shelf.folder / f"{KEPT + 2}.lock", (now - 99, now - 99))
    left_over = shelf.folder / ".old"
    left_over.mkdir()
    os.utime(left_over, (0, 0))
    shelf.prune()
    kept = {*map(str, range(KEPT)), str(KEPT + 2)}
    assert {path.name for path in shelf.folder.iterdir()} == kept | {f"{key}.lock" for key in kept}
    used.release()
    shelf.prune()
    assert len(list(shelf.folder.glob("*.lock"))) == KEPT


def test_a_cache_that_cannot_be_written_is_said(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_CACHE", str(origin / "a.txt"))
    with pytest.raises(UsageError, match="set BAKEOFF_CACHE"):
        tree_of(origin, "v1")
