"""Baselines: names that point at runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.measure.machine import Machine
from harness.store.named_runs import baseline_files, read_baselines, remove_baseline, set_baseline
from harness.store.runs import create, find

Make = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path, make_header: Make) -> dict[str, Path]:
    """Runs of two machines by id."""
    found = {}
    for run, machine in (("aaaaaa", "box"), ("bbbbbb", "box"), ("cccccc", "cart")):
        with create(tmp_path, make_header(run=run, machine=Machine(name=machine))) as made:
            found[run] = made.path
    return found


def test_a_name_points_at_a_run_wherever_one_is_wanted(tmp_path: Path, files: dict[str, Path]) -> None:
    path = set_baseline(tmp_path, "baseline", {"box": ["bbbbbb"]})
    assert path == tmp_path / "baselines.json"
    assert find(tmp_path, "@baseline") == [files["bbbbbb"]]
    assert baseline_files(tmp_path, "baseline") == [files["bbbbbb"]]


def test_the_file_is_sorted_and_readable(tmp_path: Path) -> None:
    set_baseline(tmp_path, "release", {"cart": ["cccccc"], "box": ["bbbbbb", "aaaaaa", "bbbbbb"]})
    text = set_baseline(tmp_path, "baseline", {"box": ["aaaaaa"]}).read_text()
    assert json.loads(text) == {
        "baseline": {"box": ["aaaaaa"]},
        "release": {"box": ["bbbbbb", "aaaaaa"], "cart": ["cccccc"]},
    }
    assert list(json.loads(text)) == ["baseline", "release"]
    assert list(json.loads(text)["release"]) == ["box", "cart"]
    assert text.startswith('{\n "baseline": {\n')
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".baselines.lock", "baselines.json"]


def test_setting_again_replaces_the_runs_of_that_machine_alone(tmp_path: Path) -> None:
    set_baseline(tmp_path, "baseline", {"box": ["aaaaaa"], "cart": ["cccccc"]})
    set_baseline(tmp_path, "baseline", {"box": ["bbbbbb"]})
    assert read_baselines(tmp_path) == {"baseline": {"box": ["bbbbbb"], "cart": ["cccccc"]}}


def test_several_runs_are_refused_where_one_is_wanted(tmp_path: Path, files: dict[str, Path]) -> None:
    set_baseline(tmp_path, "baseline", {"box": ["aaaaaa", "bbbbbb"], "cart": ["cccccc"]})
    assert baseline_files(tmp_path, "baseline") == list(files.values())
    with pytest.raises(
        UsageError, match=r"@baseline points at 3 runs \(aaaaaa of box, bbbbbb of box, cccccc of cart\)"
    ):
        find(tmp_path, "@baseline")


def test_a_name_is_forgotten_and_its_runs_stay(tmp_path: Path, files: dict[str, Path]) -> None:
    set_baseline(tmp_path, "baseline", {"box": ["aaaaaa"]})
    set_baseline(tmp_path, "release", {"box": ["bbbbbb"]})
    remove_baseline(tmp_path, "baseline")
    assert read_baselines(tmp_path) == {"release": {"box": ["bbbbbb"]}}
    assert files["aaaaaa"].is_file()
    with pytest.raises(UsageError, match=r"there is no baseline @baseline in .*; known: release; set it with"):
        remove_baseline(tmp_path, "baseline")


def test_unknown_names_are_one_sentence(tmp_path: Path, files: dict[str, Path]) -> None:
    with pytest.raises(
        UsageError,
        match=r"^there is no baseline @x in .*/baselines\.json; set it with 'bakeoff baseline set RUN --name x'$",
    ):
        find(tmp_path, "@x")
    set_baseline(tmp_path, "release", {"box": ["aaaaaa"]})
    with pytest.raises(UsageError, match=r"no baseline @relaese in .*; did you mean release\?; set it with"):
        find(tmp_path, "@relaese")


def test_a_run_whose_file_is_gone_is_one_sentence(tmp_path: Path, files: dict[str, Path]) -> None:
    set_baseline(tmp_path, "baseline", {"box": ["aaaaaa"]})
    files["aaaaaa"].unlink()
    with pytest.raises(UsageError, match=r"@baseline points at run aaaaaa of box, whose file is gone from .*/box: "):
        find(tmp_path, "@baseline")


@pytest.mark.parametrize("name", ["", "@x", "Release", "-x", "a/b", "..", "a b", "é"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a baseline: use lower-case letters"):
        set_baseline(tmp_path, name, {"box": ["aaaaaa"]})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"baseline": ["aaaaaa"]}',
        b'{"baseline": {"box": ["../../x"]}}',
        b'{"baseline": {"../elsewhere": ["aaaaaa"]}}',
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "baselines.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"baselines\.json is damaged \(.*\): mend it"):
        find(tmp_path, "@baseline")
