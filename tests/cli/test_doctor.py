"""``bakeoff doctor``: findings and the noise floor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import Project

from harness.cli import doctor_command
from harness.config import Config
from harness.errors import BakeoffError, UsageError
from harness.measure.client import Server
from harness.measure.fitness import NoisePair
from harness.measure.messages import Response
from harness.records import Record
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
    assert done.stderr.startswith("running A/A trials for 4 s ...\n")
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


def test_three_pairs_run_however_long_they_take(tmp_path: Path) -> None:
    """On any machine that takes longer than no time at all."""
    records = doctor_command._trials(Config(folder=tmp_path), 0.0)
    assert len(doctor_command._pairs(records)) == 3


def test_a_time_that_is_too_short_is_answered_by_the_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each pair of trials takes 2 s of a clock that is set by hand."""
    now = [0.0]

    def trials(_settings: Config, _seconds: float) -> list[Record]:
        now[0] += 6.0
        return []

    pairs = [NoisePair(0, turn, 1.0 + turn / 100, 1.0, turn % 2 == 0) for turn in range(3)]
    monkeypatch.setattr("harness.cli.doctor_command.time.monotonic", lambda: now[0])
    monkeypatch.setattr(doctor_command, "_trials", trials)
    monkeypatch.setattr(doctor_command, "_pairs", lambda _records: pairs)
    doctor_command.command.main(["--seconds", "5", "--json"], standalone_mode=False)
    assert "note: only 3 pairs of trials ran, in 6 s: give --seconds 60 for a noise floor" in capsys.readouterr().err
    doctor_command.command.main(["--seconds", "7", "--json"], standalone_mode=False)
    assert "note" not in capsys.readouterr().err


def test_a_trial_that_fails_ends_the_trials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Server, "run", lambda _self, request: Response(Record(request.trial, "failed", "planted")))
    with pytest.raises(BakeoffError, match=r"^no noise floor: an A/A trial did not finish: planted$"):
        doctor_command._trials(Config(folder=tmp_path), 60.0)
