"""Output of commands: results on standard output, progress and remarks on standard error, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from harness.text import inert_json, one_line

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
        click.echo(one_line(f"note: bakeoff.toml is used, and [tool.bakeoff] in {ignored} is ignored"), err=True)
    return settings


def console() -> Console:
    """Return the console for results; it is wide where the width is unknown."""
    from harness.report.terminal import Screen

    return Screen(width=_width(sys.stdout))


def log() -> Console:
    """Return the console for progress and remarks."""
    from harness.report.terminal import Screen

    return Screen(stderr=True, width=_width(sys.stderr))


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    import msgspec

    text = inert_json(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    if sys.stdout.encoding.lower() != "utf-8":
        # A question mark for a sign that the stream lacks would be another value.
        text = json.dumps(json.loads(text), indent=2)
    click.echo(text)


def _width(stream: IO[str] | None) -> int | None:
    """Return the width that COLUMNS gives, else that of the terminal, else a wide one; ``None`` lets rich ask."""
    columns = os.environ.get("COLUMNS")
    if columns is not None and columns.isdecimal() and int(columns) > 0:
        return int(columns)
    if stream is None or not stream.isatty():
        return _PLAIN_WIDTH
    # Rich takes any COLUMNS for a width, also 0.
    return None if columns is None else os.get_terminal_size(stream.fileno()).columns or _PLAIN_WIDTH
