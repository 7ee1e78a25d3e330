"""``bakeoff gate``: whether a candidate is slower, bigger or worse than its base."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from harness.analysis import wording
from harness.cli.output import config, console, json_option, log, print_json
from harness.cli.params import OutputPath, Seconds, Setting
from harness.cli.run_command import selection_of, take_termination_for_interruption
from harness.errors import Exit, UsageError
from harness.gate.decision import Pair
from harness.gate.live.both_sides import Reading
from harness.gate.live.gate import ProgressCallbacks
from harness.gate.live.measured_case import MeasuredCase, confirming_alpha
from harness.text import inert

if TYPE_CHECKING:
    from rich.console import Console

    from harness.config import Config
    from harness.gate.decision import Decision
    from harness.gate.foreign.suite import Suite
    from harness.records import Record


class GateProgress(ProgressCallbacks):
    """Shows how many cases are decided, and which one is measured.

    Attributes
    ----------
    gate
        Id of the gate, by which it is resumed; empty before measuring begins.
    """

    def __init__(self, remarks: Console) -> None:
        self.gate = ""
        self._remarks = remarks
        self._suite: Sequence[MeasuredCase] = ()
        self._decided: set[int] = set()
        self._noted = False
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f} cases decided"),
            TimeElapsedColumn(),
            console=remarks,
            transient=True,
            refresh_per_second=4,
            disable=not remarks.is_terminal,
        )

    def __exit__(self, *error: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def preparing(self, sentence: str) -> None:
        """Print what is being prepared."""
        self._remarks.print(sentence, soft_wrap=True)

    def begin(self, suite: Sequence[MeasuredCase], path: str, gate: str) -> None:
        """Start the bar."""
        self.gate = gate
        self._suite = suite
        count = wording.count(len(suite), "case")
        self._remarks.print(f"gate {gate}: {count}, written to {path}", soft_wrap=True)
        self._task = self._bar.add_task("", total=len(suite))
        self._bar.start()

    def measured(self, place: int, result: Pair | Reading) -> None:
        """Show how many pairs the case has."""
        if isinstance(result, Pair) and result.others and not self._noted:
            self._noted = True
            self._remarks.print(
                "note: another run or gate measures on this machine, which adds noise: wait for its end, or stop it",
                soft_wrap=True,
            )
        progress = self._suite[place]
        name = progress.planned.case.name
        counted = f"{len(progress.screen)} pairs" + (f" + {len(progress.confirm)}" if progress.confirm else "")
        if not progress.wants("screen", 1.0) and place not in self._decided and isinstance(result, Pair):
            self._decided.add(place)
            if self._bar.disable:
                state = "failed" if progress.failed else "flagged" if progress.flagged() else "decided"
                self._remarks.print(f"{name}: {state} after {counted}", soft_wrap=True)
        wanting = sum(bool(other.wants("confirm", confirming_alpha(self._suite))) for other in self._suite)
        self._bar.update(
            self._task,
            description=escape(f"{name}: {counted}"),
            completed=max(len(self._decided) - wanting, 0),
        )


#: The options that name a file to write.
_FILES = ("junit", "markdown", "page")


@click.command("gate", short_help="Decide whether a candidate is slower, bigger or worse than its base.")
@click.argument("runs", nargs=-1, metavar="[BASE CANDIDATE]")
@click.option("--base", metavar="REVISION", help="Measure the working tree against this git revision, now.")
@click.option(
    "--base-with",
    "requirements",
    multiple=True,
    metavar="REQUIREMENT",
    help="Measure against an environment with this package instead, as in xgboost==2.1.4.",
)
@click.option("--pytest", "tests", metavar="PATH", help="Gate the project's pytest-benchmark tests there.")
@click.option("--asv", is_flag=False, flag_value=".", metavar="[FOLDER]", help="Gate the asv suite of this folder.")
@click.option("-b", "bench", metavar="REGEX", help="With --asv, only these benchmarks.")
@click.option("--task", "-t", "tasks", multiple=True, metavar="TOPIC[/TASK]", help="Only these tasks.")
@click.option("--strategy", "-s", "strategies", multiple=True, metavar="GLOB", help="Only these strategies.")
@click.option("--dataset", "-d", "datasets", multiple=True, metavar="GLOB", help="Only these data sets.")
@click.option("--scenario", "scenarios", multiple=True, metavar="GLOB", help="Only these scenarios.")
@click.option("--profile", type=click.Choice(["quick", "full"]), default="quick", show_default=True)
@click.option("--set", "settings", type=Setting(), multiple=True, help="Value of a parameter; several make a sweep.")
@click.option("--threads", type=click.IntRange(min=1), help="Short for --set threads=N.")
@click.option("--timeout", type=Seconds(), metavar="SECONDS", help="Limit of one call.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--budget", type=Seconds(), metavar="SECONDS", help="Wall time for all measuring; over the policy's.")
@click.option("--changed-only", is_flag=True, help="Measure only cases that may have changed; the others pass.")
@click.option("--anyway", is_flag=True, help="Measure even if both sides are the same: an A/A gate.")
@click.option("--resume", metavar="GATE", help="Finish an interrupted live gate, by its id or 'latest'.")
@click.option("--explain", metavar="GATE", help="Print why a live gate decided, look by look; by its id or 'latest'.")
@click.option("--across-machines", is_flag=True, help="Compare runs of different machines all the same.")
@click.option("--junit", type=OutputPath(), help="Write JUnit XML for a CI's test view.")
@click.option("--markdown", type=OutputPath(), help="Write the summary as Markdown.")
@click.option("--page", type=OutputPath(), help="Write an HTML page with all pairs.")
@json_option
def command(*, runs: tuple[str, ...], as_json: bool, **choices: Any) -> int:
    """Compare two stored runs, BASE and CANDIDATE (a run, a folder, @baseline), or measure both sides now.

    \b
    bakeoff gate @baseline latest             two stored runs
    bakeoff gate --base origin/main           the working tree against a revision
    bakeoff gate --base-with xgboost==2.1.4   these packages against others
    bakeoff gate --explain latest             why a live gate decided as it did
    bakeoff gate --base main --pytest bench   the project's own pytest-benchmark tests, or its asv suite with --asv

    To measure now, both sides are called in turn on the same cores until every case is decided. Margins and other
    settings: [tool.bakeoff.gate]. Exit codes: 0 pass; 1 regressed; 4 a trial failed or was not measured, or the base
    could not be installed; 6 inconclusive.
    """  # noqa: D301 - click reads the backspace
    from harness.gate.commits import commits_between

    settings = config()
    if choices["explain"]:
        return _explain(runs, choices, settings, as_json=as_json)
    _check_files(choices)
    decision = _decide(runs, choices, settings)
    decision.commits = commits_between(settings.folder, decision.base.commit, decision.candidate.commit)
    # The verdict first, and its exit code whatever happens to the files; these also if printing it fails.
    try:
        _print(decision, as_json=as_json)
    finally:
        _write(decision, choices)
    return decision.exit_code


def _explain(runs: tuple[str, ...], choices: dict[str, Any], settings: Config, *, as_json: bool) -> int:
    from harness.gate.live.explain import explain
    from harness.report.gate import explained

    if runs or choices["base"] or choices["requirements"] or choices["resume"]:
        raise UsageError("--explain reads a gate that was measured: give it without runs, --base and --resume")
    found = explain(choices["explain"], settings.results_folder)
    if as_json:
        print_json(explained.document(found))
    else:
        explained.print_explanation(console(), found)
    return Exit.DONE


def _print(decision: Decision, *, as_json: bool) -> None:
    if as_json:
        from harness.report.gate.ci import document

        print_json(document(decision))
    else:
        from harness.report.gate.text import print_decision

        print_decision(console(), decision)


def _decide(runs: tuple[str, ...], choices: dict[str, Any], settings: Config) -> Decision:
    live = bool(choices["base"] or choices["requirements"] or choices["resume"])
    if choices["changed_only"] and choices["anyway"]:
        raise UsageError("give either --changed-only or --anyway: one leaves out what is equal, the other measures it")
    for option in ("changed_only", "anyway"):
        if choices[option] and (not live or choices["resume"]):
            raise UsageError(f"--{option.replace('_', '-')} belongs to a new gate with --base or --base-with")
    if not live and (choices["tests"] or choices["asv"]):
        raise UsageError("--pytest and --asv are measured now: give --base REVISION or --base-with REQUIREMENT, too")
    if live and runs:
        raise UsageError("give either two stored runs, or --base and --base-with to measure now, not both")
    if not live:
        if len(runs) != 2:
            raise UsageError(
                "give two stored runs (bakeoff gate @baseline latest), or --base REVISION or --base-with REQUIREMENT "
                "to measure now"
            )
        return _stored(*runs, choices, settings)
    return _live(choices, settings)


def _stored(base: str, candidate: str, choices: dict[str, Any], settings: Config) -> Decision:
    from harness.gate.stored.gate import decide, runs_named
    from harness.store.noise import stored_noise
    from harness.store.read import read_all

    old, new = (read_all(runs_named(settings.results_folder, name)) for name in (base, candidate))
    records = [record for _, records in (*old, *new) for record in records]
    _check_margins(settings, records)
    machine = new[0][0].machine.name
    return decide(
        old,
        new,
        settings.gate,
        across_machines=choices["across_machines"],
        noise=stored_noise(settings.results_folder / machine),
        base_name=base,
        candidate_name=candidate,
        command=_typed(),
    )


def _live(choices: dict[str, Any], settings: Config) -> Decision:
    import msgspec

    from harness.gate.environments.cache import EnvironmentBuildError
    from harness.gate.live.gate import GateRequest, resume_gate, run_gate
    from harness.registry import load_registry

    remarks = log()
    progress = GateProgress(remarks)
    take_termination_for_interruption()
    try:
        if choices["resume"]:
            return resume_gate(choices["resume"], settings, progress)
        policy = settings.gate
        if choices["budget"]:
            policy = msgspec.structs.replace(policy, budget_s=choices["budget"])
        suite = _suite(choices, settings)
        if suite is None:
            _check_margins(settings)
            selection = selection_of(choices, settings, load_registry(settings))
        else:
            selection = selection_of({**choices, "tasks": choices["tasks"] or (suite.tool,)}, settings, None)
        request = GateRequest(
            choices["base"] or "",
            choices["requirements"],
            selection,
            policy,
            _typed(),
            changed_only=choices["changed_only"],
            anyway=choices["anyway"],
            suite=suite,
        )
        return run_gate(request, settings, progress)
    except EnvironmentBuildError as error:
        click.echo(inert(error.tail), err=True)
        raise
    except KeyboardInterrupt:
        if progress.gate:
            remarks.print(f"interrupted; finish it with: bakeoff gate --resume {progress.gate}", soft_wrap=True)
        raise


def _suite(choices: dict[str, Any], settings: Config) -> Suite | None:
    """Return the suite of another tool that was asked for."""
    from harness.interop.foreign.choose import asv_suite, pytest_suite

    if choices["tests"] and choices["asv"]:
        raise UsageError("give either --pytest or --asv, not both: each gate has the benchmarks of one tool")
    if choices["bench"] and not choices["asv"]:
        raise UsageError("-b chooses among asv's benchmarks: give --asv, too")
    if not choices["tests"] and not choices["asv"]:
        return None
    if choices["settings"]:
        raise UsageError("--set has no effect on the benchmarks of another tool: choose among them with -s, -t or -b")
    if choices["asv"]:
        return asv_suite(choices["asv"], choices["bench"] or "", settings.folder)
    return pytest_suite(choices["tests"], settings.folder)


def _check_margins(settings: Config, records: Sequence[Record] = ()) -> None:
    if settings.gate.margins:
        from harness.gate.settle import check_margins
        from harness.registry import load_registry

        check_margins(settings.gate, load_registry(settings).topics.values(), records)


def _check_files(choices: dict[str, Any]) -> None:
    """Refuse files that cannot be written, before anything is measured for them; of CI's own file only warn."""
    from harness.report.gate.text import check_summary
    from harness.store.atomic import check_writable

    for name in _FILES:
        if choices[name] is not None:
            check_writable(choices[name])
    _or_warn(check_summary)


def _write(decision: Decision, choices: dict[str, Any]) -> None:
    """Write the files that were asked for, and those that CI reads by itself; one that cannot be written is a warning.

    The verdict is printed by then, and its exit code stands.
    """
    from harness.report.gate import ci, page, text
    from harness.store.atomic import write_atomically

    def write(path: Path, make: Callable[[Decision], str]) -> None:
        write_atomically(path, make(decision).encode())
        log().print(f"wrote {path}", soft_wrap=True)

    for name, make in zip(_FILES, (ci.junit, text.markdown, page.page), strict=True):
        if choices[name] is not None:
            _or_warn(partial(write, choices[name], make))
    _or_warn(partial(text.append_summary, decision))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in ci.annotate(decision):
            click.echo(line, err=True)


def _or_warn(act: Callable[[], None]) -> None:
    try:
        act()
    except UsageError as error:
        log().print(f"warning: {error}", soft_wrap=True)


def _typed() -> str:
    return shlex.join(["bakeoff", *sys.argv[1:]])
