"""Projects in which the harness runs as a user would run it."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
PLANTED = TESTS / "projects" / "planted.py"
#: Python reads these when it starts, so that a fork comes too late for them.
AT_START = ("COVERAGE", "LD_", "LC_", "PYTHON", "TMPDIR")


@dataclass(frozen=True)
class Project:
    """A folder with a configuration, and the command line run in it."""

    folder: Path

    def bakeoff(self, *arguments: str, code: int | None = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in a process of its own and check its exit code, if one is given."""
        run = self._run_anew if any(name.startswith(AT_START) for name in variables) else self._run_in_fork
        done = run(arguments, {**os.environ, **variables})
        assert code in (None, done.returncode), f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def _run_anew(self, arguments: Sequence[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def _run_in_fork(self, arguments: Sequence[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        server = command_server()
        assert server.stdin is not None
        assert server.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            out, said = Path(folder, "stdout"), Path(folder, "stderr")
            order = {
                "arguments": arguments,
                "folder": str(self.folder),
                "variables": variables,
                "stdout": str(out),
                "stderr": str(said),
            }
            server.stdin.write(json.dumps(order) + "\n")
            server.stdin.flush()
            code = int(server.stdout.readline())
            return subprocess.CompletedProcess(arguments, code, out.read_text(), said.read_text())

    def command(self, *arguments: str) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-P", "-c", "from harness.cli.main import main; main()", *arguments]

    def files(self) -> list[str]:
        """Return the names in the folder, without what Python compiled of its modules."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != "__pycache__")

    def runs(self) -> list[Path]:
        """Return the files of runs, the oldest first: names tell seconds, and a fast machine makes two in one."""
        files = self.folder.glob("results/*/*.jsonl")
        return sorted(files, key=lambda file: (file.name.partition("-")[0], file.stat().st_mtime_ns))


@cache
def command_server() -> subprocess.Popen[str]:
    """Start the process that command lines are forked from, which ends with this one."""
    command = [sys.executable, "-P", str(TESTS / "forked_commands.py")]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    return server


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


def write_card(
    file: Path, layout: str, *, kind: str = "table", top: str = "", content: bytes | None = None, name: str = "mine"
) -> Path:
    """Write the card of a file beside it, and return the card.

    Parameters
    ----------
    layout
        Further lines of the table ``[file]``.
    top
        Further lines before the first table.
    content
        What size and checksum are made from; by default the file's content.
    """
    pinned = file.read_bytes() if content is None else content
    card = file.parent / f"{name}.toml"
    card.write_text(
        f'name = "{name}"\ntitle = "T"\nsummary = "S"\nlicence = "internal"\nkind = "{kind}"\n{top}\n'
        f'[source]\ntext = "the warehouse"\n'
        f'[file]\npath = "{file.name}"\nsha256 = "{hashlib.sha256(pinned).hexdigest()}"\n'
        f"bytes = {len(pinned)}\n{layout}\n"
    )
    return card


def fresh_process(script: str, *arguments: str) -> Any:
    """Run a script in a process of its own and return what it prints, read as JSON."""
    command = [sys.executable, "-P", "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
