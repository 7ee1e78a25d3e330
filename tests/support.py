"""Projects in which the harness runs as a user would run it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLANTED = Path(__file__).parent / "projects" / "planted.py"


@dataclass(frozen=True)
class Project:
    """A folder with a configuration, and the command line run in it."""

    folder: Path

    def bakeoff(self, *arguments: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line and check its exit code."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def command(self, *arguments: str) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-P", "-c", "from harness.cli.main import main; main()", *arguments]

    def runs(self) -> list[Path]:
        """Return the files of runs."""
        return sorted(self.folder.glob("results/*/*.jsonl"))


def make_project(folder: Path) -> Project:
    """Make a project with the planted topic."""
    folder.mkdir(exist_ok=True)
    (folder / "planted.py").write_text(PLANTED.read_text())
    (folder / "bakeoff.toml").write_text('topics = ["planted.py"]\n')
    return Project(folder)


def write_csv_card(folder: Path, name: str, *, tasks: Sequence[str] = (), rows: int = 200) -> Path:
    """Write a small file of data with its card, and return the file."""
    folder.mkdir(exist_ok=True)
    lines = [f"{index % 7},{index % 3},{index % 2}" for index in range(rows)]
    file = folder / f"{name}.csv"
    file.write_text("\n".join(["age,plan,left", *lines]) + "\n")
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\ntitle = "T"\nsummary = "S"\nlicence = "internal"\ntasks = {json.dumps(list(tasks))}\n'
        f'[source]\ntext = "the warehouse"\n'
        f'[file]\npath = "{name}.csv"\nsha256 = "{hashlib.sha256(file.read_bytes()).hexdigest()}"\n'
        f'bytes = {file.stat().st_size}\nrows = {rows}\ntarget = "left"\n'
    )
    return file


def fresh_process(script: str, *arguments: str) -> Any:
    """Run a script in a process of its own and return what it prints, read as JSON."""
    command = [sys.executable, "-P", "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
