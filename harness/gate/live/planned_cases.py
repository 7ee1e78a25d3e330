"""The cases of a live gate: what both sides can run is measured, what only one can run is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal

import msgspec

from harness.declare.values import STRESS, TUNE
from harness.errors import NothingSelectedError, UsageError
from harness.gate.decision import Case, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.environments.probe import look
from harness.gate.foreign.own import check_own
from harness.gate.foreign.suite import Suite
from harness.gate.live.process import PROTOCOLS, SideError, SideProcess
from harness.plan.selection import Selection
from harness.records import Trial

_TIMEOUT_S = 300.0


class PlannedMetric(msgspec.Struct, frozen=True):
    """What the gate needs to know of a metric; its margin may be a share of the base's value."""

    direction: Literal["higher", "lower"]
    unit: str
    margin: float
    relative: bool = False


class PlannedCase(msgspec.Struct, frozen=True):
    """A case that will be measured: its trials by block, its metrics, and the phases that are set-up on either side.

    On both sides these phases are in no total, even if only one side declares them so. Of a case that another tool
    collected for a number that it tracks, times and memory are not judged.

    Attributes
    ----------
    declared
        File of the candidate that declares the strategy; empty if it is not known.
    touched
        Whether that file differs between the sides.
    pair_s
        Seconds that a pair took in earlier gates on this machine; 0 if there was none.
    measured
        Whether times and memory are judged.
    """

    case: Case
    trials: tuple[Trial, ...]
    metrics: dict[str, PlannedMetric]
    setup: tuple[str, ...] = ()
    declared: str = ""
    touched: bool = False
    pair_s: float = 0.0
    measured: bool = True


@dataclass(frozen=True)
class GatePlan:
    """Cases that will be measured, cases that cannot be, and remarks on the rest."""

    cases: list[PlannedCase]
    settled: list[Case]
    remarks: list[str]


@dataclass(frozen=True)
class _Offer:
    """What a side can run.

    Attributes
    ----------
    trials
        For each variant its trials by block.
    missing
        The reason of each strategy that cannot run.
    setup
        For each task its set-up phases.
    data
        Data set to version.
    missing_data
        Data set that is not on this machine to the command that gets it.
    declared
        For each strategy the file that declares it.
    unfit
        Variant to the reason why it cannot be gated.
    unmeasured
        The variants of which only metrics are judged.
    modules
        Module to its file, of what loading the topics has imported.
    """

    trials: dict[str, list[Trial]]
    missing: dict[tuple[str, str, str], str]
    metrics: dict[tuple[str, str], dict[str, PlannedMetric]]
    setup: dict[tuple[str, str], set[str]]
    data: dict[str, str]
    missing_data: dict[str, str]
    declared: dict[tuple[str, str, str], str]
    unfit: dict[str, str]
    unmeasured: set[str]
    modules: dict[str, str]

    def why_not(self, trial: Trial) -> str:
        missing = self.missing_data.get(trial.dataset, "") or self.unfit.get(trial.variant, "")
        return missing or self.missing.get((trial.topic, trial.task, trial.strategy), "")


def plan_cases(selection: Selection, sides: Mapping[SideName, SideEnvironment], suite: Suite | None = None) -> GatePlan:
    """Ask both sides which trials a selection means there, and match them.

    Parameters
    ----------
    suite
        Another tool's benchmarks, which both sides collect in place of topics.

    Raises
    ------
    UsageError
        When neither side knows what is selected, or a side cannot list its cases.
    NothingSelectedError
        When the selection matches nothing on either side.
    """
    base, candidate = (_ask(selection, sides[name], name) for name in ("base", "candidate"))
    if isinstance(base, str) and isinstance(candidate, str):
        raise UsageError(candidate)
    offers: dict[SideName, _Offer | str] = {"base": base, "candidate": candidate}
    if suite is not None:
        check_own(suite, sides, {name: _whole(name, offer).modules for name, offer in offers.items()})
    refused = [f"the {name} has nothing to run: {offer}" for name, offer in offers.items() if isinstance(offer, str)]
    empty = _Offer({}, {}, {}, {}, {}, {}, {}, {}, set(), {})
    plan = _match(*(empty if isinstance(offer, str) else offer for offer in (base, candidate)))
    if not plan.cases and not plan.settled:
        raise NothingSelectedError(f"no case can be measured on both sides: {'; '.join(plan.remarks + refused)}")
    return GatePlan(plan.cases, plan.settled, refused + plan.remarks)


def _whole(name: SideName, offer: _Offer | str) -> _Offer:
    """Return what a side offers; both sides have another tool's benchmarks, or nothing can be compared."""
    if isinstance(offer, str):
        raise UsageError(f"the {name}: {offer}")
    return offer


def _ask(selection: Selection, side: SideEnvironment, name: str) -> _Offer | str:
    with SideProcess(side, "plan") as process:
        process.send(selection)
        try:
            answer = process.answer(_TIMEOUT_S)
        except UsageError as error:
            return str(error)
        except SideError as error:
            raise UsageError(
                f"the {name}, {side.side.name} ({_bakeoff(side)}), cannot list its cases ({error}); this gate is of "
                f"bakeoff {metadata.version('bakeoff')} and speaks protocols {' and '.join(map(str, PROTOCOLS))}: "
                f"take a {name} whose bakeoff works in this environment and speaks one of them"
            ) from None
    return _offer(answer)


