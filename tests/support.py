"""Projects in which the harness runs as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

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
