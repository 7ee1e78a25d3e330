"""``bakeoff export``: runs in the formats of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.output import config, log
from harness.cli.params import OutputPath
from harness.errors import UsageError
from harness.text import inert_json


@click.group("export", short_help="Write a run in the format of asv or pytest-benchmark.")
def command() -> None:
    """Write a run in the format of another tool; docs/exchange.md says which figures are exported and which are not."""


@command.command("pytest-benchmark", short_help="Write a run as a file of pytest-benchmark.")
@click.argument("run", default="latest")
@click.option("--output", "-o", type=OutputPath(), help="The file; by default standard output.")
def _pytest_benchmark(run: str, output: Path | None) -> None:
    """Write RUN (a path, a file name, an id or its beginning; by default the latest) for `pytest-benchmark compare`."""
    from harness.analysis.wording import count
    from harness.interop.pytest_benchmark.exports import export_pytest_benchmark
    from harness.store.atomic import write_atomically
    from harness.store.read import read_all
    from harness.store.runs import find

    parts = read_all(find(config().results_folder, run))
    if len(parts) > 1:
        names = ", ".join(header.machine.name for header, _ in parts)
        raise UsageError(
            f"run {run} was measured on {names}, and a file of pytest-benchmark describes one machine: give the path "
            f"of the file of one machine"
        )
    exported = export_pytest_benchmark(*parts[0])
    if output is None or str(output) == "-":
        click.echo(inert_json(exported.text), nl=False)
    else:
        write_atomically(output, exported.text.encode())
    remark = count(exported.benchmarks, "benchmark") + (f" in {output}" if output else "")
    if exported.unfinished:
        remark += f"; {exported.unfinished} trials that did not finish are left out"
    if exported.diverged:
        remark += f"; {exported.diverged} trials that diverged, whose times compare with nothing, are left out"
    log().print(remark, soft_wrap=True)


@command.command("asv", short_help="Write a run into a results folder of asv.")
@click.argument("run", default="latest")
@click.option(
    "--into",
    type=OutputPath(folder=True),
    help="results_dir of asv.conf.json; by default results/asv.",
)
def _asv(run: str, into: Path | None) -> None:
    """Write RUN (a path, a file name, an id or its beginning; by default the latest) for `asv show` and `asv publish`.

    Results of other runs, commits and environments stay as they are.
    """
    from harness.analysis.wording import count
    from harness.interop.asv.exports import export_asv
    from harness.interop.asv.files import asv_folder
    from harness.store.read import read_all
    from harness.store.runs import find

    settings = config()
    for header, records in read_all(find(settings.results_folder, run)):
        exported = export_asv(header, records, into or asv_folder(settings.results_folder), settings.folder)
        remark = f"{count(exported.benchmarks, 'benchmark')} in {exported.path}"
        if exported.unfit:
            remark += f"; {exported.unfit} numbers that asv's ratios cannot order are left out"
        log().print(remark, soft_wrap=True)
