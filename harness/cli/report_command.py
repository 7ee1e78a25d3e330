"""``bakeoff report``: runs as one page, as a site, or as Markdown."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from harness.cli.output import config, log
from harness.cli.params import OutputPath
from harness.cli.waiting import reading


@click.command("report", short_help="Write runs as one self-contained HTML page.")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--output", "-o", type=OutputPath(), help="The file; by default report.html, or - for Markdown.")
@click.option("--site", type=OutputPath(folder=True), help="Write a folder with a page for each topic instead.")
@click.option("--format", "form", type=click.Choice(["html", "markdown"]), default="html", show_default=True)
@click.option(
    "--history/--no-history", default=True, help="Show the figures over the other runs of the results folder too."
)
def command(*, runs: tuple[str, ...], output: Path | None, site: Path | None, form: str, history: bool) -> None:
    """Write RUNs (paths, file names or ids; by default the latest) as one page that opens anywhere.

    The page contains everything that it needs: it loads nothing from the network.
    """
    from harness.errors import UsageError

    # Many small objects and next to no cycles: looking for these takes a tenth of the time, and the process ends soon.
    gc.disable()
    from harness.report.run.page import write
    from harness.report.run.payload import collect

    if site is not None and (output is not None or form == "markdown"):
        raise UsageError("--site writes a folder of pages: leave out --output and --format")
    payload = collect(config(), runs, history=history, reading=reading)
    if form == "markdown":
        from harness.report.run.markdown import markdown

        text = markdown(payload)
        if output is None or str(output) == "-":
            click.echo(text, nl=False)
            return
        write(output, text)
        written = output
    elif site is not None:
        from harness.report.run.page import write_site

        written = write_site(site, payload)[0]
    else:
        from harness.report.run.page import render

        written = output or Path("report.html")
        write(written, render(payload))
    log().print(f"wrote {written}", soft_wrap=True)
