"""How often the gate errs: real gates on planted changes, beside the rules of other tools on the same samples.

``python benchmarks/gate_power.py measure`` runs real gates and appends what they measured to a file of results/;
``python benchmarks/gate_power.py table`` makes the tables of docs/gate-power.md from it. Run it on a machine with
nothing else to do, once as it is and once with ``--load``.
"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"


@click.group()
def main() -> None:
    """Measure and report the error rates of the gate."""


@main.command()
@click.option("--seconds", default=90.0, show_default=True, help="Time for each workload and change.")
@click.option("--load", is_flag=True, help="Keep every core busy with two other processes meanwhile.")
@click.option("--only", multiple=True, help="Only these experiments, such as lightgbm or memory.")
@click.option("--output", type=click.Path(path_type=Path), help="The file; by default in results/<machine>/.")
def measure(*, seconds: float, load: bool, only: tuple[str, ...], output: Path | None) -> None:
    """Run real gates on planted changes."""
    from power.experiments import run

    run(output or _file(), seconds, only, loaded=load)


@main.command()
@click.option("--input", "source", type=click.Path(path_type=Path), help="The file; by default in results/<machine>/.")
@click.option("--write", is_flag=True, help="Put the tables into docs/gate-power.md.")
def table(*, source: Path | None, write: bool) -> None:
    """Print the tables."""
    from power.tables import insert, tables

    text = tables(source or _file(), _file("gate-suites"))
    click.echo(text)
    if write:
        insert(HERE.parent / "docs" / "gate-power.md", text)


@main.command()
@click.option("--load", is_flag=True, help="Keep every core busy with two other processes meanwhile.")
@click.option("--output", type=click.Path(path_type=Path), help="The file; by default in results/<machine>/.")
def suite(*, load: bool, output: Path | None) -> None:
    """Gate a project of 20 cases of which two have become slower, and keep the time and the verdicts."""
    import tempfile

    from power.experiments import burning
    from power.suite import gate, make

    with tempfile.TemporaryDirectory() as folder, burning(wanted=load):
        project = Path(folder) / "project"
        make(project)
        found = msgspec.json.encode(gate(project, loaded=load)) + b"\n"
    click.echo(found, nl=False)
    with (output or _file("gate-suites")).open("ab") as out:
        out.write(found)


def _file(name: str = "gate-power") -> Path:
    from harness.measure.machine import fingerprint

    return RESULTS / fingerprint().name / f"{name}.jsonl"


if __name__ == "__main__":
    main()
