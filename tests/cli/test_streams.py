"""The exit code is the verdict, whatever becomes of the streams."""

from __future__ import annotations

import json
import shlex
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from gate.stored_runs import session
from support import Project, make_project

from harness.store.runs import create

#: CPU seconds of a run: they vary a little, and are three times as many from the sixth run on.
COSTS = (1.0, 1.01, 0.99, 1.0, 1.01, 3.01, 3.0, 2.99)
COMMANDS = {
    "gate": ("gate 000000 000005", 1),
    "undecided gate": ("gate 000000 000004", 6),
    "history": ("history cpu_s --check", 1),
    "run": ("run planted -s raises", 4),
    "show": ("show 000000", 0),
    "bad input": ("show nothing", 2),
}
#: Whatever becomes of the streams, and what stands around the command then.
STREAMS = {
    "as they are": "{} >out 2>said",
    "nobody reads the output": "{} 2>said | true",
    "nobody reads the errors": "{} 2>&1 >out | true",
    "one line is read": "{} 2>&1 | head -1",
    "all are closed": "{} <&- >&- 2>&-",
    "the disk of the errors is full": "{} >out 2>/dev/full",
    "ASCII": "PYTHONIOENCODING=ascii {} >out 2>said",
    "a code page": "PYTHONIOENCODING=cp1252 {} >out 2>said",
}


def planted(cost: float, block: int) -> dict[str, Any]:
    return {"cpu": cost * (1 + block / 1000)}


def keep(project: Project, number: int, cost: float) -> None:
    header, records = session(number, hour=24 * number, plant=partial(planted, cost))
    with create(project.folder / "results", header) as run:
        run.write(*records)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A series of runs, the last of them slower, beside the planted topic."""
    project = make_project(tmp_path_factory.mktemp("streams"))
    for number, cost in enumerate(COSTS):
        keep(project, number, cost)
    return project


def shell(project: Project, line: str, arguments: str) -> subprocess.CompletedProcess[str]:
    command = shlex.join([*project.command(), *arguments.split()])
    # The code is that of the command, first in its pipe, not of what reads it.
    script = f"{line.format(command)}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", script], cwd=project.folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("streams", STREAMS)
@pytest.mark.parametrize("command", COMMANDS)
def test_the_exit_code_is_that_of_the_command(project: Project, command: str, streams: str) -> None:
    arguments, code = COMMANDS[command]
    done = shell(project, STREAMS[streams], arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_on_a_full_disk_a_verdict_is_kept_and_lost_output_is_an_error(project: Project, command: str) -> None:
    arguments, code = COMMANDS[command]
    done = shell(project, "{} >/dev/full", arguments)
    assert done.returncode == (2 if command == "show" else code)
    if command != "bad input":
        assert "standard output cannot be written (No space left on device)" in done.stderr


def test_a_run_whose_progress_nobody_reads_is_whole(project: Project) -> None:
    assert shell(project, "{} 2>&1 | true", "run planted -s copy --blocks 3").returncode == 0
    lines = [json.loads(line) for line in project.runs()[-1].read_text().splitlines()]
    assert [line["status"] for line in lines[1:]] == ["ok"] * lines[0]["trials"]


def test_json_is_the_same_in_every_encoding(project: Project) -> None:
    shell(project, "{} >plain.json", "show 000000 --json")
    shell(project, "PYTHONIOENCODING=ascii {} >ascii.json", "show 000000 --json")
    plain, restricted = ((project.folder / name).read_bytes() for name in ("plain.json", "ascii.json"))
    assert json.loads(plain) == json.loads(restricted)
    assert restricted.isascii()


def test_a_unit_is_readable_without_its_sign(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    keep(project, 0, 20e-6)
    done = shell(project, "PYTHONIOENCODING=ascii {}", "show latest")
    assert " us" in done.stdout
    assert "?" not in done.stdout


def test_a_file_never_takes_the_place_of_a_closed_stream(project: Project) -> None:
    """With the standard streams closed, the next file that a program opens is written by what is printed."""
    shell(project, "{} <&- >&- 2>&-", "run planted -s copy --blocks 1")
    path = project.runs()[-1]
    assert all(line.startswith("{") for line in path.read_text().splitlines())
