"""``bakeoff show``: one run, its machines and its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from harness.cli.output import config, console, json_option, log, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from harness.records import Record
    from harness.store.header import Header

#: The parts of one run, one for each machine, and the runs that add blocks to it: header and records.
Parts: TypeAlias = "Sequence[tuple[Header, Sequence[Record]]]"
Noise: TypeAlias = "Mapping[str, float]"


@click.command("show", short_help="Show one run: its machine and its comparison tables.")
@click.argument("run", default="latest")
@click.option("--machine", is_flag=True, help="Show the machine and the versions of packages too.")
@json_option
def command(run: str, *, machine: bool, as_json: bool) -> None:
    """Show RUN (a path, a file name, an id or its beginning; by default the latest), with the blocks added to it."""
    from harness.store.noise import deviations, noise_beside
    from harness.store.read import read_all
    from harness.store.runs import find_with_added

    paths = find_with_added(config().results_folder, [run])
    parts, noise = read_all(paths), deviations(noise_beside(paths))
    header = parts[0][0]
    if as_json:
        print_json(
            {
                "header": header,
                "machines": [own.machine for own, _ in parts if own.run == header.run],
                "added": [own.run for own, _ in parts if own.run != header.run],
                "cells": cells(parts, noise),
            }
        )
        return
    out = console()
    environment = header.environment
    commit = f"commit {environment.commit[:8]}" if environment.commit else "no commit"
    commit += " with changes" if any(part.environment.dirty for part, _ in parts) else ""
    machines = ", ".join(dict.fromkeys(part.machine.name for part, _ in parts))
    out.print(f"run {header.run} of {header.started} on {machines}, {commit}", soft_wrap=True)
    out.print(f"{header.command}", soft_wrap=True)
    missing = header.trials - sum(len(records) for part, records in parts if part.run == header.run)
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

    by_machine = _by_machine(parts)
    for machine, ((header, records), *added) in by_machine.items():
        if len(by_machine) > 1:
            out.print()
            out.print(f"machine {machine}:", soft_wrap=True)
        print_run(out, header, records, added=added, full=full, noise_sd=noise.get(machine))
    for remark in conditions([record for _, records in parts for record in records]):
        log().print(f"note: {remark}", soft_wrap=True)
    for remark in _session_remarks(parts):
        log().print(f"note: {remark}", soft_wrap=True)


def cells(parts: Parts, noise: Noise) -> list[dict[str, Any]]:
    """Return a mapping for each cell and machine, as ``--json`` prints it."""
    from harness.cli.tables import rows

    return [
        {"machine": machine, **row}
        for machine, ((header, records), *added) in _by_machine(parts).items()
        for row in rows(header, records, noise.get(machine), added)
    ]


def _by_machine(parts: Parts) -> dict[str, list[tuple[Header, Sequence[Record]]]]:
    """Return machine to the run and those that add blocks to it."""
    machines: dict[str, list[tuple[Header, Sequence[Record]]]] = {}
    for header, records in parts:
        machines.setdefault(header.machine.name, []).append((header, records))
    return machines


def _session_remarks(parts: Parts) -> Iterator[str]:
    """Say whether the runs that add blocks are of the session of their run."""
    headers = [header for header, _ in parts]
    if any(header.parent for header in headers):
        from harness.analysis.aggregates import aggregate, in_sessions
        from harness.analysis.run_set import sessions_of
        from harness.analysis.sessions import session_remarks

        cells = aggregate((header.run, header.machine.name, records) for header, records in parts)
        yield from session_remarks(headers, in_sessions(cells, sessions_of(headers)))


def _print_environments(parts: Parts) -> None:
    for header, _ in parts:
        for part in (header.machine, header.environment):
            print_json(part)
