"""Leaves out the cases that cannot have changed: what they load is equal on both sides.

Both sides run a case once and say what they have loaded (`harness.measure.loaded`). The case is *unchanged* when that
is equal, and measured when there is any doubt: a side cannot say it, the case starts processes or uses the network, or
a file differs between the trees that compiled code may have read unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

import msgspec

from harness.analysis import wording
from harness.errors import BakeoffError, some
from harness.gate.decision import SIDES, Case, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.foreign.suite import SHARED
from harness.gate.live.both_sides import DATASETS
from harness.gate.live.planned_cases import GatePlan, PlannedCase
from harness.gate.live.process import SideError, SideProcess
from harness.gate.live.side import LoadsTask
from harness.measure.git import changed_since, top_of
from harness.measure.loaded import TREE, Loaded

# Files that compiled code does not read by itself: Python does, and notes it, or nobody does while a case runs.
_SUFFIXES = frozenset(
    (
        *(".py", ".pyi", ".ipynb", ".sh", ".js", ".md", ".rst", ".html", ".css", ".svg", ".png"),
        *(".toml", ".cfg", ".ini", ".yml", ".yaml", ".lock"),
    )
)
_NAMES = frozenset(("CODEOWNERS", "Dockerfile", "LICENSE", "Makefile", "NOTICE"))
# They name folders of the trees, of which what is read counts, and what the processes of a side share.
_PLACES = ("PYTHONPATH", DATASETS, SHARED)


@dataclass(frozen=True)
class Trees:
    """The folders that the project lies in on both sides.

    Attributes
    ----------
    tops
        Of the base and of the candidate; equal where only packages differ.
    changed
        Names of the files that differ between them; Bakeoff's results are left out, which no case reads.
    """

    tops: tuple[Path, Path]
    changed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, sides: Mapping[SideName, SideEnvironment], results: Path) -> Trees:
        """Compare the trees of both sides.

        Parameters
        ----------
        results
            Folder of the project's results.

        Raises
        ------
        UsageError
            When git cannot list the files.
        """
        base, here = sides["base"], sides["candidate"]
        top = top_of(here.folder) if base.folder != here.folder else None
        if top is None or base.side.commit is None:
            return cls((base.folder, here.folder))
        inner = here.folder.resolve().relative_to(top.resolve())
        theirs = base.folder.parents[len(inner.parts) - 1] if inner.parts else base.folder
        names = changed_since(top, base.side.commit, theirs)
        return cls((theirs, top), frozenset(name for name in names if not (top / name).is_relative_to(results)))

    def name(self, file: str) -> str:
        """Return the name of a file of the candidate within its tree; its path if it lies elsewhere."""
        path, top = Path(file).resolve(), self.tops[1].resolve()
        return path.relative_to(top).as_posix() if path.is_relative_to(top) else file


def equal(sides: Mapping[SideName, SideEnvironment], trees: Trees) -> bool:
    """Return whether both sides have the same files and packages, so that only noise can differ."""
    return not trees.changed and not any(sides[name].side.packages for name in SIDES) and not _variables(sides)


def settle_all(plan: GatePlan) -> GatePlan:
    """Say of all cases that they are unchanged."""
    reason = "unchanged: both sides have the same files and packages"
    return GatePlan([], [*plan.settled, *(_unchanged(planned, reason) for planned in plan.cases)], plan.remarks)


def leave_out_unchanged(
    plan: GatePlan,
    sides: Mapping[SideName, SideEnvironment],
    trees: Trees,
    timeout_s: float,
    say: Callable[[str], None],
) -> GatePlan:
    """Settle the cases that load the same on both sides; a remark says why each of the others is measured."""
    say(f"running {wording.count(len(plan.cases), 'case')} once on both sides to see what they load")
    # One seed of Python's hashes for all processes, or sets would have another order on a side that started anew.
    seed = plan.cases[0].trials[0].seeds.order % 2**32 if plan.cases else 0
    with _Askers(sides, trees, timeout_s, seed) as askers:
        loads = [askers.ask(planned) for planned in plan.cases]
    known = [loaded for both in loads if not isinstance(both, str) for loaded in both.values()]
    unseen = _unseen(trees, known)
    left = GatePlan([], list(plan.settled), list(plan.remarks))
    measured: dict[str, list[str]] = {}
    for planned, both in zip(plan.cases, loads, strict=True):
        reason = _variables(sides) or (both if isinstance(both, str) else _difference(both) or unseen)
        if isinstance(both, str) or reason:
            left.cases.append(planned)
            measured.setdefault(reason, []).append(planned.case.name)
        else:
            count = len(both["candidate"].parts)
            left.settled.append(
                _unchanged(planned, f"unchanged: what it runs and reads of {count} files and packages is equal")
            )
    left.remarks.extend(f"measured because {reason}: {some(names)}" for reason, names in sorted(measured.items()))
    return left


class _Askers:
    """Asks one process of each side what the cases load; a process starts when there is none that takes another case.

    What was started is killed when the ``with`` statement is left.
    """

    def __init__(self, sides: Mapping[SideName, SideEnvironment], trees: Trees, timeout_s: float, seed: int) -> None:
        self._sides = sides
        self._seed = seed
        self._trees = [str(top) for top in trees.tops]
        self._timeout_s = timeout_s
        self._processes: dict[SideName, SideProcess] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def ask(self, planned: PlannedCase) -> dict[SideName, Loaded] | str:
        """Return what both sides load for a case, or why that is not known."""
        trial = planned.trials[0]
        for name in SIDES:
            if name not in self._processes:
                self._processes[name] = SideProcess(self._sides[name], "loads", seed=self._seed)
            self._processes[name].send(LoadsTask(trial, self._trees))
        answers: dict[SideName, Loaded] = {}
        for name in SIDES:
            try:
                answer = self._processes[name].answer(self._timeout_s)
                answers[name] = msgspec.convert(answer, Loaded)
            except (SideError, BakeoffError, msgspec.ValidationError) as error:
                # The other side may answer later, which must not be taken for its answer to the next case.
                self._close()
                return f"the {name} did not say what it loads ({error})"
            if not answer.get("next"):
                self._processes.pop(name).close()
        return answers

    def _close(self) -> None:
        while self._processes:
            self._processes.popitem()[1].close()


def _difference(both: Mapping[SideName, Loaded]) -> str:
    """Say what is not equal, or not known to be; empty if all is."""
    unsure = next((loaded.unsure for loaded in both.values() if loaded.unsure), "")
    differing = [name.removeprefix(TREE) for name in both["base"].differing(both["candidate"])]
    return f"{some(differing)} {'differ' if len(differing) > 1 else 'differs'}" if differing else unsure


def _unseen(trees: Trees, known: Iterable[Loaded]) -> str:
    """Say which files differ that compiled code may read unseen; those that Python opened in some case are seen."""
    seen = {name.removeprefix(TREE) for loaded in known for name in loaded.parts}
    doubtful = sorted(name for name in trees.changed - seen if not _is_harmless(PurePosixPath(name)))
    return f"{some(doubtful)} changed, which compiled code may read unseen" if doubtful else ""


def _is_harmless(name: PurePosixPath) -> bool:
    return name.suffix in _SUFFIXES or name.name in _NAMES or name.name.startswith(".")


def _variables(sides: Mapping[SideName, SideEnvironment]) -> str:
    """Say which variables of the environment differ between the sides; empty if none does."""
    base, candidate = (sides[name].variables for name in SIDES)
    names = sorted((base.keys() | candidate.keys()) - {*_PLACES})
    differing = [name for name in names if base.get(name) != candidate.get(name)]
    return f"variable {some(differing)} differs" if differing else ""


def _unchanged(planned: PlannedCase, reason: str) -> Case:
    return msgspec.structs.replace(planned.case, verdict="pass", reason=reason, unchanged=True)
