"""Stands in for the commands that snippets call: runs them, or only parses what exceptions.toml names.

It is called by the name of the command, such as ``bakeoff`` or ``make``, and leaves a line for each call in the file
``DOCS_CALLS``. Answers of a gate (1, 6) are not faults, so they become 0. As a server it forks a process for each call
that `ask.py` hands on, which finds the imports done. Runs of built-in topics measure few blocks, as `FEW_BLOCKS` says.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from harness.cli.main import _COMMANDS, bakeoff, main
from harness.config import Config
from harness.registry import load_registry

EXCEPTIONS: list[dict[str, str]] = tomllib.loads(
    (Path(__file__).with_name("exceptions.toml")).read_text(encoding="utf-8")
)["exception"]
#: The commands that are replaced in a snippet's path.
NAMES = ("bakeoff", "pip", "make", "asv", "pytest")
ANSWERS = {"gate": (0, 1, 6), "history": (0, 1)}
#: Commands that measure a built-in topic, and how many blocks are enough to show that they work. With Dask, each of the
#: two workers has one.
FEW_BLOCKS = {
    r"run boosting .*--executor dask.*": 2,
    r"run (boosting|-s training-rate)\b.*": 1,
}
#: What commands import late, beside their own modules.
HEAVY = ("numpy", "pandas", "pyarrow", "rich.console", "scipy.special", "scipy.stats")


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
        # Collecting takes long. What these words choose is collected once; then only the options are parsed.
        chosen = [word for word in arguments if not word.startswith("--benchmark-")]
        file = Path(os.environ["DOCS_CALLS"]).with_name("collected")
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(f"{before}{shlex.join(chosen)}\n", encoding="utf-8")
        only = ["--markers"] if shlex.join(chosen) in before.splitlines() else ["--collect-only", "-q"]
        return run(name, [*arguments, *only, "-W", "ignore"])
    return 0


def run(name: str, arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    if name == "bakeoff":
        sys.argv = ["bakeoff", *arguments, *few_blocks(arguments)]
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return 0 if code in ANSWERS.get(arguments[0], (0,)) else code
    os.environ["PATH"] = os.environ["PATH"].partition(os.pathsep)[2]
    called = [name] if name == "make" else [sys.executable, "-m", name]
    return subprocess.run([*called, *arguments], check=False).returncode


def few_blocks(arguments: Sequence[str]) -> list[str]:
    """Return the option that makes a command measure few blocks, where it would be many. Of two, the last counts."""
    line = " ".join(arguments)
    blocks = next((number for pattern, number in FEW_BLOCKS.items() if re.fullmatch(pattern, line)), None)
    return [] if blocks is None or "--dry-run" in arguments else ["--blocks", str(blocks)]


def called(name: str, arguments: list[str]) -> int:
    """Run or check a command as the list of exceptions says."""
    entry = excepted(" ".join([name, *arguments]))
    begun = time.monotonic()
    code = check(name, arguments) if entry else run(name, arguments)
    with Path(os.environ["DOCS_CALLS"]).open("a", encoding="utf-8") as file:
        took = f"{time.monotonic() - begun:.0f} s"
        file.write(f"{'parsed' if entry else 'ran'}\t{took}\t{shlex.join([name, *arguments])}\n")
    return code


def serve(address: str) -> NoReturn:
    """Fork a process for each call that comes, until this one is terminated."""
    for module in (*(f"harness.cli.{name}_command" for name in _COMMANDS), *HEAVY):
        importlib.import_module(module)
    load_registry(Config(Path()))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        while True:
            call, _ = server.accept()
            if os.fork() == 0:
                server.close()
                answer(call)
            call.close()
            reap()


def reap() -> None:
    """Take leave of the forks that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def answer(call: socket.socket) -> NoReturn:
    """Become the process of one call, with the streams, the folder and the variables of who asks."""
    _, streams, _, _ = socket.recv_fds(call, 1, 3)
    for stream, given in enumerate(streams):
        os.dup2(given, stream)
        os.close(given)
    order = json.load(call.makefile())
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["variables"])
    code = called("bakeoff", order["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    call.sendall(str(code).encode())
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    sys.exit(called(Path(sys.argv[1]).name, sys.argv[2:]))
