"""``bakeoff list``: what can be selected, and why some of it cannot run."""

from __future__ import annotations

import json

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
