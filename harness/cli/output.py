"""How commands speak: results on standard output, progress and logs on standard error, JSON for programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from harness.config import Config

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_PLAIN_WIDTH = 180


def config() -> Config:
    """Read the configuration of the project around the working folder; say so if a second one is ignored."""
    from harness.config import ignored_file, read_config

    settings = read_config(Path.cwd())
    ignored = ignored_file(settings.folder)
    if ignored is not None:
        click.echo(f"note: bakeoff.toml is used, and [tool.bakeoff] in {ignored} is ignored", err=True)
    return settings


def console() -> Console:
    """Return the console for results; wide where the output is no terminal, so that nothing is cut."""
    from rich.console import Console

    class _Results(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to the command line; rich would exit with code 1, which means "the answer is no" here."""
            raise BrokenPipeError

    sized = (sys.stdout is not None and sys.stdout.isatty()) or "COLUMNS" in os.environ
    return _Results(width=None if sized else _PLAIN_WIDTH, highlight=False)


def log() -> Console:
    """Return the console for progress and remarks."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
