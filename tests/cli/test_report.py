"""``bakeoff report``: runs become a page, a site, Markdown, or one clear sentence."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from support import Project

from harness.store.header import SCHEMA


@pytest.fixture(scope="module")
def measured(shared_project: Project) -> Project:
    """Two runs of a strategy that works and one that does not."""
    for _ in range(2):
        shared_project.bakeoff("run", "planted", "-s", "copy", "-s", "raises", "--set", "rows=10,100", code=4)
    return shared_project


def payload_of(page: str) -> Any:
    match = re.search(r'<script[^>]*id="payload"[^>]*>([^<]*)</script>', page)
    assert match is not None
    return json.loads(gzip.decompress(base64.b64decode(match[1])))


def run_ids(project: Project) -> list[str]:
    return [path.stem.rsplit("-", 1)[1] for path in project.runs()]


def test_the_latest_run_becomes_one_page(measured: Project) -> None:
    done = measured.bakeoff("report")
    page = measured.folder / "report.html"
    assert done.stderr == "wrote report.html\n"
    assert done.stdout == ""
    payload = payload_of(page.read_text())
    assert [run["run"] for run in payload["runs"]] == run_ids(measured)[-1:]
    (task,) = payload["tasks"]
    assert [strategy["label"] for strategy in task["strategies"]] == ["copy", "raises"]
    assert [cell["params"]["rows"] for cell in task["cells"]] == [10, 100]
    (_, failed) = task["cells"][0]["rows"]
    assert failed["troubles"] == [["failed", "RuntimeError: planted in phase fit", 2]]
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page.read_text())


def test_history_follows_the_other_runs(measured: Project) -> None:
    measured.bakeoff("report", "-o", "followed.html")
    series = payload_of((measured.folder / "followed.html").read_text())["tasks"][0]["history"]
    assert {len(row["points"]) for row in series} == {2}
    assert {point["run"] for row in series for point in row["points"]} == set(run_ids(measured))
    measured.bakeoff("report", "-o", "alone.html", "--no-history")
    assert payload_of((measured.folder / "alone.html").read_text())["tasks"][0]["history"] == []


def test_history_reads_only_the_runs_of_its_tasks(measured: Project, tmp_path: Path) -> None:
    """A run of another task is not read beyond its header, so damage there does no harm."""
    results = tmp_path / "results"
    shutil.copytree(measured.folder / "results", results)
    last = measured.runs()[-1]
    head, *_ = last.read_text().splitlines()
    other = head.replace('"planted/', '"elsewhere/').replace(run_ids(measured)[-1], "00dead")
    stem = "20200101T000000Z-nocommit-00dead"
    (results / last.parent.name / f"{stem}.jsonl").write_text(f"{other}\n{{}}\n{{}}\n")
    measured.bakeoff("report", run_ids(measured)[-1], "-o", "apart.html", BAKEOFF_RESULTS=str(results))
    series = payload_of((measured.folder / "apart.html").read_text())["tasks"][0]["history"]
    assert {len(row["points"]) for row in series} == {2}


def test_commands_of_the_page_measure_its_cells_again(measured: Project) -> None:
    measured.bakeoff("report", "-o", "page.html")
    row = payload_of((measured.folder / "page.html").read_text())["tasks"][0]["cells"][0]["rows"][0]
    arguments = row["command"].removeprefix("bakeoff ").split()
    plan = json.loads(measured.bakeoff(*arguments, "--dry-run", "--json").stdout)
    assert [trial["strategy"] for trial in plan["trials"]] == ["copy", "copy"]
    assert {trial["params"]["rows"] for trial in plan["trials"]} == {10}


def test_several_runs_are_pooled_and_named_by_any_of_their_names(measured: Project) -> None:
    first, second = measured.runs()
    done = measured.bakeoff("report", run_ids(measured)[0], str(second), first.name, "--format", "markdown")
    assert done.stdout.count("- `bakeoff run planted") == 2
    assert "4 blocks" in done.stdout


def test_markdown_goes_to_a_file_too(measured: Project) -> None:
    measured.bakeoff("report", "--format", "markdown", "-o", "report.md")
    assert (measured.folder / "report.md").read_text() == measured.bakeoff("report", "--format", "markdown").stdout


def test_site_has_a_page_a_topic(measured: Project) -> None:
    done = measured.bakeoff("report", "--site", "site")
    assert sorted(path.name for path in (measured.folder / "site").iterdir()) == ["index.html", "planted.html"]
    assert done.stderr == "wrote site/index.html\n"
    assert 'href="planted.html' in (measured.folder / "site" / "index.html").read_text()


def test_runs_of_two_machines_and_of_two_schema_versions(measured: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "two")
    shutil.copytree(measured.folder, project.folder)
    first, second = project.runs()
    head, rest = first.read_text().split("\n", 1)
    header = json.loads(head) | {"schema": "1.0"}
    header["machine"]["name"] = "other"
    del header["tasks"]
    first.write_text(json.dumps(header) + "\n" + rest)
    project.bakeoff("report", str(first), str(second))
    payload = payload_of((project.folder / "report.html").read_text())
    assert payload["machines"][0]["name"] == "other"
    assert {cell["machine"] for cell in payload["tasks"][0]["cells"]} == {0, 1}
    assert any(remark.startswith("The runs are of 2 machines") for remark in payload["remarks"])
    assert any(
        remark.startswith(f"The runs are of 2 versions of the format: 1.0, {SCHEMA}") for remark in payload["remarks"]
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("report", "ffffff"), "error: no run 'ffffff' in "),
        (("report", "--site", "s", "--output", "o.html"), "error: --site writes a folder of pages: leave out --output"),
        (
            ("report", "-o", "bakeoff.toml/page.html"),
            "error: cannot write bakeoff.toml/page.html: bakeoff.toml is a file; give",
        ),
        (("report", "--format", "pdf"), "error: Invalid value for '--format': 'pdf' is not one of 'html', 'markdown'."),
    ],
)
def test_bad_input_is_one_sentence(measured: Project, arguments: tuple[str, ...], sentence: str) -> None:
    done = measured.bakeoff(*arguments, code=2)
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert (measured.folder / "bakeoff.toml").is_file()


def test_a_run_without_a_record_is_one_sentence(measured: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "empty")
    shutil.copytree(measured.folder, project.folder)
    latest = project.runs()[-1]
    latest.write_text(latest.read_text().split("\n", 1)[0] + "\n")
    empty = run_ids(project)[-1]
    done = project.bakeoff("report", empty, code=2)
    assert done.stderr.startswith(f"error: run {empty} has no trials: finish it with")
    project.bakeoff("report")  # the latest run is the one before


def test_no_runs_at_all(project: Project) -> None:
    assert "contains no runs; make one with 'bakeoff run'" in project.bakeoff("report", code=2).stderr
