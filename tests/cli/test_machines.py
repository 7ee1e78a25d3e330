"""Every command shows a run that two machines measured as one run, and never pools its machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cli.test_history import BLOCKS, header, keep, record
from support import Project

import harness
from harness.analysis.run_set import read_run_set
from harness.measure.machine import Machine
from harness.records import Record

RUN = "000000"


def keep_parts(project: Project, parts: dict[str, Sequence[Record]], **changes: Any) -> None:
    """Write a run of four trials with a file for each machine."""
    for machine, records in parts.items():
        keep(project, header(0, machine=Machine(machine), trials=4, **changes), records)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Machine ``a`` recorded two blocks of a run and ``b``, twice as fast, one; a fourth is missing."""
    project = Project(tmp_path)
    (project.folder / "bakeoff.toml").write_text("")
    keep_parts(project, {"a": [record(0, 1.0), record(1, 1.0)], "b": [record(2, 0.5)]})
    return project


def test_show_prints_each_machine_apart(project: Project) -> None:
    said = project.bakeoff("show", RUN).stdout
    assert f"run {RUN} of 2026-11-01T02:15:00+00:00 on a, b, " in said
    assert "1 of 4 trials are missing" in said
    assert said.index("\nmachine a:\n") < said.index("2 trials: 2 ok") < said.index("\nmachine b:\n")
    plain = json.loads(project.bakeoff("show", "latest", "--json").stdout)
    assert [machine["name"] for machine in plain["machines"]] == ["a", "b"]
    assert [(cell["machine"], cell["strategy"]) for cell in plain["cells"]] == [("a", "hist"), ("b", "hist")]


def test_the_path_of_a_file_means_that_machine_alone(project: Project) -> None:
    said = project.bakeoff("show", str(project.runs()[1])).stdout
    assert " on b, " in said
    assert "3 of 4 trials are missing" in said


def test_tables_have_each_trial_once(project: Project) -> None:
    frame = harness.load(project.folder / "results")
    assert frame[["run", "machine", "block"]].values.tolist() == [[RUN, "a", 0], [RUN, "a", 1], [RUN, "b", 2]]
    rows = json.loads(project.bakeoff("query", "select run, machine, planned, recorded from runs", "--json").stdout)
    assert rows == [
        {"run": RUN, "machine": "a", "planned": 4, "recorded": 2},
        {"run": RUN, "machine": "b", "planned": 4, "recorded": 1},
    ]


def test_a_block_that_two_machines_recorded_counts_once(tmp_path: Path) -> None:
    """It belongs to the file with the most finished trials of the block, or to the first of several."""
    project = Project(tmp_path)
    failed = record(1, strategy="exact", status="failed", phases={}, metrics={})
    keep_parts(
        project,
        {
            "a": [record(0), record(1), failed],
            "b": [record(1), record(1, strategy="exact"), record(0), record(2)],
        },
    )
    frame = harness.load(project.folder / "results")
    found = sorted(frame[["block", "machine", "strategy", "status"]].values.tolist())
    assert found == [[0, "a", "hist", "ok"], [1, "b", "exact", "ok"], [1, "b", "hist", "ok"], [2, "b", "hist", "ok"]]
    read = read_run_set(project.runs())
    assert [tally.statuses.total() for tally in read.tallies] == [1, 3]


def test_files_of_one_run_with_different_plans_are_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    keep_parts(project, {"a": [record(0)]})
    keep_parts(project, {"b": [record(1)]}, plan="other")
    said = project.bakeoff("show", RUN, code=2).stderr
    assert f"run {RUN} has several files with different plans, which cannot be parts of one run: " in said


def test_aggregates_never_pool_machines(project: Project) -> None:
    read = read_run_set(project.runs())
    assert [(cell.machine, [unit.block for unit in cell.units]) for cell in read.aggregates] == [
        ("a", [0, 1]),
        ("b", [2]),
    ]
    assert read.missing() == {RUN: 1}


def test_a_report_names_the_run_once(project: Project) -> None:
    page = project.bakeoff("report", RUN, "--format", "markdown").stdout
    assert page.count(f"Run {RUN} lacks 1 of 4 trials") == 1
    assert "The runs are of 2 machines" in page


def test_compare_pairs_machines(project: Project) -> None:
    keep(project, header(1, machine=Machine("b"), trials=1), [record(2, 0.25)])
    rows = json.loads(project.bakeoff("compare", RUN, "000001", "--json").stdout)["rows"]
    assert {row["machine"] for row in rows} == {"b"}
    assert [row["estimate"] for row in rows if row["measure"] == "wall_s"] == pytest.approx([0.355 / 0.61])
    keep(project, header(2, machine=Machine("c")), [record(2)])
    said = project.bakeoff("compare", RUN, "000002", code=5).stderr
    assert "no machine measured both runs" in said


def test_a_baseline_points_at_all_files(project: Project) -> None:
    done = project.bakeoff("baseline", "set", RUN)
    assert done.stdout == f"@baseline on a: {RUN}\n@baseline on b: {RUN}\n"
    assert done.stderr == f"note: run {RUN} has 3 of 4 planned trials\n"
    assert " on a, b, " in project.bakeoff("show", "@baseline").stdout


def test_a_gate_takes_the_base_on_the_machine_of_the_candidate(project: Project) -> None:
    keep(project, header(1, machine=Machine("b"), trials=1), [record(2, 0.5)])
    plain = json.loads(project.bakeoff("gate", RUN, "000001", "--json", code=6).stdout)
    assert plain["machine"]["name"] == "b"


def test_history_follows_machines_apart(project: Project) -> None:
    for index, machine in enumerate(("a", "b"), start=1):
        keep(project, header(index, machine=Machine(machine)), [record(block) for block in range(BLOCKS)])
    rows = json.loads(project.bakeoff("history", "cpu_s", "--json").stdout)["series"]
    assert [(row["machine"], [point["run"] for point in row["points"]]) for row in rows] == [
        ("a", [RUN, "000001"]),
        ("b", [RUN, "000002"]),
    ]
