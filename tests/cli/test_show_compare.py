"""``bakeoff show``, ``compare`` and ``query`` on runs whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from msgspec.structs import replace
from support import Project, make_project

from harness.store.read import encode, read

ARGUMENTS = ("run", "planted", "-s", "copy", "--blocks", "3")


@pytest.fixture(scope="module")
def project(shared_project: Project) -> Project:
    """A base, a candidate whose copies are all too large by one, and a run of other cells."""
    shared_project.bakeoff(*ARGUMENTS)
    planted = shared_project.folder / "planted.py"
    before = planted.read_text()
    planted.write_text(before.replace("problem.data.copy() + extra", "problem.data.copy() + 1"))
    shared_project.bakeoff(*ARGUMENTS)
    planted.write_text(before)
    shared_project.bakeoff("run", "planted", "-s", "needs-package", "--set", "rows=77", "--blocks", "1", code=4)
    return shared_project


@pytest.fixture(scope="module")
def runs(project: Project) -> dict[str, Path]:
    """The files in the order in which they were made."""
    found = sorted(project.runs(), key=lambda path: path.stat().st_mtime_ns)
    return dict(zip(("base", "candidate", "other"), found, strict=True))


def rows_of(project: Project, base: Path, candidate: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.bakeoff("compare", str(base), str(candidate), "--json").stdout)[
        "rows"
    ]
    return found


def test_show_prints_run_machine_and_table(project: Project, runs: dict[str, Path]) -> None:
    header, _ = read(runs["base"])
    said = project.bakeoff("show", header.run).stdout
    first, command, *_ = said.splitlines()
    assert first.startswith(f"run {header.run} of {header.started} on {header.machine.name}, ")
    assert command == "bakeoff run planted -s copy --blocks 3"
    assert "planted/faults on numbers, clean (rows=1000 threads=1)" in said
    assert "3 trials: 3 ok\n" in said
    assert header.machine.kernel not in said


def test_show_machine_adds_machine_and_packages(project: Project, runs: dict[str, Path]) -> None:
    header, _ = read(runs["base"])
    said = project.bakeoff("show", str(runs["base"]), "--machine").stdout
    assert f'"kernel": "{header.machine.kernel}"' in said
    assert f'"numpy": "{header.environment.packages["numpy"]}"' in said


def test_show_json(project: Project, runs: dict[str, Path]) -> None:
    header, records = read(runs["base"])
    shown = json.loads(project.bakeoff("show", header.run[:5], "--json").stdout)
    assert shown["header"]["run"] == header.run
    (cell,) = shown["cells"]
    assert cell["params"] == {"rows": 1000, "threads": 1}
    walls = sorted(record.phases["fit"].peak_bytes or 0 for record in records)
    assert cell["measures"]["peak_bytes"]["median"] >= walls[1]


def test_latest_is_the_default(project: Project, runs: dict[str, Path]) -> None:
    shown = json.loads(project.bakeoff("show", "--json").stdout)
    assert shown["header"]["run"] == read(runs["other"])[0].run


def test_show_tells_what_is_missing(project: Project, runs: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(runs["base"].read_text().splitlines(keepends=True)[:2]))
    header, _ = read(cut)
    said = project.bakeoff("show", str(cut)).stdout
    assert f"2 of 3 trials are missing: bakeoff run --resume {header.run}\n" in said


def test_run_equals_itself(project: Project, runs: dict[str, Path]) -> None:
    rows = rows_of(project, runs["base"], runs["base"])
    assert {row["measure"]: (row["estimate"], row["changed"], row["blocks"]) for row in rows} == {
        "cpu_s": (1.0, False, 3),
        "wall_s": (1.0, False, 3),
        "peak_bytes": (1.0, False, 3),
        "error": (0.0, False, 3),
    }


def test_planted_change_is_found(project: Project, runs: dict[str, Path]) -> None:
    (error,) = (row for row in rows_of(project, runs["base"], runs["candidate"]) if row["measure"] == "error")
    assert (error["effect"], error["estimate"], error["same"], error["low"]) == ("difference", 1.0, True, None)
    said = project.bakeoff("compare", str(runs["base"]), str(runs["candidate"]))
    assert said.stderr == ""
    assert "+1.0000 the same in all 3 blocks" in said.stdout


def test_order_of_the_runs_turns_the_effect_round(project: Project, runs: dict[str, Path]) -> None:
    one = {row["measure"]: row for row in rows_of(project, runs["base"], runs["candidate"])}
    back = {row["measure"]: row for row in rows_of(project, runs["candidate"], runs["base"])}
    assert back["error"]["estimate"] == -1.0
    assert back["wall_s"]["estimate"] == pytest.approx(1 / one["wall_s"]["estimate"])
    assert back["wall_s"]["low"] == pytest.approx(1 / one["wall_s"]["high"])


def test_runs_without_a_common_cell(project: Project, runs: dict[str, Path]) -> None:
    done = project.bakeoff("compare", str(runs["base"]), str(runs["other"]), code=5)
    assert done.stderr.splitlines()[-1] == (
        "error: the two runs have no strategy, data, scenario and parameters in common"
    )


@pytest.fixture
def changed(runs: dict[str, Path], tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """A copy of the base with another header."""

    def change(edit: Callable[[dict[str, Any]], None]) -> Path:
        first, *rest = runs["base"].read_text().splitlines(keepends=True)
        header = json.loads(first)
        edit(header)
        copy = tmp_path / "changed.jsonl"
        copy.write_text(json.dumps(header) + "\n" + "".join(rest))
        return copy

    return change


def test_other_machine_and_packages_are_remarked(project: Project, runs: dict[str, Path], changed: Any) -> None:
    def edit(header: dict[str, Any]) -> None:
        header["machine"]["name"] = "elsewhere"
        header["environment"]["packages"] |= {"numpy": "1.0.0", "msgspec": "0.0.1"}

    base, _ = read(runs["base"])
    versions = base.environment.packages
    said = project.bakeoff("compare", str(runs["base"]), str(changed(edit))).stderr.splitlines()
    assert said == [
        f"note: different machines: {base.machine.name} and elsewhere; times cannot be compared",
        f"note: packages changed: msgspec {versions['msgspec']} -> 0.0.1, numpy {versions['numpy']} -> 1.0.0",
    ]


def test_other_data_are_remarked(project: Project, runs: dict[str, Path], changed: Any) -> None:
    said = project.bakeoff(
        "compare", str(runs["base"]), str(changed(lambda header: header["cards"].update(numbers="x")))
    )
    assert said.stderr.startswith("note: data set numbers differs between the runs; ")


def test_query_counts_trials_of_all_runs(project: Project, runs: dict[str, Path]) -> None:
    pytest.importorskip("duckdb")
    sql = 'select status, count(*) as trials, max("error") as error from trials group by status order by status'
    assert json.loads(project.bakeoff("query", sql, "--json").stdout) == [
        {"status": "ok", "trials": 6, "error": 1.0},
        {"status": "skipped", "trials": 1, "error": None},
    ]
    words = project.bakeoff("query", "select count(*) as runs from runs").stdout.split()
    assert words == ["runs", "3"]


def test_wrong_query_is_one_sentence(project: Project, runs: dict[str, Path]) -> None:
    pytest.importorskip("duckdb")
    done = project.bakeoff("query", "select nothing from trials", code=2)
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the query failed: Binder Error: ")


def test_work_gives_the_time_of_each(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    planted = project.folder / "planted.py"
    told = 'params={"rows": Param(1000, low=1)},\n    work={"predict": Work("row", of=("rows",))},\n    quick'
    text = planted.read_text().replace("Profile, Topic\n", "Profile, Topic, Work\n")
    planted.write_text(text.replace('params={"rows": Param(1000, low=1)},\n    quick', told))
    project.bakeoff("run", "planted", "-s", "copy", "--set", "rows=500", "--blocks", "1")
    _, (record,) = read(project.runs()[0])
    (row,) = json.loads(project.bakeoff("run", "--resume", "latest", "--json").stdout)["cells"]
    (each,) = row["work"]
    assert (each["phase"], each["unit"], each["times"]) == ("predict", "row", 500)
    for name, samples in (("cpu_s", record.phases["predict"].cpu_s), ("wall_s", record.phases["predict"].wall_s)):
        assert each[name] == pytest.approx(median(samples) / 500)
    peak = record.phases["predict"].peak_bytes
    assert peak is not None
    assert each["peak_bytes"] == pytest.approx(peak / 500)
    assert " CPU per row " in project.bakeoff("show", COLUMNS="140").stdout
    narrow = project.bakeoff("show", COLUMNS="60").stdout
    assert " CPU per row " not in narrow.partition("--json or a wider")[0]
    assert "CPU per row" in " ".join(narrow.partition("--json or a wider")[2].split())


def with_versions(path: Path, folder: Path, versions: dict[str, str]) -> Path:
    """Write a run again as if its strategy was imported with these versions of its benchmark."""
    header, records = read(path)
    cards = tuple(replace(card, versions=versions) if card.name == "copy" else card for card in header.strategies)
    file = folder / f"{'-'.join(versions.values()) or 'unknown'}.jsonl"
    file.write_bytes(encode(replace(header, strategies=cards)) + b"".join(map(encode, records)))
    return file


def test_figures_of_two_versions_of_a_benchmark_are_not_compared(
    project: Project, runs: dict[str, Path], tmp_path: Path
) -> None:
    base = with_versions(runs["base"], tmp_path, {"cpu_s": "1", "wall_s": "3"})
    candidate = with_versions(runs["candidate"], tmp_path, {"cpu_s": "2", "wall_s": "3"})
    assert {row["measure"] for row in rows_of(project, base, candidate)} >= {"wall_s", "error"}
    assert "cpu_s" not in {row["measure"] for row in rows_of(project, base, candidate)}
    done = project.bakeoff("compare", str(base), str(candidate))
    assert "note: the benchmark copy of planted/faults itself changed" in done.stderr
    assert "cpu_s not compared" in done.stderr
    every = dict.fromkeys(("cpu_s", "wall_s", "peak_bytes", "error"), "9")
    unknown = with_versions(runs["candidate"], tmp_path, {})
    (row,) = rows_of(project, with_versions(runs["base"], tmp_path, every), unknown)
    assert row["not_compared"] == "the benchmark itself changed"
    shown = project.bakeoff("compare", str(base.parent / "9-9-9-9.jsonl"), str(unknown)).stdout
    assert "copy       not compared: the benchmark itself changed" in shown
