"""Runs command lines of bakeoff in forks of one process, so that each finds its imports done.

Every line on standard input is a JSON object: `arguments`, `folder`, `variables`, and the files for `stdout` and
`stderr`. The exit code of the command is the answer, on a line of standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from harness.cli import main
from harness.config import Config
from harness.registry import load_registry

TIMEOUT_S = 300
HEAVY = ("numpy", "pandas", "pyarrow", "rich.console", "scipy.special", "scipy.stats")


def import_all() -> None:
    """Import every command with what it uses, and declare the built-in topics."""
    for name in main._COMMANDS:
        importlib.import_module(f"harness.cli.{name}_command")
    for name in HEAVY:
        importlib.import_module(name)
    load_registry(Config(Path()))


def run(order: dict[str, Any]) -> NoReturn:
    """Become the process of one command line, which is killed if it takes too long."""
    signal.alarm(TIMEOUT_S)
    for stream, (file, flags) in enumerate(
        (
            (os.devnull, os.O_RDONLY),
            (order["stdout"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (order["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        )
    ):
        os.dup2(os.open(file, flags, 0o600), stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["variables"])
    sys.argv = ["bakeoff", *order["arguments"]]
    try:
        main.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve() -> None:
    """Answer one order after the other, until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    import_all()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answers.close()
            run(json.loads(line))
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


if __name__ == "__main__":
    serve()
