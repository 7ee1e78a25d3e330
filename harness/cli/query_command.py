"""``bakeoff query``: SQL over all runs."""

from __future__ import annotations

import click

from harness.cli.output import config, json_option


@click.command("query", short_help="Run SQL over all runs (tables trials, samples, runs).")
@click.argument("sql")
@json_option
def command(sql: str, *, as_json: bool) -> None:
    """Run SQL over the tables trials, samples and runs, made from every run in the results folder.

    Columns with a dot are quoted: bakeoff query 'select label, median("fit.cpu_s") from trials group by label'
    """
    from harness.store.load import query, tables

    frame = query(sql, tables(config().results_folder))
    click.echo(frame.to_json(orient="records", indent=2) if as_json else frame.to_string(index=False))
