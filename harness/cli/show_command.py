"""``bakeoff show``: one run, its machines and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from harness.cli.output import config, console, json_option, log, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from harness.records import Record
    from harness.store.header import Header

#: The parts of one run, one for each machine: header and records.
Parts: TypeAlias = "Sequence[tuple[Header, Sequence[Record]]]"
Noise: TypeAlias = "Mapping[str, float]"


@click.command("show", short_help="Show one run: its machine and its comparison tables.")
@click.argument("run", default="latest")
@click.option("--machine", is_flag=True, help="Show the machine and the versions of packages too.")
@json_option
def command(run: str, *, machine: bool, as_json: bool) -> None:
    """Show RUN (a path, a file name, an id or its beginning; by default the latest)."""
    from harness.store.noise import deviations, noise_beside
    from harness.store.read import read_all
    from harness.store.runs import find

    paths = find(config().results_folder, run)
    parts, noise = read_all(paths), deviations(noise_beside(paths))
    header = parts[0][0]
    if as_json:
        print_json(
            {"header": header, "machines": [header.machine for header, _ in parts], "cells": cells(parts, noise)}
        )
        return
    out = console()
    environment = header.environment
    commit = f"commit {environment.commit[:8]}" if environment.commit else "no commit"
    commit += " with changes" if any(part.environment.dirty for part, _ in parts) else ""
    machines = ", ".join(part.machine.name for part, _ in parts)
    out.print(f"run {header.run} of {header.started} on {machines}, {commit}", soft_wrap=True)
    out.print(f"{header.command}", soft_wrap=True)
    missing = header.trials - sum(len(records) for _, records in parts)
    if missing > 0:
        out.print(f"{missing} of {header.trials} trials are missing: bakeoff run --resume {header.run}", soft_wrap=True)
    if machine:
        _print_environments(parts)
    print_parts(out, parts, noise)


def print_parts(out: Console, parts: Parts, noise: Noise, *, full: str = "--json") -> None:
    """Print the tables of a run, those of each machine apart; what disturbed its trials goes to standard error.

    Parameters
    ----------
    noise
        Machine to the deviation of its noise, where it is known.
    full
        What shows the columns for which there is no room: an option, or a command.
    """
    from harness.cli.tables import conditions, print_run

    for header, records in parts:
        if len(parts) > 1:
            out.print()
            out.print(f"machine {header.machine.name}:", soft_wrap=True)
        print_run(out, header, records, full=full, noise_sd=noise.get(header.machine.name))
    for remark in conditions([record for _, records in parts for record in records]):
        log().print(f"note: {remark}", soft_wrap=True)


def cells(parts: Parts, noise: Noise) -> list[dict[str, Any]]:
    """Return a mapping for each cell and machine, as ``--json`` prints it."""
    from harness.cli.tables import rows

    return [
        {"machine": header.machine.name, **row}
        for header, records in parts
        for row in rows(header, records, noise.get(header.machine.name))
    ]


def _print_environments(parts: Parts) -> None:
    for header, _ in parts:
        for part in (header.machine, header.environment):
            print_json(part)
