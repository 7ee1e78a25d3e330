"""``bakeoff gate`` as a user runs it: live in a git repository, and on stored runs."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from gate import samples
from support import Project, make_project

from harness.cli import gate_command

TOPIC = """
import numpy as np

from harness.declare import (Dataset, Judgement, Metric, Param, Profile, Topic)

topic = Topic("small", title="Small work")
task = topic.task(
    "sort",
    title="Sort numbers",
    datasets=[Dataset("numbers", lambda params, rng: rng.random(5000), params={})],
    phases=["fit"],
    metrics=[Metric("error", direction="lower", unit="1", margin=0.01)],
    judge=lambda data, output: Judgement({"error": float(np.abs(output - np.sort(data)).mean())}),
    quick=Profile(blocks=2),
)


@task.strategy("sort")
def sort(problem, phase):
    with phase("fit"):
        for _ in range(WORK):
            output = np.sort(problem.data)
    return output
"""
POLICY = "[gate]\npairs = 4\nrounds = 4\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def write(folder: Path, work: int) -> None:
    (folder / "small.py").write_text(TOPIC.replace("WORK", str(work)))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository whose first commit sorts 20 times."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "bakeoff.toml").write_text(f'topics = ["small.py"]\n{POLICY}')
    (folder / ".gitignore").write_text("results/\n__pycache__/\n")
    write(folder, 20)
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--message=one")
    return Project(folder)


def live(project: Project, *arguments: str, code: int, **variables: str) -> subprocess.CompletedProcess[str]:
    return project.bakeoff("gate", "--base", "main", "--task", "small", *arguments, code=code, **variables)


@pytest.mark.measured
def test_three_times_the_work_is_regressed_everywhere_that_ci_reads(repository: Project, tmp_path: Path) -> None:
    write(repository.folder, 60)
    files = {name: tmp_path / name for name in ("gate.xml", "gate.html", "gate.md", "summary.md")}
    done = live(
        repository,
        *("--junit", str(files["gate.xml"]), "--page", str(files["gate.html"]), "--markdown", str(files["gate.md"])),
        "--json",
        code=1,
        GITHUB_STEP_SUMMARY=str(files["summary.md"]),
        GITHUB_ACTIONS="true",
    )
    told = json.loads(done.stdout)
    (case,) = told["cases"]
    assert (told["verdict"], case["verdict"]) == ("regressed", "regressed")
    by_figure = {finding["figure"]: finding for finding in case["findings"]}
    assert by_figure["cpu_s"]["verdict"] == "regressed"
    assert 2 < by_figure["cpu_s"]["effect"]["estimate"] < 4
    assert by_figure["error"]["verdict"] == "pass"
    assert {pair["stage"] for pair in case["pairs"]} == {"screen", "confirm"}
    assert told["candidate"]["dirty"]
    assert any(test.find("failure") is not None for test in ET.parse(files["gate.xml"]).iter("testcase"))
    assert "regressed" in files["gate.md"].read_text()
    assert files["gate.md"].read_text().strip() in files["summary.md"].read_text()
    assert "<html" in files["gate.html"].read_text()
    assert "::error" in done.stderr


def test_a_candidate_that_raises_is_failed_and_not_regressed(repository: Project) -> None:
    (repository.folder / "small.py").write_text(TOPIC.replace("WORK", "1 // 0"))
    done = live(repository, code=4)
    assert "ZeroDivisionError" in done.stdout


def test_equal_sides_are_said_to_be_equal_and_explained(repository: Project) -> None:
    done = live(repository, "--json", code=0)
    told = json.loads(done.stdout)
    assert told["words"]["headline"] == "pass: no case changed; 1 case unchanged, 0 measured"
    assert [case["unchanged"] for case in told["cases"]] == [True]
    assert set(told["parts"]) == {"check out", "install", "plan", "measure"}
    assert told["forecast"]["cases"] == 0
    explained = repository.bakeoff("gate", "--explain", "latest").stdout
    assert "small/sort/sort/numbers/clean: pass (unchanged: both sides have the same files and packages)" in explained


def test_a_removed_strategy_is_not_measured_unless_it_is_acknowledged(repository: Project) -> None:
    (repository.folder / "small.py").write_text(TOPIC.replace("WORK", "20").replace('"sort")\ndef', '"other")\ndef'))
    assert "gone from the candidate" in live(repository, code=4).stdout
    (repository.folder / "bakeoff.toml").write_text(
        f'topics = ["small.py"]\n{POLICY}[[gate.allowed]]\ncase = "small/sort/sort"\nuntil = 2999-01-01\n'
        'reason = "replaced by other"\n'
    )
    assert "replaced by other" in live(repository, code=0).stdout


@pytest.mark.measured
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_gate_is_resumed(repository: Project, number: signal.Signals) -> None:
    write(repository.folder, 60)
    process = subprocess.Popen(
        # A job in the background of a shell has the signal ignored, and hands that on.
        ["env", "--default-signal=INT", *repository.command("gate", "--base", "main", "--task", "small")],
        cwd=repository.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not any(b'"pair"' in path.read_bytes() for path in repository.folder.glob("results/*/gates/*")):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    (path,) = repository.folder.glob("results/*/gates/*")
    gate = path.stem.rsplit("-", 1)[1]
    assert f"bakeoff gate --resume {gate}" in said
    before = path.read_bytes()
    repository.bakeoff("gate", "--resume", "latest", code=1)
    assert path.read_bytes().startswith(before)
    write(repository.folder, 61)
    assert (
        "the code or the packages of a side changed since"
        in repository.bakeoff("gate", "--resume", gate, code=2).stderr
    )


def test_a_full_disk_ends_with_the_command_that_goes_on(repository: Project) -> None:
    """A limit on the size of files takes effect as a full disk does, after the first pairs."""
    command = repository.command("gate", "--base", "main", "--task", "small", "--anyway")
    limited = ["sh", "-c", 'ulimit -f 8 && exec "$@"', "sh", *command]
    done = subprocess.run(limited, cwd=repository.folder, capture_output=True, text=True, check=False)
    (path,) = repository.folder.glob("results/*/gates/*")
    gate = path.stem.rsplit("-", 1)[1]
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"error: the gate stopped at {path} (File too large): free some space or mend the disk, then go on with "
        f"'bakeoff gate --resume {gate}'"
    )
    before = path.read_bytes()
    assert before.endswith(b"\n")
    assert json.loads(repository.bakeoff("gate", "--resume", gate, "--json", code=None).stdout)["cases"]
    assert path.read_bytes().startswith(before)


def test_a_base_that_cannot_be_installed_judges_nothing(repository: Project) -> None:
    (repository.folder / "wheels").mkdir()
    (repository.folder / "bakeoff.toml").write_text(f'topics = ["small.py"]\n{POLICY}wheels = "wheels"\n')
    done = repository.bakeoff("gate", "--base-with", "no-such-package==1.0", "--task", "small", code=4)
    assert "error: pip cannot install the base's no-such-package==1.0" in done.stderr


@pytest.mark.parametrize("option", ["--junit", "--markdown", "--page"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(
    repository: Project, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").touch()
    for place, why in ((tmp_path / "file" / "gate", "is a file"), (tmp_path, "is a directory")):
        assert why in live(repository, option, str(place), code=2).stderr
    assert not (repository.folder / "results").exists()


def test_a_summary_that_cannot_be_written_does_not_take_the_verdict_away(repository: Project) -> None:
    (repository.folder / "small.py").write_text(TOPIC.replace("WORK", "1 // 0"))
    done = live(repository, code=4, GITHUB_STEP_SUMMARY="/nonexistent/x.md")
    assert "ZeroDivisionError" in done.stdout
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: cannot write the summary")]
    assert len(warnings) == 2
    assert done.stderr.splitlines()[0] == warnings[0]


def test_a_file_that_cannot_be_written_any_more_is_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    files = {"junit": tmp_path, "markdown": tmp_path / "gate.md", "page": None}
    gate_command._write(samples.every(), files)
    assert (tmp_path / "gate.md").is_file()
    assert capfd.readouterr().err.splitlines()[0].startswith(f"warning: cannot write {tmp_path}, which is a folder")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give two stored runs"),
        (("latest",), "give two stored runs"),
        (("a", "b", "--base", "main"), "give either two stored runs, or --base and --base-with"),
        (("--base", "mian"), "main"),
        (("--base", "main", "--strategy", "srot"), "did you mean sort?"),
        (("--base", "main", "--budget", "0.0001", "--task", "small", "--anyway"), "give more with --budget"),
        (("--base", "main", "--changed-only", "--anyway"), "give either --changed-only or --anyway"),
        (("@baseline", "latest", "--changed-only"), "--changed-only belongs to a new gate with --base"),
        (("--explain", "abcdef"), "there is no gate 'abcdef'"),
        (("--explain", "latest", "--base", "main"), "--explain reads a gate that was measured"),
        (("--resume", "abcdef"), "there is no gate 'abcdef'"),
        (("@baseline", "latest"), "baseline"),
    ],
)
def test_bad_input_is_one_sentence(repository: Project, arguments: tuple[str, ...], sentence: str) -> None:
    done = repository.bakeoff("gate", *arguments, code=2)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert sentence in errors[0]
    assert "Traceback" not in done.stderr


def test_the_help_shows_each_example_on_a_line(tmp_path: Path) -> None:
    lines = Project(tmp_path).bakeoff("gate", "--help").stdout.splitlines()
    assert "  bakeoff gate @baseline latest             two stored runs" in lines
    assert not any("\\b" in line for line in lines)


def test_outside_of_a_repository_there_is_no_base(tmp_path: Path) -> None:
    done = make_project(tmp_path / "plain").bakeoff("gate", "--base", "main", code=2, GIT_CEILING_DIRECTORIES="/")
    assert "git" in done.stderr


def test_stored_runs_and_a_baseline(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    for _ in range(2):
        project.bakeoff("run", "planted", "-s", "copy", "--blocks", "3", "--memory-pass", "--set", "rows=1000")
        if not (project.folder / "results" / "baselines.json").is_file():
            project.bakeoff("baseline", "set", "latest")
    told = json.loads(project.bakeoff("gate", "@baseline", "latest", "--json").stdout)
    assert told["base"]["name"] == "@baseline"
    assert not told["live"]
    kinds = {finding["kind"]: finding["verdict"] for finding in told["cases"][0]["findings"]}
    assert kinds == {"memory": "pass", "quality": "pass"}
    assert any("under a millisecond" in remark for remark in told["remarks"])
