"""``bakeoff run``: plan, measure, store, and print what to take; or print the plan and its expected duration."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NoReturn

import click

from harness.cli.output import config, console, json_option, log, print_json
from harness.cli.params import Seconds, Setting, Size
from harness.config import Config
from harness.declare.values import THREADS
from harness.errors import Exit, UsageError
from harness.execute import EXECUTORS
from harness.measure.machine import fingerprint, usable_cores, why_no_commit
from harness.plan import Plan
from harness.records import Cell, Record, Status, Trial
from harness.store.read import open_run
from harness.store.runs import runs

if TYPE_CHECKING:
    from types import FrameType

    from harness.execute.executor import Executor
    from harness.execute.run import OpenRun
    from harness.plan.selection import Selection
    from harness.registry import Registry


def print_plan(plan: Plan, settings: Config, *, as_json: bool) -> None:
    """Print the cells of a plan, what its profile leaves out, and how long it is expected to take."""
    from harness.analysis import wording

    expected_s, known = expected_duration(plan.trials, _earlier(settings, plan.trials))
    if as_json:
        print_json(
            {
                "trials": plan.trials,
                "left_out": plan.left_out,
                "expected_s": expected_s if known else None,
                "measured_before": known,
            }
        )
        return
    out = console()
    cells: dict[Cell, list[Trial]] = {}
    for trial in plan.trials:
        cells.setdefault(trial.cell, []).append(trial)
    for cell, trials in cells.items():
        out.print(cell.title, soft_wrap=True)
        out.print(f"  {_blocks_by_label(trials)}", soft_wrap=True)
    for task, names in plan.left_out.items():
        out.print(wording.left_out(task, names), soft_wrap=True)
    duration = (
        f"about {expected_s:,.0f} s ({known} of them were measured before on this machine)"
        if known
        else "unknown: none of them was measured before on this machine"
    )
    out.print(f"{len(plan.trials)} trials; expected duration: {duration}", soft_wrap=True)


def _blocks_by_label(trials: Iterable[Trial]) -> str:
    """Say how many blocks of which strategies a cell has: ``10 blocks of a, b; 5 of c``."""
    blocks = Counter(trial.label for trial in trials)
    groups: dict[int, list[str]] = {}
    for label in sorted(blocks):
        groups.setdefault(blocks[label], []).append(label)
    first, *others = [f"{count} blocks of {', '.join(groups[count])}" for count in sorted(groups, reverse=True)]
    return "; ".join([first, *(part.replace(" blocks", "", 1) for part in others)])


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
    earlier_s = [took.get((trial.cell, trial.label)) for trial in planned]
    known = [median(values) for values in earlier_s if values]
    return (sum(known) / len(known) * len(planned), len(known)) if known else (0.0, 0)


def _earlier(settings: Config, trials: Iterable[Trial]) -> Iterable[Record]:
    """Go through the records that runs of this machine have of the tasks of some trials."""
    folder = settings.results_folder / fingerprint(settings.machine or None).name
    tasks = {trial.cell.full_task for trial in trials}
    for path in runs(folder):
        # A damaged run does not prevent a new one; `bakeoff show` says what is wrong with it.
        with contextlib.suppress(UsageError), open_run(path) as reader:
            if any(card.name in tasks for card in reader.header.tasks):
                yield from list(reader)


@click.command("run", short_help="Measure a selection and say what to take.")
@click.argument("tasks", nargs=-1, metavar="[TOPIC[/TASK]]...")
@click.option("--strategy", "-s", "strategies", multiple=True, metavar="GLOB", help="Only these strategies.")
@click.option("--dataset", "-d", "datasets", multiple=True, metavar="GLOB", help="Only these data sets.")
@click.option("--scenario", "scenarios", multiple=True, metavar="GLOB", help="Only these scenarios.")
@click.option(
    "--profile",
    type=click.Choice(["quick", "full", "claims"]),
    default="quick",
    show_default=True,
    help="A quick look, all there is, or what the claims of the topics ask about.",
)
@click.option("--blocks", type=click.IntRange(min=1), help="Blocks; by default the profile's own number.")
@click.option("--set", "settings", type=Setting(), multiple=True, help="Value of a parameter; several make a sweep.")
@click.option("--threads", type=click.IntRange(min=1), help="Short for --set threads=N.")
@click.option("--timeout", type=Seconds(), metavar="SECONDS", help="Limit of one trial.")
@click.option("--memory-limit", type=Size(), help="Limit of one trial, as in 2GB; by default 80 % of what is free.")
@click.option("--memory-pass", is_flag=True, help="Run each trial once more with a quiet allocator, for its memory.")
@click.option("--stress", is_flag=True, help="Hand out altered test sets, also where the profile does not.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Blocks at once; spoils timing.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--dry-run", is_flag=True, help="Print the plan and the expected duration, and run nothing.")
@click.option("--resume", metavar="RUN", help="Finish an interrupted run, here or on another machine.")
@click.option(
    "--executor", type=click.Choice(list(EXECUTORS)), default="local", show_default=True, help="What runs the blocks."
)
@click.option("--scheduler", metavar="ADDRESS", help="A scheduler of Dask that runs already, for --executor dask.")
@click.option("--workers", type=click.IntRange(min=1), help="Workers to start here, for --executor dask.")
@click.option("--tables", is_flag=True, help="Print all tables instead of the summary.")
@click.option("--verbose", "-v", is_flag=True, help="Print a line for each trial, also in a terminal.")
@json_option
def command(
    *,
    resume: str | None,
    executor: str,
    scheduler: str | None,
    workers: int | None,
    dry_run: bool,
    tables: bool,
    verbose: bool,
    as_json: bool,
    **choices: Any,
) -> int:
    """Measure a selection of trials, keep the run, and print what to take and what is not settled.

    Names may be shell-style patterns. The run is written as it goes: an interrupted one is finished with --resume.
    """
    from harness.execute.executor import Cluster
    from harness.execute.run import executor_for, reopen, start
    from harness.plan import make_plan
    from harness.registry import load_registry

    settings = config()
    registry = load_registry(settings)
    cluster = None if scheduler is None and workers is None else Cluster(scheduler or "", workers or 0)
    measure = partial(
        _measure, settings=settings, workers=workers or 1, tables=tables, verbose=verbose, as_json=as_json
    )
    take_termination_for_interruption()
    if resume is not None:
        _refuse_choices()
        run = reopen(resume, settings, registry)
        if not run.missing:
            name, started = run.file.header.run, run.file.header.started
            log().print(f"note: nothing is missing in run {name} of {started}", soft_wrap=True)
        with run.file, closing(executor_for(run.selection, settings, registry, executor, cluster)) as runner:
            runner.prepare(run.missing)
            return measure(run, runner)
    selection = selection_of(choices, settings, registry)
    plan = make_plan(selection, registry)
    if dry_run:
        print_plan(plan, settings, as_json=as_json)
        return Exit.DONE
    with closing(executor_for(selection, settings, registry, executor, cluster)) as runner:
        runner.prepare(plan.trials)
        if executor == "local" and (threads := most_threads(plan.trials)) > (cores := len(usable_cores()) or threads):
            log().print(f"note: there are {cores} cores here for trials with threads={threads}", soft_wrap=True)
        run = start(selection, plan, settings, registry, shlex.join(["bakeoff", *sys.argv[1:]]))
        if run.file.header.environment.commit is None and (reason := why_no_commit(settings.folder)):
            log().print(f"note: the run names no commit, as git says: {reason}", soft_wrap=True)
        with run.file:
            return measure(run, runner)


def most_threads(trials: Iterable[Trial]) -> int:
    """Return the largest number of threads of some trials."""
    return max((int(trial.params.get(THREADS, 1)) for trial in trials), default=1)


def take_termination_for_interruption() -> None:
    """Have a signal to terminate, such as that of a preempted job, end the command as an interruption does."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def selection_of(choices: dict[str, Any], settings: Config, registry: Registry | None) -> Selection:
    """Make the selection of options that were given; an option that a command lacks has its default.

    Without tasks it means those of the project, or all where the project has none.
    """
    from harness.plan.selection import Selection

    values = dict(choices["settings"])
    if len(values) < len(choices["settings"]):
        raise UsageError("--set names a parameter twice; give its values in one list, as in --set rows=1000,10000")
    if choices["threads"] is not None:
        if "threads" in values:
            raise UsageError("give either --threads or --set threads, not both")
        values["threads"] = (choices["threads"],)
    return Selection(
        tasks=choices["tasks"] or (registry.default_tasks if registry else ()),
        strategies=choices["strategies"],
        datasets=choices["datasets"],
        scenarios=choices["scenarios"],
        profile=choices["profile"],
        blocks=choices.get("blocks"),
        values=values,
        seed=choices["seed"],
        timeout_s=choices["timeout"] or settings.timeout_s,
        memory_limit_bytes=choices.get("memory_limit") or settings.memory_limit_mb * 10**6 or None,
        memory_pass=choices.get("memory_pass", False),
        stress=choices.get("stress", False),
        jobs=choices.get("jobs", 1),
    )


