"""``bakeoff baseline``: names that point at runs, for `bakeoff gate` and wherever a run is wanted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from harness.cli.output import config, console, json_option, log, print_json
from harness.errors import UsageError
from harness.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from harness.store.header import Header


@click.group("baseline", short_help="Name runs that others are compared with.")
def command() -> None:
    """Name runs that others are compared with: @baseline, wherever a run is wanted.

    \b
    bakeoff baseline set latest
    bakeoff gate @baseline latest

    Names are stored for each machine in baselines.json of the results folder. Commit that file with the runs.
    """  # noqa: D301 - click reads the backspace


@command.command("set")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--name", default="baseline", show_default=True, help="The name, without @.")
def set_command(*, runs: tuple[str, ...], name: str) -> None:
    """Let a name point at RUNs: a path, an id, latest, or another @name.

    Several runs are several measurements of the same code. From three or more runs on each side, made at different
    times, the gate estimates how much runs differ without any change of the code.
    """
    from harness.store.named_runs import set_baseline
    from harness.store.read import open_run
    from harness.store.runs import find_all

    results = config().results_folder
    name = name.removeprefix("@")
    chosen: dict[str, list[str]] = {}
    headers: list[Header] = []
    recorded: Counter[str] = Counter()
    for path in find_all(results, runs):
        with open_run(path) as reader:
            header = reader.header
            recorded[header.run] += sum(1 for _ in reader)
        _check_place(path, results, header)
        chosen.setdefault(header.machine.name, []).append(header.run)
        headers.append(header)
    for header in {header.run: header for header in headers}.values():
        if recorded[header.run] < header.trials:
            _note(f"run {header.run} has {recorded[header.run]} of {header.trials} planned trials")
        if header.environment.dirty:
            _note(f"run {header.run} was measured with uncommitted changes")
    commits = sorted({(header.environment.commit or "none")[:8] for header in headers})
    if len(commits) > 1:
        _note(f"the runs are of {len(commits)} commits: {', '.join(commits)}")
    set_baseline(results, name, chosen)
    for machine, ids in chosen.items():
        click.echo(one_line(f"@{name} on {machine}: {' '.join(ids)}"))


@command.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the baselines with their runs."""
    from harness.report.terminal import Column, print_table

    results = config().results_folder
    rows = _rows(results)
    if as_json:
        print_json({"baselines": rows})
        return
    if not rows:
        log().print("no baseline is set; set one with 'bakeoff baseline set RUN'")
        return
    started = [row["started"] if row["path"] else "its file is gone" for row in rows]
    columns = [
        Column("name", [f"@{row['name']}" for row in rows], 0, "name"),
        Column("machine", [row["machine"] for row in rows], 2, "name"),
        Column("run", [row["run"] for row in rows], 1, "label"),
        Column("started", started, 4, "label"),
        Column("commit", [(row["commit"] or "")[:8] for row in rows], 3, "label"),
    ]
    print_table(console(), columns)


@command.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Remove the baseline NAME on all machines; its runs stay."""
    from harness.store.named_runs import remove_baseline

    name = name.removeprefix("@")
    remove_baseline(config().results_folder, name)
    click.echo(one_line(f"removed @{name}"))


def _check_place(path: Path, results: Path, header: Header) -> None:
    if path.parent != (results / header.machine.name).resolve() or path.stem != header.name:
        raise UsageError(
            f"{path} is not in the results folder {results}, so no baseline can point at it: move the file to "
            f"{results / header.machine.name / header.name}.jsonl first"
        )


def _rows(results: Path) -> list[dict[str, Any]]:
    from harness.store.named_runs import read_baselines, run_file
    from harness.store.read import open_run

    rows = []
    for name, machines in sorted(read_baselines(results).items()):
        for machine, run in ((machine, run) for machine, ids in sorted(machines.items()) for run in ids):
            row: dict[str, Any] = {"name": name, "machine": machine, "run": run}
            path = run_file(results, machine, run)
            if path is None:
                rows.append(row | {"path": None, "started": None, "commit": None})
                continue
            with open_run(path) as reader:
                started, commit = reader.header.started, reader.header.environment.commit
            rows.append(row | {"path": str(path), "started": started, "commit": commit})
    return rows


def _note(sentence: str) -> None:
    log().print(f"note: {sentence}", soft_wrap=True)
