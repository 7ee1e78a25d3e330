"""A live gate from its request to its decision."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.config import Config, GatePolicy
from harness.data.cards import builtin_folder
from harness.errors import UsageError
from harness.execute.slots import Slot
from harness.gate.decision import SIDES, Decision, Pair, SideName
from harness.gate.environments.build import Parts, SideEnvironment, build, timed
from harness.gate.environments.cache import PAIRS, Shelf
from harness.gate.foreign.suite import Suite
from harness.gate.live import journal
from harness.gate.live.both_sides import DATASETS, MemoryPass, Reading
from harness.gate.live.forecast import forecast, prepared, sentences
from harness.gate.live.guard import guarded
from harness.gate.live.measured_case import MeasuredCase, cases, divergences
from harness.gate.live.planned_cases import GatePlan, plan_cases
from harness.gate.live.schedule import Setup, measure_all
from harness.gate.live.unchanged import Trees, equal, leave_out_unchanged, settle_all
from harness.gate.policy import apply_policy, today_utc
from harness.measure.git import digest_of_tree
from harness.measure.machine import fingerprint, usable_cores
from harness.plan.selection import Selection


class ProgressCallbacks(AbstractContextManager["ProgressCallbacks"]):
    """Progress callbacks of a live gate; the base class ignores them."""

    def __exit__(self, *error: object) -> None:
        """Clean up when the gate has ended."""

    def preparing(self, sentence: str) -> None:
        """Take a sentence on what is being prepared, such as an environment that is built."""

    def begin(self, suite: Sequence[MeasuredCase], path: str, gate: str) -> None:
        """Take the cases that will be measured, the path of the gate's file, and the gate's id."""

    def measured(self, place: int, result: Pair | Reading) -> None:
        """Take a result of the case at a place of the suite."""


@dataclass(frozen=True)
class GateRequest:
    """What a live gate compares.

    Attributes
    ----------
    base
        Revision of the base; empty if the base has the candidate's tree.
    requirements
        Packages that the base has in other versions, as pip takes them.
    command
        The command line, as typed.
    changed_only
        Whether cases that load the same on both sides pass without being measured.
    anyway
        Whether to measure although both sides have the same files and packages.
    suite
        Another tool's benchmarks to gate in place of topics.
    """

    base: str
    requirements: tuple[str, ...]
    selection: Selection
    policy: GatePolicy
    command: str
    changed_only: bool = False
    anyway: bool = False
    suite: Suite | None = None


def run_gate(request: GateRequest, config: Config, callbacks: ProgressCallbacks) -> Decision:
    """Build both environments, measure, and decide.

    Raises
    ------
    UsageError
        When there is no such base, or a side cannot list its cases.
    NothingSelectedError
        When no case can be measured on both sides.
    EnvironmentBuildError
        When an environment cannot be built.
    """
    with callbacks, guarded(), _scratch() as scratch:
        parts: Parts = {}
        sides, remarks = _build(request, config, scratch, callbacks.preparing, parts)
        with timed("plan", parts):
            plan = _plan(request, sides, config, callbacks.preparing)
            expected = forecast(plan.cases, request.policy)
        for sentence in sentences(expected):
            callbacks.preparing(sentence)
        file = journal.create(
            config.results_folder,
            fingerprint(config.machine or None).name,
            request.command,
            _recorded(request, sides, config),
            tuple(plan.cases),
            tuple(plan.settled),
            (*remarks, *plan.remarks),
        )
        with file:
            decision = _measure(file, [], sides, config, callbacks, parts)
            return msgspec.structs.replace(decision, forecast=expected)


def resume_gate(name: str, config: Config, callbacks: ProgressCallbacks) -> Decision:
    """Finish an interrupted gate; what it measured is not measured again.

    Raises
    ------
    UsageError
        When there is no gate of that name, another process measures it, or the code or packages of a side have changed
        since.
    """
    file, lines = journal.reopen(config.results_folder, name)
    recorded = file.head.request
    request = GateRequest(
        recorded.base,
        recorded.requirements,
        recorded.selection,
        recorded.policy,
        file.head.command,
        suite=recorded.suite,
    )
    with callbacks, guarded(), file, _scratch() as scratch:
        parts: Parts = {}
        sides, _ = _build(request, config, scratch, callbacks.preparing, parts)
        if _recorded(request, sides, config) != recorded:
            raise UsageError(
                f"gate {file.head.gate} cannot be resumed: the code or the packages of a side changed since; "
                "start a new gate"
            )
        return _measure(file, lines, sides, config, callbacks, parts)


def _plan(
    request: GateRequest, sides: dict[SideName, SideEnvironment], config: Config, say: Callable[[str], None]
) -> GatePlan:
    """Match the cases of both sides, and settle those that cannot have changed."""
    selection = msgspec.structs.replace(request.selection, blocks=2 * request.policy.pairs)
    plan = plan_cases(selection, sides, request.suite)
    trees = Trees.of(sides, config.results_folder)
    if equal(sides, trees) and not request.anyway:
        return settle_all(plan)
    if request.changed_only:
        plan = leave_out_unchanged(plan, sides, trees, selection.timeout_s, say)
    machine = fingerprint(config.machine or None).name
    return replace(plan, cases=prepared(plan.cases, trees, config.results_folder, machine))


class _Scratch(NamedTuple):
    """What the processes of another tool's benchmarks write to: a folder, and for each side a file in memory."""

    folder: Path
    files: dict[SideName, int]


