"""``bakeoff compare``: two runs, strategy by strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.output import config, console, json_option, log, print_json

if TYPE_CHECKING:
    from harness.store.header import Header


@click.command("compare", short_help="Compare two runs, strategy by strategy.")
@click.argument("base")
@click.argument("candidate")
@json_option
def command(base: str, candidate: str, *, as_json: bool) -> None:
    """Compare the run CANDIDATE with the run BASE: what changed, for each strategy in each cell.

    Effects are paired by block (the same data and seeds). Two runs are not interleaved: an effect on time holds the
    machine's drift between them too.
    """
    from harness.cli.differences import differences, print_differences
    from harness.store.runs import find, read

    folder = config().results_folder
    old, new = read(find(folder, base)), read(find(folder, candidate))
    remarks = log()
    for remark in _remarks(old[0], new[0]):
        remarks.print(f"note: {remark}", soft_wrap=True)
    rows = differences(old[0], old[1], new[1])
    if as_json:
        print_json({"base": old[0].run, "candidate": new[0].run, "rows": rows})
    else:
        print_differences(console(), rows)


def _remarks(base: Header, candidate: Header) -> list[str]:
    remarks: list[str] = []
    if base.machine.name != candidate.machine.name:
        remarks.append(
            f"different machines: {base.machine.name} and {candidate.machine.name}; times cannot be compared"
        )
    remarks += [
        f"data set {name} differs between the runs; neither metrics nor times can be compared"
        for name in sorted(set(base.cards) & set(candidate.cards))
        if base.cards[name] != candidate.cards[name]
    ]
    changed = [
        f"{name} {version} -> {candidate.environment.packages[name]}"
        for name, version in sorted(base.environment.packages.items())
        if candidate.environment.packages.get(name, version) != version
    ]
    if changed:
        remarks.append(f"packages changed: {', '.join(changed)}")
    return remarks
