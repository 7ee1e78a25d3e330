"""The runs of both sides: which of them can be compared, and which of them count as one session of the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from harness.analysis import wording
from harness.errors import UsageError
from harness.gate.decision import Side
from harness.records import Record
from harness.store.header import Header

StoredRun: TypeAlias = tuple[Header, list[Record]]

#: Runs of one side that begin within this many seconds of each other are one session of the machine. Tracked runs of
#: the same cells that began 4 to 11 minutes apart already differ by up to 12 % in all cells together.
SESSION_S = 600.0
_MACHINE_STATE = ("kernel", "os", "python", "governor", "cores", "smt", "cpu_quota", "memory_limit_bytes")


@dataclass(frozen=True)
class StoredSides:
    """The runs that are compared.

    Attributes
    ----------
    across
        Whether the sides were measured on different machines.
    alike
        Whether the machines are of the same kind, so that memory can be compared.
    same
        Whether both sides have the same runs.
    data
        Data set to the reason why the sides cannot be compared on it.
    """

    base: list[StoredRun]
    candidate: list[StoredRun]
    across: bool = False
    alike: bool = True
    same: bool = False
    data: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def prepare(base: Sequence[StoredRun], candidate: Sequence[StoredRun], *, across_machines: bool) -> StoredSides:
    """Choose the runs to compare, with remarks on them.

    If the base has runs on the candidate's machine, only those are compared.

    Raises
    ------
    UsageError
        When a side has no run or runs of several machines, or when the machines of the sides differ without
        `across_machines`.
    """
    old, new = _distinct(base), _distinct(candidate)
    if not old or not new:
        raise UsageError(f"the {'candidate' if old else 'base'} has no run: name one that 'bakeoff run' made")
    machine = _only_machine(new, "candidate")
    here = [run for run in old if run[0].machine.name == machine]
    remarks = _left_out(old, here)
    across = not here
    if across:
        other = _only_machine(old, "base")
        if not across_machines:
            raise UsageError(
                f"the base was measured on {other} and the candidate on {machine}, so their times cannot be compared: "
                "measure the base here too, or judge quality alone with --across-machines; if these are imported runs "
                "of one machine, import both with --machine NAME"
            )
        remarks.append(
            f"different machines, {other} and {machine}: times are not judged, nor memory unless the machines are alike"
        )
    old = here or old
    one, two = old[-1][0].machine, new[-1][0].machine
    alike = not across or bool(one.cpu and (one.cpu, one.os) == (two.cpu, two.os))
    same = {header.run for header, _ in old} == {header.run for header, _ in new}
    return StoredSides(old, new, across, alike, same, _data(old, new), [*remarks, *_remarks(old, new)])


def describe(name: str, runs: Sequence[StoredRun], other: Sequence[StoredRun]) -> Side:
    """Describe a side; it has no commit if its runs have several."""
    commits = {header.environment.commit for header, _ in runs}
    dirty = [header.environment.dirty for header, _ in runs]
    packages, others = _packages(runs), _packages(other)
    return Side(
        name,
        commit=commits.pop() if len(commits) == 1 else None,
        dirty=None if None in dirty else any(dirty),
        packages={package: version for package, version in sorted(packages.items()) if others.get(package) != version},
    )


def sessions(base: Sequence[Header], candidate: Sequence[Header]) -> tuple[list[int], list[int]]:
    """Give each run of both sides the number of its session, from 0.

    Runs of one side that follow each other closely, with no run of the other side in between, are one session: they
    meet the machine in the same state. If the sides were measured in turn, every run counts.
    """
    order = sorted(
        (datetime.fromisoformat(header.started), side, place)
        for side, headers in enumerate((base, candidate))
        for place, header in enumerate(headers)
    )
    numbers: tuple[list[int], list[int]] = ([0] * len(base), [0] * len(candidate))
    counts = [-1, -1]
    before = None
    for started, side, place in order:
        if before is None or before[1] != side or (started - before[0]).total_seconds() >= SESSION_S:
            counts[side] += 1
        numbers[side][place] = counts[side]
        before = (started, side)
    return numbers


def _distinct(given: Sequence[StoredRun]) -> list[StoredRun]:
    """Return the runs from old to new, each once."""
    distinct = {(header.run, header.machine.name): (header, records) for header, records in given}
    return sorted(distinct.values(), key=lambda run: datetime.fromisoformat(run[0].started))


def _only_machine(given: Sequence[StoredRun], side: str) -> str:
    names = sorted({header.machine.name for header, _ in given})
    if len(names) > 1:
        raise UsageError(f"the {side}'s runs come from {' and '.join(names)}: give those of one machine at a time")
    return names[0]


def _left_out(given: Sequence[StoredRun], here: Sequence[StoredRun]) -> list[str]:
    if not here or len(here) == len(given):
        return []
    return [f"{len(given) - len(here)} of {len(given)} runs of the base are of other machines and left out"]


def _data(base: Sequence[StoredRun], candidate: Sequence[StoredRun]) -> dict[str, str]:
    old, new = _checksums(base), _checksums(candidate)
    return {
        name: f"data set {name} differs: {_short(old[name])} in base, {_short(new[name])} in candidate"
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name] or len(old[name]) > 1
    }


def _checksums(given: Sequence[StoredRun]) -> dict[str, set[str]]:
    by_name: dict[str, set[str]] = {}
    for header, _ in given:
        for name, checksum in header.cards.items():
            by_name.setdefault(name, set()).add(checksum)
    return by_name


def _short(checksums: set[str]) -> str:
    return " and ".join(sorted(checksum[:8] for checksum in checksums))


def _packages(given: Sequence[StoredRun]) -> dict[str, str]:
    by_name: dict[str, set[str]] = {}
    for header, _ in given:
        for package, version in header.environment.packages.items():
            by_name.setdefault(package, set()).add(version)
    return {package: " and ".join(sorted(versions)) for package, versions in by_name.items()}


def _remarks(base: Sequence[StoredRun], candidate: Sequence[StoredRun]) -> list[str]:
    remarks = []
    both = sorted({header.run for header, _ in base} & {header.run for header, _ in candidate})
    if both:
        remarks.append(f"both sides have the same run, {', '.join(both)}, which cannot differ from itself")
    for side, given in (("base", base), ("candidate", candidate)):
        remarks += _unfinished(given) + _mixed(side, given)
    old, new = base[-1][0].machine, candidate[-1][0].machine
    changed = [
        f"{name} {getattr(old, name)} -> {getattr(new, name)}"
        for name in _MACHINE_STATE
        if old.name == new.name and getattr(old, name) != getattr(new, name)
    ]
    if changed:
        remarks.append(f"the machine changed between the sides: {', '.join(changed)}")
    return remarks


def _unfinished(given: Sequence[StoredRun]) -> list[str]:
    recorded: Counter[str] = Counter()
    for header, records in given:
        recorded[header.run] += len(records)
    return [
        f"run {run} has {recorded[run]} of {planned} planned trials; finish it with 'bakeoff run --resume {run}'"
        for run, planned in {header.run: header.trials for header, _ in given}.items()
        if recorded[run] < planned
    ]


def _mixed(side: str, given: Sequence[StoredRun]) -> list[str]:
    remarks = []
    commits = sorted({(header.environment.commit or "none")[:8] for header, _ in given})
    if len(commits) > 1:
        remarks.append(f"the {side}'s runs are of {len(commits)} commits: {', '.join(commits)}")
    if crowded := sum(record.crowded for _, records in given for record in records):
        remarks.append(f"{side}: {wording.crowded(crowded)}")
    judged = [record for _, records in given for record in records if record.conditions]
    contaminated = sum(bool(record.conditions and record.conditions.contaminated) for record in judged)
    if contaminated:
        remarks.append(
            f"{contaminated} of {len(judged)} trials of the {side} lost over 5 % of their cores to other work or a "
            "quota, or ran beside other trials"
        )
    return remarks
