"""A gate on stored runs, from the runs to the decision."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from harness.config import GatePolicy
from harness.errors import UsageError
from harness.gate.decision import Case, Decision
from harness.gate.policy import apply_policy, today_utc
from harness.gate.stored.cases import prepare_cases
from harness.gate.stored.findings import finish
from harness.gate.stored.sides import SESSION_S, StoredRun, StoredSides, describe, prepare, sessions
from harness.store.named_runs import baseline_files
from harness.store.noise import StoredNoise
from harness.store.runs import find, runs

_TOGETHER = 5  # least number of cases for a remark that all of them shifted
_SHIFT = math.log(1.03)
_SAME_WAY = 0.8
_DAY_S = 86_400.0


def runs_named(results: Path, argument: str) -> list[Path]:
    """List the files of the runs that an argument of the gate means.

    Parameters
    ----------
    argument
        A folder of runs, ``@name`` of a baseline, or what `harness.store.runs.find` takes. Of runs on several
        machines all files are listed: `decide` takes those of the candidate's machine.

    Raises
    ------
    UsageError
        When the argument means no run.
    """
    if argument.startswith("@"):
        return baseline_files(results, argument[1:])
    folder = Path(argument)
    if argument and folder.is_dir():
        files = runs(folder)
        if not files:
            raise UsageError(f"the folder {folder} contains no runs: make one with 'bakeoff run'")
        return files
    return find(results, argument)


def decide(
    base: Sequence[StoredRun],
    candidate: Sequence[StoredRun],
    policy: GatePolicy,
    *,
    across_machines: bool = False,
    noise: StoredNoise | None = None,
    base_name: str = "base",
    candidate_name: str = "candidate",
    command: str = "",
) -> Decision:
    """Decide on a candidate by the stored runs of both sides.

    Times are judged by the spread between sessions of the machine (`harness.gate.stored.costs`), memory by block,
    quality by seed. All tests of the suite are one family: the chance that a suite without any change is called
    regressed is at most ``policy.alpha``.

    Parameters
    ----------
    base, candidate
        Runs of each side, header and records; several are measurements of the same code.
    across_machines
        Whether runs of different machines may be compared, on quality alone.
    noise
        The noise floor of the candidate's machine.

    Raises
    ------
    UsageError
        When the runs cannot be compared: different machines, different data.
    NothingSelectedError
        When the sides have no case in common.
    """
    started = time.monotonic()
    sides = prepare(base, candidate, across_machines=across_machines)
    prepared = prepare_cases(sides, policy, noise.noise.sd if noise and not sides.across else None)
    findings = iter(finish([draft for _, drafts in prepared.cases for draft in drafts], policy.alpha))
    for case, drafts in prepared.cases:
        case.findings = [next(findings) for _ in drafts]
    cases = [case for case, _ in prepared.cases]
    today = today_utc()
    decision = Decision(
        base=describe(base_name, sides.base, sides.candidate),
        candidate=describe(candidate_name, sides.candidate, sides.base),
        live=False,
        machine=sides.candidate[-1][0].machine,
        policy=policy,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        cases=cases,
        remarks=[*sides.remarks, *_session_remarks(sides), *prepared.remarks, *_together(cases, sides)],
    )
    decision.elapsed_s = time.monotonic() - started
    return apply_policy(decision, today)


def _session_remarks(sides: StoredSides) -> list[str]:
    """Say which runs count as one, and how many days are between the sides."""
    headers = [[header for header, _ in side] for side in (sides.base, sides.candidate)]
    remarks = [
        f"{len(headers_of_side)} runs of the {name} count as {max(numbers) + 1} for times: runs that begin within "
        f"{SESSION_S / 60:.0f} minutes of each other meet the machine in the same state"
        for name, headers_of_side, numbers in zip(("base", "candidate"), headers, sessions(*headers), strict=True)
        if max(numbers) + 1 < len(headers_of_side)
    ]
    starts = [sorted(datetime.fromisoformat(header.started) for header in side) for side in headers]
    days = max((starts[1][0] - starts[0][-1]).total_seconds(), (starts[0][0] - starts[1][-1]).total_seconds()) / _DAY_S
    if days >= 1 and not sides.across:
        remarks.append(f"{days:.0f} days are between the sides: every time includes what changed on the machine")
    return remarks


def _together(cases: Sequence[Case], sides: StoredSides) -> list[str]:
    """Remark that the times of nearly all cases moved the same way, as they do when the machine is slower."""
    shifts = [
        math.log(finding.effect.estimate)
        for case in cases
        for finding in case.findings
        if finding.figure == "cpu_s" and finding.effect
    ]
    if len(shifts) < _TOGETHER or sides.across:
        return []
    shift_of_all = median(shifts)
    same = sum(shift * shift_of_all > 0 for shift in shifts)
    if abs(shift_of_all) < _SHIFT or same < _SAME_WAY * len(shifts):
        return []
    return [
        f"CPU time moved the same way in {same} of {len(shifts)} cases, to a median of {math.exp(shift_of_all):.2f}x: "
        f"a slower or faster session of the machine does that, or a change in code that the cases share"
    ]
