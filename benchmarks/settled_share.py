"""How many tasks of some runs are settled: ``python benchmarks/settled_share.py RUN...``, a line a task.

A task counts as settled if its recommendation is (it is shown to be better than the next best strategy, or no worse by
the margin and no dearer, and it beats the baseline), or if the two are tied.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from harness.analysis import wording
from harness.analysis.advice import advise
from harness.analysis.recommendation import recommend
from harness.analysis.run_set import read_run_set
from harness.config import read_config
from harness.store.runs import find_all


@click.command()
@click.argument("runs", nargs=-1, required=True)
def main(runs: tuple[str, ...]) -> None:
    """Count the settled tasks of each run."""
    folder = read_config(Path.cwd()).results_folder
    for name in runs:
        run_set = read_run_set(find_all(folder, [name]))
        states: Counter[str] = Counter()
        for task, cells in run_set.tasks().items():
            found = recommend(run_set.task(task), cells, run_set)
            words = advise(found, run_set.task(task))
            states[found.state] += 1
            click.echo(f"{found.state:8} {task:32} {words.take}: {words.why or words.open}")
        click.echo(f"run {name}: {wording.settled(states)}")


if __name__ == "__main__":
    main()
