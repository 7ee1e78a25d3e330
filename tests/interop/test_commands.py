"""``bakeoff import`` and ``bakeoff export`` as a user calls them, and what other commands make of an imported run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from cli.test_report import payload_of
from interop.files import asv_benchmarks, asv_result, asv_row, benchmark, saved
from support import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "bakeoff.toml").write_text("")
    return Project(tmp_path)


def told(done: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, object]]]:
    value: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return value


def test_a_pytest_benchmark_file_shows_and_reports(project: Project) -> None:
    cases = [
        benchmark(f"test_s[{size}]", [0.5, 0.25], params={"n": size}, extra_info={"peak_bytes": 2e6}) for size in (1, 2)
    ]
    saved(project.folder / "f.json", benchmark("test_<b>[x", [0.125]), *cases)
    (run,) = told(project.bakeoff("import", "pytest-benchmark", "f.json", "--json"))["runs"]
    assert run["trials"] == 3
    again = project.bakeoff("import", "pytest-benchmark", "f.json", code=2)
    assert again.stderr.startswith(f"error: f.json is already imported as {run['run']} (")
    shown = project.bakeoff("show", "latest").stdout
    assert "bakeoff import pytest-benchmark f.json" in shown
    assert "test-s[n=1]" in shown
    assert "375 ms" in shown
    assert "2.0 MB" in shown
    assert "()" not in shown
    project.bakeoff("report")
    markdown = project.bakeoff("report", "--format", "markdown").stdout
    assert "| test-s\\[n=1\\] | 375 ms" in markdown
    payload = json.dumps(payload_of((project.folder / "report.html").read_text()))
    assert "# imported with: bakeoff import pytest-benchmark f.json" in payload
    assert "bakeoff run" not in payload


def test_two_imported_files_compare(project: Project) -> None:
    saved(project.folder / "a.json", benchmark("test_a", [0.5]))
    saved(project.folder / "b.json", benchmark("test_a", [1.0]), datetime="2026-03-02T12:00:00")
    done = project.bakeoff("import", "pytest-benchmark", "a.json", "none.json", "b.json", code=2)
    assert done.stderr == "error: cannot read none.json: No such file or directory\n"
    base, candidate = (path.stem for path in project.runs())
    rows = json.loads(project.bakeoff("compare", base, candidate, "--json").stdout)["rows"]
    assert {row["measure"]: row["estimate"] for row in rows} == {"wall_s": pytest.approx(2.0)}


def test_an_asv_history_shows_in_the_report(project: Project) -> None:
    folder = project.folder / "results" / "asv"
    for place in range(3):
        rows = {"b.A.time_x": asv_row([0.5 + place]), "b.A.track_loss": asv_row([0.25])}
        asv_result(folder, rows, commit=f"{place}" * 40, date=1_700_000_000_000 + place * 86_400_000)
    asv_benchmarks(folder, b__A__track_loss="nat")
    done = project.bakeoff("import", "asv")
    assert done.stdout.count("on amd-epyc-2c-24g, commit ") == 3
    assert "3 of 3 files were imported before" in project.bakeoff("import", "asv").stderr
    assert len(project.runs()) == 3
    project.bakeoff("report")
    (task,) = payload_of((project.folder / "report.html").read_text())["tasks"]
    series = {row["measure"]: [point["mean"] for point in row["points"]] for row in task["history"]}
    assert series["wall_s"] == pytest.approx([0.5, 1.5, 2.5])
    assert series["loss"] == [0.25] * 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "pytest-benchmark", "none.json"), "error: cannot read none.json: No such file or directory\n"),
        (("import", "asv"), "error: there is no file or folder results/asv: give the results_dir of asv.conf.json\n"),
        (("import", "asv", "."), "error: . has no results of asv: give the results_dir of asv.conf.json, or run asv"),
        (("import", "csv"), "error: No such command 'csv'."),
        (("export", "asv"), "error: no run 'latest': "),
        (("export", "pytest-benchmark", "abc"), "error: no run 'abc': "),
    ],
)
def test_bad_input_is_one_sentence(project: Project, arguments: tuple[str, ...], sentence: str) -> None:
    done = project.bakeoff(*arguments, code=2)
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_there_and_back(project: Project) -> None:
    saved(project.folder / "f.json", benchmark("test_a", [0.5, 0.25]))
    project.bakeoff("import", "pytest-benchmark", "f.json")
    (run,) = project.runs()
    done = project.bakeoff("export", "pytest-benchmark", "-o", "back.json")
    assert done.stderr == "1 benchmark in back.json\n"
    assert project.bakeoff("export", "pytest-benchmark").stdout == (project.folder / "back.json").read_text()
    assert project.bakeoff("export", "asv", "--into", "asv").stderr.startswith("2 benchmarks in asv/amd-epyc-2c/5f39")
    assert "which is here" in project.bakeoff("import", "asv", "asv").stderr
    kept = run.read_text().split("\n", 1)[1]
    run.unlink()
    project.bakeoff("import", "pytest-benchmark", "back.json")
    (back,) = project.runs()
    assert back.read_text().split("\n", 1)[1] == kept
