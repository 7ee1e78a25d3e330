"""``bakeoff doctor``: findings and the noise floor."""

from __future__ import annotations

import json

import pytest
from support import Project

from harness.errors import UsageError
from harness.store.noise import stored_noise

pytestmark = pytest.mark.measured


def test_doctor_finds_and_measures(project: Project) -> None:
    done = project.bakeoff("doctor", "--seconds", "4", "--json")
    said = json.loads(done.stdout)
    assert {"cores", "memory", "load"} <= {finding["check"] for finding in said["findings"]}
    assert {finding["level"] for finding in said["findings"]} <= {"good", "warn", "bad"}
    assert all(finding["advice"] for finding in said["findings"] if finding["level"] != "good")
    noise = said["noise"]
    assert noise["pairs"] >= 3
    assert noise["floor"]["5"] > noise["floor"]["10"] > noise["floor"]["20"] > 0
    assert done.stderr == "running A/A trials for 4 s ...\n"
    assert project.runs() == []


def test_doctor_keeps_the_noise_floor_beside_the_runs(project: Project) -> None:
    done = project.bakeoff("doctor", "--seconds", "4", "--keep", "--json")
    (file,) = project.folder.glob("results/*/noise.json")
    kept = stored_noise(file.parent)
    assert kept is not None
    assert kept.noise.sd == pytest.approx(json.loads(done.stdout)["noise"]["sd"])
    assert str(file) in done.stderr
    file.write_text("{")
    with pytest.raises(UsageError, match=r"is damaged .*: measure again with 'bakeoff doctor --keep'"):
        stored_noise(file.parent)
