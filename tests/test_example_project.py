"""A project over two files is type-checked strictly against the installed wheel, and runs with it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from wheel import call, installed_wheel

EXAMPLE = Path(__file__).parent / "projects" / "example"
WRONG = """\
from harness import Metric
from selection import topic

metric = Metric("recall", direction="upwards", unit="1")
topic.strategy("sort", tasks="largest")
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel, and with the packages of this one for all else."""
    return installed_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example") / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_types_are_checked_against_the_wheel(python: Path, project: Path) -> None:
    """The two files are right, and the third one, with two mistakes, shows that the types of the wheel are seen."""
    found = call(str(python), "-P", "-c", "import harness; print(harness.__file__)", folder=project)
    assert found.startswith(str(python.parents[1]))
    (project / "wrong.py").write_text(WRONG)
    command = (sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "--no-error-summary")
    said = call(*command, "selection.py", "strategies.py", "wrong.py", folder=project, code=1)
    errors = [line for line in said.splitlines() if ": error: " in line]
    assert [line.split(":")[:2] for line in errors] == [["wrong.py", "4"], ["wrong.py", "5"]]
    assert ["[arg-type]" in line for line in errors] == [True, True]


def test_the_wheel_has_the_tracked_verdicts(python: Path, project: Path) -> None:
    code = "from harness.claims import tracked, tracked_verdicts; print(tracked.FILE, len(tracked_verdicts()))"
    file, count = call(str(python), "-P", "-c", code, folder=project).split()
    assert file.startswith(str(python.parents[1]))
    assert int(count) > 300


def test_the_project_runs_with_the_wheel(python: Path, project: Path) -> None:
    bakeoff = (str(python), "-P", "-c", "from harness.cli.main import main; main()")
    cells = json.loads(call(*bakeoff, "run", "--blocks", "2", "--json", folder=project))["cells"]
    assert sorted((cell["task"], cell["strategy"]) for cell in cells) == [
        (task, strategy) for task in ("largest", "smallest") for strategy in ("partition", "sort")
    ]
    assert all(cell["measures"]["recall"]["median"] == 1 and cell["statuses"] == {"ok": 2} for cell in cells)
    (claim,) = json.loads(call(*bakeoff, "claims", "--json", folder=project))["claims"]
    assert claim["blocks"] == 2
    call(*bakeoff, "report", folder=project)
    assert (project / "report.html").is_file()
