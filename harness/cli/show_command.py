"""``bakeoff show``: one run, its machine and its tables."""

from __future__ import annotations

import click

from harness.cli.output import config, console, json_option, log, print_json


@click.command("show", short_help="Show one run: its machine and its comparison tables.")
@click.argument("run", default="latest")
@click.option("--machine", is_flag=True, help="Show the machine and the versions of packages too.")
@json_option
def command(run: str, *, machine: bool, as_json: bool) -> None:
    """Show RUN (a path, a file name, an id or its beginning; by default the latest)."""
    import msgspec

    from harness.cli.tables import contamination, print_run, rows
    from harness.store.runs import find, read

    path = find(config().results_folder, run)
    header, records = read(path)
    if as_json:
        print_json({"header": header, "cells": rows(header, records)})
        return
    out = console()
    environment = header.environment
    commit = f"commit {environment.commit[:8]}" if environment.commit else "no commit"
    commit += " with changes" if environment.dirty else ""
    out.print(f"run {header.run} of {header.started} on {header.machine.name}, {commit}", soft_wrap=True)
    out.print(f"{header.command}", markup=False, soft_wrap=True)
    if len(records) < header.trials:
        left = header.trials - len(records)
        out.print(f"{left} of {header.trials} trials are missing: bakeoff run --resume {header.run}", soft_wrap=True)
    if machine:
        for part in (header.machine, header.environment):
            out.print(msgspec.json.format(msgspec.json.encode(part), indent=2).decode(), markup=False)
    print_run(out, header, records)
    if remark := contamination(records):
        log().print(f"note: {remark}", soft_wrap=True)
