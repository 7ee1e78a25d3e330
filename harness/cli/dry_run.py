"""The plan of a run and its expected duration, from earlier runs on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from statistics import median

from harness.cli.output import console, print_json
from harness.config import Config
from harness.errors import UsageError
from harness.measure.machine import fingerprint
from harness.plan import Plan
from harness.records import Cell, Record, Trial
from harness.store.read import read
from harness.store.runs import runs


def print_plan(plan: Plan, settings: Config, *, as_json: bool) -> None:
    """Print the cells of a plan, its trials in order as JSON, and how long they are expected to take."""
    expected_s, known = expected_duration(plan.trials, _earlier(settings))
    if as_json:
        print_json({"trials": plan.trials, "expected_s": expected_s if known else None, "measured_before": known})
        return
    out = console()
    cells: dict[Cell, list[Trial]] = {}
    for trial in plan.trials:
        cells.setdefault(trial.cell, []).append(trial)
    for cell, trials in cells.items():
        labels = list(dict.fromkeys(sorted(trial.label for trial in trials)))
        blocks = len({trial.block for trial in trials})
        out.print(f"{cell.title}\n  {blocks} blocks of {', '.join(labels)}", markup=False, soft_wrap=True)
    duration = (
        f"about {expected_s:,.0f} s ({known} of them were measured before on this machine)"
        if known
        else "unknown: none of them was measured before on this machine"
    )
    out.print(f"{len(plan.trials)} trials; expected duration: {duration}", soft_wrap=True)


def expected_duration(trials: Iterable[Trial], earlier: Iterable[Record]) -> tuple[float, int]:
    """Add up what the trials took before.

    A trial that has not run before counts as the mean of those that have.

    Returns
    -------
    tuple of float and int
        Seconds, and the number of trials that have run before.
    """
    took: dict[tuple[Cell, str], list[float]] = {}
    for record in earlier:
        took.setdefault((record.trial.cell, record.trial.label), []).append(record.elapsed_s)
    planned = list(trials)
    found = [took.get((trial.cell, trial.label)) for trial in planned]
    known = [median(values) for values in found if values]
    return (sum(known) / len(known) * len(planned), len(known)) if known else (0.0, 0)


def _earlier(settings: Config) -> Iterable[Record]:
    folder = settings.results_folder / fingerprint(settings.machine or None).name
    for path in runs(folder):
        # A damaged run is no reason not to make a new one; reading it by name says what is wrong with it.
        with contextlib.suppress(UsageError):
            yield from read(path)[1]
