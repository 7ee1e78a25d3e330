"""Stands in for the commands that snippets call: runs them, or only parses what exceptions.toml names.

It is called by the name of the command, such as ``bakeoff`` or ``make``, and leaves a line for each call in the file
``DOCS_CALLS``. Answers of a gate (1, 6) are not faults, so they become 0.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.main import bakeoff, main

EXCEPTIONS: list[dict[str, str]] = tomllib.loads(
    (Path(__file__).with_name("exceptions.toml")).read_text(encoding="utf-8")
)["exception"]
#: The commands that are replaced in a snippet's path.
NAMES = ("bakeoff", "pip", "make", "asv", "pytest")
ANSWERS = {"gate": (0, 1, 6), "history": (0, 1)}


def excepted(command: str) -> dict[str, str] | None:
    """Return the exception for a command line, if there is one."""
    return next((entry for entry in EXCEPTIONS if re.fullmatch(entry.get("command", "$^"), command)), None)


def parse(arguments: Sequence[str]) -> None:
    """Parse the arguments of a command line of Bakeoff, which raises `click.UsageError` for an unknown option."""
    command: click.Command = bakeoff
    context: click.Context | None = None
    rest, name = list(arguments), "bakeoff"
    while rest and isinstance(command, click.Group):
        context = click.Context(command, parent=context, info_name=name)
        found = command.resolve_command(context, rest)
        name, command, rest = str(found[0]), found[1] or command, found[2]
    command.make_context(name, rest, parent=context)


def check(name: str, arguments: list[str]) -> int:
    """Check a command that is not run, and return the exit code."""
    if name == "bakeoff" and arguments[0] == "run":
        return run(name, [*arguments, "--dry-run"])
    if name == "bakeoff":
        parse(arguments)
    elif name == "make":
        return run(name, ["--dry-run", *arguments])
    elif name == "pip":
        from pip._internal.commands import create_command

        create_command(arguments[0]).parse_args(arguments[1:])
    elif name == "asv":
        from asv.commands import make_argparser

        make_argparser()[0].parse_args(arguments)
    elif name == "pytest":
        return run(name, [*arguments, "--collect-only", "-q", "-W", "ignore"])
    return 0


def run(name: str, arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    if name == "bakeoff":
        sys.argv = ["bakeoff", *arguments]
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return 0 if code in ANSWERS.get(arguments[0], (0,)) else code
    os.environ["PATH"] = os.environ["PATH"].partition(os.pathsep)[2]
    called = [name] if name == "make" else [sys.executable, "-m", name]
    return subprocess.run([*called, *arguments], check=False).returncode


def called(name: str, arguments: list[str]) -> int:
    """Run or check a command as the list of exceptions says."""
    entry = excepted(" ".join([name, *arguments]))
    begun = time.monotonic()
    code = check(name, arguments) if entry else run(name, arguments)
    with Path(os.environ["DOCS_CALLS"]).open("a", encoding="utf-8") as file:
        took = f"{time.monotonic() - begun:.0f} s"
        file.write(f"{'parsed' if entry else 'ran'}\t{took}\t{shlex.join([name, *arguments])}\n")
    return code


if __name__ == "__main__":
    sys.exit(called(Path(sys.argv[1]).name, sys.argv[2:]))