def _bakeoff(side: SideEnvironment) -> str:
    """Name the Bakeoff of a side: its version, and its commit where the side has one."""
    package = look(side.python, side.variables, packages=["bakeoff"]).packages["bakeoff"]
    version = f"bakeoff {package[0]}" if package else "no bakeoff"
    return f"{version}, commit {side.side.commit[:8]}" if side.side.commit else version


def _offer(answer: dict[str, Any]) -> _Offer:
    trials: dict[str, list[Trial]] = {}
    for variant, trial in zip(answer["variants"], msgspec.convert(answer["trials"], list[Trial]), strict=True):
        trials.setdefault(variant, []).append(trial)
    metrics: dict[tuple[str, str], dict[str, PlannedMetric]] = {}
    for topic, task, name, direction, unit, margin in answer["metrics"]:
        relative = [topic, task, name] in answer.get("relative", [])
        metrics.setdefault((topic, task), {})[name] = PlannedMetric(direction, unit, margin, relative)
    missing = {(topic, task, strategy): reason for topic, task, strategy, reason in answer["missing"]}
    # A side whose Bakeoff is older knows no set-up phases.
    setup = {(topic, task): set(phases) for topic, task, phases in answer.get("setup", [])}
    declared = {(topic, task, name): at.rpartition(":")[0] for topic, task, name, at in answer.get("declared", [])}
    return _Offer(
        trials,
        missing,
        metrics,
        setup,
        answer["data"],
        answer.get("missing_data", {}),
        declared,
        answer.get("unfit", {}),
        set(answer.get("unmeasured", [])),
        answer.get("modules", {}),
    )


def _match(base: _Offer, candidate: _Offer) -> GatePlan:
    plan = GatePlan([], [], [])
    skipped: dict[str, set[str]] = {}
    # The plan of a run shuffles the strategies of a block; cases are listed in the order of their names.
    for variant, reason in candidate.unfit.items():
        case = _case(candidate.trials[variant][0])
        plan.settled.append(msgspec.structs.replace(case, verdict="not measured", reason=reason))
    for variant, trials in sorted(base.trials.items(), key=lambda item: _case(item[1][0]).name):
        trial = trials[0]
        if variant in candidate.unfit:
            continue
        if base.why_not(trial):
            skipped.setdefault(base.why_not(trial), set()).add(trial.label)
            continue
        reason = _why_not_measured(variant, trial, base, candidate)
        case = _case(trial)
        if reason:
            plan.settled.append(msgspec.structs.replace(case, verdict="not measured", reason=reason))
        else:
            task = (trial.topic, trial.task)
            setup = tuple(sorted(base.setup.get(task, set()) | candidate.setup.get(task, set())))
            metrics, measured = candidate.metrics.get(task, {}), variant not in candidate.unmeasured
            declared = candidate.declared.get((*task, trial.strategy), "")
            plan.cases.append(
                PlannedCase(case, tuple(candidate.trials[variant]), metrics, setup, declared, measured=measured)
            )
    new = sorted(
        _case(trials[0]).name
        for name, trials in candidate.trials.items()
        if name not in base.trials and name not in candidate.unfit
    )
    if new:
        plan.remarks.append(f"new in the candidate, with nothing to compare with: {', '.join(new)}")
    plan.remarks.extend(_setup_changed(base, candidate, {(one.case.topic, one.case.task) for one in plan.cases}))
    for reason, labels in sorted(skipped.items()):
        plan.remarks.append(f"not run on the base: {', '.join(sorted(labels))} ({reason})")
    return plan


def _setup_changed(base: _Offer, candidate: _Offer, tasks: set[tuple[str, str]]) -> list[str]:
    """Say which phases are set-up on one side alone; those that the harness adds are new, not changed."""
    remarks = []
    for task in sorted(tasks):
        old, new = (offer.setup.get(task, set()) - {TUNE, STRESS} for offer in (base, candidate))
        for phase in sorted(old ^ new):
            side, other = ("candidate", "base") if phase in new else ("base", "candidate")
            remarks.append(
                f"phase {phase} of {'/'.join(task)} is set-up in the {side} and not in the {other}; it is in no total "
                "of either side"
            )
    return remarks


def _why_not_measured(variant: str, trial: Trial, base: _Offer, candidate: _Offer) -> str:
    if variant not in candidate.trials:
        return "it is gone from the candidate; acknowledge a removal in [tool.bakeoff.gate] allowed"
    if candidate.why_not(trial):
        return f"the candidate cannot run it: {candidate.why_not(trial)}"
    old, new = base.data[trial.dataset], candidate.data[trial.dataset]
    if old != new:
        return f"data set {trial.dataset} differs: version {old[:8]} in the base, {new[:8]} in the candidate"
    return ""


def _case(trial: Trial) -> Case:
    return Case(trial.topic, trial.task, trial.label, trial.dataset, trial.scenario, dict(trial.params))
