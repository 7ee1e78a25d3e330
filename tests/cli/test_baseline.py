"""``bakeoff baseline``: names are set, listed, used and removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from harness.cli import compare_command, show_command
from harness.cli.baseline_command import command
from harness.errors import UsageError
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.store.header import SCHEMA, Header
from harness.store.runs import create


def header(run: str, **changes: Any) -> Header:
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run,
        "started": "2026-11-23T02:15:00+00:00",
        "machine": Machine(name="box"),
        "environment": Environment(commit="0123456789abcdef", dirty=False),
        "selection": Selection(tasks=("planted",)),
        "plan": "feed",
        "trials": 0,
        "command": "bakeoff run planted",
        "metrics": (),
        "cards": {},
    }
    return Header(**(fields | changes))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs of one machine, the last one later, of another commit, changed and unfinished."""
    (tmp_path / "bakeoff.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "results"
    other = Environment(commit="fedcba9876543210", dirty=True)
    late = header("cccccc", started="2026-11-24T02:15:00+00:00", environment=other, trials=7)
    for own in (header("aaaaaa"), header("bbbbbb"), late):
        create(folder, own).close()
    return folder


def call(of: click.Command, *arguments: str) -> Result:
    """Run a command; errors come out as exceptions, as main() takes them."""
    return CliRunner().invoke(of, arguments, catch_exceptions=False)


def test_set_list_use_remove(results: Path) -> None:
    done = call(command, "set", "aaaa")
    assert (done.stdout, done.stderr) == ("@baseline on box: aaaaaa\n", "")
    assert call(show_command.command, "@baseline").stdout.startswith("run aaaaaa of 2026-11-23")
    done = call(command, "set", "aaaaaa", "bbbbbb", "--name", "release")
    assert done.stdout == "@release on box: aaaaaa bbbbbb\n"
    listed = json.loads(call(command, "list", "--json").stdout)["baselines"]
    assert [(row["name"], row["machine"], row["run"]) for row in listed] == [
        ("baseline", "box", "aaaaaa"),
        ("release", "box", "aaaaaa"),
        ("release", "box", "bbbbbb"),
    ]
    assert Path(listed[0]["path"]).is_file()
    shown = call(command, "list").stdout.splitlines()
    assert shown[2].split() == ["@baseline", "box", "aaaaaa", "2026-11-23T02:15:00+00:00", "01234567"]
    assert call(command, "remove", "@release").stdout == "removed @release\n"
    assert "release" not in call(command, "list").stdout


def test_a_baseline_may_be_made_from_another(results: Path) -> None:
    call(command, "set", "bbbbbb", "--name", "@release")
    assert call(command, "set", "@release").stdout == "@baseline on box: bbbbbb\n"


def test_doubtful_runs_are_remarked(results: Path) -> None:
    done = call(command, "set", "aaaaaa", "latest")
    assert done.stdout == "@baseline on box: aaaaaa cccccc\n"
    assert done.stderr.splitlines() == [
        "note: run cccccc has 0 of 7 planned trials",
        "note: run cccccc was measured with uncommitted changes",
        "note: the runs are of 2 commits: 01234567, fedcba98",
    ]


def test_several_runs_are_refused_where_one_is_wanted(results: Path) -> None:
    call(command, "set", "aaaaaa", "bbbbbb")
    with pytest.raises(UsageError, match=r"@baseline points at 2 runs .* one is needed here"):
        call(compare_command.command, "@baseline", "latest")


def test_nothing_is_set(results: Path) -> None:
    done = call(command, "list")
    assert (done.stdout, done.stderr) == ("", "no baseline is set; set one with 'bakeoff baseline set RUN'\n")
    assert json.loads(call(command, "list", "--json").stdout) == {"baselines": []}


def test_a_file_that_is_gone_is_listed_as_gone(results: Path) -> None:
    call(command, "set", "aaaaaa")
    next(results.glob("box/*aaaaaa.jsonl")).unlink()
    assert "its file is gone" in call(command, "list").stdout
    assert json.loads(call(command, "list", "--json").stdout)["baselines"][0]["path"] is None


def test_a_run_outside_of_the_results_is_refused(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(next(results.glob("box/*aaaaaa.jsonl")).read_bytes())
    with pytest.raises(
        UsageError,
        match=r"copy\.jsonl is not in the results folder .*results, so no baseline can point at it: move the file",
    ):
        call(command, "set", str(copy))


def test_a_wrong_name_and_no_run(results: Path) -> None:
    with pytest.raises(UsageError, match="'Nightly' cannot name a baseline"):
        call(command, "set", "aaaaaa", "--name", "Nightly")
    assert call(command, "set").exit_code == 2
    with pytest.raises(UsageError, match="there is no baseline @nightly"):
        call(command, "remove", "nightly")
