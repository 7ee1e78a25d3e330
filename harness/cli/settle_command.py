"""``bakeoff settle``: add blocks to a run where they decide something, until all is settled or the time is used up."""

from __future__ import annotations

import math
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from harness.cli.output import config, console, json_option, log, print_json
from harness.cli.params import Seconds
from harness.errors import Exit, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from harness.analysis.settling import Settling, Standing
    from harness.cli.progress import RunProgress
    from harness.config import Config
    from harness.execute.executor import Block
    from harness.records import Record, Trial
    from harness.registry import Registry
    from harness.store.header import Header
    from harness.store.runs import Run

_BUDGET_S = 300.0


@click.command("settle", short_help="Add blocks to a run until its recommendations are settled.")
@click.argument("run", default="latest")
@click.option("--task", "tasks", multiple=True, metavar="TOPIC/TASK", help="Only these tasks.")
@click.option("--budget", type=Seconds(), default=_BUDGET_S, show_default=True, metavar="SECONDS", help="Time to use.")
@json_option
def command(run: str, *, tasks: tuple[str, ...], budget: float, as_json: bool) -> int:
    """Go on where RUN left off (a path, a file name, an id or its beginning; by default the latest).

    Blocks are added to the tasks whose recommendation is open, those first that take the least time to settle. A block
    has the strategy that leads and its rivals. The blocks are a run of their own, which `show`, `report`, `claims`,
    `compare` and `history` take together with RUN. What too many blocks would be needed for is left out.

    Exit codes: 0 all that can be settled is; 4 a trial failed; 6 the time is used up before.
    """
    from harness.cli.run_command import take_termination_for_interruption
    from harness.execute.added import check_unchanged, first_run
    from harness.registry import load_registry

    settings = config()
    take_termination_for_interruption()
    runs = first_run(settings.results_folder, run, settings)
    settling = _settling(settings, runs, tasks)
    before = [name for name, own in settling.standings.items() if own.found.state != "open"]
    remarks = log()
    for line in _forecast(settling, budget):
        remarks.print(line, soft_wrap=True)
    failed = False
    added = None
    if settling.next(budget) is not None:
        registry = load_registry(settings)
        check_unchanged(
            runs[0][0], [trial for own in settling.open for trial in settling.trials(own)], settings, registry
        )
        adding = _Adding(settling, settings, registry, budget, remarks)
        added = adding.run(runs)
        failed = adding.failed
    _print_result(settling, before, added, as_json=as_json)
    if failed:
        return Exit.TRIAL_FAILED
    return Exit.INCONCLUSIVE if settling.open else Exit.DONE


def _settling(settings: Config, runs: list[tuple[Header, list[Record]]], tasks: tuple[str, ...]) -> Settling:
    from harness.analysis.settling import Settling
    from harness.store.noise import stored_noise

    first = runs[0][0]
    known = [card.name for card in first.tasks]
    for task in tasks:
        if task not in known:
            raise UsageError(f"run {first.run} has no task {task!r}{did_you_mean(task, known)}")
    noise = stored_noise(settings.results_folder / first.machine.name)
    return Settling(runs, {first.machine.name: noise} if noise else {}, tasks)


class _Adding:
    """Adds blocks to a run.

    Attributes
    ----------
    failed
        Whether a trial failed.
    """

    def __init__(
        self, settling: Settling, settings: Config, registry: Registry, budget_s: float, remarks: Console
    ) -> None:
        self._settling = settling
        self._settings = settings
        self._registry = registry
        self._budget_s = budget_s
        self._end = 0.0
        self._remarks = remarks
        self._progress: RunProgress | None = None
        self.failed = False

    def run(self, runs: list[tuple[Header, list[Record]]]) -> Run:
        """Add blocks until the time is used up, and return the run that they are in."""
        import msgspec

        from harness.execute.added import create_added
        from harness.execute.run import executor_for, run_blocks

        first = runs[0][0]
        # Several blocks at once would disturb each other's times, and the next one depends on those before it.
        selection = msgspec.structs.replace(first.selection, jobs=1)
        with (
            closing(executor_for(selection, self._settings, self._registry)) as executor,
            create_added(runs, shlex.join(["bakeoff", *sys.argv[1:]]), self._settings) as added,
        ):
            self._settling.begin(added.header)
            try:
                run_blocks(added, self._blocks(first.selection.seed), executor, self._receive, self._begin)
            except KeyboardInterrupt:
                self._remarks.print(
                    f"interrupted; what was measured counts, go on with: bakeoff settle {first.run}", soft_wrap=True
                )
                raise
        return added

    def _blocks(self, seed: int) -> Iterator[Block]:
        """Yield the blocks up to the next look of a task, judge it, and so on."""
        from harness.analysis import wording
        from harness.cli.progress import RunProgress

        self._end = time.monotonic() + self._budget_s
        while (standing := self._settling.next(self._left_s)) is not None:
            strategies = _named(standing, (standing.found.take, *standing.rivals))
            what = f"{wording.count(standing.missing, 'more block')} of {strategies}"
            expected = wording.duration(standing.missing * standing.block_s)
            self._remarks.print(f"{standing.name}: {what} (about {expected})", soft_wrap=True)
            trials = standing.missing * self._settling.trials(standing)
            with RunProgress(self._remarks, trials, 0) as self._progress:
                for _ in range(standing.missing):
                    if standing.block_s > self._left_s:
                        return
                    yield from self._block(standing, seed)
            state = self._settling.judge(standing.name).found.state
            self._remarks.print(f"{standing.name}: {'still open' if state == 'open' else state}", soft_wrap=True)

    def _block(self, standing: Standing, seed: int) -> Iterator[Block]:
        from harness.execute.executor import blocks_of
        from harness.plan.data import check_data
        from harness.plan.make import further_block

        trials = further_block(self._settling.trials(standing), seed, self._settling.next_block(standing))
        check_data(trials, self._registry)
        yield from blocks_of(trials)

    @property
    def _left_s(self) -> float:
        return self._end - time.monotonic()

    def _begin(self, trial: Trial) -> None:
        assert self._progress is not None
        self._progress.begin(trial)

    def _receive(self, record: Record, text: str) -> None:
        assert self._progress is not None
        self._settling.add(record)
        self._progress.receive(record, text)
        self.failed = self.failed or record.status not in ("ok", "skipped")


