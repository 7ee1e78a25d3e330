"""``bakeoff doctor``: findings and the noise floor."""

from __future__ import annotations

import json

from support import Project


def test_doctor_finds_and_measures(project: Project) -> None:
    done = project.bakeoff("doctor", "--seconds", "2", "--json")
    said = json.loads(done.stdout)
    assert {"cores", "memory", "load"} <= {finding["check"] for finding in said["findings"]}
    assert {finding["level"] for finding in said["findings"]} <= {"good", "warn", "bad"}
    assert all(finding["advice"] for finding in said["findings"] if finding["level"] != "good")
    noise = said["noise"]
    assert noise["pairs"] >= 3
    assert noise["floor"]["5"] > noise["floor"]["10"] > noise["floor"]["20"] > 0
    assert done.stderr == "running A/A trials for 2 s ...\n"
    assert project.runs() == []
