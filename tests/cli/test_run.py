"""``bakeoff run``: the plan, the run, its output, and a disk that fills up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import Project, make_project

from harness.records import Record
from harness.store.header import Header
from harness.store.read import read


@pytest.fixture(scope="module")
def before(shared_project: Project) -> tuple[str, dict[str, Any]]:
    """What a dry run says before anything was measured, in words and as JSON."""
    words = shared_project.bakeoff("run", "planted", "-s", "copy", "--set", "extra=0,1", "--dry-run")
    program = shared_project.bakeoff("run", "planted", "-s", "copy", "--set", "extra=0,1", "--dry-run", "--json")
    assert shared_project.files() == ["bakeoff.toml", "planted.py"]
    assert words.stderr == program.stderr == ""
    return words.stdout, json.loads(program.stdout)


@pytest.fixture(scope="module")
def done(shared_project: Project, before: Any) -> subprocess.CompletedProcess[str]:
    """A run of two variants in three blocks, begun in a folder of the project."""
    (shared_project.folder / "inner").mkdir()
    inner = Project(shared_project.folder / "inner")
    arguments = ("run", "planted", "-s", "copy", "--set", "extra=0,1", "--blocks", "3", "--seed", "7", "--json")
    return inner.bakeoff(*arguments)


@pytest.fixture(scope="module")
def kept(shared_project: Project, done: Any) -> tuple[Header, list[Record]]:
    return read(shared_project.runs()[0])


def test_dry_run_shows_the_plan_and_writes_nothing(before: tuple[str, dict[str, Any]]) -> None:
    words, program = before
    assert words == (
        "planted/faults on numbers, clean (rows=1000 threads=1)\n"
        "  2 blocks of copy, copy[extra=1]\n"
        "4 trials; expected duration: unknown: none of them was measured before on this machine\n"
    )
    assert (program["expected_s"], program["measured_before"]) == (None, 0)
    assert [(trial["block"], trial["strategy"]) for trial in program["trials"]] == [
        (block, "copy") for block in (0, 0, 1, 1)
    ]


def test_dry_run_knows_the_duration_after_a_run(shared_project: Project, kept: tuple[Header, list[Record]]) -> None:
    arguments = ("run", "planted", "-s", "copy", "--set", "extra=0", "--blocks", "10", "--dry-run", "--json")
    program = json.loads(shared_project.bakeoff(*arguments).stdout)
    took = sorted(record.elapsed_s for record in kept[1] if not record.trial.options)
    assert program["measured_before"] == 10
    assert program["expected_s"] == pytest.approx(10 * took[1], rel=1e-3)


def test_json_is_all_of_standard_output(done: subprocess.CompletedProcess[str], shared_project: Project) -> None:
    printed = json.loads(done.stdout)
    (path,) = shared_project.runs()
    assert Path(printed["path"]) == path
    assert path.stem.endswith(printed["run"])
    errors = [(cell["strategy"], cell["statuses"], cell["measures"]["error"]) for cell in printed["cells"]]
    assert [(strategy, statuses, error["median"]) for strategy, statuses, error in errors] == [
        ("copy", {"ok": 3}, 0.0),
        ("copy[extra=1]", {"ok": 3}, 1.0),
    ]
    assert {error["blocks"] for _, _, error in errors} == {3}


def test_progress_goes_to_standard_error(done: subprocess.CompletedProcess[str]) -> None:
    lines = done.stderr.splitlines()
    assert [line.split("]")[0] for line in lines] == [f"[{number}/6" for number in range(1, 7)]
    assert sum("ok copy[extra=1] on numbers, clean, block 2" in line for line in lines) == 1


def test_header_says_what_was_asked(kept: tuple[Header, list[Record]], shared_project: Project) -> None:
    header, records = kept
    assert header.command.startswith("bakeoff run planted -s copy --set extra=0,1 --blocks 3")
    assert (header.selection.seed, header.selection.blocks, header.selection.values) == (7, 3, {"extra": (0, 1)})
    assert header.trials == len(records) == 6
    assert {metric.name: metric.direction for metric in header.metrics} == {"error": "lower"}
    assert str(shared_project.folder) not in msgspec.json.encode(header).decode()


def test_seed_changes_data_and_nothing_else(project: Project) -> None:
    seeds = {}
    for seed in ("0", "1"):
        program = project.bakeoff("run", "planted", "-s", "copy", "--seed", seed, "--dry-run", "--json")
        seeds[seed] = [trial["seeds"]["data"] for trial in json.loads(program.stdout)["trials"]]
    assert set(seeds["0"]).isdisjoint(seeds["1"])


def test_table_and_path_are_printed(project: Project) -> None:
    chosen = ("-s", "copy", "-s", "raises", "-s", "needs-package")
    done = project.bakeoff("run", "planted", *chosen, "--tables", code=4)
    (path,) = project.runs()
    assert "planted/faults on numbers, clean (rows=1000 threads=1)" in done.stdout
    assert f"wrote {path.relative_to(project.folder)}\n" in done.stderr
    assert "wrote" not in done.stdout
    assert "   2 x failed   raises: RuntimeError: planted in phase fit\n" in done.stdout
    assert "   2 x skipped  needs-package: package no_such_package is not installed\n" in done.stdout
    assert "6 trials: 2 ok, 2 skipped, 2 failed\n" in done.stdout


def test_a_run_ends_with_its_summary(project: Project) -> None:
    chosen = ("-s", "copy", "-s", "raises", "-s", "needs-package")
    done = project.bakeoff("run", "planted", *chosen, code=4, COLUMNS="120")
    head, _, task, *lines = done.stdout.splitlines()
    assert re.fullmatch(r"6 trials in \d+ s \(2 ok, 2 skipped, 2 failed\)", head)
    assert task == "planted/faults  Return the data; numbers, 2 blocks"
    assert "ratio" not in done.stdout
    assert "raises failed in 2 trials: RuntimeError: planted in phase fit" in done.stdout
    assert lines[-2:] == [
        "bakeoff show     tables with intervals",
        "bakeoff report   one page with charts, claims and failures",
    ]


def test_a_resumed_run_names_itself_in_the_commands_that_show_more(
    shared_project: Project, kept: tuple[Header, list[Record]]
) -> None:
    said = shared_project.bakeoff("run", "--resume", kept[0].run).stdout
    assert said.startswith("6 trials; ")
    assert f"bakeoff show {kept[0].run} " in said
    tables = shared_project.bakeoff("run", "--resume", kept[0].run, "--tables").stdout
    assert "planted/faults on numbers, clean (rows=1000 threads=1)" in tables


def test_skipped_trials_are_no_failure_beside_measured_ones(project: Project) -> None:
    project.bakeoff("run", "planted", "-s", "needs-package", "-s", "copy", "--blocks", "1")
    ((header, records),) = (read(path) for path in project.runs())
    assert {record.trial.strategy: record.status for record in records} == {"needs-package": "skipped", "copy": "ok"}
    assert header.trials == 2


def test_nothing_measured_is_a_failure(project: Project) -> None:
    project.bakeoff("run", "planted", "-s", "needs-package", "--blocks", "1", code=4)
    ((_, records),) = (read(path) for path in project.runs())
    assert [(record.status, record.phases) for record in records] == [("skipped", {})]


def test_results_lie_where_the_environment_says(project: Project, tmp_path: Path) -> None:
    project.bakeoff("run", "planted", "-s", "copy", "--blocks", "1", BAKEOFF_RESULTS=str(tmp_path / "there"))
    assert project.runs() == []
    assert len(list(tmp_path.glob("there/*/*.jsonl"))) == 1


FULL_DISK = """
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from harness.cli.main import main
main()
"""


def test_full_disk_loses_nothing_and_is_resumed(tmp_path: Path) -> None:
    """The limit on a file's size leaves room for the header and some records of six."""
    project = make_project(tmp_path / "project")
    arguments = ["run", "planted", "-s", "copy", "--blocks", "6"]
    command = [sys.executable, "-P", "-c", FULL_DISK, "8000", *arguments]
    whole = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # Python itself would keep modules that end at the limit
    done = subprocess.run(
        command, cwd=project.folder, env=whole, capture_output=True, text=True, timeout=60, check=False
    )
    (path,) = project.runs()
    header, records = read(path)
    assert done.returncode == 2
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"error: cannot write on {path} (File too large), records safe so far: {len(records)}; ")
    assert said.endswith(f"'bakeoff run --resume {header.run}'")
    assert "Traceback" not in done.stderr
    assert 0 < len(records) < 6
    safe = path.read_bytes()
    assert safe.endswith(b"\n")
    project.bakeoff("run", "--resume", header.run)
    _, finished = read(path)
    assert path.read_bytes().startswith(safe)
    assert sorted(record.trial.block for record in finished) == list(range(6))
    assert {record.status for record in finished} == {"ok"}


def test_resuming_a_complete_run_says_so(shared_project: Project, kept: tuple[Header, list[Record]]) -> None:
    done = shared_project.bakeoff("run", "--resume", kept[0].run)
    assert f"note: nothing is missing in run {kept[0].run} of {kept[0].started}\n" in done.stderr
    assert len(read(shared_project.runs()[0])[1]) == len(kept[1])
