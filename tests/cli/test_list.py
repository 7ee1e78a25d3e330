"""``bakeoff list``: what can be selected, and why some of it cannot run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import Project


def test_list_shows_what_can_be_selected(shared_project: Project) -> None:
    said = shared_project.bakeoff("list", "planted").stdout
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[0] == "planted Planted faults"
    for line in (
        "task faults Return the data",
        "copy Return a copy.",
        "needs-package cannot run: package no_such_package is not installed",
        "scenarios clean",
        "phases fit, predict",
        "metrics error (lower is better)",
        "params rows=1000, threads=1",
        "0 claims (--claims shows them)",
    ):
        assert lines.count(line) == 1
    (data,) = (line for line in lines if line.startswith("data set"))
    assert "numbers" in data
    assert "boosting" not in said


def test_what_a_text_can_be_is_listed_and_anything_else_refused(project: Project) -> None:
    planted = (project.folder / "planted.py").read_text()
    choices = 'params={"kind": Param("b", choices=("a", "b", "c")), '
    (project.folder / "planted.py").write_text(planted.replace("    params={", f"    {choices}"))
    (line,) = (line for line in project.bakeoff("list").stdout.splitlines() if "kind=" in line)
    assert "kind=b (or a, c), rows=1000" in line
    said = project.bakeoff("run", "--set", "kind=d", code=2).stderr
    assert said.startswith("error: faults on numbers: kind=d is none of a, b, c; change --set kind")
    assert project.runs() == []


@pytest.mark.parametrize("width", ["80", "120"])
def test_without_a_topic_it_answers_in_a_screen(tmp_path: Path, width: str) -> None:
    project = Project(tmp_path)
    topics = json.loads(project.bakeoff("list", "--json").stdout)
    lines = project.bakeoff("list", COLUMNS=width).stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= int(width)
    rows = {line.split()[0]: line.split() for line in lines[2 : 2 + len(topics)]}
    for topic in topics:
        strategies = {strategy["name"] for task in topic["tasks"] for strategy in task["strategies"]}
        counts = [len(topic["tasks"]), len(strategies), len(topic["claims"])]
        assert rows[topic["topic"]][-3:] == [str(count) for count in counts]
    assert lines[-2:] == [
        "bakeoff list bandits  its tasks, strategies, scenarios and data sets",
        "bakeoff run bandits   measure its quick profile",
    ]


def test_the_overview_counts_what_cannot_run_here(project: Project) -> None:
    planted = (project.folder / "planted.py").read_text()
    (project.folder / "second.py").write_text(planted.replace('"planted"', '"second"').replace('"numbers"', '"more"'))
    (project.folder / "bakeoff.toml").write_text('topics = ["planted.py", "second.py"]\n')
    said = project.bakeoff("list").stdout
    assert "cannot run here:  1 of planted, 1 of second (package no_such_package is not installed)" in said
    assert "task faults" not in said


def test_list_as_json(shared_project: Project) -> None:
    topics = json.loads(shared_project.bakeoff("list", "planted", "boosting", "--json").stdout)
    assert [topic["topic"] for topic in topics] == ["planted", "boosting"]
    (planted,) = (topic for topic in topics if topic["topic"] == "planted")
    (task,) = planted["tasks"]
    strategies = {strategy["name"]: strategy for strategy in task["strategies"]}
    assert strategies["copy"]["options"] == {"extra": 0}
    assert strategies["copy"]["cannot_run"] == ""
    assert strategies["grows"]["summary"] == "Touch 64 MB for a moment."
    assert strategies["needs-package"]["cannot_run"] == "package no_such_package is not installed"
    assert task["metrics"] == [{"name": "error", "direction": "lower", "unit": "1"}]


def test_claims_are_shown_with_their_sources(project: Project) -> None:
    claim = '@topic.claim("Copies are equal", source="Somebody 1999, sec. 4")\ndef equal(evidence: Any) -> Any: ...\n'
    (project.folder / "planted.py").write_text((project.folder / "planted.py").read_text() + claim)
    said = project.bakeoff("list", "planted", "--claims").stdout
    assert "  - Copies are equal (Somebody 1999, sec. 4)\n" in said
    (topic,) = json.loads(project.bakeoff("list", "planted", "--json").stdout)
    assert topic["claims"] == [{"text": "Copies are equal", "source": "Somebody 1999, sec. 4"}]
