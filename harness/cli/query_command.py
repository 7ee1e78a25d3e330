"""``bakeoff query``: SQL over all runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.cli.output import config, console, json_option
from harness.cli.waiting import reading
from harness.text import inert_json

if TYPE_CHECKING:
    import pandas as pd

    from harness.report.terminal import Column


@click.command("query", short_help="Run SQL over all runs (tables trials, samples, runs).")
@click.argument("sql")
@json_option
def command(sql: str, *, as_json: bool) -> None:
    """Run SQL over the tables trials, samples and runs, made from every run in the results folder.

    Columns with a dot are quoted: bakeoff query 'select label, median("fit.cpu_s") from trials group by label'
    """
    from harness.report.terminal import print_table
    from harness.store.load import query, run_files, tables

    results = config().results_folder
    with reading(run_files([results])) as read:
        frame = query(sql, tables(results, read=read))
    if as_json:
        click.echo(inert_json(frame.to_json(orient="records", indent=2)))
    else:
        print_table(console(), _columns(frame), ruled=False)


def _columns(frame: pd.DataFrame) -> list[Column]:
    """Return the columns of an answer; the last ones are left out first."""
    from harness.report.terminal import Column

    columns = []
    for rank, name in enumerate(frame.columns):
        values = frame.iloc[:, rank].tolist()
        texts = any(isinstance(value, str) for value in values)
        columns.append(Column(str(name), [_written(value) for value in values], rank, "text" if texts else "figure"))
    return columns


def _written(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return "-"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