def _refuse_choices() -> None:
    """Refuse options beside --resume: a run is resumed with its selection."""
    context = click.get_current_context()
    given = [
        param.opts[0] if isinstance(param, click.Option) else "TOPIC"
        for param in context.command.params
        if param.name not in ("resume", "executor", "scheduler", "workers", "tables", "verbose", "as_json")
        and context.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise UsageError(f"--resume repeats the selection of the run; leave out {', '.join(sorted(given))}")


def _measure(
    run: OpenRun,
    executor: Executor,
    *,
    settings: Config,
    workers: int,
    tables: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run what is missing, print what the whole run says, and return the exit code."""
    from harness.cli.progress import RunProgress
    from harness.execute.run import run_plan
    from harness.store.runs import parts

    remarks, name, began = log(), run.file.header.run, time.monotonic()
    progress = RunProgress(
        remarks,
        run.missing,
        run.recorded,
        earlier=partial(_earlier, settings, run.missing),
        at_once=max(run.selection.jobs, workers),
        verbose=verbose,
    )
    with progress:
        try:
            left = run_plan(run, executor, progress.receive, progress.begin)
        except KeyboardInterrupt:
            remarks.print(f"interrupted; finish it with: bakeoff run --resume {name}", soft_wrap=True)
            raise
    for machine, number in left.items():
        missing = "1 trial is missing" if number == 1 else f"{number} trials are missing"
        remarks.print(
            f"note: {missing} in blocks that machine {machine} began; finish them there with: "
            f"bakeoff run --resume {name}",
            soft_wrap=True,
        )
    paths = parts(run.file.path)
    if as_json or tables:
        statuses = _print_tables(run, paths, as_json=as_json)
    else:
        statuses = _print_summary(run, paths, time.monotonic() - began)
    if not as_json:
        remarks.print(f"wrote {_relative(run.file.path)}", soft_wrap=True)
    return Exit.DONE if "ok" in statuses and statuses <= {"ok", "skipped"} else Exit.TRIAL_FAILED


def _print_tables(run: OpenRun, paths: Sequence[Path], *, as_json: bool) -> set[Status]:
    """Print all tables of a run, and return how its trials ended."""
    from harness.cli.show_command import cells, print_parts
    from harness.store.noise import deviations, noise_beside
    from harness.store.read import read_all

    name, read, noise = run.file.header.run, read_all(paths), deviations(noise_beside(paths))
    if as_json:
        print_json({"run": name, "path": str(run.file.path), "cells": cells(read, noise)})
    else:
        print_parts(console(), read, noise, full=f"bakeoff show {name} --json")
    return {record.status for _, records in read for record in records}


def _print_summary(run: OpenRun, paths: Sequence[Path], took_s: float) -> set[Status]:
    """Print the summary of a run, and return how its trials ended."""
    from harness.analysis.run_set import read_run_set
    from harness.cli.summary import summary

    out, run_set, resumed = console(), read_run_set(paths), run.recorded > 0
    lines = summary(run_set, out.width, took_s=None if resumed else took_s, run=run.file.header.run if resumed else "")
    for line in lines:
        out.print(line, soft_wrap=True)
    return {status for tally in run_set.tallies for status in tally.statuses}


def _relative(path: Path) -> Path:
    """Return a path as seen from the working folder, where it is inside."""
    return path.relative_to(path.cwd()) if path.is_relative_to(path.cwd()) else path
