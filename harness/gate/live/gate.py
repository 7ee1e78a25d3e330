"""A live gate from what was asked to its decision."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from harness.config import Config, GatePolicy
from harness.data.cards import builtin_folder
from harness.errors import UsageError
from harness.gate.decision import Decision, Pair, SideName
from harness.gate.environments.build import SideEnvironment, build
from harness.gate.live import journal
from harness.gate.live.findings import cases
from harness.gate.live.memory_pass import DATASETS, MemoryPass, Reading
from harness.gate.live.plan import plan
from harness.gate.live.progress import Progress
from harness.gate.live.schedule import Setup, measure_all
from harness.gate.settle import settle
from harness.measure.machine import fingerprint, usable_cores
from harness.plan.selection import Selection


class Watcher(AbstractContextManager["Watcher"]):
    """What is told how far a gate is; this one tells nobody."""

    def __exit__(self, *error: object) -> None:
        """Stop watching."""

    def say(self, sentence: str) -> None:
        """Hear what is being prepared."""

    def begin(self, suite: Sequence[Progress], path: str, gate: str) -> None:
        """Hear what will be measured, and where it is kept."""

    def measured(self, place: int, found: Pair | Reading) -> None:
        """Hear what was measured of a case."""


@dataclass(frozen=True)
class GateRequest:
    """What a live gate is asked.

    Attributes
    ----------
    base
        Revision of the base; empty for the candidate's own tree.
    requirements
        What the base's packages are changed by.
    """

    base: str
    requirements: tuple[str, ...]
    selection: Selection
    policy: GatePolicy
    command: str


def ask(question: GateRequest, config: Config, watcher: Watcher) -> Decision:
    """Build both environments, measure, and decide.

    Raises
    ------
    UsageError
        When the question makes no sense here.
    EnvironmentBuildError
        When an environment cannot be built.
    """
    with watcher:
        sides, remarks = _build(question.base, question.requirements, question.policy, config, watcher.say)
        selection = msgspec.structs.replace(question.selection, blocks=2 * question.policy.pairs)
        planned = plan(selection, sides)
        asked = _asked(question, sides, config)
        kept = journal.create(
            config.results_folder,
            fingerprint(config.machine or None).name,
            question.command,
            asked,
            tuple(planned.cases),
            tuple(planned.settled),
            (*remarks, *planned.remarks),
        )
        return _conduct(kept, [], sides, config, watcher)


def resume(name: str, config: Config, watcher: Watcher) -> Decision:
    """Finish an interrupted gate; what it measured is not measured again.

    Raises
    ------
    UsageError
        When there is none of that name, or the code or packages of a side have changed since.
    """
    kept, lines = journal.reopen(config.results_folder, name)
    then = kept.head.asked
    with watcher:
        sides, _ = _build(then.base, then.requirements, then.policy, config, watcher.say)
        question = GateRequest(then.base, then.requirements, then.selection, then.policy, kept.head.command)
        if _asked(question, sides, config) != then:
            raise UsageError(
                f"gate {kept.head.gate} cannot be resumed: the code or the packages of a side changed since; start anew"
            )
        return _conduct(kept, lines, sides, config, watcher)


def _build(
    base: str, requirements: tuple[str, ...], policy: GatePolicy, config: Config, say: Callable[[str], None]
) -> tuple[dict[SideName, SideEnvironment], list[str]]:
    one, other, remarks = build(config, policy, base or None, requirements, say=say)
    # Both sides run on the candidate's data: a project's own are often too large for git, and no base's tree has them.
    own = config.datasets_folder.resolve()
    if own.is_dir() and own != builtin_folder().resolve():
        one = replace(one, variables={**one.variables, DATASETS: str(own)})
    return {"base": one, "candidate": other}, remarks


def _asked(question: GateRequest, sides: dict[SideName, SideEnvironment], config: Config) -> journal.Asked:
    return journal.Asked(
        question.base,
        question.requirements,
        (sides["base"].side, sides["candidate"].side),
        _changes(config) if sides["candidate"].side.dirty else "",
        question.selection,
        question.policy,
    )


def _changes(config: Config) -> str:
    """Return a digest of what the working tree has changed since its commit."""
    done = subprocess.run(["git", "diff", "HEAD"], cwd=config.folder, capture_output=True, check=False)
    return hashlib.blake2b(done.stdout, digest_size=8).hexdigest()


def _conduct(
    kept: journal.Journal,
    lines: list[journal.Line],
    sides: dict[SideName, SideEnvironment],
    config: Config,
    watcher: Watcher,
) -> Decision:
    started = time.monotonic()
    head, policy = kept.head, kept.head.asked.policy
    suite = [Progress(planned, policy) for planned in head.cases]
    for place, found in journal.replay(lines):
        suite[place].add(found)
    watcher.begin(suite, str(kept.path), head.gate)

    def listen(place: int, found: Pair | Reading) -> None:
        kept.write(place, found)
        watcher.measured(place, found)

    timeout_s = head.asked.selection.timeout_s
    with MemoryPass(sides, timeout_s) as memory:
        stopped = measure_all(suite, Setup(sides, usable_cores(), timeout_s, memory, policy), listen)
    decision = Decision(
        base=head.asked.sides[0],
        candidate=head.asked.sides[1],
        live=True,
        machine=fingerprint(config.machine or None),
        policy=policy,
        started=head.started,
        elapsed_s=time.monotonic() - started,
        command=head.command,
        cases=[*cases(suite, stopped), *head.settled],
        remarks=[*head.remarks, *_remarks(stopped)],
    )
    return settle(decision, date.today())


def _remarks(stopped: str) -> list[str]:
    remarks = [stopped] if stopped else []
    if not usable_cores():
        remarks.append("processes cannot be pinned on this system: both sides of a pair may run on unequal cores")
    return remarks
