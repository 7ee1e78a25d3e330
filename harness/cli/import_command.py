"""``bakeoff import``: turn figures of other tools into runs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.output import config, console, json_option, log, print_json
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.store.header import Header

_machine_option = click.option(
    "--machine", metavar="NAME", help="Name of the machine; by default made from the hardware that the file describes."
)


@click.group("import", short_help="Turn figures of asv or pytest-benchmark into runs.")
def command() -> None:
    """Turn the figures of another tool into runs, which show, compare, report and history read like any other run.

    A file is imported only once, because the id of its run is computed from its content.
    """


@command.command("pytest-benchmark", short_help="Import files that pytest-benchmark saved.")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE.json...")
@_machine_option
@json_option
def _pytest_benchmark(files: tuple[Path, ...], machine: str | None, *, as_json: bool) -> None:
    """Import each FILE.json as one run.

    Each module becomes a task, each test a strategy, and the rounds of a test become samples of wall time.
    """
    from harness.interop.pytest_benchmark.imports import import_pytest_benchmark

    runs: list[dict[str, Any]] = []
    refused: list[UsageError] = []
    remarks: dict[str, list[Path]] = {}
    for file in files:
        try:
            done = import_pytest_benchmark(file, config().results_folder, command=_typed(), machine=machine)
        except UsageError as error:
            refused.append(error)
            continue
        runs.append(_described(file, done.path, done.header))
        for remark in done.remarks:
            remarks.setdefault(remark, []).append(file)
    _print_remarks(remarks)
    if runs or not refused:
        _print_runs(runs, [], as_json=as_json)
    _raise_first(refused)


@command.command("asv", short_help="Import a results folder of asv.")
@click.argument("place", type=click.Path(path_type=Path), default=None, required=False, metavar="[DIR]")
@_machine_option
@json_option
def _asv(place: Path | None, machine: str | None, *, as_json: bool) -> None:
    """Import every result file of DIR (by default results/asv): each machine, commit and environment becomes a run.

    Files that were imported before are skipped, so the command can be repeated as the history grows.
    """
    from harness.interop.asv.files import asv_folder
    from harness.interop.asv.imports import Imported, Importer, import_asv
    from harness.interop.asv.results import suite_tasks
    from harness.registry import load_registry

    settings = config()
    place = place or asv_folder(settings.results_folder)
    importer = Importer(
        settings.results_folder, command=_typed(), machine=machine, suites=suite_tasks(load_registry(settings))
    )
    done: list[Imported] = []
    refused: list[UsageError] = []
    import_asv(place, importer, done.append, refused.append)
    remarks: dict[str, list[Path]] = {}
    for imported in done:
        for remark in imported.remarks if imported.header is not None else ():
            remarks.setdefault(remark, []).append(imported.source)
    _print_remarks(remarks)
    runs = [_described(one.source, one.path, one.header) for one in done if one.header is not None]
    skipped = [{"source": str(one.source), "reason": one.remarks[0]} for one in done if one.header is None]
    if len(skipped) > 1:
        log().print(f"note: {len(skipped)} of {len(done)} files were imported before", soft_wrap=True)
    elif skipped:
        log().print(f"note: {skipped[0]['source']}: {skipped[0]['reason']}", soft_wrap=True)
    _print_runs(runs, skipped, as_json=as_json)
    _raise_first(refused)


def _print_remarks(remarks: dict[str, list[Path]]) -> None:
    for remark, sources in remarks.items():
        more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        log().print(f"note: {sources[0]}{more}: {remark}", soft_wrap=True)


def _raise_first(refused: list[UsageError]) -> None:
    if len(refused) > 1:
        raise UsageError(f"{len(refused)} files could not be imported; the first: {refused[0]}")
    if refused:
        raise refused[0]


def _typed() -> str:
    return shlex.join(["bakeoff", *sys.argv[1:]])


def _described(source: Path, path: Path, header: Header) -> dict[str, Any]:
    return {
        "run": header.run,
        "path": str(path),
        "source": str(source),
        "machine": header.machine.name,
        "started": header.started,
        "commit": header.environment.commit,
        "trials": header.trials,
    }


def _print_runs(runs: list[dict[str, Any]], skipped: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"runs": runs, "skipped": skipped})
        return
    from harness.analysis.wording import count

    out = console()
    for run in runs:
        commit = f"commit {run['commit'][:8]}" if run["commit"] else "no commit"
        out.print(
            f"run {run['run']} of {run['started']} on {run['machine']}, {commit}: {count(run['trials'], 'trial')}",
            soft_wrap=True,
        )
    if runs:
        out.print(f"look at it with: bakeoff show {runs[-1]['run']}", soft_wrap=True)
