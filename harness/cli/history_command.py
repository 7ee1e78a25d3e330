"""``bakeoff history``: one measure over all runs, and where its level changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from harness.cli.output import config, console, json_option, log, print_json
from harness.errors import Exit, NothingSelectedError

if TYPE_CHECKING:
    from harness.stats.history import Track


@click.command("history", short_help="Follow a measure over runs, with the changes of its level.")
@click.argument("measure", metavar="METRIC")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--task", "tasks", multiple=True, metavar="TOPIC[/TASK]", help="Only these tasks.")
@click.option("--strategy", "-s", "strategies", multiple=True, metavar="GLOB", help="Only these strategies.")
@click.option("--dataset", "-d", "datasets", multiple=True, metavar="GLOB", help="Only these data sets.")
@click.option("--scenario", "scenarios", multiple=True, metavar="GLOB", help="Only these scenarios.")
@click.option("--machine", "machines", multiple=True, metavar="GLOB", help="Only these machines.")
@click.option("--since", type=click.DateTime(), metavar="DATE", help="Only runs from then on (UTC), as in 2026-11-01.")
@click.option("--last", type=click.IntRange(min=2), metavar="N", help="Only the last N runs of each series.")
@click.option("--check", is_flag=True, help="Exit with 1 when a change for the worse came to light in the last 3 runs.")
@json_option
def command(
    *,
    measure: str,
    runs: tuple[str, ...],
    since: datetime | None,
    last: int | None,
    check: bool,
    as_json: bool,
    **patterns: tuple[str, ...],
) -> int:
    """Follow METRIC (cpu_s, fit.cpu_s, peak_bytes, auc ...) over RUNs: by default all of the results folder.

    A RUN is a path, a file name, an id, or a folder of runs. A series is one strategy in one cell on one machine and
    the same data: nothing else is compared. Names may be shell-style patterns.
    """
    from harness.cli.history_choice import choose, run_paths
    from harness.cli.history_remarks import remarks_on
    from harness.cli.history_series import LATELY, read_tracked, series, tracks
    from harness.cli.history_text import print_series

    tracked = read_tracked(run_paths(config().results_folder, runs), since.replace(tzinfo=UTC) if since else None)
    groups = tracks(tracked, choose(tracked, patterns, measure), measure, last)
    rows = series(tracked, groups)
    remarks = log()
    for remark in remarks_on(tracked, groups):
        remarks.print(f"note: {remark}", soft_wrap=True, markup=False)
    if not rows:
        raise NothingSelectedError(_too_few(measure, groups))
    if as_json:
        print_json({"measure": measure, "series": rows})
    else:
        print_series(console(), measure, rows)
    worse = [row for row in rows if row["regressed"]]
    if not check or not worse:
        return Exit.DONE
    names = ", ".join(dict.fromkeys(row["strategy"] for row in worse))
    remarks.print(
        f"{len(worse)} of {len(rows)} series got worse, found in the last {LATELY} runs: {names}",
        soft_wrap=True,
        markup=False,
    )
    return Exit.NO


def _too_few(measure: str, groups: list[list[Track]]) -> str:
    runs = {run for group in groups for track in group for run in track.points}
    if len(runs) == 1:
        return f"one run only has {measure} here; a history needs two or more of the same cells on one machine"
    return f"no strategy and cell has {measure} in two runs on one machine and the same data; repeat a run's command"