@contextmanager
def _scratch() -> Iterator[_Scratch]:
    with Shelf(PAIRS).temporary() as folder:
        files: dict[SideName, int] = {name: os.memfd_create(name) for name in SIDES}
        try:
            yield _Scratch(folder, files)
        finally:
            for file in files.values():
                os.close(file)


def _build(
    request: GateRequest, config: Config, scratch: _Scratch, say: Callable[[str], None], parts: Parts
) -> tuple[dict[SideName, SideEnvironment], list[str]]:
    try:
        taken = request.suite.taken if request.suite else ()
        base, candidate, remarks = build(
            config, request.policy, request.base or None, request.requirements, taken=taken, say=say, parts=parts
        )
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(
            f"no space is left for {error.filename or 'the environments'}: free some, or set BAKEOFF_CACHE to a folder "
            "on another disk"
        ) from error
    # Both sides use the project's data of today: they are often too large for git, so the base's tree lacks them.
    datasets = config.datasets_folder.resolve()
    if datasets.is_dir() and datasets != builtin_folder().resolve():
        base = replace(base, variables={**base.variables, DATASETS: str(datasets)})
    sides: dict[SideName, SideEnvironment] = {"base": base, "candidate": candidate}
    if request.suite:
        for name, side in sides.items():
            more = request.suite.variables(scratch.folder, scratch.files[name])
            sides[name] = replace(side, variables={**side.variables, **more})
    return sides, remarks


def _recorded(request: GateRequest, sides: dict[SideName, SideEnvironment], config: Config) -> journal.RecordedRequest:
    return journal.RecordedRequest(
        request.base,
        request.requirements,
        (sides["base"].side, sides["candidate"].side),
        digest_of_tree(config.folder) if sides["candidate"].side.commit else "",
        request.selection,
        request.policy,
        request.suite,
    )


def _measure(
    file: journal.Journal,
    lines: list[journal.Line],
    sides: dict[SideName, SideEnvironment],
    config: Config,
    callbacks: ProgressCallbacks,
    parts: Parts,
) -> Decision:
    """Measure what the file does not contain yet, and decide.

    Raises
    ------
    UsageError
        When the disk is full or failing; the results so far are on record.
    """
    started = time.monotonic()
    head, policy = file.head, file.head.request.policy
    suite = [MeasuredCase(planned, policy) for planned in head.cases]
    for place, result in journal.results(lines):
        suite[place].add(result)
    callbacks.begin(suite, str(file.path), head.gate)

    def listen(place: int, result: Pair | Reading) -> None:
        file.write(place, result)
        callbacks.measured(place, result)

    timeout_s = head.request.selection.timeout_s
    try:
        with timed("measure", parts), Slot() as slot, MemoryPass(sides, timeout_s) as memory:
            stopped = measure_all(suite, Setup(sides, slot.share, timeout_s, memory, policy), listen)
        if stopped:
            file.stop(stopped, {stage for case in suite for stage in case.ended})
    except OSError as error:
        raise UsageError(
            f"the gate stopped at {error.filename or file.path} ({error.strerror or error}): free some space or mend "
            f"the disk, then go on with 'bakeoff gate --resume {head.gate}'"
        ) from error
    decision = Decision(
        base=head.request.sides[0],
        candidate=head.request.sides[1],
        live=True,
        machine=fingerprint(config.machine or None),
        policy=policy,
        started=head.started,
        elapsed_s=time.monotonic() - started,
        command=head.command,
        cases=[*cases(suite, stopped), *head.settled],
        remarks=[*head.remarks, *_remarks(stopped, suite), *choices(suite), *divergences(suite), *company(suite)],
        parts=parts,
    )
    return apply_policy(decision, today_utc())


def choices(suite: Sequence[MeasuredCase]) -> Iterator[str]:
    """Say for which cases tuning chose different options on the two sides: their costs then differ by these."""
    for measured in suite:
        pairs = [pair for pair in (*measured.screen, *measured.confirm) if not pair.failed]
        apart = sum(pair.choices.get("base") != pair.choices.get("candidate") for pair in pairs)
        if apart:
            yield (
                f"{measured.planned.case.name}: tuning chose different options on the two sides in {apart} of "
                f"{len(pairs)} pairs"
            )


def company(suite: Sequence[MeasuredCase]) -> Iterator[str]:
    """Say in how many pairs others measured on the machine: they share its memory and caches, and perhaps its cores."""
    pairs = [pair for measured in suite for pair in (*measured.screen, *measured.confirm)]
    if beside := sum(pair.others > 0 for pair in pairs):
        yield f"other runs or gates measured on this machine during {beside} of {len(pairs)} pairs, which adds noise"


def _remarks(stopped: str, suite: Sequence[MeasuredCase]) -> list[str]:
    remarks = [stopped] if stopped else []
    cores = len(usable_cores())
    threads = max((int(trial.params["threads"]) for each in suite for trial in each.planned.trials), default=1)
    if 0 < cores < threads:
        remarks.append(
            f"there are {cores} cores here for trials with threads={threads}, which then wait for each other: give "
            "--threads at most the number of cores"
        )
    if not cores:
        remarks.append("processes cannot be pinned on this system: both sides of a pair may run on unequal cores")
    return remarks