def _forecast(settling: Settling, budget_s: float) -> Iterator[str]:
    """Say what is open, how long it is expected to take, and what is left out."""
    from harness.analysis import wording

    tasks = wording.count(len(settling.standings), "task")
    undecided = [own for own in settling.standings.values() if own.found.state == "open"]
    if not undecided:
        yield f"settled: all of {tasks}" if settling.standings else "nothing to settle: no task compares strategies"
        return
    yield f"open: {len(undecided)} of {tasks}"
    for own in settling.open:
        yield f"  {own.name}: {_expected(own)} for {_named(own, (own.found.take, *own.rivals))}"
    for own in undecided:
        if own.left_out:
            yield f"  {own.name}: left out, as {_hopeless(own)}"
    least = sum(own.least_s for own in settling.open)
    if least > budget_s:
        yield f"--budget {budget_s:g} is less than all of this takes, {wording.duration(least)} or more"


def _hopeless(standing: Standing) -> str:
    """Say which strategies no number of blocks that is tried is expected to settle."""
    from harness.analysis.settled import MOST_BLOCKS

    rivals, leads = _named(standing, standing.left_out), _named(standing, (standing.found.take,))
    return f"{MOST_BLOCKS} blocks are not expected to tell {rivals} from {leads}"


def _expected(standing: Standing) -> str:
    """Write how long it takes to settle a task: ``12 s to 5 min``."""
    from harness.analysis import wording

    low, high = (wording.duration(seconds) for seconds in standing.seconds or (standing.least_s, math.inf))
    if standing.seconds is None:
        return f"{low} or more (one block says nothing of chance)"
    return low if low == high else f"{low} to {high}"


def _named(standing: Standing, labels: Sequence[str]) -> str:
    from harness.errors import some
    from harness.store.header import titled

    return some([titled(label, standing.info.strategies) for label in labels])


def _said(standing: Standing) -> str:
    """Say what is settled of a task, or what is open."""
    advice = standing.advice
    if advice.state == "open":
        return f"open: {advice.open}"
    return f"{advice.state}: take {advice.take}{': ' if advice.sentence else ''}{advice.sentence}"


def _print_result(settling: Settling, before: Sequence[str], added: Run | None, *, as_json: bool) -> None:
    """Print what is settled now, and what is open; tasks that were settled before are counted, or named if all were."""
    from harness.analysis import wording

    if as_json:
        tasks = [
            {"task": name, **asdict(own.advice), "left_out": own.left_out} for name, own in settling.standings.items()
        ]
        run, path = (added.header.run, str(added.path)) if added else (None, None)
        print_json({"run": run, "path": path, "tasks": tasks})
        return
    out = console()
    told = {name: own for name, own in settling.standings.items() if name not in before} or settling.standings
    for name, own in told.items():
        out.print(f"{name}: {_said(own)}", soft_wrap=True)
    if len(told) < len(settling.standings):
        out.print(f"settled before: {wording.count(len(before), 'task')}, see 'bakeoff show'", soft_wrap=True)
    for own in settling.open:
        remark = f"note: the next look of {own.name} takes about {wording.duration(own.missing * own.block_s)}"
        log().print(f"{remark}; the time was used up before", soft_wrap=True)
    for name, own in told.items():
        if added and own.found.state == "open" and own.left_out:
            log().print(f"note: {name} goes no further: {_hopeless(own)}", soft_wrap=True)
    if added:
        log().print(f"wrote {os.path.relpath(added.path)}", soft_wrap=True)
