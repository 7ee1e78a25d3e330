"""docs/ci.md shows the files that CI uses, and names all that it documents."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from gate import samples

from harness.config import Allowed, GatePolicy
from harness.gate.decision import VERDICTS
from harness.report.gate.ci import document

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "ci.md").read_text(encoding="utf-8")
SCRIPT = DOCS / "ci" / "gate.sh"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def workflow(name: str) -> Any:
    return yaml.safe_load((DOCS / "ci" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["gate.sh", "github.yml", "gitlab.yml"])
def test_the_page_shows_the_files_as_they_are(name: str) -> None:
    assert (DOCS / "ci" / name).read_text(encoding="utf-8") in [text for _, text in BLOCKS]


def test_both_workflows_call_the_script_in_the_same_way() -> None:
    steps = workflow("github.yml")["jobs"]["gate"]["steps"]
    job = workflow("gitlab.yml")["gate"]
    (ran,) = (step["run"] for step in steps if "run" in step)
    called = [re.search(r"\bci/gate\.sh[^|\n]*", text) for text in (ran, job["script"][-1])]
    assert all(called)
    assert len({found.group().strip() for found in called if found}) == 1


def test_github_has_the_history_and_keeps_what_the_script_writes() -> None:
    steps = {
        step.get("uses", "run").partition("@")[0]: step for step in workflow("github.yml")["jobs"]["gate"]["steps"]
    }
    assert steps["actions/checkout"]["with"]["fetch-depth"] == 0
    kept = steps["actions/upload-artifact"]
    assert kept["if"] == "always()"
    assert kept["with"]["path"].split() == ["gate.html", "gate.xml"]
    environment = workflow("github.yml")["jobs"]["gate"]["env"]
    assert environment["BAKEOFF_CACHE"].endswith(steps["actions/cache"]["with"]["path"])


def test_gitlab_reads_the_junit_file_and_warns_of_what_is_inconclusive() -> None:
    job = workflow("gitlab.yml")["gate"]
    assert job["artifacts"]["reports"]["junit"] == "gate.xml"
    assert job["artifacts"]["when"] == "always"
    assert job["allow_failure"]["exit_codes"] == [6]
    assert job["variables"]["BAKEOFF_CACHE"].endswith(job["cache"]["paths"][0])


def run(tmp_path: Path, *arguments: str, code: int = 0, pip: int = 0, **variables: str) -> list[str]:
    """Run the script with commands that only write down how they were called."""
    for name, ends in (("python", pip), ("bakeoff", code)):
        file = tmp_path / name
        file.write_text(f'#!/bin/sh\nfor one in {name} "$@"; do echo "$one"; done >> called\nexit {ends}\n')
        file.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **variables}
    done = subprocess.run(
        ["sh", str(SCRIPT), *arguments], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    called = (tmp_path / "called").read_text(encoding="utf-8").splitlines()
    (tmp_path / "called").unlink()
    return [str(done.returncode), *called]


GATE = ["--junit", "gate.xml", "--page", "gate.html"]


def test_the_script_installs_gates_and_ends_with_the_gates_code(tmp_path: Path) -> None:
    installed = ["python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    assert run(tmp_path, code=6) == ["6", *installed, ".", "bakeoff", "gate", "--base", "origin/main", *GATE]
    found = run(tmp_path, "-s", "a b", code=1, INSTALL=".[boosting]", BASE="v1")
    assert found == ["1", *installed, ".[boosting]", "bakeoff", "gate", "--base", "v1", *GATE, "-s", "a b"]
    assert run(tmp_path, INSTALL="") == ["0", "bakeoff", "gate", "--base", "origin/main", *GATE]


def test_a_failed_installation_does_not_read_as_regressed(tmp_path: Path) -> None:
    assert run(tmp_path, pip=1)[0] == "3"


def test_the_example_of_a_policy_is_one() -> None:
    (example,) = (tomllib.loads(text) for kind, text in BLOCKS if kind == "toml" and "[tool.bakeoff.gate]" in text)
    policy = msgspec.convert(example["tool"]["bakeoff"]["gate"], GatePolicy)
    assert policy.margin("boosting", "fit.cpu_s", {}) == 0.1
    assert policy.margin("boosting", "cpu_s", {}) == 0.03
    assert isinstance(policy.allowed[0], Allowed)


def test_every_key_verdict_option_and_field_is_documented() -> None:
    rows = {line.split("|")[1].strip(): line for line in TEXT.splitlines() if line.startswith("|")}
    for key in GatePolicy.__struct_fields__:
        assert f"`{key}`" in rows
    for key in ("alpha", "pairs", "rounds", "memory_floor_bytes", "inconclusive"):
        assert str(getattr(GatePolicy(), key)) in rows[f"`{key}`"].split("|")[3]
    assert set(VERDICTS) <= set(rows)
    found = document(samples.every())
    for key in {*found, *found["words"], *found["cases"][0], *found["cases"][0]["pairs"][0], *found["base"]}:
        assert f"`{key}`" in TEXT or f"`cases[].{key}`" in rows
    for finding in (finding for case in found["cases"] for finding in case["findings"]):
        assert all(f"`{key}`" in TEXT for key in (*finding, *finding["effect"]))
