"""``bakeoff ci``: the files that run the gate in CI, as docs/ci.md shows them."""

from __future__ import annotations

from pathlib import Path

import click

_FILES = {"github": "github.yml", "gitlab": "gitlab.yml", "script": "gate.sh"}


@click.command("ci", short_help="Print the workflow that runs the gate in CI, or its script.")
@click.argument("name", metavar="github|gitlab|script", type=click.Choice(list(_FILES)))
def command(name: str) -> None:
    r"""Print a workflow of GitHub Actions, a job of GitLab, or the script that both call.

    \b
    bakeoff ci script >ci/gate.sh && chmod +x ci/gate.sh
    bakeoff ci github >.github/workflows/gate.yml
    """
    click.echo((_folder() / _FILES[name]).read_text(encoding="utf-8"), nl=False)


def _folder() -> Path:
    """Return the folder of the files, installed or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_ci"
    return installed if installed.is_dir() else package.parent / "docs" / "ci"
