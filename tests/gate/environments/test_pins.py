"""What lock files pin, and what of it the base needs beside what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.gate.environments import installer

LINES = r"""
# made by a tool
--index-url https://example.org/simple
Foo_Bar==1.0 \
    --hash=sha256:00 \
    --hash=sha256:11
ranged>=2
wild==3.*
twice>1,==1.5  # both
elsewhere==4 ; sys_platform == "nowhere"
here==5 ; python_version >= "3.8"
url @ https://example.org/url-1.0-py3-none-any.whl
-r other.txt
-e .
torch==2.1.0+cpu
"""
UV = """
version = 1
[[package]]
name = "plain"
version = "1.0"
source = { registry = "https://example.org/simple" }
[[package]]
name = "own"
version = "0.1.0"
source = { editable = "." }
[[package]]
name = "forked"
version = "1.0"
source = { registry = "https://example.org/simple" }
[[package]]
name = "forked"
version = "2.0"
source = { registry = "https://example.org/simple" }
"""
POETRY = """
[[package]]
name = "plain"
version = "1.0"
[[package]]
name = "mirrored"
version = "2.0"
[package.source]
type = "legacy"
url = "https://example.org/simple"
[[package]]
name = "cloned"
version = "3.0"
[package.source]
type = "git"
url = "https://example.org/cloned"
"""
PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "plain"
version = "1.0"
[[packages]]
name = "own"
version = "1.0"
directory = { path = "." }
[[packages]]
name = "dynamic"
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("c.txt", LINES, {"foo-bar": "1.0", "twice": "1.5", "here": "5", "torch": "2.1.0+cpu"}),
        ("uv.lock", UV, {"plain": "1.0"}),
        ("poetry.lock", POETRY, {"plain": "1.0", "mirrored": "2.0"}),
        ("pylock.toml", PYLOCK, {"plain": "1.0"}),
    ],
)
def test_pins_of_each_format(tmp_path: Path, name: str, text: str, expected: dict[str, str]) -> None:
    (tmp_path / name).write_text(text)
    assert installer.read_pins(tmp_path, [name]) == expected


def test_the_first_file_wins_and_missing_files_pin_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x==1\n")
    (tmp_path / "b.txt").write_text("x==2\ny==2\n")
    assert installer.read_pins(tmp_path, ["none.txt", "a.txt", "b.txt"]) == {"x": "1", "y": "2"}


def test_a_broken_lock_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("[[package]\n")
    with pytest.raises(UsageError, match=r"uv\.lock cannot be read as a lock file"):
        installer.read_pins(tmp_path, ["uv.lock"])


def test_only_installed_packages_that_the_base_pins_otherwise_are_needed() -> None:
    base = {"moved": "1", "same": "1", "tool": "1", "dropped": "1", "unpinned": "1", "behind": "1", "local": "2.1"}
    candidate = {"moved": "2", "same": "1.0", "tool": "2", "behind": "2", "local": "2.1+cpu"}
    versions = {"moved": "2", "same": "1", "unpinned": "3", "behind": "1", "local": "2.1+cpu"}
    needed, left_out = installer.replaced(base, candidate, versions)
    assert [str(requirement) for requirement in needed] == ["moved==1", "unpinned==1"]
    assert left_out == ["dropped"]
    assert installer.strayed(candidate, versions) == ["behind"]


def test_requirements_are_met_by_what_is_installed_but_for_addresses_and_extras() -> None:
    texts = [
        "a==1",
        "b>2",
        "c",
        "a[extra]==1",
        "d @ https://example.org/d.whl",
        "e==2; sys_platform == 'nowhere'",
        "f==1rc1",
    ]
    parsed = [installer.parse([text], "--base-with") for text in texts]
    versions = {"a": "1.0", "b": "2", "d": "1", "f": "1rc1"}
    unmet = [str(wanted) for wanted in installer.unmet([one for some in parsed for one in some], versions)]
    assert unmet == ["b>2", "c", "a[extra]==1", "d @ https://example.org/d.whl"]


@pytest.mark.parametrize(("texts", "said"), [(["-r x"], "is not a requirement"), (["a==1", "A>2"], "names A twice")])
def test_what_is_no_requirement_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=rf"--base-with .*{said}"):
        installer.parse(texts, "--base-with")
